//! What becomes of what clients send.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const OURS: &str = "urn:tocsin:params:scim:schemas:extension:1.0:User";

fn user(members: &Value) -> Result<Value, Error> {
    let mut resource = json!({"schemas": [CORE], "userName": "ada"});
    resource.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    normalize(ResourceType::User, &resource, Mode::Replace).map(Value::Object)
}

fn group(members: &Value) -> Result<Value, Error> {
    let resource = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Staff",
        "members": members,
    });
    normalize(ResourceType::Group, &resource, Mode::Create).map(Value::Object)
}

/// What the members come to, beside what each User here has.
fn kept(members: &Value) -> Value {
    let mut kept = user(members).unwrap();
    let kept = kept.as_object_mut().unwrap();
    kept.retain(|name, _| !["schemas", "userName"].contains(&name.as_str()));
    kept.clone().into()
}

#[test]
fn what_entra_sends_to_create_somebody_is_taken() {
    let sent = json!({
        "schemas": [CORE, ENTERPRISE],
        "externalId": "0a21f0f2", "userName": "Test_User_ab6490ee", "active": "True", "roles": [],
        "displayName": "lennay",
        "emails": [{"primary": true, "type": "work", "value": "Test_User@Testuser.COM"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "A B", "familyName": "B", "givenName": "A"},
        "phoneNumbers": null, "addresses": [],
        "groups": [{"value": "g"}], "id": "mine", "password": "geheim",
        ENTERPRISE: {"Department": "R", "manager": "m1"},
    });
    let found = normalize(ResourceType::User, &sent, Mode::Create).unwrap();
    assert_eq!(
        Value::Object(found),
        json!({
            "schemas": [CORE, ENTERPRISE],
            "externalId": "0a21f0f2", "userName": "Test_User_ab6490ee", "active": true,
            "displayName": "lennay", "password": "geheim",
            "emails": [{"primary": true, "type": "work", "value": "Test_User@Testuser.COM"}],
            "name": {"formatted": "A B", "familyName": "B", "givenName": "A"},
            ENTERPRISE: {"department": "R", "manager": {"value": "m1"}},
        })
    );
}

#[test]
fn what_entra_sends_to_create_a_group_is_taken() {
    let core = "urn:ietf:params:scim:schemas:core:2.0:Group";
    let foreign = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let sent = json!({
        "schemas": [core, foreign], "externalId": "8aa1a0c0", "displayName": "displayName",
        "members": [], "meta": {"resourceType": "Group"}, foreign: {"x": 1},
        "URN:tocsin:params:scim:schemas:extension:1.0:Group": {"description": "All", "nope": 1},
    });
    let found = normalize(ResourceType::Group, &sent, Mode::Create).unwrap();
    let ours = "urn:tocsin:params:scim:schemas:extension:1.0:Group";
    assert_eq!(
        Value::Object(found),
        json!({
            "schemas": [core, ours], "externalId": "8aa1a0c0", "displayName": "displayName",
            ours: {"description": "All"},
        })
    );
}

#[test]
fn names_have_any_case_and_come_out_in_one() {
    assert_eq!(
        kept(&json!({"DISPLAYNAME": "A", "NAME": {"GivenName": "B"}, "Emails": [{"VALUE": "c"}]})),
        json!({"displayName": "A", "name": {"givenName": "B"}, "emails": [{"value": "c"}]})
    );
    for twice in [
        json!({"displayName": "A", "DisplayName": "B"}),
        json!({"name": {"givenName": "A", "GIVENNAME": "B"}}),
        json!({ENTERPRISE: {"department": "A", "Department": "B"}}),
        json!({ENTERPRISE: {}, ENTERPRISE.to_uppercase(): {}}),
    ] {
        assert_eq!(user(&twice).unwrap_err().kind, ErrorKind::InvalidSyntax, "{twice}");
    }
}

#[test]
fn null_and_empty_are_no_value() {
    let empty = json!({
        "displayName": null, "emails": [], "name": {}, "addresses": [{}, null], ENTERPRISE: {},
        "title": [], "phoneNumbers": [{"value": null}], OURS: null,
    });
    assert_eq!(kept(&empty), json!({}));
    assert_eq!(kept(&json!({"nickName": ""})), json!({"nickName": ""}));
}

#[test]
fn booleans_may_be_words_and_nothing_else() {
    for (sent, meant) in [("True", true), ("false", false), ("TRUE", true), ("False", false)] {
        assert_eq!(kept(&json!({"active": sent})), json!({"active": meant}), "{sent}");
    }
    for wrong in [json!("foo"), json!(""), json!(1), json!({}), json!([true, false]), json!("yes")]
    {
        let error = user(&json!({"active": wrong})).unwrap_err();
        assert_eq!(error, Error::value("active is not a value of the type boolean"), "{wrong}");
    }
}

#[test]
fn a_new_user_is_active_unless_it_is_said() {
    let sent = json!({"schemas": [CORE], "userName": "ada"});
    let found = normalize(ResourceType::User, &sent, Mode::Create).unwrap();
    assert_eq!(found["active"], true);
    let found = normalize(ResourceType::User, &sent, Mode::Replace).unwrap();
    assert_eq!(found.get("active"), None);
}

#[test]
fn values_of_another_form_are_taken_where_their_meaning_is_plain() {
    assert_eq!(
        kept(&json!({"displayName": 7, "emails": "a@x", "title": [{"$ref": null, "value": "T"}]})),
        json!({"displayName": "7", "emails": [{"value": "a@x"}], "title": "T"})
    );
    assert_eq!(kept(&json!({"emails": {"value": "a"}})), json!({"emails": [{"value": "a"}]}));
    let manager = |manager: Value| kept(&json!({ENTERPRISE: {"manager": manager}}));
    let meant = json!({ENTERPRISE: {"manager": {"value": "m1"}}});
    assert_eq!(manager(json!("m1")), meant);
    assert_eq!(manager(json!({"value": "m1", "displayName": "M"})), meant);
    assert_eq!(manager(json!({"$ref": "https://t/scim/v2/Users/m1"})), meant);
    assert_eq!(manager(json!({"$ref": "../Users/m1", "value": "m1"})), meant);
    for wrong in [
        json!({"displayName": true}),
        json!({"name": "x"}),
        json!({"emails": [[]]}),
        json!({ENTERPRISE: "x"}),
        json!({"userName": {"a": 1}}),
        json!({"title": ["a", "b"]}),
    ] {
        assert_eq!(user(&wrong).unwrap_err().kind, ErrorKind::InvalidValue, "{wrong}");
    }
}

#[test]
fn a_date_is_a_date_and_kept_as_it_was_sent() {
    let sent = json!({OURS: {"lockDate": "2027-01-01T00:00:00.000+01:00"}});
    assert_eq!(kept(&sent), sent);
    let error = user(&json!({OURS: {"lockDate": "soon"}})).unwrap_err();
    assert_eq!(error.detail, format!("{OURS}:lockDate is not a value of the type dateTime"));
}

#[test]
fn one_value_is_primary_and_equal_values_are_one() {
    let two =
        json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": "true"}]});
    assert_eq!(user(&two).unwrap_err(), Error::value("emails has more than one primary value"));
    let same = json!({"emails": [{"value": "a"}, {"VALUE": "a", "nope": 1}, {"value": "A"}]});
    assert_eq!(kept(&same), json!({"emails": [{"value": "a"}, {"value": "A"}]}));
}

#[test]
fn the_core_schema_must_be_named() {
    let named = |schemas: Value| {
        let sent = json!({"schemas": schemas, "userName": "ada", ENTERPRISE: {"department": "R"}});
        normalize(ResourceType::User, &sent, Mode::Create)
    };
    let uses = json!([CORE, ENTERPRISE]);
    assert_eq!(named(json!([CORE])).unwrap()["schemas"], uses, "the extension need not be named");
    assert_eq!(named(json!([CORE.to_uppercase(), "urn:x"])).unwrap()["schemas"], uses);
    assert_eq!(named(json!(CORE)).unwrap()["schemas"], uses);
    for wrong in [
        json!(null),
        json!([]),
        json!([ENTERPRISE]),
        json!(7),
        json!([7]),
        json!(["urn:ietf:params:scim:schemas:core:2.0:Group"]),
    ] {
        assert_eq!(named(wrong.clone()).unwrap_err().kind, ErrorKind::InvalidSyntax, "{wrong}");
    }
    let none = normalize(ResourceType::User, &json!({"userName": "ada"}), Mode::Create);
    assert_eq!(none.unwrap_err().kind, ErrorKind::InvalidSyntax);
    let list = normalize(ResourceType::User, &json!([]), Mode::Create);
    assert_eq!(list.unwrap_err().kind, ErrorKind::InvalidSyntax);
}

#[test]
fn what_is_required_must_be_there() {
    for wrong in [json!({"userName": null}), json!({"userName": ""}), json!({"userName": "  "})] {
        assert_eq!(user(&wrong).unwrap_err(), Error::value("userName is required"), "{wrong}");
    }
}

#[test]
fn members_come_to_their_ids() {
    let kept = |members: Value| group(&members).unwrap()["members"].clone();
    let one = json!([{"value": "u1"}]);
    assert_eq!(kept(json!([{"value": "u1", "display": "Ada", "$ref": null, "type": "User"}])), one);
    assert_eq!(kept(json!(["u1", {"value": "u1"}])), one);
    assert_eq!(kept(json!([{"$ref": "https://t/scim/v2/Users/u1"}])), one);
    assert_eq!(group(&json!([])).unwrap().get("members"), None);
    for wrong in [
        json!([{}]),
        json!([7]),
        json!([{"value": ""}]),
        json!([{"value": "g", "type": "Group"}]),
        json!([{"$ref": "https://t/scim/v2/Groups/g"}]),
        json!([{"$ref": "u1"}]),
    ] {
        assert_eq!(group(&wrong).unwrap_err().kind, ErrorKind::InvalidValue, "{wrong}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let long = "é".repeat(MAX_TEXT_CHARS + 1);
    assert_eq!(user(&json!({"title": long})).unwrap_err().kind, ErrorKind::InvalidValue);
    assert!(user(&json!({"title": "é".repeat(MAX_TEXT_CHARS)})).is_ok());
    let many: Vec<_> = (0..=MAX_ELEMENTS).map(|n| json!({"value": n})).collect();
    assert_eq!(user(&json!({"emails": many})).unwrap_err().kind, ErrorKind::InvalidValue);
    let large: Vec<_> =
        (0..90).map(|n| json!({"value": format!("{n}{}", "x".repeat(4000))})).collect();
    assert_eq!(user(&json!({"emails": large})).unwrap_err().kind, ErrorKind::TooLarge);
    let members: Vec<_> = (0..=MAX_MEMBERS).map(|n| json!({"value": n.to_string()})).collect();
    assert_eq!(
        group(&members[1..].into()).unwrap()["members"].as_array().unwrap().len(),
        MAX_MEMBERS
    );
    assert_eq!(group(&members.into()).unwrap_err().kind, ErrorKind::TooLarge);
}

/// Any JSON, whose names are mostly those of attributes.
pub(in crate::scim) fn any_json() -> BoxedStrategy<Value> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "schemas",
            "userName",
            "displayName",
            "emails",
            "value",
            "type",
            "primary",
            "active",
            "name",
            "givenName",
            "members",
            "$ref",
            "password",
            "manager",
            "id",
            "meta",
            ENTERPRISE,
            OURS,
            "lockDate",
            "emails[type eq \"work\"].value",
            "name.givenName",
            "addresses",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!([CORE])),
        Just(json!("True")),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
    .boxed()
}

proptest! {
    #[test]
    fn no_json_makes_it_panic_and_what_is_canonical_stays(json in any_json()) {
        let _ = normalize(ResourceType::User, &json, Mode::Create);
        let _ = normalize(ResourceType::Group, &json, Mode::Create);
        let members = if json.is_object() { json } else { json!({"emails": json}) };
        if let Ok(found) = user(&members) {
            let again = normalize(ResourceType::User, &found, Mode::Replace);
            prop_assert_eq!(again.map(Value::Object), Ok(found));
        }
    }
}
