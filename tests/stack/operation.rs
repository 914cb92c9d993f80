//! The tool on the deployed stack, and what its operator may have to deal with.

use http::{Method, StatusCode};
use serde_json::json;
use tests::world::session_revoked;

use crate::deployed::{on_the_stack, wait_until};

#[test]
fn a_message_that_cannot_be_an_event_is_a_dead_letter_with_its_reason_and_can_be_redriven() {
    on_the_stack(async |deployed| {
        deployed.tool(&["dead-letter", "drop", "--all", "--yes"]);
        let mut poison = session_revoked("poison@example.com");
        poison["events"] = json!({});
        deployed.send("IngestQueueUrl", &poison, None);
        let mut letters = json!(null);
        wait_until("a dead letter", async || {
            letters = deployed.tool(&["dead-letter", "list"]);
            letters.as_array().is_some_and(|letters| !letters.is_empty())
        })
        .await;
        assert_eq!(letters[0]["reason"], "events: must hold exactly one event");
        assert_eq!(letters[0]["door"], "standard");
        let id = letters[0]["id"].as_str().unwrap();
        assert_eq!(deployed.tool(&["dead-letter", "redrive", id]), json!({ "redriven": 1 }));
        // It is no better than before.
        wait_until("the dead letter to come back", async || {
            let letters = deployed.tool(&["dead-letter", "list"]);
            letters
                .as_array()
                .is_some_and(|letters| letters.iter().any(|letter| letter["id"] != id))
        })
        .await;
    });
}

/// All keys that sign: the first one, and those that another test rotated to.
pub(crate) async fn signing_keys(kms: &aws_sdk_kms::Client) -> Vec<String> {
    let mut signing = Vec::new();
    let listed = kms.list_keys().send().await.expect("keys can be listed");
    for key in listed.keys() {
        let id = key.key_id().expect("a key has an id");
        let described = kms.describe_key().key_id(id).send().await.expect("it is there");
        let usage = described.key_metadata().and_then(|key| key.key_usage()).cloned();
        if usage == Some(aws_sdk_kms::types::KeyUsageType::SignVerify) {
            signing.push(id.to_owned());
        }
    }
    signing
}

#[test]
fn while_the_signing_key_is_disabled_events_wait_and_none_is_lost() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("key-gone").await;
        receiver.push_stream(&["session-revoked"]).await;
        let kms = aws_sdk_kms::Client::new(&deployed.sdk_config());
        let keys = signing_keys(&kms).await;
        for key in &keys {
            kms.disable_key().key_id(key).send().await.expect("the key can be disabled");
        }
        deployed.proxy.take_calls();
        deployed.send("IngestQueueUrl", &session_revoked("waits@example.com"), None);
        let mut signed = 0;
        wait_until("a signature that is refused", async || {
            signed += deployed.proxy.take_calls().get("TrentService.Sign").copied().unwrap_or(0);
            signed > 0
        })
        .await;
        let doctor = deployed.run_tool(&["doctor"]);
        let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert!(!doctor.status.success() && said.contains("is Disabled"), "{said}");
        for key in &keys {
            kms.enable_key().key_id(key).send().await.expect("the key can be enabled");
        }
        let sets = deployed.pushed("key-gone", 1).await;
        assert_eq!(sets[0]["sub_id"]["email"], "waits@example.com");
    });
}

#[test]
fn a_rotated_key_signs_and_every_receiver_knew_it_before() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("rotates").await;
        receiver.push_stream(&["session-revoked"]).await;
        let rotated = deployed.tool(&["keys", "rotate", "--now"]);
        let kid = rotated["kid"].as_str().unwrap();
        let (status, jwks) = deployed.ask(Method::GET, "/jwks.json", None, None).await;
        assert_eq!(status, StatusCode::OK);
        let kids: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
        assert!(kids.len() >= 2 && kids.contains(&&json!(kid)), "{kids:?}");
        // Functions look at the ring every half a minute.
        let mut sent = 0;
        wait_until("a SET of the new key", async || {
            sent += 1;
            let event = session_revoked(&format!("rotated-{sent}@example.com"));
            deployed.send("IngestQueueUrl", &event, None);
            deployed.pushed("rotates", sent).await;
            let requests = deployed.receiver.requests();
            requests.iter().filter(|one| one.uri.path() == "/rotates").any(|one| {
                let header = ssf::set::jws::Header::of(&one.body).expect("a SET has a header");
                header.kid.as_deref() == Some(kid)
            })
        })
        .await;
    });
}

#[test]
fn the_tool_shows_streams_and_events_and_revokes_tokens() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("shown").await;
        let stream = receiver.poll_stream(&["session-revoked"]).await;
        let shown = deployed.tool(&["stream", "show", &stream]);
        assert_eq!(shown["status"], "enabled");
        deployed.tool(&["stream", "pause", &stream, "--reason", "maintenance"]);
        let path = format!("/ssf/status?stream_id={stream}");
        let status = receiver.ask(Method::GET, &path, None, StatusCode::OK).await;
        assert_eq!(status["status"], "paused");
        deployed.tool(&["token", "revoke", &receiver.token]);
        receiver.ask(Method::GET, &path, None, StatusCode::UNAUTHORIZED).await;
    });
}
