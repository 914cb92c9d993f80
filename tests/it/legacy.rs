//! Receivers that were built on the older draft, if the operator says that they are.

use std::time::Duration;

use axum::body::Body;
use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::client::{NewClient, Profile};
use tests::{
    Answer, Caller, World,
    world::{caep, event_of, poll_stream, push_stream},
};

const STREAMS: &str = "/ssf/streams";

async fn client(world: &World, change: impl FnOnce(&mut NewClient)) -> Caller {
    let secret = world.register("alice", change).await;
    world.caller(world.token("alice", &secret, "ssf.manage").await)
}

async fn legacy(world: &World) -> Caller {
    client(world, |wish| wish.profile = Profile::Legacy).await
}

/// What the older draft lets them send.
fn wish(format: &str) -> Value {
    let mut body = push_stream("alice", &["session-revoked"]);
    body["delivery"]["method"] =
        json!("https://schemas.openid.net/secevent/risc/delivery-method/push");
    body["iss"] = json!("https://tocsin.example");
    body["aud"] = json!(["https://alice.example"]);
    body["format"] = json!(format);
    body
}

#[tokio::test]
async fn a_format_is_taken_shown_and_changed() {
    let world = World::new();
    let alice = legacy(&world).await;
    let created = alice.post(STREAMS, wish("iss_sub")).await;
    assert_snapshot!(created, @r#"
    201 Created
    cache-control: no-store
    content-type: application/json

    {
      "aud": "https://alice.example",
      "delivery": {
        "endpoint_url": "https://alice.example/events",
        "method": "https://schemas.openid.net/secevent/risc/delivery-method/push"
      },
      "events_delivered": [
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
      ],
      "events_requested": [
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
      ],
      "events_supported": [
        "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change",
        "https://schemas.openid.net/secevent/caep/event-type/credential-change",
        "https://schemas.openid.net/secevent/caep/event-type/device-compliance-change",
        "https://schemas.openid.net/secevent/caep/event-type/risk-level-change",
        "https://schemas.openid.net/secevent/caep/event-type/session-established",
        "https://schemas.openid.net/secevent/caep/event-type/session-presented",
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
        "https://schemas.openid.net/secevent/caep/event-type/token-claims-change",
        "https://schemas.openid.net/secevent/risc/event-type/account-credential-change-required",
        "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
        "https://schemas.openid.net/secevent/risc/event-type/account-enabled",
        "https://schemas.openid.net/secevent/risc/event-type/account-purged",
        "https://schemas.openid.net/secevent/risc/event-type/credential-compromise",
        "https://schemas.openid.net/secevent/risc/event-type/identifier-changed",
        "https://schemas.openid.net/secevent/risc/event-type/identifier-recycled",
        "https://schemas.openid.net/secevent/risc/event-type/opt-in",
        "https://schemas.openid.net/secevent/risc/event-type/opt-out-cancelled",
        "https://schemas.openid.net/secevent/risc/event-type/opt-out-effective",
        "https://schemas.openid.net/secevent/risc/event-type/opt-out-initiated",
        "https://schemas.openid.net/secevent/risc/event-type/recovery-activated",
        "https://schemas.openid.net/secevent/risc/event-type/recovery-information-changed",
        "urn:ietf:params:scim:event:feed:add",
        "urn:ietf:params:scim:event:feed:remove",
        "urn:ietf:params:scim:event:misc:asyncresp",
        "urn:ietf:params:scim:event:prov:activate",
        "urn:ietf:params:scim:event:prov:create:full",
        "urn:ietf:params:scim:event:prov:create:notice",
        "urn:ietf:params:scim:event:prov:deactivate",
        "urn:ietf:params:scim:event:prov:delete",
        "urn:ietf:params:scim:event:prov:patch:full",
        "urn:ietf:params:scim:event:prov:patch:notice",
        "urn:ietf:params:scim:event:prov:put:full",
        "urn:ietf:params:scim:event:prov:put:notice"
      ],
      "format": "iss_sub",
      "iss": "https://tocsin.example",
      "min_verification_interval": 30,
      "stream_id": "00000000000000000000000000000002"
    }
    "#);
    let id = created.stream_id();
    let path = format!("{STREAMS}?stream_id={id}");
    assert_eq!(alice.get(&path).await.json(), created.json());
    let format = async |answer: Answer| {
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(alice.get(&path).await.json(), answer.json());
        answer.json()["format"].clone()
    };
    let update = |members: Value| alice.patch(STREAMS, members);
    assert_eq!(format(update(json!({ "stream_id": id, "format": "email" })).await).await, "email");
    assert_eq!(format(update(json!({ "stream_id": id })).await).await, "email");
    assert_eq!(format(update(json!({ "stream_id": id, "format": null })).await).await, Value::Null);
    assert_eq!(format(alice.put(STREAMS, created.json()).await).await, "iss_sub");
    assert_eq!(format(alice.put(STREAMS, json!({ "stream_id": id })).await).await, Value::Null);
    let long = update(json!({ "stream_id": id, "format": "a".repeat(65) })).await;
    assert_eq!(long.brief(), "400 format must have 1 to 64 bytes");
}

/// SSF 1.0 has no such member: like any other that it does not know, it is passed over.
#[tokio::test]
async fn a_format_means_nothing_to_receivers_of_the_standard() {
    let world = World::new();
    let alice = client(&world, |_| {}).await;
    let created = alice.post(STREAMS, wish("iss_sub")).await;
    assert_eq!(created.status, 201);
    let id = created.stream_id();
    alice.patch(STREAMS, json!({ "stream_id": id, "format": "email" })).await;
    assert_eq!(alice.get(STREAMS).await.json()[0].get("format"), None);
    assert_eq!(told(&world, &aliases()).await["sub_id"]["format"], "iss_sub", "as for all");
}

fn email() -> Value {
    json!({ "format": "email", "email": "jane@example.com" })
}

fn aliases() -> Value {
    let iss_sub = json!({ "format": "iss_sub", "iss": "https://idp.example", "sub": "jane" });
    json!({ "format": "aliases", "identifiers": [email(), iss_sub] })
}

/// The claims of the one SET that an event about `subject` makes.
async fn told(world: &World, subject: &Value) -> Value {
    let event = json!({ "sub_id": subject, "events": { caep("session-revoked"): {} } });
    world.emit(&event).await;
    world.settle().await;
    let pushed = world.http.take();
    assert_eq!(pushed.len(), 1);
    pushed[0].claims()
}

/// It decides where there is a choice, on top and inside the event.
#[tokio::test]
async fn of_several_names_the_one_of_the_format_is_told() {
    let phone = json!({ "format": "phone_number", "phone_number": "+12065550100" });
    for (format, subject, told_of) in [
        ("email", aliases(), email()),
        ("iss_sub", aliases(), aliases()["identifiers"][1].clone()),
        ("phone_number", aliases(), aliases()["identifiers"][1].clone()),
        ("iss_sub", email(), email()),
        ("phone_number", json!({ "format": "aliases", "identifiers": [email(), phone] }), phone),
    ] {
        let world = World::new();
        legacy(&world).await.post(STREAMS, wish(format)).await;
        let claims = told(&world, &subject).await;
        assert_eq!(claims["sub_id"], told_of, "{format} of {subject}");
        assert_eq!(event_of(&claims).1["subject"], told_of);
    }
}

/// Each call that names a stream, without naming it.
async fn calls(caller: &Caller) -> Vec<Answer> {
    let subject = json!({ "subject": email() });
    vec![
        caller.get("/ssf/status").await,
        caller.post("/ssf/status", json!({ "status": "enabled" })).await,
        caller.patch(STREAMS, json!({ "description": "mine" })).await,
        caller.put(STREAMS, json!({ "description": "mine" })).await,
        caller.post("/ssf/subjects/add", subject.clone()).await,
        caller.post("/ssf/subjects/remove", subject).await,
        caller.post("/ssf/verification", json!({ "state": "mine" })).await,
        caller.delete(STREAMS).await,
    ]
}

#[tokio::test]
async fn the_id_of_the_only_stream_can_be_left_out() {
    let world = World::new();
    let alice = legacy(&world).await;
    let missing = |answers: Vec<Answer>| {
        for answer in answers {
            assert_eq!(answer.brief(), "400 stream_id is missing");
        }
    };
    missing(calls(&alice).await);
    alice.post(STREAMS, json!({})).await;
    let second = alice.post(STREAMS, json!({})).await.stream_id();
    missing(calls(&alice).await);
    alice.delete(&format!("{STREAMS}?stream_id={second}")).await;
    let nothing = alice.send(Method::POST, "/ssf/verification", &[], Body::empty()).await;
    assert_eq!(
        nothing.status, 204,
        "where there is nothing to say, nothing need be sent: {nothing}"
    );
    world.clock.advance(Duration::from_secs(30));
    for answer in calls(&alice).await {
        assert!(answer.status.is_success(), "{answer}");
    }
    assert_eq!(alice.get(STREAMS).await.json(), json!([]));
}

#[tokio::test]
async fn receivers_of_the_standard_name_the_stream() {
    let world = World::new();
    let alice = client(&world, |_| {}).await;
    alice.post(STREAMS, json!({})).await;
    for answer in calls(&alice).await {
        assert_eq!(answer.brief(), "400 stream_id is missing");
    }
    assert_eq!(alice.get(STREAMS).await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_id_can_stand_in_the_body_of_a_delete() {
    let world = World::new();
    let alice = legacy(&world).await;
    let bob = world.signed_in("bob", "ssf.manage").await;
    let bobs = bob.post(STREAMS, json!({})).await.stream_id();
    let first = alice.post(STREAMS, json!({})).await.stream_id();
    alice.post(STREAMS, json!({})).await;
    let delete = async |body: String| {
        let headers = [("content-type", "application/json")];
        alice.send(http::Method::DELETE, STREAMS, &headers, body.into()).await.brief()
    };
    let named = |id: &str| json!({ "stream_id": id }).to_string();
    assert_eq!(delete(named(&bobs)).await, format!("404 there is no stream {bobs}"));
    assert_eq!(delete("{".to_owned()).await, "400 the body is not JSON at line 1, column 1");
    assert_eq!(
        delete(r#"{"stream_id":1}"#.to_owned()).await,
        "400 stream_id is integer, expected a string"
    );
    assert_eq!(delete("a".repeat(300_000)).await, "413 the body is over 262144 bytes");
    assert_eq!(delete(named(&first)).await, "204");
    assert_eq!(delete(named(&first)).await, format!("404 there is no stream {first}"));
    assert_eq!(delete("{}".to_owned()).await, "204");
    assert_eq!(alice.get(STREAMS).await.json(), json!([]));
}

/// The rest is as for all others.
#[tokio::test]
async fn default_subjects_and_poll_are_as_for_all() {
    let world = World::new();
    let alice = client(&world, |wish| {
        wish.profile = Profile::Legacy;
        wish.default_subjects = Some(ssf::client::ClientSubjects::None);
    })
    .await;
    let mut body = poll_stream(&["session-revoked"]);
    body["delivery"] =
        json!({ "method": "https://schemas.openid.net/secevent/risc/delivery-method/poll" });
    let id = alice.post(STREAMS, body).await.stream_id();
    alice.post("/ssf/subjects/add", json!({ "subject": email() })).await;
    let event = json!({ "sub_id": email(), "events": { caep("session-revoked"): {} } });
    world.emit(&event).await;
    world.settle().await;
    let answer = alice.post(&format!("/ssf/poll/{id}"), json!({})).await;
    assert_eq!(answer.json()["sets"].as_object().unwrap().len(), 1);
}
