//! The events of RFC 9967: its examples, and what is refused.

use serde_json::{Value, json};

use super::parse;
use crate::event::EventType;

fn about(sub_id: &Value, event_type: &EventType, payload: &Value) -> Value {
    json!({ "sub_id": sub_id, "events": { event_type.as_str(): payload } })
}

/// A message about a user.
fn message(event_type: &EventType, payload: &Value) -> Value {
    let sub_id = json!({ "format": "scim", "uri": "/Users/2b2f88", "externalId": "jdoe" });
    about(&sub_id, event_type, payload)
}

#[test]
fn the_examples_of_the_standard_are_read() {
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "emails": [{ "type": "work", "value": "jdoe@example.com" }],
        "userName": "jdoe",
        "name": { "givenName": "John", "familyName": "Doe" },
    });
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{
            "op": "add",
            "path": "members",
            "value": [{ "display": "Babs Jensen", "value": "2819c223-7f76-453a-919d-413861904646" }],
        }],
    });
    let failed = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "scimType": "invalidSyntax",
        "detail": "Request is unparsable",
        "status": "400",
    });
    let version = "a330bc54f0671c9";
    for (event_type, payload) in [
        // RFC 9967, 2.3 to 2.5
        (EventType::SCIM_FEED_ADD, json!({})),
        (EventType::SCIM_FEED_REMOVE, json!({})),
        (EventType::SCIM_CREATE_FULL, json!({ "data": user })),
        (EventType::SCIM_CREATE_NOTICE, json!({ "attributes": ["id", "name", "password"] })),
        (EventType::SCIM_PATCH_FULL, json!({ "version": version, "data": patch })),
        (EventType::SCIM_PATCH_NOTICE, json!({ "attributes": ["members"], "version": version })),
        (EventType::SCIM_PUT_FULL, json!({ "version": version, "data": user })),
        (EventType::SCIM_PUT_NOTICE, json!({ "attributes": ["emails"], "version": version })),
        (EventType::SCIM_DELETE, json!({})),
        (EventType::SCIM_ACTIVATE, json!({ "event_timestamp": 1_458_505_044 })),
        (EventType::SCIM_DEACTIVATE, json!({ "ours": "is kept" })),
        (
            EventType::SCIM_ASYNC_RESPONSE,
            json!({ "method": "PUT", "version": "W/\"huJj29dMNgu3WXPD\"", "status": "200" }),
        ),
        (
            EventType::SCIM_ASYNC_RESPONSE,
            json!({ "method": "POST", "bulkId": "qwerty", "status": "400", "response": failed }),
        ),
    ] {
        let event = parse(&message(&event_type, &payload)).unwrap();
        assert_eq!(Value::Object(event.payload), payload);
        assert_eq!(event.subject.to_value()["externalId"], "jdoe");
    }
}

#[test]
fn each_type_has_what_its_name_says_and_never_a_password() {
    let (missing, never) = ("is missing", "must not be there for this type");
    let object = "must be an object with at least one member";
    let set = |path: &str| {
        let replace = json!({ "op": "replace", "path": path, "value": "s3cr3t" });
        json!({ "data": { "Operations": [{ "op": "remove", "path": "title" }, replace] } })
    };
    let password = "must not be told";
    let value = "must not hold a password";
    let urn = "urn:ietf:params:scim:schemas:core:2.0:User:password";
    for (event_type, payload, at, reason) in [
        (EventType::SCIM_CREATE_NOTICE, json!({}), "attributes", missing),
        (
            EventType::SCIM_CREATE_NOTICE,
            json!({ "attributes": "name" }),
            "attributes",
            "must be an array of strings",
        ),
        (
            EventType::SCIM_PUT_NOTICE,
            json!({ "attributes": [], "data": { "userName": "a" } }),
            "data",
            never,
        ),
        (EventType::SCIM_PATCH_FULL, json!({}), "data", missing),
        (EventType::SCIM_PATCH_FULL, json!({ "data": [] }), "data", object),
        (EventType::SCIM_PUT_FULL, json!({ "data": {} }), "data", object),
        (
            EventType::SCIM_PUT_FULL,
            json!({ "attributes": ["title"], "data": { "userName": "a" } }),
            "attributes",
            never,
        ),
        (EventType::SCIM_DELETE, json!({ "data": { "userName": "a" } }), "data", never),
        (EventType::SCIM_ACTIVATE, json!({ "attributes": ["active"] }), "attributes", never),
        (
            EventType::SCIM_FEED_ADD,
            json!({ "version": "" }),
            "version",
            "must be a string that is not empty",
        ),
        (
            EventType::SCIM_CREATE_FULL,
            json!({ "data": { "userName": "a", "password": "s3cr3t" } }),
            "data.password",
            password,
        ),
        (
            EventType::SCIM_PUT_FULL,
            json!({ "data": { "x": [{ "PassWord": null }] } }),
            "data.x[0].PassWord",
            password,
        ),
        (EventType::SCIM_PATCH_FULL, set("password"), "data.Operations[1].value", value),
        (EventType::SCIM_PATCH_FULL, set("Password"), "data.Operations[1].value", value),
        (EventType::SCIM_PATCH_FULL, set(urn), "data.Operations[1].value", value),
        (
            EventType::SCIM_PATCH_FULL,
            json!({ "data": { "Operations": [{ "op": "add", "value": { "password": "s3" } }] } }),
            "data.Operations[0].value.password",
            password,
        ),
        (EventType::SCIM_ASYNC_RESPONSE, json!({ "status": "200" }), "method", missing),
        (EventType::SCIM_ASYNC_RESPONSE, json!({ "method": "PUT" }), "status", missing),
        (
            EventType::SCIM_ASYNC_RESPONSE,
            json!({ "method": "GET", "status": "200" }),
            "method",
            "must be POST, PUT, PATCH or DELETE",
        ),
        (
            EventType::SCIM_ASYNC_RESPONSE,
            json!({ "method": "PUT", "status": 200 }),
            "status",
            "must be a status of HTTP, such as \"200\"",
        ),
        (
            EventType::SCIM_ASYNC_RESPONSE,
            json!({ "method": "PUT", "status": "400" }),
            "response",
            "is missing, and the status is not 2xx",
        ),
    ] {
        let error = parse(&message(&event_type, &payload)).unwrap_err().to_string();
        let name = event_type.short_name();
        assert_eq!(error, format!("events.{name}.{at}: {reason}"), "{payload}");
        assert!(!error.contains("s3cr3t"));
    }
    // A password may be told to have gone.
    let gone = json!({ "data": { "Operations": [{ "op": "remove", "path": "password" }] } });
    assert!(parse(&message(&EventType::SCIM_PATCH_FULL, &gone)).is_ok());
}

#[test]
fn the_subject_is_a_resource_of_scim() {
    let scim = json!({ "format": "scim", "uri": "/Users/1" });
    let email = json!({ "format": "email", "email": "ann@example.com" });
    let aliases =
        |identifiers: &[&Value]| json!({ "format": "aliases", "identifiers": identifiers });
    let refused = |sub_id: &Value| {
        let message = about(sub_id, &EventType::SCIM_DELETE, &json!({}));
        parse(&message).err().map(|invalid| invalid.to_string())
    };
    assert_eq!(refused(&scim), None);
    assert_eq!(refused(&aliases(&[&email, &scim])), None);
    let error = "sub_id.format: must be scim, or aliases with a scim identifier, for prov:delete";
    for sub_id in [&email, &aliases(&[&email]), &json!({ "format": "complex", "user": scim })] {
        assert_eq!(refused(sub_id).as_deref(), Some(error), "{sub_id}");
    }
    let inside = message(&EventType::SCIM_DELETE, &json!({ "subject": scim }));
    assert_eq!(
        parse(&inside).unwrap_err().to_string(),
        "events.prov:delete.subject: must not be there for types outside CAEP and RISC",
    );
}
