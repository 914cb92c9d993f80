//! Whatever is sent, the service answers: with 4xx where it is nonsense, and never that it is at fault.

use std::cell::RefCell;

use http::{Method, StatusCode};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use super::{GROUP, PATCH, Provisioning, USER};

/// A request: the method, the path below the service, and the body.
type Sent = (Method, String, Vec<u8>);

/// Where resources are, and what can be done there.
fn place() -> impl Strategy<Value = (Method, &'static str)> {
    prop::sample::select(vec![
        (Method::POST, "/Users"),
        (Method::PUT, "/Users/PERSON"),
        (Method::PATCH, "/Users/PERSON"),
        (Method::POST, "/Groups"),
        (Method::PUT, "/Groups/GROUP"),
        (Method::PATCH, "/Groups/GROUP"),
        (Method::POST, "/Bulk"),
        (Method::POST, "/.search"),
        (Method::POST, "/Users/.search"),
        (Method::POST, "/Groups/.search"),
    ])
}

/// Words that mean something to the service, and some that do not.
fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "schemas",
        "Operations",
        "op",
        "path",
        "value",
        "add",
        "replace",
        "remove",
        "userName",
        "emails",
        "emails[type eq \"work\"].value",
        "members",
        "members[value eq \"PERSON\"]",
        "active",
        "False",
        "name.givenName",
        "displayName",
        "filter",
        "startIndex",
        "count",
        "sortBy",
        "cursor",
        "attributes",
        "method",
        "bulkId",
        "bulkId:a",
        "data",
        "POST",
        "/Users",
        "/Users/PERSON",
        "failOnErrors",
        "externalId",
        "id",
        "meta",
        "groups",
        "password",
        "$ref",
        "PERSON",
        USER,
        GROUP,
        PATCH,
        "urn:ietf:params:scim:api:messages:2.0:BulkRequest",
        "urn:ietf:params:scim:api:messages:2.0:SearchRequest",
        "userName eq \"a\"",
        "not (id pr)",
        "emails[",
        "a.b.c",
        "urn:",
        "\u{0}",
        "ß",
        "",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => "\\PC{0,12}"]
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => word().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(json!(1e308)),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((word(), inner), 0..6).prop_map(|all| all.into_iter().collect()),
        ]
    })
}

/// A sound change, of which something may be replaced by something else.
fn change() -> impl Strategy<Value = Value> {
    let operation = (word(), word(), tree())
        .prop_map(|(op, path, value)| json!({ "op": op, "path": path, "value": value }));
    let operation = prop_oneof![
        3 => operation,
        3 => (prop::sample::select(vec!["add", "replace", "remove"]), word(), tree())
            .prop_map(|(op, path, value)| json!({ "op": op, "path": path, "value": value })),
        1 => tree(),
    ];
    vec(operation, 0..4)
        .prop_map(|operations| json!({ "schemas": [PATCH], "Operations": operations }))
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => vec(any::<u8>(), 0..64),
        4 => tree().prop_map(|tree| tree.to_string().into_bytes()),
        6 => change().prop_map(|change| change.to_string().into_bytes()),
        // Cut off, or with a byte that is another one.
        2 => (change(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(change, at, byte)| {
            let mut body = change.to_string().into_bytes();
            let at = at.index(body.len());
            body[at] = byte;
            if byte.is_ascii_control() {
                body.truncate(at);
            }
            body
        }),
    ]
}

fn question() -> impl Strategy<Value = Sent> {
    let names = prop::sample::select(vec![
        "filter",
        "sortBy",
        "sortOrder",
        "startIndex",
        "count",
        "cursor",
        "attributes",
        "excludedAttributes",
    ]);
    let value = prop_oneof![word(), vec(word(), 0..5).prop_map(|words| words.join(" "))];
    let place = prop::sample::select(vec!["/Users", "/Groups", "/Users/PERSON", "/Schemas", "/Me"]);
    (place, vec((names, value), 0..3)).prop_map(|(place, pairs)| {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        (Method::GET, format!("{place}?{query}"), Vec::new())
    })
}

fn sent() -> impl Strategy<Value = Sent> {
    let with_body =
        (place(), body()).prop_map(|((method, path), body)| (method, path.to_owned(), body));
    prop_oneof![4 => with_body, 1 => question()]
}

#[test]
fn nonsense_is_refused_and_breaks_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let p = runtime.block_on(Provisioning::new());
    let person = runtime.block_on(p.person("ada"));
    let group = runtime.block_on(p.group("Staff", &[&person]));
    let seen = RefCell::new(std::collections::BTreeSet::new());
    let config = Config { cases: 2_000, failure_persistence: None, ..Config::default() };
    let run = |(method, path, body): Sent| {
        let fill = |text: &str| text.replace("PERSON", &person).replace("GROUP", &group);
        let body = match String::from_utf8(body) {
            Ok(text) => fill(&text).into_bytes(),
            Err(error) => error.into_bytes(),
        };
        let path = format!("/scim/v2{}", fill(&path));
        let headers = [("content-type", "application/scim+json")];
        let answer = p.caller.send(method, &path, &headers, axum::body::Body::from(body));
        let status = runtime.block_on(answer).status;
        prop_assert!(!status.is_server_error(), "{status}");
        seen.borrow_mut().insert(status);
        Ok(())
    };
    TestRunner::new(config).run(&sent(), run).unwrap();
    let seen = seen.into_inner();
    for wanted in [StatusCode::OK, StatusCode::BAD_REQUEST] {
        assert!(seen.contains(&wanted), "{wanted} was never answered: {seen:?}");
    }
}
