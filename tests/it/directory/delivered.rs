//! What receivers get of the directory's changes: each is told by the name that it knows.

use serde_json::{Value, json};
use ssf::{
    client::Receiver,
    directory::{Actor, PasswordHash, ResourceId, User},
    event::EventType,
    stream::{AddSubject, DefaultSubjects, StreamId},
};
use tests::world::{Pushed, push_stream, status};

use super::House;

/// Creates a stream of all types for the client `name`, by a default and with these subjects.
async fn stream(
    house: &House,
    name: &str,
    default_subjects: DefaultSubjects,
    subjects: Vec<Value>,
) -> Value {
    let receiver = Receiver { default_subjects, ..house.world.receiver(name) };
    stream_of(house, &receiver, name, subjects).await
}

async fn stream_of(house: &House, receiver: &Receiver, name: &str, subjects: Vec<Value>) -> Value {
    let mut body = push_stream(name, &[]);
    body["events_requested"] = json!(EventType::supported());
    let stream = house.world.create(receiver, body).await;
    let stream_id = StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap();
    for subject in subjects {
        let subject = serde_json::from_value(subject).unwrap();
        let wish = AddSubject { stream_id: stream_id.clone(), subject, verified: None };
        house.world.transmitter.add_subject(receiver, wish).await.unwrap();
    }
    stream
}

/// What each receiver got since the last call: the type, and whom it was told of.
fn got(pushed: &[Pushed], name: &str) -> Vec<(String, Value)> {
    let host = format!("{name}.example");
    let to = pushed.iter().filter(|pushed| pushed.endpoint.host_str() == Some(&host));
    to.map(|pushed| {
        let claims = pushed.claims();
        let uri = claims["events"].as_object().unwrap().keys().next().unwrap();
        (EventType::new(uri.clone()).short_name().to_owned(), claims["sub_id"].clone())
    })
    .collect()
}

fn iss_sub(user: &User) -> Value {
    json!({ "format": "iss_sub", "iss": "https://tocsin.example", "sub": user.id })
}

fn scim(user: &User) -> Value {
    json!({ "format": "scim", "uri": format!("/Users/{}", user.id) })
}

fn email() -> Value {
    json!({ "format": "email", "email": "ada@example.com" })
}

/// The types with one subject each.
fn of(types: &[&str], subject: &Value) -> Vec<(String, Value)> {
    types.iter().map(|name| ((*name).to_owned(), subject.clone())).collect()
}

fn ada() -> Value {
    json!({ "userName": "ada", "emails": [{ "value": "ada@example.com", "primary": true }] })
}

async fn lock(house: &House, id: ResourceId) {
    let mut attributes = ada();
    attributes["active"] = json!(false);
    house.replace(id, attributes).await.unwrap();
}

const LOCKED: [&str; 4] =
    ["prov:patch:notice", "prov:deactivate", "account-disabled", "session-revoked"];
const DELETED: [&str; 3] = ["session-revoked", "prov:delete", "account-purged"];

#[tokio::test]
async fn each_receiver_is_told_by_the_name_that_it_knows() {
    let house = House::new();
    let user = house.create(ada()).await;
    house.told().await;
    let (named, all) = (DefaultSubjects::None, DefaultSubjects::All);
    let stranger = json!({ "format": "email", "email": "joe@example.com" });
    stream(&house, "email", named, vec![email()]).await;
    let known =
        json!({ "format": "scim", "uri": format!("/Users/{}", user.id), "externalId": "7" });
    stream(&house, "scim", named, vec![known]).await;
    stream(&house, "sub", named, vec![iss_sub(&user)]).await;
    let both = json!({ "format": "aliases", "identifiers": [stranger, email(), iss_sub(&user)] });
    stream(&house, "aliases", named, vec![both]).await;
    stream(&house, "all", all, vec![]).await;
    stream(&house, "nobody", named, vec![]).await;
    stream(&house, "stranger", named, vec![stranger]).await;

    lock(&house, user.id).await;
    house.delete(user.id).await;
    house.world.settle().await;
    assert_eq!(house.world.dead_letters().await, [""; 0]);
    let pushed = house.world.http.take();
    let types = [&LOCKED[..], &DELETED[..]].concat();
    assert_eq!(got(&pushed, "email"), of(&types, &email()));
    assert_eq!(got(&pushed, "scim"), of(&types, &scim(&user)));
    assert_eq!(got(&pushed, "sub"), of(&types, &iss_sub(&user)));
    let together = json!({ "format": "aliases", "identifiers": [iss_sub(&user), email()] });
    assert_eq!(got(&pushed, "aliases"), of(&types, &together));
    assert_eq!(got(&pushed, "nobody"), []);
    assert_eq!(got(&pushed, "stranger"), []);
    // Those who named nobody are told as the standards of the events have it.
    let usual = |(name, _): (String, Value)| {
        let subject = if name.starts_with("prov:") { scim(&user) } else { iss_sub(&user) };
        (name, subject)
    };
    let expected: Vec<_> = of(&types, &Value::Null).into_iter().map(usual).collect();
    assert_eq!(got(&pushed, "all"), expected);

    // All SETs of one change share what they are called by, whoever gets them.
    let txns = |names: &[&str]| {
        let of_change = pushed.iter().map(Pushed::claims).filter(|claims| {
            let uri = claims["events"].as_object().unwrap().keys().next().unwrap();
            names.contains(&EventType::new(uri.clone()).short_name())
        });
        let mut txns: Vec<_> = of_change.map(|claims| claims["txn"].to_string()).collect();
        txns.sort_unstable();
        txns.dedup();
        txns
    };
    let (locked, deleted) = (txns(&["prov:deactivate"]), txns(&["prov:delete"]));
    assert_eq!((locked.len(), deleted.len()), (1, 1));
    assert_ne!(locked, deleted);
    assert_eq!(txns(&["account-disabled", "prov:patch:notice"]), locked);
    assert_eq!(txns(&["account-purged"]), deleted);
}

#[tokio::test]
async fn whole_resources_go_to_those_who_may_have_them() {
    let house = House::new();
    stream(&house, "notices", DefaultSubjects::All, vec![]).await;
    let trusted = house.world.trusted("trusted");
    stream_of(&house, &trusted, "trusted", vec![]).await;
    let user = house.create(ada()).await;
    house.world.settle().await;
    let pushed = house.world.http.take();
    assert_eq!(got(&pushed, "notices"), of(&["prov:create:notice"], &scim(&user)));
    let both = ["prov:create:notice", "prov:create:full"];
    assert_eq!(got(&pushed, "trusted"), of(&both, &scim(&user)));
    let full = |pushed: &Pushed| {
        let full = pushed.claims()["events"].get(EventType::SCIM_CREATE_FULL.as_str())?.clone();
        Some(full["data"]["emails"][0]["value"].clone())
    };
    assert_eq!(pushed.iter().filter_map(full).collect::<Vec<_>>(), ["ada@example.com"]);
    let telling = pushed.iter().filter(|pushed| pushed.claims().to_string().contains("ada@"));
    assert_eq!(telling.count(), 1);
}

/// The first name is the same for ever, so that it keeps what is told of one person in order, also
/// while another name comes and goes.
#[tokio::test]
async fn a_person_is_told_of_in_order_whatever_the_name() {
    let house = House::new();
    let user = house.create(ada()).await;
    house.told().await;
    stream(&house, "email", DefaultSubjects::None, vec![email(), iss_sub(&user)]).await;
    house.world.http.once("email", status(503));
    lock(&house, user.id).await;
    house.replace(user.id, json!({ "userName": "ada", "active": true })).await.unwrap();
    house.world.settle().await;
    // The first waits, and all others behind it.
    assert_eq!(house.world.http.take().len(), 1);
    house.world.pass(std::time::Duration::from_mins(1)).await;
    let pushed = house.world.http.take();
    let unlocked = ["prov:patch:notice", "prov:activate", "account-enabled", "token-claims-change"];
    let types = [&LOCKED[..], &unlocked[..]].concat();
    let got = got(&pushed, "email");
    assert_eq!(got.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), types);
}

/// Whoever has no password had none: the name of the attribute is told, and never its value.
#[tokio::test]
async fn a_password_is_told_of_and_not_told() {
    let house = House::new();
    let user = house.create(ada()).await;
    house.told().await;
    let trusted = house.world.trusted("trusted");
    stream_of(&house, &trusted, "trusted", vec![]).await;
    let secret = ssf::client::Secret::new("correct horse battery staple");
    let hash = PasswordHash::of(&secret).unwrap();
    let cause = house.directory.cause(Actor::Operator);
    let set = |user: &mut User| {
        user.set_password(Some(hash.clone()));
        Ok(())
    };
    house.directory.user_change(user.id, None, &cause, set).await.unwrap();
    house.world.settle().await;
    assert_eq!(house.world.dead_letters().await, [""; 0]);
    let pushed = house.world.http.take();
    let types: Vec<_> = got(&pushed, "trusted").into_iter().map(|(name, _)| name).collect();
    assert!(types.contains(&"prov:patch:full".to_owned()), "{types:?}");
    let notice = &pushed[0].claims()["events"][EventType::SCIM_PATCH_NOTICE.as_str()];
    assert_eq!(notice["attributes"], json!(["password"]));
    assert!(pushed.iter().all(|pushed| !pushed.claims().to_string().contains("horse")));
}
