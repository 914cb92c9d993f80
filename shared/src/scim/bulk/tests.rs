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
    let read: Vec<_> = request.operations.iter().map(|sent| sent.read.as_ref().unwrap()).collect();
    let [post, put, patch, delete] = read[..] else { panic!("not four") };
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
fn what_is_no_operation_fails_alone() {
    let wrong = [
        json!(7),
        json!({"path": "/Users", "bulkId": "a", "data": {}}),
        json!({"method": "GET", "path": "/Users/7"}),
        json!({"method": "POST", "path": "/Users", "data": {}}),
        json!({"method": "POST", "path": "/Users/7", "bulkId": "a", "data": {}}),
        json!({"method": "POST", "path": "/Users", "bulkId": "a"}),
        json!({"method": "POST", "path": "/Clients", "bulkId": "a", "data": {}}),
        json!({"method": "PUT", "path": "/Users", "data": {}}),
        json!({"method": "PUT", "path": "/Users/", "data": {}}),
        json!({"method": "DELETE", "path": "/Users/7/8"}),
        json!({"method": "DELETE", "path": "Users/7"}),
        json!({"method": "PATCH", "path": "/Users/7", "data": []}),
    ];
    for operation in wrong {
        let request = parse(&json!([post("b", &json!({})), operation])).unwrap();
        assert!(request.resolve(0, &HashMap::new()).is_ok());
        let error = request.resolve(1, &HashMap::new()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidSyntax, "{operation}");
        assert!(error.detail.starts_with("Operations[1]: "), "{error}");
    }
    let request = parse(&json!([{"method": "post", "path": "/Clients", "bulkId": "a"}])).unwrap();
    let [sent] = &request.operations[..] else { panic!("not one") };
    assert_eq!((sent.method, sent.bulk_id.as_deref()), (Some(Method::Post), Some("a")));
}

#[test]
fn what_is_no_request_is_refused() {
    for operations in [json!([]), json!({}), json!([post("a", &json!({})), post("a", &json!({}))])]
    {
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
fn references_to_nothing_fail_alone_and_those_in_a_circle_the_request() {
    let manager = |name: &str| json!({"manager": format!("bulkId:{name}")});
    let no_operation =
        json!({"method": "POST", "path": "/Clients", "bulkId": "nobody", "data": {}});
    for others in [json!([]), json!([no_operation])] {
        let mut operations = json!([post("a", &manager("nobody"))]);
        operations.as_array_mut().unwrap().extend(others.as_array().unwrap().clone());
        let request = parse(&operations).unwrap();
        let error = request.resolve(0, &HashMap::new()).unwrap_err();
        assert_eq!(error, Error::value("bulkId:nobody was not created"));
    }
    for operations in [
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
