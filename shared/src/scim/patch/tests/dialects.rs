//! What Microsoft Entra ID (in both of its dialects), Okta and others are known to send.

use super::*;

#[test]
fn entra_writes_booleans_as_words() {
    for value in [json!("False"), json!("false"), json!(false)] {
        let operations = [
            json!([{"op": "Replace", "path": "active", "value": value}]),
            json!([{"op": "replace", "value": {"active": value}}]),
            json!([{"op": "Replace", "path": "active", "value": [{"$ref": null, "value": value}]}]),
        ];
        for operations in operations {
            turns(json!({}), operations, json!({"active": false}));
        }
    }
    refuses(
        json!({}),
        json!([{"op": "Replace", "path": "active", "value": "foo"}]),
        ErrorKind::InvalidValue,
    );
}

#[test]
fn entra_makes_elements_by_value_paths() {
    for op in ["Add", "Replace"] {
        turns(
            json!({}),
            json!([{"op": op, "path": "emails[type eq \"work\"].value", "value": "a@x"}]),
            json!({"emails": [{"type": "work", "value": "a@x"}]}),
        );
    }
    turns(
        json!({}),
        json!([
            {"op": "Add", "path": "addresses[type eq \"work\"].streetAddress", "value": "S"},
            {"op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "L"},
            {"op": "Add", "path": "addresses[type eq \"work\"].formatted", "value": "F"},
        ]),
        json!({"addresses": [
            {"type": "work", "streetAddress": "S", "locality": "L", "formatted": "F"},
        ]}),
    );
}

#[test]
fn entra_writes_single_attributes_with_a_path() {
    turns(
        json!({}),
        json!([
            {"op": "Replace", "path": "name.givenName", "value": "A"},
            {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "R"},
            {"op": "Add", "path": format!("{ENTERPRISE}:employeeNumber"), "value": 7},
        ]),
        json!({
            "name": {"givenName": "A"}, ENTERPRISE: {"department": "R", "employeeNumber": "7"},
        }),
    );
}

#[test]
fn entra_names_a_manager_by_the_bare_id() {
    for value in [
        json!("01JM"),
        json!({"value": "01JM"}),
        json!([{"value": "01JM", "$ref": null}]),
        json!({"$ref": "https://t/scim/v2/Users/01JM"}),
    ] {
        turns(
            json!({ENTERPRISE: {"manager": {"value": "old"}}}),
            json!([{"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": value}]),
            json!({ENTERPRISE: {"manager": {"value": "01JM"}}}),
        );
    }
    for path in ["manager.value", "manager.$ref"] {
        let value = if path.ends_with("ref") { "../Users/01JM" } else { "01JM" };
        turns(
            json!({}),
            json!([{"op": "Add", "path": format!("{ENTERPRISE}:{path}"), "value": value}]),
            json!({ENTERPRISE: {"manager": {"value": "01JM"}}}),
        );
    }
    turns(
        json!({ENTERPRISE: {"manager": {"value": "01JM"}}}),
        json!([{"op": "Remove", "path": format!("{ENTERPRISE}:manager")}]),
        json!({}),
    );
}

#[test]
fn a_value_without_a_path_has_names_of_all_kinds() {
    let value = json!({
        "displayName": "D", "name.givenName": "G", "emails[type eq \"work\"].value": "a@x",
        format!("{ENTERPRISE}:employeeNumber"): "7", format!("{ENTERPRISE}.division"): "V",
        ENTERPRISE: {"department": "R", "nope": 1}, "userName": "ada",
        "roles": [], "favouriteColour": "blue", "schemas": [CORE, "urn:x"], "id": "7",
        "meta": {"resourceType": "User"}, "groups": [{"value": "g"}],
        format!("{ENTERPRISE}:manager.displayName"): "M",
        "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group": {},
    });
    for op in ["add", "replace"] {
        turns(
            json!({}),
            json!([{"op": op, "value": value}]),
            json!({
                "displayName": "D", "name": {"givenName": "G"},
                "emails": [{"type": "work", "value": "a@x"}],
                ENTERPRISE: {"employeeNumber": "7", "division": "V", "department": "R"},
            }),
        );
    }
}

#[test]
fn whole_extensions_are_written_and_removed() {
    let before = json!({ENTERPRISE: {"department": "R", "division": "V"}});
    for operation in [
        json!({"op": "add", "path": ENTERPRISE, "value": {"department": "S"}}),
        json!({"op": "replace", "value": {ENTERPRISE: {"department": "S"}}}),
    ] {
        let after = json!({ENTERPRISE: {"department": "S", "division": "V"}});
        turns(before.clone(), json!([operation]), after);
    }
    turns(before.clone(), json!([{"op": "remove", "path": ENTERPRISE}]), json!({}));
    turns(before.clone(), json!([{"op": "replace", "path": ENTERPRISE, "value": null}]), json!({}));
    turns(
        before,
        json!([
            {"op": "remove", "path": format!("{ENTERPRISE}:department")},
            {"op": "remove", "path": format!("{ENTERPRISE}:division")},
        ]),
        json!({}),
    );
}

#[test]
fn okta_switches_off_without_a_path() {
    turns(
        json!({}),
        json!([{"op": "replace", "value": {"active": false}}]),
        json!({"active": false}),
    );
}

#[test]
fn names_of_the_message_have_any_case() {
    let message = json!({
        "Schemas": [PATCH_OP.to_uppercase()],
        "operations": [{"OP": "REPLACE", "Path": "TITLE", "Value": "T"}],
    });
    let request = PatchRequest::parse(&message, ResourceType::User).unwrap();
    let patched = request.apply(&user(&json!({}))).unwrap();
    assert_eq!(patched.resource, user(&json!({"title": "T"})));
}

#[test]
fn what_is_removed_can_be_listed() {
    turns(
        emails(),
        json!([{"op": "Remove", "path": "emails", "value": [{"value": "A@HOME"}, {"value": "x"}]}]),
        json!({"emails": [{"value": "a@work", "type": "work", "primary": true}]}),
    );
    for nothing in [json!([]), json!([{}]), json!([null]), json!({"nope": 1})] {
        turns(emails(), json!([{"op": "Remove", "path": "emails", "value": nothing}]), emails());
    }
    turns(emails(), json!([{"op": "Remove", "path": "emails", "value": null}]), json!({}));
}

#[test]
fn a_password_is_written_like_anything_else() {
    let after = patch(&json!({}), &json!([{"op": "replace", "path": "password", "value": "p"}]));
    assert_eq!(after.unwrap()["password"], "p");
}
