//! Each row of the standard's rules for PATCH, and each dialect that is known.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scim::{ErrorKind, Member, Mode, normalize, normalize::tests::any_json};

mod dialects;
mod members;
mod model;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn request(operations: &Value) -> Value {
    json!({"schemas": [PATCH_OP], "Operations": operations})
}

/// A User with these members beside the usual ones.
fn user(members: &Value) -> Map<String, Value> {
    let mut user = json!({"schemas": [CORE], "id": "7", "userName": "ada", "active": true});
    user.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let mut user = user.as_object().unwrap().clone();
    user.insert("schemas".to_owned(), ResourceType::User.schemas_of(&user));
    user
}

fn patch(before: &Value, operations: &Value) -> Result<Map<String, Value>, Error> {
    let request = PatchRequest::parse(&request(operations), ResourceType::User)?;
    let before = user(before);
    let once = request.apply(&before)?.resource;
    Ok(once)
}

/// The operations turn the one User into the other; and doing them again changes nothing.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases are written as values")]
fn turns(before: Value, operations: Value, after: Value) {
    let once = patch(&before, &operations).unwrap_or_else(|error| panic!("{operations}: {error}"));
    assert_eq!(once, user(&after), "{operations}");
    let request = PatchRequest::parse(&request(&operations), ResourceType::User).unwrap();
    assert_eq!(request.apply(&once).unwrap().resource, once, "{operations}, done twice");
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases are written as values")]
fn refuses(before: Value, operations: Value, kind: ErrorKind) {
    match patch(&before, &operations) {
        Err(error) => assert_eq!(error.kind, kind, "{operations}: {error}"),
        Ok(after) => panic!("{operations} gives {after:?}"),
    }
}

fn emails() -> Value {
    json!({"emails": [
        {"value": "a@work", "type": "work", "primary": true},
        {"value": "a@home", "type": "home"},
    ]})
}

#[test]
fn a_message_that_is_none_is_refused() {
    let operations = json!([{"op": "add", "path": "title", "value": "T"}]);
    let wrong = [
        json!(null),
        json!([]),
        json!({"Operations": operations}),
        json!({"schemas": [], "Operations": operations}),
        json!({"schemas": [CORE], "Operations": operations}),
        request(&json!([])),
        request(&json!({})),
        request(&json!(null)),
        request(&json!([7])),
        request(&json!([{"path": "title", "value": "T"}])),
        request(&json!([{"op": "move", "path": "title", "value": "T"}])),
        request(&json!([{"op": "add", "path": 7, "value": "T"}])),
        json!({"schemas": [PATCH_OP], "Operations": operations, "operations": operations}),
    ];
    for message in wrong {
        let error = PatchRequest::parse(&message, ResourceType::User).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidSyntax, "{message}: {error}");
    }
}

#[test]
fn operations_are_done_in_order_and_all_or_none() {
    turns(
        json!({}),
        json!([
            {"op": "add", "path": "title", "value": "A"},
            {"op": "replace", "path": "title", "value": "B"},
            {"op": "add", "path": "nickName", "value": "C"},
            {"op": "remove", "path": "nickName"},
        ]),
        json!({"title": "B"}),
    );
    let before = user(&json!({"title": "A"}));
    let operations = request(&json!([
        {"op": "replace", "path": "title", "value": "B"},
        {"op": "replace", "path": "emails[type co \"x\"].value", "value": "a"},
    ]));
    let request = PatchRequest::parse(&operations, ResourceType::User).unwrap();
    let error = request.apply(&before).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoTarget);
    assert_eq!(before, user(&json!({"title": "A"})));
}

#[test]
fn a_single_value_is_set_and_removed() {
    for op in ["add", "replace"] {
        let set = json!([{"op": op, "path": "title", "value": "B"}]);
        turns(json!({"title": "A"}), set.clone(), json!({"title": "B"}));
        turns(json!({}), set, json!({"title": "B"}));
    }
    turns(json!({"title": "A"}), json!([{"op": "remove", "path": "title"}]), json!({}));
    turns(json!({}), json!([{"op": "remove", "path": "title"}]), json!({}));
    turns(
        json!({"title": "A"}),
        json!([{"op": "replace", "path": "title", "value": null}]),
        json!({}),
    );
    turns(
        json!({"title": "A"}),
        json!([{"op": "add", "path": "title", "value": null}]),
        json!({"title": "A"}),
    );
}

#[test]
fn a_complex_value_takes_on_the_parts_that_are_given() {
    let name = json!({"name": {"givenName": "A", "familyName": "L"}});
    for op in ["add", "replace"] {
        turns(
            name.clone(),
            json!([{"op": op, "path": "name", "value": {"GivenName": "B", "nope": 1}}]),
            json!({"name": {"givenName": "B", "familyName": "L"}}),
        );
        turns(
            name.clone(),
            json!([{"op": op, "path": "name.middleName", "value": "M"}]),
            json!({"name": {"givenName": "A", "familyName": "L", "middleName": "M"}}),
        );
        turns(
            json!({}),
            json!([{"op": op, "path": "name.givenName", "value": "A"}]),
            json!({"name": {"givenName": "A"}}),
        );
    }
    turns(
        name.clone(),
        json!([{"op": "remove", "path": "name.givenName"}, {"op": "remove", "path": "name.familyName"}]),
        json!({}),
    );
    turns(name, json!([{"op": "remove", "path": "name"}]), json!({}));
}

#[test]
fn adding_appends_what_is_not_there() {
    turns(
        emails(),
        json!([{"op": "add", "path": "emails", "value": [
            {"value": "a@work", "type": "work"}, {"value": "b@x", "type": "other"},
        ]}]),
        json!({"emails": [
            {"value": "a@work", "type": "work", "primary": true},
            {"value": "a@home", "type": "home"},
            {"value": "b@x", "type": "other"},
        ]}),
    );
    let address = json!({"addresses": [{"type": "work", "locality": "B", "primary": true}]});
    let again =
        json!([{"op": "add", "path": "addresses", "value": [{"type": "work", "locality": "B"}]}]);
    turns(address.clone(), again, address);
    turns(
        json!({}),
        json!([{"op": "add", "path": "emails", "value": {"value": "b@x"}}]),
        json!({"emails": [{"value": "b@x"}]}),
    );
}

#[test]
fn replacing_a_list_replaces_all_of_it() {
    let new = json!([{"value": "b@x"}]);
    turns(
        emails(),
        json!([{"op": "replace", "path": "emails", "value": new}]),
        json!({"emails": new}),
    );
    turns(emails(), json!([{"op": "replace", "path": "emails", "value": []}]), json!({}));
    turns(emails(), json!([{"op": "remove", "path": "emails"}]), json!({}));
}

#[test]
fn who_becomes_primary_takes_it_from_the_others() {
    let moved = json!({"emails": [
        {"value": "a@work", "type": "work", "primary": false},
        {"value": "a@home", "type": "home", "primary": true},
    ]});
    let ways = [
        json!([{"op": "add", "path": "emails", "value": [{"value": "a@home", "primary": true}]}]),
        json!([{"op": "add", "value": {"emails": [{"value": "a@home", "type": "home", "primary": true}]}}]),
        json!([{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}]),
        json!([{"op": "add", "path": "emails[type eq \"home\"]", "value": {"primary": "True"}}]),
    ];
    for way in ways {
        turns(emails(), way, moved.clone());
    }
    for op in ["add", "replace"] {
        let all = json!([{"op": op, "path": "emails.primary", "value": true}]);
        refuses(emails(), all, ErrorKind::InvalidValue);
    }
    let two = json!([{"op": "replace", "path": "emails", "value": [
        {"value": "a", "primary": true}, {"value": "b", "primary": true},
    ]}]);
    refuses(emails(), two, ErrorKind::InvalidValue);
}

#[test]
fn a_value_path_changes_what_it_selects() {
    for op in ["add", "replace"] {
        turns(
            emails(),
            json!([{"op": op, "path": "emails[type eq \"WORK\"].value", "value": "b@x"}]),
            json!({"emails": [
                {"value": "b@x", "type": "work", "primary": true}, {"value": "a@home", "type": "home"},
            ]}),
        );
    }
    turns(
        emails(),
        json!([{"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "b@x"}}]),
        json!({"emails": [{"value": "b@x", "type": "work"}, {"value": "a@home", "type": "home"}]}),
    );
    turns(
        emails(),
        json!([{"op": "add", "path": "emails[value ew \"home\"]", "value": {"display": "At home"}}]),
        json!({"emails": [
            {"value": "a@work", "type": "work", "primary": true},
            {"value": "a@home", "type": "home", "display": "At home"},
        ]}),
    );
    turns(
        emails(),
        json!([{"op": "remove", "path": "emails[not (type eq \"work\")]"}]),
        json!({"emails": [{"value": "a@work", "type": "work", "primary": true}]}),
    );
    let last =
        json!([{"op": "remove", "path": "emails[value eq \"a@work\" or value eq \"a@home\"]"}]);
    turns(emails(), last, json!({}));
    turns(emails(), json!([{"op": "remove", "path": "emails[type eq \"other\"]"}]), emails());
    turns(
        emails(),
        json!([{"op": "remove", "path": "emails[type eq \"home\"].value"}]),
        json!({"emails": [{"value": "a@work", "type": "work", "primary": true}]}),
    );
    turns(
        emails(),
        json!([{"op": "replace", "path": "emails.type", "value": "other"}]),
        json!({"emails": [
            {"value": "a@work", "type": "other", "primary": true}, {"value": "a@home", "type": "other"},
        ]}),
    );
}

#[test]
fn what_a_filter_of_equalities_describes_is_made() {
    for op in ["add", "replace"] {
        turns(
            json!({}),
            json!([{"op": op, "path": "emails[type eq \"work\"].value", "value": "a@x"}]),
            json!({"emails": [{"type": "work", "value": "a@x"}]}),
        );
        turns(
            emails(),
            json!([{"op": op, "path": "addresses[type eq \"work\" and primary eq true].locality", "value": "B"}]),
            json!({
                "emails": emails()["emails"],
                "addresses": [{"type": "work", "primary": true, "locality": "B"}],
            }),
        );
        turns(
            json!({}),
            json!([{"op": op, "path": "emails[type eq \"work\"]", "value": {"value": "a@x"}}]),
            json!({"emails": [{"type": "work", "value": "a@x"}]}),
        );
        for path in [
            "emails[type ne \"home\" and value eq \"x\"].display",
            "emails[type eq \"other\" or type eq \"fax\"].value",
            "emails[not (type pr)].value",
            "emails[value eq \"nobody\"].value",
            "emails[type eq \"a\" and type eq \"b\"].value",
        ] {
            refuses(emails(), json!([{"op": op, "path": path, "value": "v"}]), ErrorKind::NoTarget);
        }
    }
}

#[test]
fn what_may_not_be_changed_is_refused() {
    for path in [
        "meta.version",
        "groups",
        "groups[value eq \"g\"]",
        "meta",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName",
    ] {
        for op in ["add", "replace", "remove"] {
            let operation = json!([{"op": op, "path": path, "value": "x"}]);
            refuses(json!({}), operation, ErrorKind::Mutability);
        }
    }
    refuses(
        json!({}),
        json!([{"op": "replace", "path": "id", "value": "8"}]),
        ErrorKind::Mutability,
    );
    refuses(json!({}), json!([{"op": "replace", "value": {"id": "8"}}]), ErrorKind::Mutability);
    refuses(json!({}), json!([{"op": "remove", "path": "id"}]), ErrorKind::Mutability);
    refuses(json!({}), json!([{"op": "remove", "path": "userName"}]), ErrorKind::Mutability);
    for nothing in [json!(null), json!(""), json!("  "), json!([])] {
        let operation = json!([{"op": "replace", "path": "userName", "value": nothing}]);
        refuses(json!({}), operation, ErrorKind::InvalidValue);
    }
}

#[test]
fn what_names_nothing_is_refused() {
    refuses(json!({}), json!([{"op": "remove"}]), ErrorKind::NoTarget);
    refuses(json!({}), json!([{"op": "remove", "value": {"title": "A"}}]), ErrorKind::NoTarget);
    for path in [
        "nope",
        "name.nope",
        "",
        "emails[type eq \"work\"].nope",
        "members",
        "urn:x:User:y",
        "name[givenName eq \"A\"].familyName",
    ] {
        let operation = json!([{"op": "replace", "path": path, "value": "x"}]);
        refuses(json!({}), operation, ErrorKind::InvalidPath);
    }
    for path in ["emails[nope eq \"x\"].value", "emails[]", "emails[type eq"] {
        let operation = json!([{"op": "replace", "path": path, "value": "x"}]);
        refuses(json!({}), operation, ErrorKind::InvalidFilter);
    }
    for value in [json!({"active": "foo"}), json!({"active": 1}), json!({"name": "A"}), json!("x")]
    {
        refuses(json!({}), json!([{"op": "replace", "value": value}]), ErrorKind::InvalidValue);
    }
    refuses(json!({}), json!([{"op": "add", "path": "title"}]), ErrorKind::InvalidValue);
    refuses(json!({}), json!([{"op": "add"}]), ErrorKind::InvalidValue);
    let two = json!([{"op": "add", "path": "emails[type eq \"x\"]", "value": [{"value": "a"}, {"value": "b"}]}]);
    refuses(json!({}), two, ErrorKind::InvalidValue);
}

#[test]
fn an_error_says_which_operation_and_repeats_no_value() {
    let operations = json!([
        {"op": "add", "path": "title", "value": "A"},
        {"op": "replace", "path": "active", "value": "geheim"},
    ]);
    assert_eq!(
        patch(&json!({}), &operations).unwrap_err().detail,
        "Operations[1]: active is not a value of the type boolean"
    );
    let operations = json!([{"op": "add", "path": "title", "value": "geheim"}]);
    let request = PatchRequest::parse(&request(&operations), ResourceType::User).unwrap();
    assert!(!format!("{request:?}").contains("geheim"));
    let patched = request.apply(&user(&json!({}))).unwrap();
    assert!(!format!("{patched:?}").contains("geheim"));
}

#[test]
fn too_many_operations_are_refused() {
    let many = vec![json!({"op": "remove", "path": "title"}); MAX_OPERATIONS + 1];
    let error = PatchRequest::parse(&request(&many.into()), ResourceType::User).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    let changes = vec![json!({"op": "remove", "path": "title"}); MAX_CHANGES + 1];
    refuses(json!({}), changes.into(), ErrorKind::TooLarge);
    let path = format!("emails[{}]", vec!["type pr"; 500].join(" or "));
    let compares = vec![json!({"op": "remove", "path": path}); 3];
    refuses(json!({}), compares.into(), ErrorKind::TooLarge);
    let many: Vec<_> = (0..=100).map(|n| json!({"value": n})).collect();
    let operations: Vec<_> =
        many.chunks(60).map(|some| json!({"op": "add", "path": "emails", "value": some})).collect();
    refuses(json!({}), operations.into(), ErrorKind::InvalidValue);
}

/// One operation, of which all parts exist.
fn any_operation() -> impl Strategy<Value = Value> {
    let part = prop::sample::select(vec!["a", "b", "work", "home"]);
    let element = (part.clone(), prop::option::of(part.clone()), any::<Option<bool>>()).prop_map(
        |(value, kind, primary)| json!({"value": value, "type": kind, "primary": primary}),
    );
    let elements = prop::collection::vec(element.clone(), 0..3).prop_map(|mut elements| {
        elements.iter_mut().skip(1).for_each(|element| element["primary"] = Value::Null);
        Value::from(elements)
    });
    let op = prop::sample::select(vec!["add", "replace", "remove", "Add", "Replace", "Remove"]);
    let target = prop_oneof![
        (Just("title".to_owned()), part.clone().prop_map(Value::from)),
        (Just("name.givenName".to_owned()), part.clone().prop_map(Value::from)),
        (Just("name".to_owned()), part.clone().prop_map(|name| json!({"familyName": name}))),
        (Just(format!("{ENTERPRISE}:department")), part.clone().prop_map(Value::from)),
        (Just("emails".to_owned()), elements),
        (Just("emails.display".to_owned()), part.clone().prop_map(Value::from)),
        (
            part.clone().prop_map(|kind| format!("emails[type eq \"{kind}\"].value")),
            part.clone().prop_map(Value::from)
        ),
        (part.clone().prop_map(|kind| format!("emails[type eq \"{kind}\"]")), element.clone()),
        (
            part.prop_map(|value| format!("emails[value eq \"{value}\"].primary")),
            any::<bool>().prop_map(Value::from)
        ),
    ];
    (op, target, any::<bool>()).prop_map(|(op, (path, value), pathless)| {
        if pathless && !op.eq_ignore_ascii_case("remove") {
            json!({"op": op, "value": {path: value}})
        } else if op.eq_ignore_ascii_case("remove") {
            json!({"op": op, "path": path})
        } else {
            json!({"op": op, "path": path, "value": value})
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn one_operation_done_twice_is_done_once(
        before in prop::collection::vec(any_operation(), 0..6),
        operation in any_operation(),
    ) {
        let mut resource = user(&json!({}));
        for operation in before {
            let request = PatchRequest::parse(&request(&json!([operation])), ResourceType::User);
            if let Ok(patched) = request.unwrap().apply(&resource) {
                resource = patched.resource;
            }
        }
        let request = PatchRequest::parse(&request(&json!([operation])), ResourceType::User).unwrap();
        if let Ok(once) = request.apply(&resource) {
            let twice = request.apply(&once.resource);
            prop_assert_eq!(&twice.unwrap().resource, &once.resource);
            // What comes of a PATCH is canonical.
            let canonical = normalize(
                ResourceType::User,
                &Value::Object(once.resource.clone()),
                Mode::Replace,
            );
            let mut expected = once.resource;
            expected.remove("id");
            prop_assert_eq!(canonical.unwrap(), expected);
        }
    }

    #[test]
    fn no_json_makes_it_panic(operations in prop::collection::vec(any_json(), 1..3)) {
        let _ = PatchRequest::parse(&request(&operations.clone().into()), ResourceType::Group);
        for value in operations {
            for op in ["add", "replace", "remove"] {
                for path in [None, Some("emails"), Some("name"), Some("emails[type eq \"x\"]"), Some("active")] {
                    let operation = json!([{"op": op, "path": path, "value": value}]);
                    let _ = patch(&emails(), &operation);
                    let _ = PatchRequest::parse(&request(&operation), ResourceType::Group);
                }
            }
        }
    }
}
