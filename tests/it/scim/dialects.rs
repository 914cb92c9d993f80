//! What an operator decides for one client.

use serde_json::json;
use ssf::client::{GroupPatch, Share, UnknownMembers};

use super::{Provisioning, id, refusal};

#[tokio::test]
async fn a_change_of_a_group_is_answered_as_the_client_wants_it() {
    let p = Provisioning::with(|wish| wish.scim.group_patch = GroupPatch::NoContent).await;
    let group = p.group("Staff", &[]).await;
    let operations = json!([{ "op": "replace", "path": "displayName", "value": "Crew" }]);
    let answer = p.patch(&format!("/Groups/{group}"), operations.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    let asked = p.patch(&format!("/Groups/{group}?attributes=displayName"), operations).await;
    assert_eq!(asked.json()["displayName"], "Crew", "who asks is answered");
}

#[tokio::test]
async fn unknown_members_are_refused_where_the_operator_says_so() {
    let p = Provisioning::with(|wish| wish.scim.unknown_members = UnknownMembers::Reject).await;
    let ada = p.person("ada").await;
    let group = p.group("Staff", &[]).await;
    let add =
        json!([{ "op": "add", "path": "members", "value": [{ "value": ada }, { "value": "x" }] }]);
    let answer = p.patch(&format!("/Groups/{group}"), add).await;
    assert_eq!(refusal(&answer), (400, Some("invalidValue".to_owned())));
    assert!(p.members(&group).await.is_empty(), "all or nothing");
}

#[tokio::test]
async fn a_guard_keeps_one_patch_from_wiping_a_group() {
    let p = Provisioning::with(|wish| wish.scim.wipe_guard = Share::new(0.5)).await;
    let mut people = Vec::new();
    for n in 0..20 {
        people.push(p.person(&format!("user{n}")).await);
    }
    let all: Vec<&str> = people.iter().map(String::as_str).collect();
    let group = p.group("Staff", &all).await;
    let replace = async |keep: usize| {
        let members: Vec<_> = all[..keep].iter().map(|id| json!({ "value": id })).collect();
        let operations = json!([{ "op": "replace", "path": "members", "value": members }]);
        p.patch(&format!("/Groups/{group}"), operations).await
    };
    let wiped = replace(1).await;
    assert_eq!(refusal(&wiped).0, 409);
    assert!(wiped.json()["detail"].as_str().unwrap().contains("19 of 20"));
    assert_eq!(p.members(&group).await.len(), 20);
    assert_eq!(replace(10).await.status, 200, "half may go");
}

#[tokio::test]
async fn only_a_client_that_may_sets_passwords_and_the_same_one_again_tells_nothing() {
    let p = Provisioning::with(|wish| wish.scim.may_set_passwords = true).await;
    let ada =
        id(&p.create(json!({ "userName": "ada", "password": "correct horse battery" })).await);
    let path = format!("/Users/{ada}");
    let set = async |password: &str| {
        p.patch(&path, json!([{ "op": "replace", "path": "password", "value": password }])).await
    };
    let same = set("correct horse battery").await;
    assert_eq!(same.headers["etag"], "W/\"1\"");
    let other = set("another horse battery").await;
    assert_eq!(other.headers["etag"], "W/\"2\"");
    assert!(!other.to_string().contains("horse"), "never shown");
    // Other changes leave it.
    p.patch(&path, json!([{ "op": "replace", "path": "title", "value": "Dr" }])).await;
    assert_eq!(set("another horse battery").await.headers["etag"], "W/\"3\"");
}
