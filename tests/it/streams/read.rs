//! Reading streams ([SSF 1.0, 8.1.1.2]), and to whom they are there.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tests::{
    Answer, Caller, World,
    world::{poll_stream, push_stream},
};

use super::{STREAMS, one};

/// 58, 59: a list, whatever there is.
#[tokio::test]
async fn all_streams_are_an_array_in_the_order_of_their_creation() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.read ssf.manage").await;
    assert_snapshot!(alice.get(STREAMS).await, @r"
    200 OK
    cache-control: no-store
    content-type: application/json

    []
    ");
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(alice.post(STREAMS, json!({})).await.json());
        assert_eq!(alice.get(STREAMS).await.json(), json!(all));
    }
}

/// 60: one is an object, and has all that is required.
#[tokio::test]
async fn one_stream_is_an_object() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let created = alice.post(STREAMS, push_stream("alice", &["session-revoked"])).await;
    assert_snapshot!(alice.get(&one(&created.stream_id())).await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {
      "aud": "https://alice.example",
      "delivery": {
        "endpoint_url": "https://alice.example/events",
        "method": "urn:ietf:rfc:8935"
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
      "iss": "https://tocsin.example",
      "min_verification_interval": 30,
      "stream_id": "00000000000000000000000000000002"
    }
    "#);
}

/// All that can be done to a stream.
async fn everything(caller: &Caller, id: &str) -> Vec<Answer> {
    let stream = json!({ "stream_id": id });
    let with = |members: Value| {
        let mut body = stream.clone();
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        body
    };
    let subject = json!({ "subject": { "format": "email", "email": "jane@example.com" } });
    vec![
        caller.get(&one(id)).await,
        caller.patch(STREAMS, with(json!({ "description": "mine" }))).await,
        caller.put(STREAMS, with(json!({ "description": "mine" }))).await,
        caller.get(&format!("/ssf/status?stream_id={id}")).await,
        caller.post("/ssf/status", with(json!({ "status": "disabled" }))).await,
        caller.post("/ssf/subjects/add", with(subject.clone())).await,
        caller.post("/ssf/subjects/remove", with(subject)).await,
        caller.post("/ssf/verification", with(json!({ "state": "mine" }))).await,
        caller.post(&format!("/ssf/poll/{id}"), json!({ "returnImmediately": true })).await,
        caller.delete(&one(id)).await,
    ]
}

/// 24, 73, 75, 79, 92, 104: whether it is somebody else's, was deleted, never was or could not be,
/// makes no difference that can be seen.
#[tokio::test]
async fn a_stream_that_is_not_ones_own_is_not_there() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let bob = world.signed_in("bob", "ssf.manage").await;
    let create = async |caller: &Caller| {
        caller.post(STREAMS, poll_stream(&["session-revoked"])).await.stream_id()
    };
    let (alices, deleted, bobs) = (create(&alice).await, create(&alice).await, create(&bob).await);
    assert_eq!(alice.delete(&one(&deleted)).await.status, 204);
    let before = [alice.get(&one(&alices)).await.json(), alice.get(STREAMS).await.json()];
    assert_snapshot!(bob.get(&one(&alices)).await, @r#"
    404 Not Found
    cache-control: no-store
    content-type: application/problem+json

    {
      "detail": "there is no stream 00000000000000000000000000000003",
      "status": 404,
      "title": "There is no such thing",
      "type": "urn:tocsin:problem:not-found"
    }
    "#);
    let never = "00000000000000000000000000009999";
    for id in [alices.as_str(), &deleted, never, "x", "no%20id%23", "..."] {
        let mut about = Vec::new();
        for answer in everything(&bob, id).await {
            assert_eq!(answer.status, 404, "{id}: {answer}");
            about.push(answer.to_string().replace(id, "it").replace("no id#", "it"));
        }
        about.dedup();
        assert_eq!(about.len(), 1, "{about:?}");
    }
    assert_eq!([alice.get(&one(&alices)).await.json(), alice.get(STREAMS).await.json()], before);
    assert_eq!(bob.get(STREAMS).await.json()[0]["stream_id"], bobs.as_str());
    // Whoever owns it can do all of that.
    for answer in everything(&alice, &alices).await {
        assert!(answer.status.is_success(), "{answer}");
    }
}

/// 25: who asks decides what `aud` is.
#[tokio::test]
async fn each_receiver_has_its_own_audience() {
    let world = World::new();
    let mut audiences = Vec::new();
    for name in ["alice", "bob"] {
        let caller = world.signed_in(name, "ssf.manage").await;
        let stream = caller.post(STREAMS, push_stream(name, &["session-revoked"])).await;
        audiences.push(stream.json()["aud"].clone());
    }
    assert_eq!(audiences, ["https://alice.example", "https://bob.example"]);
}
