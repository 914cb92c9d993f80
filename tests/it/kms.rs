//! Signing and sealing with KMS, as the local AWS has it.

use std::sync::Arc;

use aws_sdk_kms::{
    Client,
    types::{
        KeySpec::{self, EccNistP256, Rsa2048, SymmetricDefault},
        KeyUsageType::{EncryptDecrypt, SignVerify},
        Tag,
    },
};
use serde_json::json;
use ssf::{
    client::Secret,
    clock::ManualClock,
    embedded::Database,
    seal::{Seal, SealError, Sealed},
    set::{Algorithm, KeyRing, KeyState, SignError, Signer},
};
use ssf_aws::{Clients, KmsSeal, KmsSigner};
use tests::{Emulator, emulator::fresh_account};

fn client() -> Client {
    (*Clients::new(&Emulator::shared().sdk_config(&fresh_account())).kms).clone()
}

/// The ARN of a new key, which is the stack's first one.
pub(crate) async fn first(client: &Client, spec: KeySpec) -> String {
    let usage = if spec == SymmetricDefault { EncryptDecrypt } else { SignVerify };
    let tag = Tag::builder().tag_key("team").tag_value("identity").build().unwrap();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "ours", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*",
        }],
    });
    let request = client.create_key().key_spec(spec).key_usage(usage).tags(tag);
    let made = request.policy(policy.to_string()).send().await.unwrap();
    made.key_metadata.unwrap().arn.unwrap()
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-09-01T12:00:00Z".parse().unwrap()))
}

fn ring(signer: KmsSigner, algorithm: Algorithm) -> (KeyRing, Arc<ManualClock>) {
    let clock = clock();
    let table = Arc::new(Database::in_memory(clock.clone()).table());
    (KeyRing::new(table, Arc::new(signer), clock.clone(), algorithm), clock)
}

#[tokio::test]
async fn what_kms_signs_verifies_by_the_published_key() {
    for (algorithm, spec) in [(Algorithm::RS256, Rsa2048), (Algorithm::ES256, EccNistP256)] {
        let client = client();
        let arn = first(&client, spec).await;
        let (keys, _) = ring(KmsSigner::new(client, &*arn, clock()), algorithm);
        let key = keys.ensure_key().await.unwrap();
        assert_eq!((&key.handle, key.algorithm), (&arn, algorithm));
        // Also more than KMS would hash itself. An ECDSA signature has a short number now and then.
        for length in [0, 10_000].into_iter().chain(1..64) {
            let claims = json!({ "text": "x".repeat(length) });
            let token = keys.sign("secevent+jwt", claims.to_string().as_bytes()).await.unwrap();
            assert_eq!(key.verify(&token), claims.as_object().cloned(), "{algorithm:?} {length}");
        }
    }
}

#[tokio::test]
async fn a_rotated_key_is_like_the_first_one_and_a_retired_one_signs_no_more() {
    let client = client();
    let arn = first(&client, EccNistP256).await;
    let signer = KmsSigner::new(client.clone(), &*arn, clock());
    let (keys, _) = ring(signer.clone(), Algorithm::ES256);
    let old = keys.ensure_key().await.unwrap();
    let new = keys.rotate(true).await.unwrap().key;
    assert_ne!(new.handle, old.handle);
    let policy = async |arn: &str| client.get_key_policy().key_id(arn).send().await.unwrap().policy;
    assert_eq!(policy(&new.handle).await, policy(&arn).await);
    let tags = client.list_resource_tags().key_id(&new.handle).send().await.unwrap();
    assert_eq!(tags.tags()[0].tag_value(), "identity");
    let token = keys.sign("secevent+jwt", b"{}").await.unwrap();
    assert!(new.verify(&token).is_some());

    for key in [&old, &new] {
        signer.destroy(key).await.unwrap();
        signer.destroy(key).await.unwrap();
        let error = signer.sign(key, b"").await.unwrap_err();
        assert!(matches!(error, SignError::KeyUnusable { .. }), "{error:?}");
    }
    let state = async |arn: &str| {
        let described = client.describe_key().key_id(arn).send().await.unwrap();
        described.key_metadata.unwrap().key_state.unwrap().to_string()
    };
    assert_eq!(state(&old.handle).await, "Disabled");
    assert_eq!(state(&new.handle).await, "PendingDeletion");
}

#[tokio::test]
async fn several_functions_that_start_at_once_share_the_first_key() {
    let client = client();
    let arn = first(&client, EccNistP256).await;
    let clock = clock();
    let table = Arc::new(Database::in_memory(clock.clone()).table());
    let rings = [(); 4].map(|()| {
        let signer = Arc::new(KmsSigner::new(client.clone(), &*arn, clock.clone()));
        KeyRing::new(table.clone(), signer, clock.clone(), Algorithm::ES256)
    });
    let keys = futures_util::future::join_all(rings.iter().map(KeyRing::ensure_key)).await;
    assert!(keys.iter().all(|key| key.as_ref().unwrap().handle == arn));
    let listed = rings[0].list().await.unwrap();
    assert_eq!(listed.iter().map(|(_, state)| *state).collect::<Vec<_>>(), [KeyState::Signing]);
    assert!(rings[0].sign("secevent+jwt", b"{}").await.is_ok());
}

#[tokio::test]
async fn what_is_sealed_opens_for_its_stream_only() {
    let client = client();
    let arn = first(&client, SymmetricDefault).await;
    let seal = || KmsSeal::new(client.clone(), &*arn);
    let secret = Secret::new("Bearer ü");
    let sealed = seal().seal(&secret, "stream").await.unwrap();
    let another = seal().seal(&secret, "stream").await.unwrap();
    assert_ne!(sealed, another);
    for sealed in [&sealed, &another] {
        assert_eq!(seal().open(sealed, "stream").await.unwrap(), secret);
    }
    let parts: Vec<_> = sealed.as_str().split('.').collect();
    let other: Vec<_> = another.as_str().split('.').collect();
    let mixed = Sealed::new(format!("kms1.{}.{}", parts[1], other[2]));
    for (sealed, context) in [(&sealed, "another stream"), (&mixed, "stream")] {
        let error = seal().open(sealed, context).await.unwrap_err();
        assert!(matches!(error, SealError::Unusable(_)), "{error:?}");
    }
    client.disable_key().key_id(&arn).send().await.unwrap();
    let error = seal().open(&sealed, "stream").await.unwrap_err();
    assert!(matches!(error, SealError::Unusable(_)), "{error:?}");
}
