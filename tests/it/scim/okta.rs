//! Okta, and others that speak like it.

use serde_json::json;
use ssf::client::Reprovision;

use super::{Provisioning, USER, id, refusal, with_schema};

#[tokio::test]
async fn the_profile_is_read_and_written_back() {
    let p = Provisioning::new().await;
    let ada = id(&p.create(json!({
        "userName": "ada@x.example", "externalId": "00u1", "displayName": "Ada", "locale": "en-US",
        "password": "not-for-it-to-set", "groups": [], "active": true,
        "emails": [{ "primary": true, "value": "ada@x.example", "type": "work" }],
    })).await);
    let path = format!("/scim/v2/Users/{ada}");
    let mut read = p.caller.get(&path).await.json();
    read["name"] = json!({ "familyName": "L" });
    let written = p.caller.put(&path, read).await;
    assert_eq!(written.status, 200, "{written}");
    assert_eq!(written.json()["name"]["familyName"], "L");
    assert_eq!(written.json()["externalId"], "00u1");
    let directory = ssf::directory::Directory::of(&p.world.transmitter);
    let user = directory.user(ssf::directory::ResourceId::parse(&ada).unwrap()).await.unwrap();
    assert!(!user.has_password(), "ignored, for the client may not set it");
}

#[tokio::test]
async fn a_group_is_pushed_whole_renamed_and_emptied() {
    let p = Provisioning::new().await;
    let (ada, bob) = (p.person("ada").await, p.person("bob").await);
    let group = p.group("Staff", &[&ada]).await;
    let path = format!("/Groups/{group}");
    let all = json!([{ "op": "replace", "path": "members", "value": [{ "value": bob }] }]);
    assert_eq!(p.patch(&path, all).await.status, 200);
    assert_eq!(p.members(&group).await, std::slice::from_ref(&bob));
    let rename = json!([{ "op": "replace", "value": { "id": group, "displayName": "Crew" } }]);
    let renamed = p.patch(&path, rename).await;
    assert_eq!(renamed.json()["displayName"], "Crew", "{renamed}");
    assert_eq!(p.members(&group).await, [bob]);
    p.patch(&path, json!([{ "op": "replace", "path": "members", "value": [] }])).await;
    assert!(p.members(&group).await.is_empty());
}

#[tokio::test]
async fn one_unknown_member_does_not_fail_the_push_for_all() {
    let p = Provisioning::new().await;
    let ada = p.person("ada").await;
    let group = p.group("Staff", &[]).await;
    let add = json!([{ "op": "add", "path": "members", "value": [
        { "value": ada }, { "value": "01a220e5-aa8d-79c6-bf0f-6dd9265bf35b" } ] }]);
    let answer = p.patch(&format!("/Groups/{group}"), add).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["members"].as_array().unwrap().len(), 1, "the true list");
    assert_eq!(p.members(&group).await, [ada]);
}

#[tokio::test]
async fn put_without_active_unlocks_nobody() {
    let p = Provisioning::new().await;
    let ada = id(&p.create(json!({ "userName": "ada", "active": false })).await);
    let path = format!("/scim/v2/Users/{ada}");
    let put = p.caller.put(&path, with_schema(USER, json!({ "userName": "ada" }))).await;
    assert_eq!(put.json()["active"], false, "{put}");
}

#[tokio::test]
async fn a_group_put_by_who_does_not_see_the_members_keeps_them() {
    let p = Provisioning::new().await;
    let ada = p.person("ada").await;
    let group = p.group("Staff", &[&ada]).await;
    let body = with_schema(super::GROUP, json!({ "displayName": "Crew" }));
    let path = format!("/scim/v2/Groups/{group}");
    p.caller.put(&format!("{path}?excludedAttributes=members"), body.clone()).await;
    assert_eq!(p.members(&group).await, [ada]);
    p.caller.put(&path, body).await;
    assert!(p.members(&group).await.is_empty(), "who sees them means that there are none");
}

#[tokio::test]
async fn who_comes_back_is_a_conflict_or_the_same_person_as_the_operator_decides() {
    let comes_back = async |reprovision: Reprovision, external_id: &str, off: bool| {
        let p = Provisioning::with(|wish| wish.scim.reprovision = reprovision).await;
        let body = json!({ "userName": "ada", "externalId": "00u1" });
        let ada = id(&p.create(body).await);
        if off {
            let off = json!([{ "op": "replace", "value": { "active": false } }]);
            p.patch(&format!("/Users/{ada}"), off).await;
        }
        let body = json!({ "userName": "ADA", "externalId": external_id, "active": true });
        let answer = p.caller.post("/scim/v2/Users", with_schema(USER, body)).await;
        let same = answer.json()["id"] == ada && answer.json()["active"] == true;
        (answer.status.as_u16(), same)
    };
    assert_eq!(comes_back(Reprovision::Conflict, "00u1", true).await, (409, false));
    assert_eq!(comes_back(Reprovision::Adopt, "00u1", true).await, (200, true));
    assert_eq!(comes_back(Reprovision::Adopt, "00u2", true).await, (409, false), "somebody else");
    assert_eq!(comes_back(Reprovision::Adopt, "00u1", false).await, (409, false), "never gone");
}

#[tokio::test]
async fn nobody_is_matched_by_an_address() {
    let p = Provisioning::new().await;
    p.create(json!({ "userName": "ada", "emails": [{ "value": "a@x.example" }] })).await;
    let eve = p.create(json!({ "userName": "eve", "emails": [{ "value": "a@x.example" }] })).await;
    assert_eq!(eve["userName"], "eve");
    let taken =
        p.caller.post("/scim/v2/Users", with_schema(USER, json!({ "userName": "Eve" }))).await;
    assert_eq!(refusal(&taken), (409, Some("uniqueness".to_owned())));
}
