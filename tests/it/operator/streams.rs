//! Streams, listed and set.

use std::time::Duration;

use serde_json::json;
use ssf::{
    Error,
    client::NewClient,
    operator::StreamFilter,
    stream::{Reason, Status, StreamId},
};
use tests::{
    World,
    world::{poll_stream, push_stream, session_revoked, status},
};

use super::{create, pushed_to, rejected};

fn reason(text: &str) -> Reason {
    text.to_owned().try_into().unwrap()
}

async fn listed(world: &World, filter: &StreamFilter) -> Vec<StreamId> {
    let listed = world.transmitter.stream_list(filter, None, 100).await.unwrap();
    assert!(!listed.more);
    listed.items.into_iter().map(|stream| stream.stream_id).collect()
}

#[tokio::test]
async fn streams_are_listed_by_owner_and_status_a_part_at_a_time() {
    let world = World::new();
    let (alice, bob) = (world.receiver("alice"), world.receiver("bob"));
    let mut ids = Vec::new();
    for receiver in [&alice, &alice, &bob] {
        ids.push(create(&world, receiver, poll_stream(&["session-revoked"])).await);
    }
    let paused =
        world.transmitter.stream_set_status(&ids[1], Status::Paused, reason("maintenance"));
    paused.await.unwrap();
    assert_eq!(listed(&world, &StreamFilter::default()).await, ids);
    let of_alice = StreamFilter { owner: Some(alice.id), status: None };
    assert_eq!(listed(&world, &of_alice).await, ids[..2]);
    let paused = StreamFilter { status: Some(Status::Paused), ..of_alice };
    assert_eq!(listed(&world, &paused).await, ids[1..2]);

    let all = StreamFilter::default();
    let first = world.transmitter.stream_list(&all, None, 2).await.unwrap();
    assert_eq!((first.items.len(), first.more), (2, true));
    let rest = world.transmitter.stream_list(&all, Some(&ids[1]), 2).await.unwrap();
    assert_eq!((rest.items.len(), rest.more), (1, false));
}

#[tokio::test]
async fn a_stream_is_shown_with_its_backlog_and_without_its_secret() {
    let world = World::new();
    world.http.once("alice", Ok(rejected()));
    let id = pushed_to(&world, "alice").await;
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    world.http.always("alice", status(503));
    world.emit(&session_revoked("john@example.com")).await;
    world.settle().await;
    let mut shown =
        serde_json::to_value(world.transmitter.stream_show(&id).await.unwrap()).unwrap();
    shown.sort_all_objects();
    insta::assert_json_snapshot!(shown, @r#"
    {
      "audience": [
        "https://alice.example"
      ],
      "authorization_header": true,
      "client_id": "alice",
      "created": "2026-01-01T00:00:00Z",
      "default_subjects": "ALL",
      "endpoint_host": "alice.example",
      "endpoint_url": "https://alice.example/events",
      "events_delivered": [
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
      ],
      "events_requested": [
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
      ],
      "failed": 1,
      "last_modified": "2026-01-01T00:00:00Z",
      "method": "urn:ietf:rfc:8935",
      "pending": 1,
      "profile": "standard",
      "status": "enabled",
      "stream_id": "00000000000000000000000000000001",
      "subject_in_event": false,
      "trouble": {
        "error": {
          "description": "the receiver answered 503",
          "err": "push_failed"
        },
        "sets": 1,
        "since": "2026-01-01T00:00:00Z"
      },
      "verify_certificates": true
    }
    "#);
    assert!(!shown.to_string().contains("Bearer"));
}

#[tokio::test]
async fn a_receiver_is_told_before_its_stream_stops_and_when_it_goes_on() {
    let world = World::new();
    let id = pushed_to(&world, "alice").await;
    for (wish, text) in [
        (Status::Paused, "maintenance"),
        (Status::Enabled, "maintenance is over"),
        (Status::Disabled, "contract ended"),
    ] {
        let shown = world.transmitter.stream_set_status(&id, wish, reason(text)).await.unwrap();
        assert_eq!((shown.summary.status, shown.summary.reason), (wish, Some(text.to_owned())));
        world.settle().await;
        let told: Vec<_> = world
            .http
            .take()
            .iter()
            .map(|pushed| pushed.claims()["events"].as_object().unwrap().values().next().cloned())
            .collect();
        assert_eq!(told, [Some(json!({ "status": wish.name(), "reason": text }))]);
    }
}

#[tokio::test]
async fn a_deleted_stream_is_seen_until_it_is_gone_and_cannot_be_enabled() {
    let world = World::new();
    let alice = world.receiver("alice");
    let id = create(&world, &alice, poll_stream(&["session-revoked"])).await;
    let set = |status| world.transmitter.stream_set_status(&id, status, reason("gone"));
    let deleted = set(Status::DisabledDeleted).await.unwrap();
    assert_eq!(deleted.summary.reason.as_deref(), Some("gone"));
    assert!(world.transmitter.list_streams(&alice).await.unwrap().is_empty());
    let deleted = StreamFilter { status: Some(Status::DisabledDeleted), owner: None };
    assert_eq!(listed(&world, &deleted).await, std::slice::from_ref(&id));
    assert!(matches!(set(Status::Enabled).await, Err(Error::StreamNotFound(_))));
    set(Status::DisabledDeleted).await.unwrap();
    world.clock.advance(Duration::from_hours(25));
    world.transmitter.sweep().await.unwrap();
    assert_eq!(listed(&world, &deleted).await, []);
}

#[tokio::test]
async fn a_deleted_client_takes_its_streams_along() {
    let world = World::new();
    let wish = NewClient::new("Alice", vec!["https://alice.example".to_owned()]);
    let (client, _) = world.transmitter.client_create(wish).await.unwrap();
    let mut alice = world.receiver("alice");
    alice.id = client.client_id.clone();
    world.create(&alice, push_stream("alice", &["session-revoked"])).await;
    world.create(&alice, poll_stream(&["session-revoked"])).await;
    world.transmitter.client_delete(&client.client_id).await.unwrap();
    let streams =
        world.transmitter.stream_list(&StreamFilter::default(), None, 10).await.unwrap().items;
    assert_eq!(
        streams.iter().map(|stream| stream.status).collect::<Vec<_>>(),
        [Status::DisabledDeleted; 2]
    );
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    let told = world.http.take();
    assert_eq!(told.len(), 1, "only that the stream stops");
    assert!(told[0].claims()["events"].to_string().contains("the client was deleted"));
}
