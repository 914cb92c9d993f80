//! The names of what changed, and that a PATCH made of it does it again.

use proptest::prelude::*;

use super::*;
use crate::scim::{MemberOperation, Mode, PatchRequest, normalize, normalize::tests::any_json};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn user(members: &Value) -> Map<String, Value> {
    let mut user = json!({"schemas": [CORE], "userName": "ada"});
    user.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    normalize(ResourceType::User, &user, Mode::Replace).unwrap()
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases are written as values")]
fn names(before: Value, after: Value, expected: &[&str]) {
    let (before, after) = (user(&before), user(&after));
    assert_eq!(changed(ResourceType::User, &before, &after), expected);
    let request = patch(ResourceType::User, &before, &after).unwrap();
    let paths: Vec<_> =
        request["Operations"].as_array().unwrap().iter().map(|one| one["path"].clone()).collect();
    assert_eq!(paths, expected);
}

#[test]
fn what_changed_is_named_as_exactly_as_can_be_told() {
    names(json!({}), json!({"displayName": "A"}), &["displayName"]);
    names(json!({"displayName": "A"}), json!({"userName": "bob"}), &["userName", "displayName"]);
    names(json!({"externalId": "a"}), json!({"externalId": "A"}), &["externalId"]);
    let name = json!({"name": {"givenName": "A", "familyName": "L"}});
    names(
        name.clone(),
        json!({"name": {"givenName": "B", "familyName": "L"}}),
        &["name.givenName"],
    );
    names(name.clone(), json!({"name": {"familyName": "L"}}), &["name.givenName"]);
    names(name, json!({}), &["name"]);
    names(
        json!({ENTERPRISE: {"department": "R"}}),
        json!({ENTERPRISE: {"department": "S", "manager": {"value": "m"}}}),
        &[&format!("{ENTERPRISE}:department"), &format!("{ENTERPRISE}:manager")],
    );
}

#[test]
fn elements_are_told_apart_by_their_type() {
    let two = json!({"emails": [{"value": "a", "type": "work"}, {"value": "b", "type": "home"}]});
    let emails = |emails: Value| json!({ "emails": emails });
    names(
        two.clone(),
        emails(
            json!([{"value": "c", "type": "work"}, {"value": "b", "type": "home", "display": "B"}]),
        ),
        &[r#"emails[type eq "work"].value"#, r#"emails[type eq "home"].display"#],
    );
    for other in [
        json!([{"value": "a", "type": "work"}]),
        json!([{"value": "b", "type": "home"}, {"value": "a", "type": "work"}]),
        json!([{"value": "a", "type": "work", "primary": true}, {"value": "b", "type": "home"}]),
        json!([{"value": "a", "type": "work"}, {"value": "b", "type": "other"}]),
        json!([{"value": "a", "type": "work"}, {"type": "home"}]),
    ] {
        names(two.clone(), emails(other), &["emails"]);
    }
    let same = json!({"emails": [{"value": "a", "type": "work"}, {"value": "b", "type": "WORK"}]});
    names(
        same,
        emails(json!([{"value": "a", "type": "work"}, {"value": "c", "type": "WORK"}])),
        &["emails"],
    );
}

#[test]
fn nothing_is_told_of_what_did_not_change_or_is_only_ours() {
    let before = user(&json!({"title": "A"}));
    let mut after = before.clone();
    after.insert("meta".to_owned(), json!({"version": "W/\"2\""}));
    after.insert("groups".to_owned(), json!([{"value": "g"}]));
    assert_eq!(changed(ResourceType::User, &before, &after), [""; 0]);
    assert_eq!(patch(ResourceType::User, &before, &after), None);
}

#[test]
fn a_password_is_named_and_never_told() {
    let (before, after) = (user(&json!({})), user(&json!({"password": "geheim"})));
    assert_eq!(changed(ResourceType::User, &before, &after), ["password"]);
    assert_eq!(patch(ResourceType::User, &before, &after), None);
}

#[test]
fn members_join_and_leave_one_by_one() {
    let group = |members: Value| {
        let group = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "G",
            "members": members,
        });
        normalize(ResourceType::Group, &group, Mode::Replace).unwrap()
    };
    let (before, after) = (group(json!(["a", "b"])), group(json!(["b", "c\"", "d"])));
    assert_eq!(changed(ResourceType::Group, &before, &after), ["members"]);
    let request = patch(ResourceType::Group, &before, &after).unwrap();
    assert_eq!(
        request["Operations"],
        json!([
            {"op": "remove", "path": "members[value eq \"a\"]"},
            {"op": "add", "path": "members", "value": [{"value": "c\""}, {"value": "d"}]},
        ])
    );
    let request = PatchRequest::parse(&request, ResourceType::Group).unwrap();
    assert_eq!(request.members()[0], MemberOperation::Remove(vec!["a".to_owned()]));
    assert!(matches!(&request.members()[1], MemberOperation::Add(two) if two.len() == 2));
    let same = group(json!(["b", "a"]));
    assert_eq!(patch(ResourceType::Group, &before, &same), None);
}

/// A User made of few words, so that two of them have much in common.
fn any_user() -> impl Strategy<Value = Map<String, Value>> {
    let word = prop::sample::select(vec!["a", "b", "work", "Work", "home", "", "\"\\é]"]);
    let word = prop::option::of(word);
    let element = (word.clone(), word.clone(), word.clone(), any::<Option<bool>>()).prop_map(
        |(value, kind, display, primary)| {
            json!({"value": value, "type": kind, "display": display, "primary": primary})
        },
    );
    let elements = prop::collection::vec(element, 0..4).prop_map(|mut elements| {
        let mut primaries = 0;
        for element in &mut elements {
            primaries += i32::from(element["primary"] == true);
            if primaries > 1 {
                element["primary"] = Value::Null;
            }
        }
        elements
    });
    (word.clone(), word.clone(), word.clone(), word, elements, any::<Option<bool>>()).prop_map(
        |(title, given, department, manager, emails, active)| {
            user(&json!({
                "title": title, "name": {"givenName": given, "familyName": department},
                "emails": emails, "active": active,
                ENTERPRISE: {"department": department, "manager": {"value": manager}},
            }))
        },
    )
}

fn does_it_again(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Result<(), TestCaseError> {
    let Some(request) = patch(ResourceType::User, before, after) else {
        prop_assert_eq!(before, after);
        return Ok(());
    };
    let paths = changed(ResourceType::User, before, after);
    prop_assert_eq!(request["Operations"].as_array().unwrap().len(), paths.len());
    let request = PatchRequest::parse(&request, ResourceType::User);
    let request = request.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&request.apply(before).unwrap().resource, after);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_patch_of_the_difference_does_it_again(before in any_user(), after in any_user()) {
        does_it_again(&before, &after)?;
    }

    #[test]
    fn whatever_a_client_sends_can_be_told_as_a_patch(before in any_json(), after in any_json()) {
        let user = |json: Value| {
            let mut user = if json.is_object() { json } else { json!({"addresses": json}) };
            user["schemas"] = json!([CORE]);
            user["userName"] = json!("ada");
            user["password"] = Value::Null;
            normalize(ResourceType::User, &user, Mode::Replace)
        };
        if let (Ok(before), Ok(after)) = (user(before), user(after)) {
            does_it_again(&before, &after)?;
        }
    }
}
