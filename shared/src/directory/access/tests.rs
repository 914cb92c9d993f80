//! Which rules are about whom, and what they allow together.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::{
    directory::{Given, ResourceId, UserAttributes},
    ids::SequentialIds,
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn user(resource: Value) -> User {
    let mut user = User {
        id: ResourceId::fresh(&SequentialIds::default(), NOW),
        created: NOW,
        last_modified: NOW,
        attributes: UserAttributes::default(),
        lock_date: None,
        ends: 0,
        revision: 1,
        password: None,
        external_ids: BTreeMap::new(),
        sequence: 1,
        second_factor: None,
        told_active: true,
    };
    let Value::Object(resource) = resource else { panic!("no resource") };
    user.take(resource, Given::Whole, None, NOW).unwrap();
    user
}

fn ada() -> User {
    user(json!({
        "userName": "ada", "displayName": "Ada", "userType": "Employee",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "value": "a@x.example" }, { "value": "b@x.example" }],
    }))
}

fn admins() -> Group {
    Group {
        id: ResourceId::fresh(&SequentialIds::default(), NOW),
        created: NOW,
        last_modified: NOW,
        display_name: "Admins".to_owned(),
        description: None,
        member_count: 1,
        revision: 1,
        sequence: 1,
        journal: None,
        external_ids: BTreeMap::new(),
    }
}

fn rules(rules: Value) -> Vec<AccessRule> {
    serde_json::from_value(rules).unwrap()
}

#[test]
fn a_rule_is_about_those_who_have_one_of_the_values_of_each_attribute() {
    let group = admins();
    let cases = [
        (json!(null), true),
        (json!({}), true),
        (json!([]), false),
        (json!({ "user_type": "Employee" }), true),
        (json!({ "user_type": "Employ" }), false),
        (json!({ "user_type": "employee" }), false),
        (json!({ "user_type": ["Guest", "Employee"] }), true),
        (json!({ "user_type": [] }), false),
        (json!({ "user_type": null }), true),
        (json!({ "user_type": "Employee", "title": "Countess" }), false),
        (json!({ "emails": "b@x.example" }), true),
        (json!({ "emails": "x.example" }), false),
        (json!({ "groups": "Admins" }), true),
        (json!({ "groups": group.id }), true),
        (json!({ "groups": "Admin" }), false),
        (json!([{ "title": "Countess" }, { "groups": ["Admins"] }]), true),
        (json!([{ "title": "Countess" }, { "user_type": "Guest" }]), false),
    ];
    for (filter, wanted) in cases {
        let rules = rules(json!([{ "filter": filter, "permissions": ["edit_self"] }]));
        let access = ada().access(&rules, std::slice::from_ref(&group));
        assert_eq!(access.can(Permission::EditSelf), wanted, "{filter}");
    }
}

#[test]
fn what_several_rules_allow_is_allowed_and_nothing_else() {
    let rules = rules(json!([
        { "read": ["title"], "write": ["nick_name"] },
        { "filter": { "groups": "Admins" }, "permissions": ["delete_account"], "write": ["title"] },
        { "filter": { "groups": "Others" }, "permissions": ["edit_self"], "write": ["emails"] },
    ]));
    let plain = ada().access(&rules, &[]);
    let fields = |access: &Access| {
        let joined = |fields: Vec<&str>| fields.join(" ");
        (joined(access.readable_fields().collect()), joined(access.writable_fields().collect()))
    };
    let always = "created id last_modified nick_name title";
    assert_eq!(fields(&plain), (always.to_owned(), "nick_name".to_owned()));
    assert!(!plain.can(Permission::DeleteAccount) && !plain.can(Permission::EditSelf));
    let admin = ada().access(&rules, &[admins()]);
    assert_eq!(fields(&admin), (always.to_owned(), "nick_name title".to_owned()));
    assert!(admin.can(Permission::DeleteAccount) && !admin.can(Permission::EditSelf));
    assert_eq!(fields(&ada().access(&[], &[])).0, "created id last_modified");
}

#[test]
fn a_change_is_judged_by_each_attribute_that_it_changes() {
    let street = ["street", "formatted_address", "postal_code", "locality", "region", "country"];
    let cases = [
        (json!(["title"]), json!({ "title": "x" }), None),
        (json!(["nick_name"]), json!({ "title": "x" }), Some("title")),
        (
            json!(["given_name"]),
            json!({ "name": { "givenName": "x", "familyName": "Lovelace" } }),
            None,
        ),
        (
            json!(["given_name"]),
            json!({ "name": { "familyName": "x", "givenName": "Ada" } }),
            Some("name.familyName"),
        ),
        (json!(["emails"]), json!({ "emails": [{ "value": "c@x.example" }] }), None),
        (json!([]), json!({ "emails": [{ "value": "c@x.example" }] }), Some("emails")),
        (json!(street), json!({ "addresses": [{ "locality": "x" }] }), None),
        (json!(["street"]), json!({ "addresses": [{ "locality": "x" }] }), Some("addresses")),
        (json!(["department"]), json!({ super::super::ENTERPRISE: { "department": "x" } }), None),
        (json!(["title"]), json!({ "active": false }), Some("active")),
        (json!(["title"]), json!({ "password": "x" }), Some("password")),
    ];
    for (write, change, wanted) in cases {
        let access = ada().access(&rules(json!([{ "write": write }])), &[]);
        let before = ada().writable(None, NOW);
        let mut after = before.clone();
        let Value::Object(change) = change else { panic!("no change") };
        after.extend(change.clone());
        let found = access.forbidden_change(&before, &after);
        assert_eq!(found.is_some(), wanted.is_some(), "{write} and {change:?}: {found:?}");
        let merged = access.merged(&before, &after);
        assert_eq!(access.forbidden_change(&before, &merged), None);
        if let (Some(found), Some(wanted)) = (found, wanted) {
            assert!(found.starts_with(wanted), "{found}");
            assert_eq!(merged, before, "{write}");
        } else {
            assert_eq!(merged, after, "{write}");
        }
    }
}
