//! What bulk requests are taken, and in which order their operations can be done.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scim::normalize::tests::any_json;

fn parse(operations: &Value) -> Result<BulkRequest, Error> {
    BulkRequest::parse(&json!({"schemas": [BULK_REQUEST], "Operations": operations}))
}

fn post(bulk_id: &str, data: &Value) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data})
}

#[test]
fn each_method_has_its_path() {
    let request = BulkRequest::parse(&json!({
        "schemas": [BULK_REQUEST], "failOnErrors": 2,
        "operations": [
            {"method": "post", "path": "/Users", "bulkId": "a", "data": {"userName": "ada"}},
            {"method": "PUT", "path": "/Groups/7", "version": "W/\"3\"", "data": {}},
            {"method": "PATCH", "path": "/Users/8", "data": {}},
            {"method": "DELETE", "path": "/Users/9", "data": {"left": "out"}},
        ],
    }))
    .unwrap();
    assert_eq!((request.fail_on_errors, request.order()), (Some(2), &[0, 1, 2, 3][..]));
    let [post, put, patch, delete] = &request.operations[..] else { panic!("not four") };
    assert_eq!(
        (post.method, post.resource_type, &post.id),
        (Method::Post, ResourceType::User, &None)
    );
    assert_eq!((put.method, put.resource_type), (Method::Put, ResourceType::Group));
    assert_eq!((put.id.as_deref(), put.version.as_deref()), (Some("7"), Some("W/\"3\"")));
    assert_eq!(patch.method, Method::Patch);
    assert_eq!((delete.method, &delete.data), (Method::Delete, &None));
}

#[test]
fn what_is_no_operation_is_refused() {
    let wrong = [
        json!([]),
        json!({}),
        json!([7]),
        json!([{"path": "/Users", "bulkId": "a", "data": {}}]),
        json!([{"method": "GET", "path": "/Users/7"}]),
        json!([{"method": "POST", "path": "/Users", "data": {}}]),
        json!([{"method": "POST", "path": "/Users/7", "bulkId": "a", "data": {}}]),
        json!([{"method": "POST", "path": "/Users", "bulkId": "a"}]),
        json!([{"method": "POST", "path": "/Clients", "bulkId": "a", "data": {}}]),
        json!([{"method": "PUT", "path": "/Users", "data": {}}]),
        json!([{"method": "PUT", "path": "/Users/", "data": {}}]),
        json!([{"method": "DELETE", "path": "/Users/7/8"}]),
        json!([{"method": "DELETE", "path": "Users/7"}]),
        json!([{"method": "PATCH", "path": "/Users/7", "data": []}]),
        json!([post("a", &json!({})), post("a", &json!({}))]),
    ];
    for operations in wrong {
        assert_eq!(parse(&operations).unwrap_err().kind, ErrorKind::InvalidSyntax, "{operations}");
    }
    let many: Vec<_> = (0..=MAX_OPERATIONS).map(|n| post(&n.to_string(), &json!({}))).collect();
    assert!(parse(&many[1..].into()).is_ok());
    assert_eq!(parse(&many.into()).unwrap_err().kind, ErrorKind::TooLarge);
    let zero = json!({"schemas": [BULK_REQUEST], "failOnErrors": 0, "Operations": [post("a", &json!({}))]});
    assert_eq!(BulkRequest::parse(&zero).unwrap_err().kind, ErrorKind::InvalidSyntax);
}

#[test]
fn what_is_referred_to_is_created_first() {
    let member = |name: &str| json!({"members": [{"value": format!("bulkId:{name}")}]});
    let request = parse(&json!([
        {"method": "PATCH", "path": "/Users/bulkId:b", "data": {"x": 1}},
        post("g", &member("a")),
        post("c", &json!({})),
        post("a", &json!({})),
        post("b", &member("g")),
    ]))
    .unwrap();
    assert_eq!(request.order(), [2, 3, 1, 4, 0]);
    let mut created = HashMap::from([("a".to_owned(), "1".to_owned())]);
    let resolved = request.resolve(1, &created).unwrap();
    assert_eq!(resolved.data, Some(json!({"members": [{"value": "1"}]})));
    let error = request.resolve(0, &created).unwrap_err();
    assert_eq!(error, Error::value("bulkId:b was not created"));
    created.insert("b".to_owned(), "2".to_owned());
    assert_eq!(request.resolve(0, &created).unwrap().id.as_deref(), Some("2"));
    assert_eq!(request.resolve(9, &created).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn references_to_nothing_or_in_a_circle_are_refused() {
    let manager = |name: &str| json!({"manager": format!("bulkId:{name}")});
    for operations in [
        json!([post("a", &manager("nobody"))]),
        json!([post("a", &manager("a"))]),
        json!([post("a", &manager("b")), post("b", &manager("a"))]),
    ] {
        assert_eq!(parse(&operations).unwrap_err().kind, ErrorKind::InvalidValue, "{operations}");
    }
}

#[test]
fn nothing_of_a_resource_is_in_a_log() {
    let request = parse(&json!([post("a", &json!({"password": "geheim"}))])).unwrap();
    assert!(!format!("{request:?}").contains("geheim"));
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(json in any_json()) {
        let _ = parse(&json);
        let _ = parse(&json!([post("a", &json), json]));
    }
}
