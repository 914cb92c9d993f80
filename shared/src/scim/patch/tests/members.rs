//! What becomes of the members of a group.

use super::*;
use crate::scim::normalize::MAX_MEMBERS;

fn group() -> Map<String, Value> {
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "g", "displayName": "Staff",
    });
    group.as_object().unwrap().clone()
}

fn patched(operation: &Value) -> Result<Patched, Error> {
    let message = request(&json!([operation]));
    PatchRequest::parse(&message, ResourceType::Group)?.apply(&group())
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases are written as values")]
fn asks(operation: Value, members: &[MemberOperation]) {
    let patched = patched(&operation).unwrap_or_else(|error| panic!("{operation}: {error}"));
    assert_eq!(patched.members, members, "{operation}");
    assert_eq!(patched.resource, group(), "{operation}");
}

fn adds(ids: &[&str]) -> MemberOperation {
    MemberOperation::Add(ids.iter().map(|id| Member { value: (*id).to_owned() }).collect())
}

fn removes(ids: &[&str]) -> MemberOperation {
    MemberOperation::Remove(ids.iter().map(|id| (*id).to_owned()).collect())
}

fn replaces(ids: &[&str]) -> MemberOperation {
    MemberOperation::Replace(ids.iter().map(|id| Member { value: (*id).to_owned() }).collect())
}

#[test]
fn members_join() {
    let one = [
        json!({"op": "Add", "path": "members", "value": [{"$ref": null, "value": "u1"}]}),
        json!({"op": "add", "path": "members", "value": {"value": "u1", "display": "Ada"}}),
        json!({"op": "add", "path": "members", "value": ["u1", "u1"]}),
        json!({"op": "add", "path": "members", "value": "u1"}),
        json!({"op": "add", "path": "members.value", "value": "u1"}),
        json!({"op": "add", "value": {"members": [{"value": "u1", "type": "User"}]}}),
        json!({"op": "add", "path": "members", "value": [{"$ref": "https://t/scim/v2/Users/u1"}]}),
        json!({"op": "add", "path": "members[value eq \"u1\"]", "value": {"value": "u1"}}),
        json!({"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members", "value": "u1"}),
    ];
    for operation in one {
        asks(operation, &[adds(&["u1"])]);
    }
    asks(json!({"op": "add", "path": "members", "value": []}), &[adds(&[])]);
}

#[test]
fn members_leave() {
    let one = [
        json!({"op": "remove", "path": "members[value eq \"u1\"]"}),
        json!({"op": "Remove", "path": "members", "value": [{"value": "u1"}]}),
        json!({"op": "remove", "path": "members", "value": {"value": "u1"}}),
        json!({"op": "remove", "path": "members.value", "value": "u1"}),
        json!({"op": "remove", "path": "Members[Value EQ \"u1\" and type eq \"user\"]"}),
        json!({"op": "remove", "path": "members[value eq \"u1\"].value"}),
        json!({"op": "remove", "path": "members[value eq \"u1\"]", "value": [{"value": "u2"}]}),
    ];
    for operation in one {
        asks(operation, &[removes(&["u1"])]);
    }
    asks(
        json!({"op": "remove", "path": "members[value eq \"u1\" or value eq \"u2\"]"}),
        &[removes(&["u1", "u2"])],
    );
    asks(json!({"op": "remove", "path": "members"}), &[MemberOperation::RemoveAll]);
    asks(json!({"op": "remove", "path": "members", "value": null}), &[MemberOperation::RemoveAll]);
    // Nobody is to leave: the group is not emptied.
    asks(json!({"op": "remove", "path": "members", "value": []}), &[removes(&[])]);
}

#[test]
fn members_are_replaced() {
    let push = json!([{"value": "u1"}, {"value": "u2"}]);
    asks(json!({"op": "replace", "path": "members", "value": push}), &[replaces(&["u1", "u2"])]);
    asks(json!({"op": "replace", "value": {"members": push}}), &[replaces(&["u1", "u2"])]);
    asks(json!({"op": "replace", "path": "members", "value": []}), &[replaces(&[])]);
    asks(json!({"op": "replace", "path": "members", "value": null}), &[MemberOperation::RemoveAll]);
}

#[test]
fn members_are_never_changed() {
    for operation in [
        json!({"op": "replace", "path": "members[value eq \"u1\"].value", "value": "u2"}),
        json!({"op": "replace", "path": "members[value eq \"u1\"]", "value": {"value": "u2"}}),
        json!({"op": "replace", "path": "members.value", "value": "u2"}),
        json!({"op": "replace", "path": "members[value eq \"u1\"].display", "value": "A"}),
        json!({"op": "replace", "path": "members.type", "value": "User"}),
    ] {
        assert_eq!(patched(&operation).unwrap_err().kind, ErrorKind::Mutability, "{operation}");
    }
}

#[test]
fn members_that_cannot_be_are_refused() {
    for (operation, kind) in [
        (
            json!({"op": "add", "path": "members", "value": [{"value": "g2", "type": "Group"}]}),
            ErrorKind::InvalidValue,
        ),
        (json!({"op": "add", "path": "members", "value": [{}]}), ErrorKind::InvalidValue),
        (json!({"op": "remove", "path": "members[display co \"A\"]"}), ErrorKind::InvalidFilter),
        (json!({"op": "remove", "path": "members[value ne \"u1\"]"}), ErrorKind::InvalidFilter),
        (json!({"op": "remove", "path": "displayName"}), ErrorKind::Mutability),
    ] {
        assert_eq!(patched(&operation).unwrap_err().kind, kind, "{operation}");
    }
}

#[test]
fn members_change_in_the_order_of_the_operations() {
    let message = request(&json!([
        {"op": "remove", "path": "members[value eq \"u1\"]"},
        {"op": "replace", "value": {"id": "g", "displayName": "Crew"}},
        {"op": "add", "path": "members", "value": [{"value": "u1"}]},
    ]));
    let request = PatchRequest::parse(&message, ResourceType::Group).unwrap();
    assert_eq!(request.members(), [removes(&["u1"]), adds(&["u1"])]);
    let patched = request.apply(&group()).unwrap();
    assert_eq!(patched.resource["displayName"], "Crew");
    assert_eq!(patched.members, request.members());
}

#[test]
fn a_request_names_a_bounded_number_of_members() {
    let ids: Vec<_> = (0..=MAX_MEMBERS).map(|n| json!({"value": n.to_string()})).collect();
    let (some, rest) = ids.split_at(MAX_MEMBERS / 2);
    let parse = |rest: &[Value]| {
        PatchRequest::parse(
            &request(&json!([
                {"op": "add", "path": "members", "value": some},
                {"op": "remove", "path": "members", "value": rest},
            ])),
            ResourceType::Group,
        )
    };
    assert!(parse(&rest[1..]).is_ok());
    assert_eq!(parse(rest).unwrap_err().kind, ErrorKind::TooLarge);
}
