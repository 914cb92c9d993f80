//! Whole resources ([RFC 9967, 2.4]) are told to those alone whom the operator trusts with them.

use serde_json::{Value, json};
use ssf::{
    client::{ClientId, NewClient},
    table::Query,
};
use tests::{
    Caller, World,
    world::{endpoint, status},
};

use super::{STREAMS, one, with};

fn types() -> [&'static str; 2] {
    ["urn:ietf:params:scim:event:prov:create:full", "urn:ietf:params:scim:event:prov:create:notice"]
}

/// A stream that asks for notices and for whole resources.
async fn created(alice: &Caller) -> Value {
    let answer = alice
        .post(
            STREAMS,
            json!({
                "events_requested": types(),
                "delivery": { "method": "urn:ietf:rfc:8935", "endpoint_url": endpoint("alice") },
            }),
        )
        .await;
    assert_eq!(answer.status, 201, "{answer}");
    answer.json()
}

/// Somebody is created; the types of the SETs that were pushed.
async fn told(world: &World) -> Vec<String> {
    for (event_type, payload) in types()
        .into_iter()
        .zip([json!({ "data": { "userName": "ada" } }), json!({ "attributes": ["userName"] })])
    {
        let sub_id = json!({ "format": "scim", "uri": "/Users/1" });
        let event = json!({ "sub_id": sub_id, "events": { event_type: payload } });
        world.emit_fifo("ada", &event).await;
    }
    world.settle().await;
    pushed(world)
}

fn pushed(world: &World) -> Vec<String> {
    let pushed = world.http.take();
    let uri = |claims: Value| claims["events"].as_object().unwrap().keys().next().unwrap().clone();
    pushed.iter().map(|pushed| uri(pushed.claims())).collect()
}

async fn set_full(world: &World, full: bool) {
    let alice = ClientId("alice".to_owned());
    let change = |wish: &mut NewClient| wish.scim.full = full;
    world.transmitter.client_update(&alice, change).await.unwrap();
}

#[tokio::test]
async fn only_a_client_with_the_right_is_told_whole_resources() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage ssf.read").await;
    let stream = created(&alice).await;
    let [full, notice] = types();
    assert!(stream["events_supported"].as_array().unwrap().contains(&json!(full)));
    assert_eq!(stream["events_delivered"], json!([notice]));
    let again = alice.patch(STREAMS, with(&stream, json!({ "events_requested": types() }))).await;
    assert_eq!(again.json()["events_delivered"], json!([notice]));
    assert_eq!(told(&world).await, [notice]);

    set_full(&world, true).await;
    let read = alice.get(&one(stream["stream_id"].as_str().unwrap())).await;
    assert_eq!(read.json()["events_delivered"], json!([full, notice]));
    assert_eq!(told(&world).await, [full, notice]);
    assert_eq!(created(&alice).await["events_delivered"], json!([full, notice]));
}

/// What waits for its next attempt is not sent any more either.
#[tokio::test]
async fn a_right_that_is_taken_away_is_gone_at_once() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage ssf.read").await;
    set_full(&world, true).await;
    let stream = created(&alice).await;
    let [full, notice] = types();
    world.http.once("alice", status(503));
    assert_eq!(told(&world).await, [full]);

    set_full(&world, false).await;
    world.pass(std::time::Duration::from_mins(1)).await;
    assert_eq!(pushed(&world), [notice]);
    assert_eq!(told(&world).await, [notice]);
    let again = alice.patch(STREAMS, with(&stream, json!({ "events_requested": types() }))).await;
    assert_eq!(again.json()["events_delivered"], json!([notice]));
}

/// A request that was authenticated while the client had the right, and comes to its end later.
#[tokio::test]
async fn a_stream_that_is_made_while_the_right_goes_does_not_have_it() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage ssf.read").await;
    let [full, notice] = types();
    for (before, after) in [(true, false), (false, true)] {
        set_full(&world, before).await;
        let receiver = world.transmitter.authenticate(&alice.token).await.unwrap();
        set_full(&world, after).await;
        let wish = json!({ "events_requested": types() });
        let stream = world.create(&receiver, wish).await;
        let wanted = if after { json!([full, notice]) } else { json!([notice]) };
        assert_eq!(stream["events_delivered"], wanted);
        let rows = Query::sorted(format!("TYPE#{full}"), "");
        let rows = world.transmitter.parts().table.query(rows).await.unwrap().items;
        let id = stream["stream_id"].as_str().unwrap();
        let found = rows.iter().any(|row| row.key.sk.contains(id));
        assert_eq!(found, after, "it is found by the types that it has");
    }
}
