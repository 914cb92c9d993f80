//! What becomes of the envelopes of sources on the ingest queues.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use ssf::{
    Parts, Transmitter,
    delivery::{Accepted, Door, PollRequest},
    event::EventType,
    queue::Received,
    set::{Algorithm, PublicKey, SignError, Signer},
    source::{Source, SourceState, Sources},
};
use tests::{
    World,
    world::{claims, event_of},
};

const POOL: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE1";

/// A world that takes what Cognito says.
fn world() -> World {
    World::with(|config| {
        let on = [Source::Cognito].into();
        config.sources = Sources::new(&on, &BTreeMap::new()).unwrap();
    })
}

/// What CloudTrail tells of a call.
fn envelope(name: &str, id: &str) -> Value {
    json!({
        "version": "0",
        "id": id,
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.cognito-idp",
        "account": "123456789012",
        "time": "2025-12-31T23:59:02Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": {
            "eventTime": "2025-12-31T23:59:01Z",
            "eventSource": "cognito-idp.amazonaws.com",
            "eventName": name,
            "awsRegion": "eu-central-1",
            "requestParameters": { "userPoolId": "eu-central-1_EXAMPLE1" },
            "additionalEventData": { "sub": "8f0b3a52-30a1-70bd-1f6b-2e3a5b3f9c11" },
        },
    })
}

/// The SETs that Alice has not acknowledged.
async fn pending(world: &World, stream: &Value) -> Vec<Value> {
    let id = ssf::stream::StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap();
    let request = PollRequest { return_immediately: true, ..PollRequest::default() };
    let answer = world.transmitter.poll(&world.receiver("alice"), &id, request).await.unwrap();
    let mut sets: Vec<_> = answer.sets.values().map(|set| claims(set.as_str())).collect();
    sets.retain(|claims| event_of(claims).0 != "verification");
    sets
}

fn types(sets: &[Value]) -> Vec<String> {
    sets.iter().map(|claims| event_of(claims).0).collect()
}

async fn alice(world: &World) -> Value {
    let types = [EventType::ACCOUNT_DISABLED, EventType::SESSION_REVOKED];
    world.create(&world.receiver("alice"), json!({ "events_requested": types })).await
}

#[tokio::test]
async fn one_envelope_becomes_two_sets_in_order_however_often_it_comes() {
    let world = world();
    let stream = alice(&world).await;
    for _ in 0..2 {
        // A bus delivers at least once: to the queue it is another message.
        world.emit(&envelope("AdminDisableUser", "1")).await;
        world.settle().await;
    }
    let sets = pending(&world, &stream).await;
    let kinds = types(&sets);
    assert!(
        kinds[0].ends_with("account-disabled") && kinds[1].ends_with("session-revoked"),
        "{kinds:?}"
    );
    assert_eq!(sets.len(), 2);
    assert_eq!(sets[0]["txn"], sets[1]["txn"], "they have one cause");
    assert_eq!(
        sets[0]["sub_id"],
        json!({ "format": "iss_sub", "iss": POOL, "sub": "8f0b3a52-30a1-70bd-1f6b-2e3a5b3f9c11" })
    );
    assert_eq!(sets[0]["toe"], 1_767_225_541);
    assert_eq!(world.dead_letters().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_says_nothing_is_done_with_and_what_cannot_be_understood_is_refused_once() {
    let world = world();
    alice(&world).await;
    let mut broken = envelope("AdminDisableUser", "2");
    broken["detail"]["eventTime"] = json!("soon");
    let mut future = envelope("AdminDisableUser", "3");
    future["detail"]["eventTime"] = json!("2026-01-01T01:00:00Z");
    for envelope in [&envelope("AdminUpdateUserAttributes", "1"), &broken, &future] {
        world.emit(envelope).await;
    }
    world.settle().await;
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 2, "{letters:?}");
    let states = world.transmitter.source_list().await.unwrap();
    let of = |source: Source| states.iter().find(|state| state.source == source).unwrap();
    let SourceState { on, count, .. } = of(Source::Cognito);
    assert!(*on && !of(Source::Okta).on);
    assert_eq!((count.envelopes, count.events), (1, 0));
    assert_eq!(count.dropped, BTreeMap::from([("cannot-tell".to_owned(), 1)]));
    assert!(count.last.is_some());
}

#[tokio::test]
async fn what_is_dropped_costs_no_request_to_the_table() {
    let world = world();
    alice(&world).await;
    let dropped = envelope("AdminUpdateUserAttributes", "1").to_string();
    let batch: Vec<Received> = (0..10).map(|number| received(&world, number, &dropped)).collect();
    // The first one in a minute is written down.
    world.transmitter.accept(Door::Standard, &batch).await;
    world.table.take();
    for _ in 0..20 {
        let answers = world.transmitter.accept(Door::Standard, &batch).await;
        assert!(answers.iter().all(|answer| matches!(answer, Accepted::Dropped)), "{answers:?}");
        world.clock.advance(Duration::from_secs(2));
    }
    assert_eq!(world.table.take().calls(), 0, "nothing is asked of the table");
    world.clock.advance(Duration::from_mins(1));
    world.transmitter.accept(Door::Standard, &batch[..1]).await;
    let states = world.transmitter.source_list().await.unwrap();
    let cognito = states.iter().find(|state| state.source == Source::Cognito).unwrap();
    assert_eq!(cognito.count.dropped["cannot-tell"], 211, "and none was forgotten");
}

/// A signer that fails the second time that it is asked.
#[derive(Debug)]
struct FailsOnce(Arc<dyn Signer>, AtomicUsize);

#[async_trait]
impl Signer for FailsOnce {
    async fn first(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.0.first(algorithm).await
    }

    async fn generate(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.0.generate(algorithm).await
    }

    async fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
        if self.1.fetch_add(1, Ordering::SeqCst) == 1 {
            return Err(SignError::Unavailable("once".into()));
        }
        self.0.sign(key, message).await
    }

    async fn destroy(&self, key: &PublicKey) -> Result<(), SignError> {
        self.0.destroy(key).await
    }
}

#[tokio::test]
async fn what_was_told_in_part_comes_again_and_is_told_once() {
    let world = world();
    let stream = alice(&world).await;
    let signer = Arc::new(FailsOnce(world.signer.clone(), AtomicUsize::new(0)));
    let parts = Parts { signer, ..world.transmitter.parts().clone() };
    let transmitter = Transmitter::new(parts);
    let message = received(&world, 1, &envelope("AdminDisableUser", "1").to_string());
    let answers = transmitter.accept(Door::Standard, std::slice::from_ref(&message)).await;
    assert!(matches!(answers[..], [Accepted::Failed(_)]), "{answers:?}");
    let first = pending(&world, &stream).await;
    assert_eq!(first.len(), 1, "the second is not told before the first, nor alone");
    let again = Received { receives: 2, ..message };
    let answers = transmitter.accept(Door::Standard, &[again]).await;
    assert!(matches!(answers[..], [Accepted::Issued(2)]), "{answers:?}");
    let sets = pending(&world, &stream).await;
    assert_eq!(sets.len(), 2);
    assert_eq!(sets[0], first[0], "the first one is as it was");
}

fn received(world: &World, number: usize, body: &str) -> Received {
    Received {
        id: number.to_string(),
        body: body.to_owned(),
        group: None,
        attributes: BTreeMap::new(),
        sender: None,
        sent_at: world.transmitter.parts().clock.now(),
        sequence: None,
        receives: 1,
        receipt: number.to_string(),
    }
}
