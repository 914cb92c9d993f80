//! Push and poll on the deployed stack.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use ssf::set::{KeyMaterial, PublicKey};
use tests::{
    Reply,
    world::{caep, session_revoked},
};

use crate::deployed::{Deployed, on_the_stack, wait_until};

/// What the claims say about whom.
fn emails(sets: &[Value]) -> Vec<&str> {
    sets.iter().map(|claims| claims["sub_id"]["email"].as_str().unwrap_or_default()).collect()
}

/// The claims of a SET, after a look at its signature.
async fn verified(deployed: &Deployed, set: &str) -> Value {
    let (status, jwks) = deployed.ask(Method::GET, "/jwks.json", None, None).await;
    assert_eq!(status, StatusCode::OK);
    let keys: Vec<KeyMaterial> =
        serde_json::from_value(jwks["keys"].clone()).expect("these are keys");
    let is_signed = keys.into_iter().any(|key| PublicKey::new(key).verify(set).is_some());
    assert!(is_signed, "no published key signed {set}");
    tests::world::claims(set)
}

#[test]
fn what_is_sent_to_either_queue_is_pushed_and_polled() {
    on_the_stack(async |deployed| {
        let (pushed_to, polling) =
            (deployed.sign_in("push-to-me").await, deployed.sign_in("i-poll").await);
        pushed_to.push_stream(&["session-revoked"]).await;
        let stream = polling.poll_stream(&["session-revoked"]).await;
        deployed.send("IngestQueueUrl", &session_revoked("standard@example.com"), None);
        deployed.send("IngestFifoQueueUrl", &session_revoked("fifo@example.com"), Some("fifo"));

        let sets = deployed.pushed("push-to-me", 2).await;
        let mut wanted = emails(&sets);
        wanted.sort_unstable();
        assert_eq!(wanted, ["fifo@example.com", "standard@example.com"]);
        let request = deployed.receiver.requests();
        let request = request.iter().find(|one| one.uri.path() == "/push-to-me").unwrap();
        assert_eq!(request.headers["content-type"], "application/secevent+jwt");
        assert_eq!(request.headers["authorization"], "Bearer for-push-to-me");
        let claims = verified(deployed, &request.body).await;
        assert_eq!(claims["iss"], deployed.output("Issuer"));
        assert_eq!(claims["aud"], "https://push-to-me.example");

        let path = format!("/ssf/poll/{stream}");
        let now = json!({ "returnImmediately": true });
        wait_until("two SETs to poll", async || {
            let answer = polling.ask(Method::POST, &path, Some(&now), StatusCode::OK).await;
            answer["sets"].as_object().unwrap().len() == 2
        })
        .await;
        let answer = polling.ask(Method::POST, &path, Some(&now), StatusCode::OK).await;
        let sets = answer["sets"].as_object().unwrap();
        for set in sets.values() {
            assert_eq!(
                verified(deployed, set.as_str().unwrap()).await["aud"],
                "https://i-poll.example"
            );
        }
        let jtis: Vec<&String> = sets.keys().collect();
        let ack = json!({ "returnImmediately": true, "ack": jtis });
        let answer = polling.ask(Method::POST, &path, Some(&ack), StatusCode::OK).await;
        assert_eq!(answer, json!({ "sets": {} }));
    });
}

#[test]
fn events_of_one_subject_arrive_in_order_though_pushes_fail() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("in-order").await;
        receiver.push_stream(&["session-revoked"]).await;
        deployed.receiver.reply(Reply::status(503));
        deployed.receiver.reply(Reply::status(429).header("retry-after", "1"));
        for number in 0..4 {
            let mut event = session_revoked("ordered@example.com");
            event["txn"] = format!("txn-{number}").into();
            deployed.send("IngestFifoQueueUrl", &event, Some("ordered"));
        }
        // Two that failed, and four that arrived.
        let sets = deployed.pushed("in-order", 6).await;
        let mut order: Vec<&str> =
            sets.iter().map(|claims| claims["txn"].as_str().unwrap()).collect();
        order.dedup();
        assert_eq!(order, ["txn-0", "txn-1", "txn-2", "txn-3"]);
    });
}

#[test]
fn what_is_held_is_released_in_order() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("on-hold").await;
        let stream = receiver.push_stream(&["session-revoked"]).await;
        receiver.set_status(&stream, "paused").await;
        for number in 0..3 {
            let mut event = session_revoked("held@example.com");
            event["txn"] = format!("held-{number}").into();
            deployed.send("IngestFifoQueueUrl", &event, Some("held"));
        }
        let pending = async || {
            let events =
                deployed.tool(&["event", "list", "--stream", &stream, "--status", "pending_new"]);
            events.as_array().unwrap().len()
        };
        wait_until("three SETs on hold", async || pending().await == 3).await;
        let at_hold = |request: &tests::Received| request.uri.path() == "/on-hold";
        assert_eq!(deployed.receiver.requests().iter().filter(|one| at_hold(one)).count(), 0);
        receiver.set_status(&stream, "enabled").await;
        let sets = deployed.pushed("on-hold", 3).await;
        let order: Vec<&str> = sets.iter().map(|claims| claims["txn"].as_str().unwrap()).collect();
        assert_eq!(order, ["held-0", "held-1", "held-2"]);
        assert!(sets[0]["events"].get(caep("session-revoked")).is_some());
    });
}

#[test]
fn a_verification_event_is_delivered_with_its_state() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("verifies").await;
        let stream = receiver.push_stream(&["session-revoked"]).await;
        let body = json!({ "stream_id": stream, "state": "VGhpcyBpcyBhbiBleGFtcGxl" });
        receiver.ask(Method::POST, "/ssf/verification", Some(&body), StatusCode::NO_CONTENT).await;
        let sets = deployed.pushed("verifies", 1).await;
        let events = sets[0]["events"].as_object().unwrap();
        let event = &events["https://schemas.openid.net/secevent/ssf/event-type/verification"];
        assert_eq!(event["state"], "VGhpcyBpcyBhbiBleGFtcGxl");
    });
}

/// Two functions at one stream: neither overwrites what the other wrote.
#[test]
fn updates_of_one_stream_at_the_same_time_are_all_kept() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("races").await;
        let stream = receiver.poll_stream(&["session-revoked"]).await;
        let subject = |number: usize| {
            let name = if number.is_multiple_of(2) { "user" } else { "device" };
            json!({
                "format": "complex",
                "tenant": { "format": "opaque", "id": "t" },
                (name): { "format": "opaque", "id": number.to_string() },
            })
        };
        let removals: Vec<Value> = (0..8)
            .map(|number| json!({ "stream_id": stream, "subject": subject(number) }))
            .collect();
        let patches: Vec<Value> = (0..4)
            .map(|number| json!({ "stream_id": stream, "description": format!("number {number}") }))
            .collect();
        let removed = removals.iter().map(|body| {
            receiver.ask(Method::POST, "/ssf/subjects/remove", Some(body), StatusCode::NO_CONTENT)
        });
        let described = patches
            .iter()
            .map(|body| receiver.ask(Method::PATCH, "/ssf/streams", Some(body), StatusCode::OK));
        futures_util::future::join(
            futures_util::future::join_all(removed),
            futures_util::future::join_all(described),
        )
        .await;
        // Removed are all eight: of what is sent about them nothing is issued.
        for number in 0..8 {
            let mut event = session_revoked("x@example.com");
            event["sub_id"] = subject(number);
            deployed.send("IngestFifoQueueUrl", &event, Some("races"));
        }
        let mut last = session_revoked("last@example.com");
        last["txn"] = "last".into();
        deployed.send("IngestFifoQueueUrl", &last, Some("races"));
        let path = format!("/ssf/poll/{stream}");
        let now = json!({ "returnImmediately": true });
        let mut answer = Value::Null;
        wait_until("the last event", async || {
            answer = receiver.ask(Method::POST, &path, Some(&now), StatusCode::OK).await;
            !answer["sets"].as_object().unwrap().is_empty()
        })
        .await;
        let sets: Vec<Value> = answer["sets"]
            .as_object()
            .unwrap()
            .values()
            .map(|set| tests::world::claims(set.as_str().unwrap()))
            .collect();
        assert_eq!(sets.len(), 1, "{sets:?}");
        assert_eq!(sets[0]["txn"], "last");
    });
}
