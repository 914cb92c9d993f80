//! The paths that every event takes: reading and matching it, and making its SET.
//!
//! `cargo bench -p tests`

#![expect(clippy::unwrap_used, reason = "a benchmark that panics says where")]

use std::sync::Arc;

use divan::{Bencher, black_box};
use serde_json::json;
use ssf::{
    delivery::Door,
    embedded::LocalSigner,
    event::{EventRules, SecurityEvent},
    queue::Received,
    set::{Algorithm, EventId, Jti, PublicKey, SecurityEventToken, Signer},
    stream::{DefaultSubjects, Stream},
};
use tests::{
    World,
    world::{caep, push_stream},
};
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn event() -> String {
    json!({
        "sub_id": { "format": "iss_sub", "iss": "https://idp.example.com/", "sub": "145234573" },
        "events": { caep("session-revoked"): {
            "event_timestamp": 1_767_225_600,
            "initiating_entity": "policy",
            "reason_admin": { "en": "Landspeed policy violation: C076E82F" },
            "reason_user": { "en": "Access attempt from multiple regions.", "es": "Varias regiones." },
        }},
        "txn": "8675309",
    })
    .to_string()
}

fn parsed() -> SecurityEvent {
    let rules = EventRules {
        private_types: &std::collections::BTreeSet::new(),
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    SecurityEvent::parse(event().as_bytes(), &rules).unwrap()
}

/// A signer with a key, and a stream to sign for.
fn signing(algorithm: Algorithm) -> (Runtime, Arc<dyn Signer>, PublicKey, World, Stream) {
    let runtime = runtime();
    let signer =
        LocalSigner::in_memory(&[include_str!("../keys/rsa.pem"), include_str!("../keys/ec.pem")])
            .unwrap();
    let key = runtime.block_on(signer.generate(algorithm)).unwrap();
    let world = World::new();
    let alice = world.receiver("alice");
    runtime.block_on(world.create(&alice, push_stream("alice", &["session-revoked"])));
    let stream = runtime.block_on(world.transmitter.streams_of(&alice.id)).unwrap().remove(0);
    (runtime, Arc::new(signer), key, world, stream)
}

/// What the cryptography library alone makes of as many bytes as a SET has.
#[divan::bench(args = [Algorithm::RS256, Algorithm::ES256])]
fn raw_signature(bencher: Bencher, algorithm: Algorithm) {
    let (runtime, signer, key, _world, _) = signing(algorithm);
    let message = vec![b'x'; 850];
    bencher.bench_local(|| {
        runtime.block_on(async { signer.sign(&key, black_box(&message)).await.unwrap() })
    });
}

#[divan::bench(args = [Algorithm::RS256, Algorithm::ES256])]
fn set_built_and_signed(bencher: Bencher, algorithm: Algorithm) {
    let (runtime, signer, key, world, stream) = signing(algorithm);
    let event = parsed();
    let config = &world.transmitter.parts().config;
    bencher.bench_local(|| {
        let jti = Jti::of(&EventId::of_message("1"), &stream.id);
        let set = SecurityEventToken::new(
            black_box(&event),
            (&jti, "8675309"),
            &stream,
            None,
            config,
            "2026-01-01T00:00:00Z".parse().unwrap(),
        );
        runtime.block_on(async { set.sign(&key, &*signer).await.unwrap() })
    });
}

#[divan::bench]
fn event_parsed(bencher: Bencher) {
    let text = event();
    let private_types = std::collections::BTreeSet::new();
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    bencher.bench_local(|| {
        let rules = EventRules { private_types: &private_types, now };
        SecurityEvent::parse(black_box(text.as_bytes()), &rules).unwrap()
    });
}

/// A batch of ten events is read and matched against a thousand streams that want such events, of
/// which none wants them about this subject. The time is for all ten.
#[divan::bench]
fn ten_events_parsed_and_matched(bencher: Bencher) {
    let runtime = runtime();
    let world = World::with(|config| config.requests_per_second = u32::MAX);
    runtime.block_on(async {
        for number in 0..1000 {
            let name = format!("receiver{number}");
            let mut receiver = world.receiver(&name);
            receiver.default_subjects = DefaultSubjects::None;
            let stream = world.create(&receiver, push_stream(&name, &["session-revoked"])).await;
            let wish = json!({
                "stream_id": stream["stream_id"],
                "subject": { "format": "email", "email": format!("{name}@example.com") },
            });
            let wish = serde_json::from_value(wish).unwrap();
            world.transmitter.add_subject(&receiver, wish).await.unwrap();
        }
    });
    let batch: Vec<Received> = (0..10)
        .map(|number| Received {
            id: number.to_string(),
            body: event(),
            group: None,
            attributes: std::collections::BTreeMap::new(),
            sender: None,
            sent_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            sequence: None,
            receives: 1,
            receipt: number.to_string(),
        })
        .collect();
    bencher.bench_local(|| {
        runtime.block_on(world.transmitter.accept(Door::Standard, black_box(&batch)))
    });
}
