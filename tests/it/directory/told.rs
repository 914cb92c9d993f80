//! What a change tells.

use std::time::Duration;

use serde_json::{Value, json};
use ssf::{
    client::Secret,
    directory::{Actor, Given, PasswordHash, ResourceId, User},
    table::{Condition, Content, Write},
};

use super::{House, map};

const LOCK: &str = "urn:tocsin:params:scim:schemas:extension:1.0:User";

fn email(address: &str) -> Value {
    json!([{ "value": address }])
}

fn payload(message: &Value) -> &Value {
    message["events"].as_object().unwrap().values().next().unwrap()
}

#[tokio::test]
async fn a_new_person_is_told_by_all_names_that_receivers_know() {
    let house = House::new();
    let ada = house.create(json!({ "userName": "ada", "emails": email("a@x.example") })).await;
    let told = house.told().await;
    let types: Vec<_> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(types, ["prov:create:notice", "prov:create:full"]);
    let identifiers = json!([
        { "format": "iss_sub", "iss": "https://tocsin.example", "sub": ada.id },
        { "format": "scim", "uri": format!("/Users/{}", ada.id) },
        { "format": "email", "email": "a@x.example" },
    ]);
    assert_eq!(told[0].1["sub_id"], json!({ "format": "aliases", "identifiers": identifiers }));
    let notice = payload(&told[0].1);
    assert_eq!(
        notice,
        &json!({ "attributes": ["active", "emails", "userName"], "version": "W/\"1\"" })
    );
    let full = payload(&told[1].1);
    assert_eq!(full["data"]["userName"], "ada");
    assert_eq!(told[0].1["txn"], told[1].1["txn"]);
    assert_ne!(told[0].1["id"], told[1].1["id"]);
}

#[tokio::test]
async fn what_changes_nothing_tells_nothing() {
    let house = House::new();
    let ada = house.person("ada").await;
    house.told().await;
    let same = house.replace(ada.id, json!({ "userName": "ada", "active": true })).await.unwrap();
    assert!(!same.changed);
    assert_eq!(same.now.revision, 1);
    assert!(house.told().await.is_empty());
}

#[tokio::test]
async fn off_tells_that_sessions_end_and_on_that_the_account_works() {
    let house = House::new();
    let ada = house.person("ada").await;
    house.told().await;
    house.replace(ada.id, json!({ "userName": "ada", "active": false })).await.unwrap();
    let off = house.told_types().await;
    let patch = ["prov:patch:notice", "prov:patch:full"];
    assert_eq!(off[..2], patch);
    assert_eq!(off[2..], ["prov:deactivate", "account-disabled", "session-revoked"]);
    house.replace(ada.id, json!({ "userName": "ada", "active": true })).await.unwrap();
    let on = house.told_types().await;
    assert_eq!(on[2..], ["prov:activate", "account-enabled"]);
    house.delete(ada.id).await;
    let gone = house.told_types().await;
    assert_eq!(gone, ["session-revoked", "prov:delete", "account-purged"]);
}

#[tokio::test]
async fn whoever_comes_locked_is_told_so() {
    let house = House::new();
    house.create(json!({ "userName": "ada", "active": false })).await;
    let told = house.told_types().await;
    assert_eq!(told[2..], ["prov:deactivate", "account-disabled"]);
}

#[tokio::test]
async fn a_lock_date_that_comes_is_told_by_the_next_sweep_and_one_that_moved_is_not() {
    let house = House::new();
    let now = house.world.transmitter.parts().clock.now();
    let until = |seconds| json!({ "lockDate": now + Duration::from_secs(seconds) });
    let ada = house.create(json!({ "userName": "ada", LOCK: until(60) })).await;
    let bob = house.create(json!({ "userName": "bob", LOCK: until(60) })).await;
    house.replace(bob.id, json!({ "userName": "bob", LOCK: until(600) })).await.unwrap();
    house.told().await;
    house.world.clock.advance(Duration::from_secs(59));
    house.directory.keep().await.unwrap();
    assert!(house.told().await.is_empty());
    house.world.clock.advance(Duration::from_secs(1));
    assert_eq!(house.directory.keep().await.unwrap().locked, 1);
    let told = house.told().await;
    let types: Vec<_> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(types[2..], ["prov:deactivate", "account-disabled", "session-revoked"]);
    let subject = &told[4].1["sub_id"]["identifiers"][0]["sub"];
    assert_eq!(subject, &json!(ada.id));
    assert_eq!(payload(&told[4].1)["initiating_entity"], "policy");
    assert_eq!(house.directory.keep().await.unwrap().locked, 0, "once");
}

#[tokio::test]
async fn an_address_that_changes_is_told_by_the_old_one() {
    let house = House::new();
    let ada = house.create(json!({ "userName": "ada", "emails": email("a@x.example") })).await;
    house.told().await;
    let body = json!({ "userName": "ada", "emails": email("b@x.example") });
    house.replace(ada.id, body).await.unwrap();
    let told = house.told().await;
    let (_, changed) = told.iter().find(|(kind, _)| kind == "identifier-changed").unwrap();
    assert_eq!(changed["sub_id"], json!({ "format": "email", "email": "a@x.example" }));
    assert_eq!(payload(changed)["new-value"], "b@x.example");
    let (_, claims) = told.iter().find(|(kind, _)| kind == "token-claims-change").unwrap();
    assert_eq!(payload(claims)["claims"], json!({ "email": "b@x.example" }));
    // What is no address is kept as it was sent, and nobody is told of it as one.
    let body = json!({ "userName": "ada", "emails": email("not an address") });
    house.replace(ada.id, body).await.unwrap();
    assert!(!house.told_types().await.contains(&"identifier-changed".to_owned()));
}

#[tokio::test]
async fn an_address_that_another_had_is_told_as_recycled() {
    let house = House::new();
    let ada = house.create(json!({ "userName": "ada", "emails": email("a@x.example") })).await;
    house.delete(ada.id).await;
    house.told().await;
    house.create(json!({ "userName": "bob", "emails": email("A@x.example") })).await;
    let told = house.told().await;
    let (_, recycled) = told.iter().find(|(kind, _)| kind == "identifier-recycled").unwrap();
    assert_eq!(recycled["sub_id"], json!({ "format": "email", "email": "A@x.example" }));
    house.create(json!({ "userName": "eve", "emails": email("a@x.example") })).await;
    assert!(!house.told_types().await.contains(&"identifier-recycled".to_owned()), "once");
}

#[tokio::test]
async fn whoever_takes_back_an_own_address_recycles_nothing() {
    let house = House::new();
    let ada = house.create(json!({ "userName": "ada", "emails": email("a@x.example") })).await;
    house.replace(ada.id, json!({ "userName": "ada" })).await.unwrap();
    house.told().await;
    let body = json!({ "userName": "ada", "emails": email("a@x.example") });
    house.replace(ada.id, body).await.unwrap();
    assert!(!house.told_types().await.contains(&"identifier-recycled".to_owned()));
}

#[tokio::test]
async fn a_new_password_is_told_and_ends_the_sessions() {
    let house = House::new();
    let ada = house.person("ada").await;
    house.told().await;
    let cause = house.directory.cause(Actor::Operator);
    let set = async |password: Option<&str>| {
        let hash = password.map(|text| PasswordHash::of(&Secret::new(text)).unwrap());
        let change = |user: &mut User| {
            user.set_password(hash.clone());
            Ok(())
        };
        house.directory.user_change(ada.id, None, &cause, change).await.unwrap();
        let told = house.told().await;
        let (_, change) = told.iter().find(|(kind, _)| kind == "credential-change").unwrap();
        assert_eq!(payload(change)["credential_type"], "password");
        assert_eq!(payload(&told[0].1)["attributes"], json!(["password"]));
        assert!(!format!("{told:?}").contains("argon2"), "the hash is nobody's business");
        let ends = told.iter().any(|(kind, _)| kind == "session-revoked");
        (payload(change)["change_type"].clone(), ends)
    };
    assert_eq!(set(Some("one password")).await, (json!("create"), true));
    assert_eq!(set(Some("another password")).await, (json!("update"), true));
    assert_eq!(set(None).await, (json!("revoke"), true));
}

impl House {
    /// Makes two changes while the queue does not answer: what is committed stays in the outbox.
    async fn lock_and_unlock_untold(&self, ada: ResourceId) {
        self.world.fail_fifo(true);
        self.replace(ada, json!({ "userName": "ada", "active": false })).await.unwrap();
        self.replace(ada, json!({ "userName": "ada", "active": true })).await.unwrap();
        self.world.fail_fifo(false);
    }
}

#[track_caller]
fn deactivated_first(told: &[String]) {
    let at = |kind: &str| told.iter().position(|one| one == kind).unwrap();
    assert!(at("prov:deactivate") < at("prov:activate"));
}

#[tokio::test]
async fn events_that_a_crash_left_in_the_outbox_are_sent_by_the_sweep_in_order() {
    let house = House::new();
    let ada = house.person("ada").await;
    house.told().await;
    house.lock_and_unlock_untold(ada.id).await;
    assert!(house.told().await.is_empty());
    house.world.clock.advance(Duration::from_mins(1));
    assert_eq!(house.directory.keep().await.unwrap().handed_over, 2);
    let told = house.told_types().await;
    deactivated_first(&told);
    assert_eq!(house.directory.keep().await.unwrap().handed_over, 0);
}

#[tokio::test]
async fn what_the_sweep_finds_old_enough_overtakes_nothing_that_is_younger() {
    let house = House::new();
    let ada = house.person("ada").await;
    house.told().await;
    house.lock_and_unlock_untold(ada.id).await;
    // The second change was begun long before the first one.
    let table = &house.world.transmitter.parts().table;
    let rows = house.outbox().await;
    let mut second: Value = rows[1].read().unwrap();
    second["at"] = json!("2020-01-01T00:00:00Z");
    let put = Write::put(rows[1].key.clone(), Condition::Any, Content::json(&second));
    table.write(vec![put]).await.pop().unwrap().unwrap();
    assert_eq!(house.directory.keep().await.unwrap().handed_over, 2);
    let told = house.told_types().await;
    deactivated_first(&told);
}

#[tokio::test]
async fn the_next_change_sends_what_the_one_before_could_not_first() {
    let house = House::new();
    let ada = house.person("ada").await;
    house.told().await;
    house.world.fail_fifo(true);
    house.replace(ada.id, json!({ "userName": "ada", "active": false })).await.unwrap();
    house.world.fail_fifo(false);
    house.replace(ada.id, json!({ "userName": "ada", "active": true })).await.unwrap();
    let told = house.told_types().await;
    deactivated_first(&told);
}

#[tokio::test]
async fn put_and_patch_tell_the_same_but_for_their_names() {
    let house = House::new();
    let tell = async |name: &str, given: Given| {
        let ada = house.create(json!({ "userName": name, "displayName": "A" })).await;
        house.told().await;
        let cause = ssf::directory::Cause {
            replaces: given == Given::Whole,
            ..house.directory.cause(Actor::Operator)
        };
        let body = map(&json!({ "userName": name, "displayName": "B", "active": false }));
        let change = |user: &mut User| user.take(body.clone(), given, None, cause.at);
        house.directory.user_change(ada.id, None, &cause, change).await.unwrap();
        let told = house.told_types().await;
        told.into_iter().map(|kind| kind.replace("put", "patch")).collect::<Vec<_>>()
    };
    assert_eq!(tell("ada", Given::Whole).await, tell("bob", Given::Changed).await);
}

#[tokio::test]
async fn who_changed_what_is_known_by_the_txn_and_values_are_not() {
    let house = House::new();
    let ada = house.create(json!({ "userName": "ada", "title": "Countess" })).await;
    let cause = house.directory.cause(Actor::Client(super::client("okta")));
    let body = map(&json!({ "userName": "ada", "title": "Lady" }));
    let change = |user: &mut User| user.take(body.clone(), Given::Whole, None, cause.at);
    house.directory.user_change(ada.id, None, &cause, change).await.unwrap();
    let changes = house.directory.txn(&cause.txn).await.unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].attributes, ["title"]);
    assert_eq!(changes[0].actor, cause.actor);
    assert_eq!(changes[0].events.len(), 2);
    let history = house.directory.history(ada.id).await.unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[1], changes[0]);
    let text = serde_json::to_string(&history).unwrap();
    assert!(!text.contains("Lady") && !text.contains("Countess"), "{text}");
}
