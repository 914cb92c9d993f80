//! Push and poll on the deployed stack.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use ssf::set::{KeyMaterial, PublicKey};
use tests::{
    Received, Reply,
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
        let request = &deployed.arrived("push-to-me")[0];
        assert_eq!(request.headers["content-type"], "application/secevent+jwt");
        assert_eq!(request.headers["authorization"], "Bearer for-push-to-me");
        let claims = verified(deployed, &request.body).await;
        assert_eq!(claims["iss"], deployed.output("Issuer"));
        assert_eq!(claims["aud"], "https://push-to-me.example");

        wait_until("two SETs to poll", async || polling.poll(&stream).await.len() == 2).await;
        let sets = polling.poll(&stream).await;
        for set in sets.values() {
            assert_eq!(
                verified(deployed, set.as_str().unwrap()).await["aud"],
                "https://i-poll.example"
            );
        }
        let jtis: Vec<&String> = sets.keys().collect();
        let ack = json!({ "returnImmediately": true, "ack": jtis });
        let path = format!("/ssf/poll/{stream}");
        let answer = polling.ask(Method::POST, &path, Some(&ack), StatusCode::OK).await;
        assert_eq!(answer, json!({ "sets": {} }));
    });
}

#[test]
fn events_of_one_subject_arrive_in_order_though_pushes_fail() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("in-order").await;
        receiver.push_stream(&["session-revoked"]).await;
        deployed.receiver.otherwise(Reply::status(503));
        for number in 0..4 {
            let mut event = session_revoked("ordered@example.com");
            event["txn"] = format!("txn-{number}").into();
            deployed.send("IngestFifoQueueUrl", &event, Some("ordered"));
        }
        let times =
            async |count| wait_until("a push", async || arrived(deployed).len() >= count).await;
        times(1).await;
        deployed.receiver.otherwise(Reply::status(429).header("retry-after", "1"));
        times(2).await;
        deployed.receiver.otherwise(Reply::status(202));
        deployed.pushed("in-order", 4).await;
        let mut order = arrived(deployed);
        order.dedup();
        assert_eq!(order, ["txn-0", "txn-1", "txn-2", "txn-3"]);
    });
}

/// What came to the receiver of the scenario above, as often as it came.
fn arrived(deployed: &Deployed) -> Vec<String> {
    let txn = |request: &Received| {
        tests::world::claims(&request.body)["txn"].as_str().unwrap().to_owned()
    };
    deployed.arrived("in-order").iter().map(txn).collect()
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
        assert!(deployed.arrived("on-hold").is_empty());
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
