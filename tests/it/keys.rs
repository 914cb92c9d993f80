//! The key ring: rotation without a gap, and several processes on one ring.

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::future::join_all;
use ssf::{
    client::NewClient,
    clock::SystemClock,
    delivery::PollRequest,
    embedded::{Database, LocalSigner},
    set::{Algorithm, KeyRing, KeyState},
    stream::StreamId,
};
use tests::{
    Function, World,
    world::{poll_stream, session_revoked},
};

/// The kids in the JWKS.
async fn kids(world: &World) -> Vec<String> {
    let jwks = world.anyone().get("/jwks.json").await.json();
    let keys = jwks["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn signing(world: &World) -> String {
    world.transmitter.keys().signing_key().await.unwrap().kid.clone()
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_the_old_one_stays() {
    let world = World::new();
    let keys = world.transmitter.keys();
    let old = signing(&world).await;
    let new = keys.rotate(false).await.unwrap().key.kid.clone();
    assert_eq!(kids(&world).await, [old.clone(), new.clone()]);
    assert_eq!(signing(&world).await, old);
    let refused = keys.rotate(false).await.unwrap_err().to_string();
    assert_eq!(refused, format!("the key {new} is to sign from 2026-01-01T00:10:00Z on"));
    // Whoever reads the JWKS now may keep it for the five minutes before the next look, twice.
    world.clock.advance(Duration::from_secs(599));
    assert_eq!(signing(&world).await, old);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(signing(&world).await, new);
    assert_eq!(kids(&world).await, [old.clone(), new.clone()]);

    keys.retire(&old).await.unwrap();
    assert_eq!(kids(&world).await.join(" "), new);
    let refused = keys.retire(&new).await.unwrap_err().to_string();
    assert_eq!(refused, format!("the key {new} is signing; rotate first, then retire it"));
    assert_eq!(keys.retire(&old).await.unwrap_err().to_string(), format!("there is no key {old}"));
}

#[tokio::test]
async fn a_ring_that_was_changed_before_it_had_a_key_gets_one() {
    let world = World::without_key(|_| {});
    let refused = world.transmitter.keys().retire("unknown").await.unwrap_err();
    assert_eq!(refused.to_string(), "there is no key unknown");
    world.sweep().await;
    assert_eq!(kids(&world).await, [signing(&world).await]);
}

/// What answers strangers must not be able to publish a key of its own.
#[tokio::test]
async fn the_first_sweep_makes_the_first_key_and_nobody_else_does() {
    let world = World::without_key(|_| {});
    let answer = world.anyone().get("/jwks.json").await;
    // An empty key set would be kept by those who ask, an error is not.
    assert_eq!(answer.status, 503, "{answer}");
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.headers["cache-control"], "no-store");
    let id = world.create(&world.receiver("alice"), poll_stream(&["session-revoked"])).await;
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    assert_eq!(world.transmitter.keys().published().await.unwrap(), []);

    world.sweep().await;
    let [kid] = &kids(&world).await[..] else { panic!("one key") };
    // What waited is signed now, and nothing is lost.
    world.pass(Duration::from_mins(5)).await;
    let id = StreamId::parse(id["stream_id"].as_str().unwrap()).unwrap();
    let request = PollRequest { return_immediately: true, ..PollRequest::default() };
    let polled = world.transmitter.poll(&world.receiver("alice"), &id, request).await.unwrap();
    assert_eq!(polled.sets.len(), 1);
    world.sweep().await;
    assert_eq!(kids(&world).await, std::slice::from_ref(kid));
}

#[tokio::test]
async fn the_first_rotation_makes_the_first_key() {
    for (algorithm, count) in [(Algorithm::RS256, 1), (Algorithm::ES256, 2)] {
        let world = World::without_key(|_| {});
        let keys = world.transmitter.keys();
        assert_eq!(keys.rotate_to(algorithm, true).await.unwrap().key.algorithm, algorithm);
        assert_eq!(keys.signing_key().await.unwrap().algorithm, algorithm);
        assert_eq!(keys.list().await.unwrap().len(), count);
    }
}

#[tokio::test]
async fn in_an_emergency_a_key_is_replaced_at_once() {
    let world = World::new();
    let keys = world.transmitter.keys();
    let old = signing(&world).await;
    let new = keys.rotate(true).await.unwrap().key.kid.clone();
    assert_eq!(signing(&world).await, new);
    let next = keys.rotate(false).await.unwrap().key.kid.clone();
    assert_eq!(keys.rotate(true).await.unwrap().key.kid, next);
    let states: Vec<_> = keys.list().await.unwrap().into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, [KeyState::Past, KeyState::Past, KeyState::Signing]);
    assert_eq!(kids(&world).await, [old, new, next]);
}

/// A process of its own on the data in `folder`.
fn process(folder: &Path) -> KeyRing {
    let clock = Arc::new(SystemClock);
    let table = Database::open(folder, clock.clone()).unwrap().table();
    let signer = LocalSigner::open(folder.join("keys")).unwrap();
    KeyRing::new(Arc::new(table), Arc::new(signer), clock, Algorithm::ES256)
}

#[tokio::test]
async fn processes_that_start_together_agree_on_the_first_key() {
    let folder = tempfile::tempdir().unwrap();
    let processes: Vec<_> = (0..8).map(|_| process(folder.path())).collect();
    let kids = processes.iter().map(async |process| {
        let key = process.ensure_key().await.unwrap();
        let token = process.sign("JWT", b"{}").await.unwrap();
        assert!(key.verify(&token).is_some());
        key.kid.clone()
    });
    let kids = join_all(kids).await;
    assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
    let files = std::fs::read_dir(folder.path().join("keys")).unwrap().count();
    assert_eq!(files, 1, "who came too late destroyed what it had made");
}

#[tokio::test]
async fn processes_that_rotate_together_lose_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let processes: Vec<_> = (0..4).map(|_| process(folder.path())).collect();
    processes[0].ensure_key().await.unwrap();
    let rotated = join_all(processes.iter().map(|process| process.rotate(false))).await;
    let list = processes[0].list().await.unwrap();
    for rotated in rotated.into_iter().flatten() {
        assert!(list.iter().any(|(key, _)| *key == rotated));
    }
    let files = std::fs::read_dir(folder.path().join("keys")).unwrap().count();
    assert_eq!(files, list.len());
}

/// `DynamoDB` asks twice as much for a transaction, and one item needs none; but a token is written
/// together with the check that its client is there.
#[tokio::test]
async fn what_is_one_item_is_written_without_a_transaction() {
    let world = World::new();
    let wish = NewClient::new("Alice", vec!["https://alice.example".to_owned()]);
    let (client, _) = world.transmitter.client_create(wish).await.unwrap();
    world.table.take();
    let id = &client.client_id;
    world.transmitter.keys().rotate(true).await.unwrap();
    world.transmitter.grant(&client, None).await.unwrap();
    let (token, _) = world.transmitter.static_token_create(id, None).await.unwrap();
    world.transmitter.token_revoke(&token.token_id.to_string()).await.unwrap();
    world.transmitter.client_rotate_secret(id).await.unwrap();
    let counts = world.table.take();
    assert_eq!((counts.transactions, counts.transaction_items, counts.write_items), (2, 4, 3));
}

#[tokio::test]
async fn each_function_that_signs_or_publishes_may_read_the_ring() {
    // Access tokens are not signed, polls hand out what was signed before, and the directory's events
    // are signed by who takes them in.
    let others = [Function::Authorize, Function::Poll, Function::Directory];
    for function in Function::ALL.into_iter().filter(|function| !others.contains(function)) {
        let world = World::new();
        let ring = function.runs(world.another_process().keys().published()).await.unwrap();
        assert_eq!(ring.len(), 1, "{function:?}");
    }
}

#[tokio::test]
async fn a_process_sees_within_half_a_minute_what_another_rotated() {
    let world = World::new();
    let other = world.another_process();
    let old = signing(&world).await;
    let new = other.keys().rotate(true).await.unwrap().key.kid.clone();
    assert_eq!(signing(&world).await, old);
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(signing(&world).await, new);
}

#[tokio::test]
async fn a_key_that_another_process_destroyed_is_not_clung_to() {
    let world = World::new();
    let other = world.another_process();
    let old = signing(&world).await;
    other.keys().rotate(true).await.unwrap();
    other.keys().retire(&old).await.unwrap();
    world.transmitter.keys().sign("JWT", b"{}").await.unwrap();
    assert_ne!(signing(&world).await, old);
}

/// A receiver must be able to verify what it gets.
#[tokio::test]
async fn a_key_is_retired_only_when_nothing_waits_that_it_signed() {
    let world = World::new();
    let (transmitter, receiver) = (&world.transmitter, world.receiver("alice"));
    let stream = poll_stream(&["session-revoked"]);
    let id = world.create(&receiver, stream).await["stream_id"].as_str().unwrap().to_owned();
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    let old = signing(&world).await;
    transmitter.keys().rotate(true).await.unwrap();

    let refused = transmitter.key_retire(&old, false).await.unwrap_err().to_string();
    assert!(refused.contains("still to be delivered"), "{refused}");
    assert!(kids(&world).await.contains(&old));

    let poll = async |ack| {
        let request = PollRequest { ack, return_immediately: true, ..PollRequest::default() };
        let id = StreamId::parse(id.clone()).unwrap();
        transmitter.poll(&receiver, &id, request).await.unwrap()
    };
    let jtis = poll(Vec::new()).await.sets.keys().cloned().collect();
    poll(jtis).await;
    transmitter.key_retire(&old, false).await.unwrap();
    assert!(!kids(&world).await.contains(&old));
}

#[tokio::test]
async fn a_key_in_wrong_hands_is_retired_whatever_waits() {
    let world = World::new();
    world.create(&world.receiver("alice"), poll_stream(&["session-revoked"])).await;
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    let old = signing(&world).await;
    world.transmitter.keys().rotate(true).await.unwrap();
    world.transmitter.key_retire(&old, true).await.unwrap();
    assert!(!kids(&world).await.contains(&old));
}
