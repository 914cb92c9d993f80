//! What is asked for, how it is sorted, and how it is answered.

use proptest::prelude::*;

use super::*;
use crate::scim::{ErrorKind, normalize::tests::any_json};

fn query(pairs: &[(&str, &str)]) -> Result<ListRequest, ErrorKind> {
    let pairs = pairs.iter().copied();
    ListRequest::from_query(pairs, ResourceType::User).map_err(|error| error.kind)
}

fn search(message: &Value) -> Result<ListRequest, ErrorKind> {
    ListRequest::from_search(message, ResourceType::User).map_err(|error| error.kind)
}

#[test]
fn nothing_asked_for_is_the_first_page_of_all() {
    let request = query(&[("foo", "bar"), ("filter", " "), ("sortBy", "")]).unwrap();
    assert_eq!((request.page, request.count), (Page::Index(1), None));
    assert!(request.filter.is_none() && request.sort_by.is_none());
    assert_eq!(request.sort_order, SortOrder::Ascending);
}

#[test]
fn numbers_below_the_first_are_the_first() {
    let page = |start: &str| query(&[("startIndex", start)]).unwrap().page;
    for (sent, meant) in [("0", 1), ("-5", 1), ("1", 1), ("101", 101), ("", 1)] {
        assert_eq!(page(sent), Page::Index(meant), "{sent}");
    }
    assert_eq!(page("99999999999999999999"), Page::Index(u64::MAX));
    let count = |count: &str| query(&[("COUNT", count)]).unwrap().count;
    assert_eq!((count("-1"), count("0"), count("7"), count("")), (Some(0), Some(0), Some(7), None));
    assert_eq!(count("99999999999"), Some(u32::MAX));
}

#[test]
fn what_is_no_number_is_refused() {
    for text in ["x", "1.5", "1e2", "--1"] {
        assert_eq!(query(&[("count", text)]).unwrap_err(), ErrorKind::InvalidValue);
        assert_eq!(query(&[("startIndex", text)]).unwrap_err(), ErrorKind::InvalidValue);
        let with_cursor = query(&[("count", text), ("cursor", "")]);
        assert_eq!(with_cursor.unwrap_err(), ErrorKind::InvalidCount);
    }
    assert_eq!(query(&[("count", "1"), ("Count", "1")]).unwrap_err(), ErrorKind::InvalidValue);
}

#[test]
fn a_cursor_goes_alone() {
    assert_eq!(query(&[("cursor", "")]).unwrap().page, Page::Cursor(None));
    let page = query(&[("cursor", "a-b_c.~9")]).unwrap().page;
    assert_eq!(page, Page::Cursor(Some("a-b_c.~9".to_owned())));
    let mixed = query(&[("cursor", ""), ("startIndex", "1")]);
    assert_eq!(mixed.unwrap_err(), ErrorKind::InvalidValue);
    for cursor in ["a b", "é", "a/b", &"a".repeat(257)] {
        assert_eq!(query(&[("cursor", cursor)]).unwrap_err(), ErrorKind::InvalidCursor);
    }
}

#[test]
fn what_cannot_be_sorted_or_filtered_is_refused() {
    let refused = |name, value| query(&[(name, value)]).unwrap_err();
    assert_eq!(refused("sortBy", "nope"), ErrorKind::InvalidValue);
    assert_eq!(refused("sortBy", "name"), ErrorKind::InvalidValue);
    assert_eq!(refused("sortBy", "password"), ErrorKind::Sensitive);
    assert_eq!(refused("sortOrder", "sideways"), ErrorKind::InvalidValue);
    assert_eq!(refused("filter", "nope eq 1"), ErrorKind::InvalidFilter);
    let both = query(&[("attributes", "userName"), ("excludedAttributes", "emails")]);
    assert_eq!(both.unwrap_err(), ErrorKind::InvalidValue);
    let by = query(&[("sortBy", "EMAILS"), ("sortOrder", "Descending")]).unwrap();
    assert!(by.sort_by.unwrap().is("emails.value"));
    assert_eq!(by.sort_order, SortOrder::Descending);
}

#[test]
fn a_search_asks_for_the_same() {
    let request = search(&json!({
        "schemas": [SEARCH_REQUEST], "filter": "userName sw \"a\"", "sortBy": "userName",
        "sortOrder": "descending", "startIndex": 2, "count": "10", "attributes": ["id", "userName"],
    }))
    .unwrap();
    assert_eq!((request.page, request.count), (Page::Index(2), Some(10)));
    assert_eq!(request.filter_text.as_deref(), Some("userName sw \"a\""));
    assert!(request.projection.wants("userName") && !request.projection.wants("emails"));
    let cursor = search(&json!({"schemas": SEARCH_REQUEST, "Cursor": "", "count": null}));
    assert_eq!(cursor.unwrap().page, Page::Cursor(None));
    for wrong in [
        json!([]),
        json!({"filter": "userName pr"}),
        json!({"schemas": [LIST_RESPONSE]}),
        json!({"schemas": [SEARCH_REQUEST], "filter": 7.5, "count": [1]}),
        json!({"schemas": [SEARCH_REQUEST], "attributes": [7]}),
        json!({"schemas": [SEARCH_REQUEST], "attributes": {}}),
        json!({"schemas": [SEARCH_REQUEST], "count": 1, "COUNT": 2}),
    ] {
        assert_eq!(search(&wrong).unwrap_err(), ErrorKind::InvalidSyntax, "{wrong}");
    }
}

#[test]
fn whom_a_filter_names_is_not_in_a_log() {
    let request = query(&[("filter", "userName eq \"geheim\"")]).unwrap();
    assert!(!format!("{request:?}").contains("geheim"));
}

fn sorted(resources: Value, by: &str, order: SortOrder) -> Vec<Value> {
    let Value::Array(mut resources) = resources else { panic!("no list") };
    let by = AttributePath::resolve(by, ResourceType::User).unwrap();
    let key = |resource: &Value| SortKey::of(resource.as_object().unwrap(), by);
    resources.sort_by(|one, other| SortKey::compare(key(one).as_ref(), key(other).as_ref(), order));
    resources.iter().map(|resource| resource["id"].clone()).collect()
}

#[test]
fn resources_are_sorted_by_what_their_values_mean() {
    use SortOrder::{Ascending, Descending};
    let users = || {
        json!([
            {"id": "1", "userName": "b", "meta": {"created": "2026-01-01T01:00:00+01:00"}, "active": true,
             "emails": [{"value": "z"}, {"value": "A", "primary": true}]},
            {"id": "2", "userName": "C", "meta": {"created": "2026-01-01T00:00:00.5Z"}},
            {"id": "3", "userName": "a", "meta": {"created": "2025-12-31T23:59:59Z"}, "active": false,
             "emails": [{"value": "b"}, {"value": "0"}]},
            {"id": "4", "userName": "B", "meta": {"created": "2026-01-02T00:00:00Z"}, "emails": []},
        ])
    };
    assert_eq!(sorted(users(), "userName", Ascending), ["3", "1", "4", "2"]);
    assert_eq!(sorted(users(), "userName", Descending), ["2", "1", "4", "3"]);
    assert_eq!(sorted(users(), "meta.created", Ascending), ["3", "1", "2", "4"]);
    assert_eq!(sorted(users(), "emails.value", Ascending), ["1", "3", "2", "4"]);
    assert_eq!(sorted(users(), "emails.value", Descending), ["2", "4", "3", "1"]);
    assert_eq!(sorted(users(), "active", Ascending), ["3", "1", "2", "4"]);
    let ids = json!([{"id": "b"}, {"id": "B"}, {"id": "a"}]);
    assert_eq!(sorted(ids, "id", Ascending), ["B", "a", "b"]);
}

#[test]
fn a_page_is_answered_even_if_it_is_empty() {
    let none = ListResponse { total_results: Some(0), start_index: Some(1), ..Default::default() };
    assert_eq!(
        none.into_json(),
        json!({
            "schemas": [LIST_RESPONSE], "totalResults": 0, "startIndex": 1, "itemsPerPage": 0,
            "Resources": [],
        })
    );
    let page = ListResponse {
        resources: vec![json!({"id": "1"})],
        next_cursor: Some("n".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        page.into_json(),
        json!({
            "schemas": [LIST_RESPONSE], "itemsPerPage": 1, "Resources": [{"id": "1"}],
            "nextCursor": "n",
        })
    );
}

proptest! {
    #[test]
    fn no_request_makes_it_panic(body in any_json(), name in ".{0,12}", value in ".{0,20}") {
        let _ = search(&body);
        let message = json!({"schemas": [SEARCH_REQUEST], "filter": body, "attributes": body});
        let _ = search(&message);
        for known in ["filter", "sortBy", "sortOrder", "startIndex", "count", "cursor", "attributes", &name] {
            let _ = query(&[(known, &value)]);
        }
    }

    #[test]
    fn sorting_loses_nobody(names in prop::collection::vec(".{0,3}", 0..12)) {
        let users: Vec<_> = names.iter().enumerate().map(|(n, name)| json!({"id": n, "userName": name})).collect();
        let sorted = sorted(users.into(), "userName", SortOrder::Ascending);
        let folded = |id: &Value| crate::scim::fold(&names[usize::try_from(id.as_u64().unwrap()).unwrap()]);
        prop_assert_eq!(sorted.len(), names.len());
        prop_assert!(sorted.iter().map(folded).is_sorted());
    }
}
