//! What KMS may answer, and what the signer makes of it.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair},
};
use aws_sdk_kms::{
    operation::{
        create_key::CreateKeyOutput, disable_key::DisableKeyOutput,
        get_key_policy::GetKeyPolicyOutput, list_resource_tags::ListResourceTagsOutput,
        schedule_key_deletion::ScheduleKeyDeletionOutput, sign::SignOutput,
    },
    types::KeyMetadata,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

use super::*;
use crate::naps::Naps;

const FIRST: &str = "arn:aws:kms:us-east-1:123456789012:key/first";
const SECOND: &str = "arn:aws:kms:us-east-1:123456789012:key/second";

fn of(rules: &[&Rule]) -> KmsSigner {
    on(Arc::new(Naps::default()), rules)
}

fn on(clock: Arc<Naps>, rules: &[&Rule]) -> KmsSigner {
    KmsSigner::new(mock_client!(aws_sdk_kms, RuleMode::MatchAny, rules), FIRST, clock)
}

/// The public half of a new key on P-256, as KMS has it.
fn point() -> Vec<u8> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    der.as_ref().to_vec()
}

/// What KMS says of a key.
fn described(arn: &str, usage: KeyUsageType, spec: KeySpec, spki: Vec<u8>) -> GetPublicKeyOutput {
    let output = GetPublicKeyOutput::builder().key_id(arn).key_usage(usage).key_spec(spec);
    output.public_key(Blob::new(spki)).build()
}

/// A key on P-256 of this ARN.
fn key(arn: &str) -> PublicKey {
    let material = der::p256(&point()).unwrap();
    PublicKey { handle: arn.to_owned(), ..PublicKey::new(material) }
}

/// The body of an error.
fn error(code: &str) -> String {
    format!(r#"{{"__type":"{code}","message":"as it happens"}}"#)
}

#[tokio::test]
async fn the_first_key_is_the_stacks_own() {
    let spki = point();
    let output = {
        let spki = spki.clone();
        move || described(FIRST, KeyUsageType::SignVerify, KeySpec::EccNistP256, spki.clone())
    };
    let rule = mock!(Client::get_public_key)
        .match_requests(|input| input.key_id() == Some("alias/first"))
        .then_output(output);
    let client = mock_client!(aws_sdk_kms, RuleMode::MatchAny, [&rule]);
    let key = KmsSigner::new(client, "alias/first", Arc::new(Naps::default()))
        .first(Algorithm::ES256)
        .await
        .unwrap();
    // By its ARN, whatever it was asked for by.
    assert_eq!(key.handle, FIRST);
    let plain = PublicKey::new(KeyMaterial::p256(&spki[26..]).unwrap());
    assert_eq!(
        (key.kid, key.algorithm, key.material),
        (plain.kid, plain.algorithm, plain.material)
    );
}

#[tokio::test]
async fn an_rsa_key_is_read() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let spki = spki.as_ref().to_vec();
    let rule = mock!(Client::get_public_key).then_output(move || {
        described(FIRST, KeyUsageType::SignVerify, KeySpec::Rsa2048, spki.clone())
    });
    let key = of(&[&rule]).first(Algorithm::RS256).await.unwrap();
    let (modulus, exponent) = (pair.public_key().modulus(), pair.public_key().exponent());
    let material = KeyMaterial::rsa(
        modulus.big_endian_without_leading_zero(),
        exponent.big_endian_without_leading_zero(),
    );
    assert_eq!(key.material, material);
}

#[tokio::test]
async fn a_key_that_cannot_sign_as_asked_is_named_with_the_reason() {
    use KeyUsageType::{EncryptDecrypt, SignVerify};
    for (usage, spec, algorithm, spki, reason) in [
        (
            EncryptDecrypt,
            KeySpec::Rsa2048,
            Algorithm::RS256,
            point(),
            "its key usage is not SIGN_VERIFY",
        ),
        (
            SignVerify,
            KeySpec::Rsa2048,
            Algorithm::ES256,
            point(),
            "ES256 needs the key spec ECC_NIST_P256",
        ),
        (
            SignVerify,
            KeySpec::EccNistP256,
            Algorithm::RS256,
            point(),
            "RS256 needs the key spec RSA_2048",
        ),
        (
            SignVerify,
            KeySpec::EccNistP384,
            Algorithm::ES256,
            point(),
            "ES256 needs the key spec ECC_NIST_P256",
        ),
        (
            SignVerify,
            KeySpec::EccNistP256,
            Algorithm::ES256,
            vec![1],
            "KMS sent another public key than it says",
        ),
    ] {
        let rule = mock!(Client::get_public_key)
            .then_output(move || described(FIRST, usage.clone(), spec.clone(), spki.clone()));
        match of(&[&rule]).first(algorithm).await.unwrap_err() {
            SignError::KeyUnusable { kid, source } => {
                assert_eq!((kid.as_str(), source.to_string().as_str()), (FIRST, reason));
            }
            error @ (SignError::NoKey | SignError::Throttled(_) | SignError::Unavailable(_)) => {
                panic!("{error:?}")
            }
        }
    }
}

#[tokio::test]
async fn what_an_operator_must_mend_is_told_from_what_passes() {
    let key = key(FIRST);
    for (status, code, expected) in [
        (400, "DisabledException", "unusable"),
        (400, "KMSInvalidStateException", "unusable"),
        (400, "NotFoundException", "unusable"),
        (400, "AccessDeniedException", "unusable"),
        (400, "InvalidKeyUsageException", "unusable"),
        (400, "ThrottlingException", "throttled"),
        (400, "LimitExceededException", "throttled"),
        (400, "RequestLimitExceeded", "throttled"),
        (500, "KMSInternalException", "unavailable"),
        (503, "DependencyTimeoutException", "unavailable"),
        (500, "KeyUnavailableException", "unavailable"),
    ] {
        let rule =
            mock!(Client::sign).sequence().http_status(status, Some(error(code))).repeatedly();
        let rule = rule.build();
        let answer = match of(&[&rule]).sign(&key, b"").await.unwrap_err() {
            SignError::KeyUnusable { kid, .. } => {
                assert_eq!(kid, key.kid);
                "unusable"
            }
            SignError::NoKey => "there is a key",
            SignError::Throttled(_) => "throttled",
            SignError::Unavailable(_) => "unavailable",
        };
        assert_eq!(answer, expected, "{code}");
        // Only what passes is worth another try.
        assert_eq!(rule.num_calls() > 1, answer != "unusable", "{code}");
    }
}

#[tokio::test]
async fn a_hash_is_signed_and_an_ecdsa_signature_comes_raw() {
    let key = key(SECOND);
    let message = vec![b'x'; 100_000];
    let hash = digest(&SHA256, &message).as_ref().to_vec();
    let asked_well = move |input: &aws_sdk_kms::operation::sign::SignInput| {
        input.key_id() == Some(SECOND)
            && input.message_type() == Some(&MessageType::Digest)
            && input.signing_algorithm() == Some(&Spec::EcdsaSha256)
            && input.message().is_some_and(|message| message.as_ref() == hash)
    };
    for (der, raw) in [
        (vec![0x30, 7, 2, 2, 0, 0x80, 2, 1, 5], Some((0x80, 5))),
        (vec![0x30, 7, 2, 2, 0, 0x80, 2, 1], None),
        (vec![], None),
    ] {
        let rule = mock!(Client::sign).match_requests(asked_well.clone());
        let rule = rule
            .then_output(move || SignOutput::builder().signature(Blob::new(der.clone())).build());
        let signature = of(&[&rule]).sign(&key, &message).await;
        match raw {
            Some((r, s)) => {
                let signature = signature.unwrap();
                assert_eq!((signature.len(), signature[31], signature[63]), (64, r, s));
            }
            None => assert!(matches!(signature, Err(SignError::Unavailable(_)))),
        }
    }
}

#[tokio::test]
async fn a_new_key_is_for_those_who_may_use_the_first_one() {
    let tag = |key: &str| Tag::builder().tag_key(key).tag_value("x").build().unwrap();
    let policy = mock!(Client::get_key_policy)
        .match_requests(|input| input.key_id() == Some(FIRST))
        .then_output(|| GetKeyPolicyOutput::builder().policy("the policy").build());
    let tags = mock!(Client::list_resource_tags).then_output(move || {
        let tags = [tag("team"), tag("aws:cloudformation:stack-name")];
        ListResourceTagsOutput::builder().set_tags(Some(tags.into())).build()
    });
    let create = mock!(Client::create_key)
        .match_requests(move |input| {
            input.policy() == Some("the policy")
                && input.tags() == [tag("team")]
                && input.key_usage() == Some(&KeyUsageType::SignVerify)
                && input.key_spec() == Some(&KeySpec::EccNistP256)
        })
        .then_output(|| {
            let metadata = KeyMetadata::builder().key_id("second").arn(SECOND).build().unwrap();
            CreateKeyOutput::builder().key_metadata(metadata).build()
        });
    let spki = point();
    // KMS learns of a new key bit by bit.
    let public = mock!(Client::get_public_key)
        .match_requests(|input| input.key_id() == Some(SECOND))
        .sequence()
        .http_status(400, Some(error("NotFoundException")))
        .http_status(400, Some(error("NotFoundException")))
        .output(move || {
            described(SECOND, KeyUsageType::SignVerify, KeySpec::EccNistP256, spki.clone())
        })
        .build();
    let clock = Arc::new(Naps::default());
    let signer = on(clock.clone(), &[&policy, &tags, &create, &public]);
    assert_eq!(signer.generate(Algorithm::ES256).await.unwrap().handle, SECOND);
    assert_eq!((create.num_calls(), public.num_calls()), (1, 3));
    assert_eq!(clock.taken(), [FIRST_WAIT, 2 * FIRST_WAIT]);
}

#[tokio::test]
async fn a_destroyed_key_can_be_had_back_for_a_month_and_the_first_one_is_only_disabled() {
    let schedule = mock!(Client::schedule_key_deletion)
        .match_requests(|input| {
            input.key_id() == Some(SECOND) && input.pending_window_in_days() == Some(30)
        })
        .sequence()
        .output(|| ScheduleKeyDeletionOutput::builder().build())
        .http_status(400, Some(error("KMSInvalidStateException")))
        .http_status(400, Some(error("NotFoundException")))
        .http_status(400, Some(error("AccessDeniedException")))
        .build();
    let disable = mock!(Client::disable_key)
        .match_requests(|input| input.key_id() == Some(FIRST))
        .then_output(|| DisableKeyOutput::builder().build());
    let signer = of(&[&schedule, &disable]);
    for _ in 0..3 {
        signer.destroy(&key(SECOND)).await.unwrap();
    }
    let denied = signer.destroy(&key(SECOND)).await.unwrap_err();
    assert!(matches!(denied, SignError::KeyUnusable { .. }), "{denied:?}");
    assert_eq!(disable.num_calls(), 0);
    signer.destroy(&key(FIRST)).await.unwrap();
    assert_eq!((disable.num_calls(), schedule.num_calls()), (1, 4));
}
