//! What happens to the keys of the deployed stack.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::world::session_revoked;

use crate::{
    deployed::{Call, Deployed, on_the_stack, text, wait_until},
    receiver::Caller,
};

/// All keys that sign, or did: the first one, and those that another test rotated to. Not those that
/// are to be deleted.
pub(crate) async fn signing_keys(kms: &aws_sdk_kms::Client) -> Vec<String> {
    use aws_sdk_kms::types::{KeyState, KeyUsageType};
    let mut signing = Vec::new();
    let listed = kms.list_keys().send().await.expect("keys can be listed");
    for key in listed.keys() {
        let id = key.key_id().expect("a key has an id");
        let described = kms.describe_key().key_id(id).send().await.expect("it is there");
        let key = described.key_metadata().expect("it is described");
        let is_over = key.key_state() == Some(&KeyState::PendingDeletion);
        if key.key_usage() == Some(&KeyUsageType::SignVerify) && !is_over {
            signing.push(id.to_owned());
        }
    }
    signing
}

/// Disables all keys that sign; where to begin to undo it.
pub(crate) async fn disable_keys(deployed: &Deployed) -> usize {
    let keys = signing_keys(&aws_sdk_kms::Client::new(&deployed.sdk_config())).await;
    let enable = |key: &String| -> Call { ("kms", "enable_key", json!({ "KeyId": key })) };
    let begin = deployed.will_undo(keys.iter().map(enable));
    for key in &keys {
        deployed.boto3.call("kms", "disable_key", &json!({ "KeyId": key }));
    }
    begin
}

#[test]
fn while_the_signing_key_is_disabled_events_wait_and_none_is_lost() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("key-gone").await;
        receiver.push_stream(&["session-revoked"]).await;
        let disabled = disable_keys(deployed).await;
        deployed.proxy.take_calls();
        deployed.send("IngestQueueUrl", &session_revoked("waits@example.com"), None);
        wait_until("a message that is put off", async || deployed.put_off("IngestQueueUrl") > 0)
            .await;
        assert!(!deployed.proxy.requests("TrentService.Sign", "").is_empty());
        let doctor = deployed.run_tool(&["doctor"]);
        let said = text(&doctor.stdout);
        assert!(!doctor.status.success() && said.contains("is Disabled"), "{said}");
        deployed.undo_from(disabled);
        let sets = deployed.pushed("key-gone", 1).await;
        assert_eq!(sets[0]["sub_id"]["email"], "waits@example.com");
    });
}

/// The names of the keys in the JWKS.
async fn published(deployed: &Deployed) -> Vec<String> {
    let (status, jwks) = deployed.ask(Method::GET, "/jwks.json", None, None).await;
    assert_eq!(status, StatusCode::OK);
    let keys = jwks["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The name and the state of each key, as the tool lists them.
fn listed(deployed: &Deployed) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let keys = deployed.tool(&["keys", "list"]);
    keys.as_array().unwrap().iter().map(|key| (text(&key["kid"]), text(&key["state"]))).collect()
}

/// Sends events until one comes that is signed by `kid`; functions look at the ring every half a
/// minute.
async fn signs(deployed: &Deployed, receiver: &Caller<'_>, kid: &str) {
    wait_until("a SET of this key", async || {
        let sent = deployed.pushed(&receiver.name, 0).await.len();
        deployed.send("IngestQueueUrl", &session_revoked("signed@example.com"), None);
        deployed.pushed(&receiver.name, sent + 1).await;
        let last = deployed.arrived(&receiver.name).pop().expect("one has just come");
        let header = ssf::set::jws::Header::of(&last.body).expect("a SET has a header");
        header.kid.as_deref() == Some(kid)
    })
    .await;
}

/// A new key is published before it signs. In an emergency it signs at once; then the old one can
/// be taken away.
#[test]
fn a_new_key_is_published_then_signs_and_the_old_one_goes() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("rotates").await;
        receiver.push_stream(&["session-revoked"]).await;
        // The first key of all stays: other keys take their policy from it.
        deployed.tool(&["keys", "rotate", "--now"]);
        let old = listed(deployed).pop().expect("there are keys");
        assert_eq!(old.1, "signing");
        signs(deployed, &receiver, &old.0).await;

        let new = deployed.tool(&["keys", "rotate"]);
        assert_eq!(new["state"], "upcoming", "{new}");
        let new = new["kid"].as_str().unwrap();
        let states = listed(deployed);
        assert!(states.contains(&old), "{states:?}");
        assert!(states.contains(&(new.to_owned(), "upcoming".to_owned())), "{states:?}");
        wait_until("the new key in the JWKS", async || {
            let published = published(deployed).await;
            assert!(published.contains(&old.0), "{published:?}");
            published.iter().any(|kid| kid == new)
        })
        .await;
        // All who knew the ring from before have forgotten it: still the old one signs.
        for function in ["ingest", "push"] {
            deployed.kill(function);
        }
        let sent = deployed.arrived("rotates").len();
        deployed.send("IngestQueueUrl", &session_revoked("not-yet@example.com"), None);
        deployed.pushed("rotates", sent + 1).await;
        let last = deployed.arrived("rotates").pop().unwrap();
        let header = ssf::set::jws::Header::of(&last.body).unwrap();
        assert_eq!(header.kid.as_deref(), Some(old.0.as_str()));
        let again = deployed.run_tool(&["keys", "rotate"]);
        assert!(!again.status.success());
        let said = text(&again.stderr);
        assert!(said.contains(&format!("the key {new} is to sign from")), "{said}");

        let promoted = deployed.tool(&["keys", "rotate", "--now"]);
        assert_eq!((&promoted["kid"], &promoted["state"]), (&json!(new), &json!("signing")));
        let refused = deployed.run_tool(&["keys", "retire", new]);
        let said = text(&refused.stderr);
        assert!(!refused.status.success() && said.contains("is signing"), "{said}");
        signs(deployed, &receiver, new).await;
        deployed.is_done("PushQueueUrl").await;
        let gone = deployed.tool(&["keys", "retire", &old.0]);
        assert_eq!(gone, json!({ "kid": old.0, "retired": true }));
        assert!(listed(deployed).iter().all(|(kid, _)| *kid != old.0));
        wait_until("the old key to leave the JWKS", async || {
            !published(deployed).await.contains(&old.0)
        })
        .await;
    });
}
