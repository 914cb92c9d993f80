//! Signs with KMS.
//!
//! The first key comes with the stack, whose key policy says who may sign with it. `tocsin keys
//! rotate` makes further ones under the same policy. A key is always named by its ARN: an alias may
//! come to name another key while its public half is still published for the old one.

mod der;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_kms::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_public_key::GetPublicKeyOutput,
    primitives::Blob,
    types::{
        KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec as Spec, Tag,
        error::NotFoundException,
    },
};
use ssf::{
    clock::Clock,
    set::{Algorithm, KeyMaterial, PublicKey, SignError, Signer},
    table::BoxError,
};

use crate::{
    Lazy,
    kms::{is_throttled, is_unusable},
};

/// How long a key that was destroyed can be had back; as long as KMS allows. Meanwhile it costs
/// nothing.
const PENDING_DAYS: i32 = 30;

/// A key that was just made may not be known everywhere in KMS yet: how often it is asked for, and
/// how long we wait for the first time. Each wait is twice as long as the one before.
const TRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Signs with keys in KMS.
#[derive(Clone, Debug)]
pub struct KmsSigner {
    client: Lazy<Client>,
    first_key: String,
    clock: Arc<dyn Clock>,
}

impl KmsSigner {
    /// A signer whose first key is `first_key`, an ARN. For functions, which may only sign, and for
    /// operators, who may also make and destroy keys: what each may do, its role says. How long is
    /// waited goes by `clock`.
    pub fn new(
        client: impl Into<Lazy<Client>>,
        first_key: impl Into<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { client: client.into(), first_key: first_key.into(), clock }
    }

    async fn public_key(&self, arn: &str, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        let answer = self.client.get_public_key().key_id(arn).send().await;
        let answer = answer.map_err(|error| sign_error(arn, error))?;
        read(&answer, algorithm)
            .map_err(|reason| SignError::KeyUnusable { kid: arn.to_owned(), source: reason.into() })
    }

    /// The public half of a key that was just made.
    async fn new_public_key(
        &self,
        arn: &str,
        algorithm: Algorithm,
    ) -> Result<PublicKey, SignError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match self.public_key(arn, algorithm).await {
                Err(SignError::KeyUnusable { source, .. }) if is_not_found(&*source) => {
                    self.clock.sleep(wait).await;
                    wait *= 2;
                }
                answer => return answer,
            }
        }
        self.public_key(arn, algorithm).await
    }

    /// Makes a key for which holds what the stack says of its first one; its ARN.
    async fn create(&self, algorithm: Algorithm) -> Result<String, SignError> {
        let first = &self.first_key;
        let policy = self.client.get_key_policy().key_id(first).policy_name("default");
        let policy = policy.send().await.map_err(|error| sign_error(first, error))?;
        let tags = self.client.list_resource_tags().key_id(first).send().await;
        let tags = tags.map_err(|error| sign_error(first, error))?.tags.unwrap_or_default();
        // Tags of this kind are CloudFormation's to give.
        let tags = tags.into_iter().filter(|tag: &Tag| !tag.tag_key.starts_with("aws:"));
        let made = self
            .client
            .create_key()
            .description("Signs SETs; made by tocsin keys rotate")
            .key_spec(match algorithm {
                Algorithm::ES256 => KeySpec::EccNistP256,
                Algorithm::RS256 => KeySpec::Rsa2048,
            })
            .key_usage(KeyUsageType::SignVerify)
            .set_policy(policy.policy)
            .set_tags(Some(tags.collect()))
            .send()
            .await
            .map_err(|error| sign_error(first, error))?;
        let arn = made.key_metadata.and_then(|metadata| metadata.arn);
        arn.ok_or_else(|| SignError::Unavailable("KMS did not say the new key's ARN".into()))
    }
}

#[async_trait]
impl Signer for KmsSigner {
    async fn first(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.public_key(&self.first_key, algorithm).await
    }

    async fn generate(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        let arn = self.create(algorithm).await?;
        let key = self.new_public_key(&arn, algorithm).await;
        if key.is_err() {
            // Nobody will know of it.
            tracing::warn!(key = arn, "a key was made that cannot be used; it is not destroyed");
        }
        key
    }

    async fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
        // KMS hashes a message itself only up to 4,096 bytes, and the hash is shorter to send.
        let hash = digest(&SHA256, message);
        let answer = self
            .client
            .sign()
            .key_id(&key.handle)
            .message_type(MessageType::Digest)
            .message(Blob::new(hash.as_ref()))
            .signing_algorithm(match key.algorithm {
                Algorithm::ES256 => Spec::EcdsaSha256,
                Algorithm::RS256 => Spec::RsassaPkcs1V15Sha256,
            })
            .send()
            .await
            .map_err(|error| sign_error(&key.kid, error))?;
        let signature = answer.signature.map(Blob::into_inner).unwrap_or_default();
        match key.algorithm {
            Algorithm::ES256 => der::raw_signature(&signature)
                .map(Vec::from)
                .ok_or_else(|| SignError::Unavailable("the signature is not an ECDSA one".into())),
            Algorithm::RS256 => Ok(signature),
        }
    }

    /// Schedules the key's deletion. The stack's first key is disabled instead: the stack goes on
    /// to name it, and new keys take their policy from it.
    async fn destroy(&self, key: &PublicKey) -> Result<(), SignError> {
        let arn = &key.handle;
        if *arn == self.first_key {
            let answer = self.client.disable_key().key_id(arn).send().await;
            return answer.map(drop).map_err(|error| sign_error(&key.kid, error));
        }
        let request = self.client.schedule_key_deletion().key_id(arn);
        match request.pending_window_in_days(PENDING_DAYS).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // It is gone, or will be.
                Some(said) if said.is_not_found_exception() => Ok(()),
                Some(said) if said.is_kms_invalid_state_exception() => Ok(()),
                Some(_) | None => Err(sign_error(&key.kid, error)),
            },
        }
    }
}

/// Why the key that `kid` names did not do what it was asked. The SDK has tried again already where
/// that may help.
fn sign_error<E, R>(kid: &str, error: SdkError<E, R>) -> SignError
where
    SdkError<E, R>: ProvideErrorMetadata + Into<BoxError>,
{
    if is_unusable(error.code()) {
        SignError::KeyUnusable { kid: kid.to_owned(), source: error.into() }
    } else if is_throttled(error.code()) {
        SignError::Throttled(error.into())
    } else {
        SignError::Unavailable(error.into())
    }
}

/// The key that KMS describes, if it signs with `algorithm`; else why not.
fn read(answer: &GetPublicKeyOutput, algorithm: Algorithm) -> Result<PublicKey, &'static str> {
    if answer.key_usage != Some(KeyUsageType::SignVerify) {
        return Err("its key usage is not SIGN_VERIFY");
    }
    let arn = answer.key_id.clone().ok_or("KMS did not say its ARN")?;
    let spki = answer.public_key.as_ref().map(Blob::as_ref).unwrap_or_default();
    let material = match (algorithm, &answer.key_spec) {
        (Algorithm::ES256, Some(KeySpec::EccNistP256)) => der::p256(spki),
        (Algorithm::RS256, Some(KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096)) => {
            der::rsa(spki)
        }
        (Algorithm::ES256, _) => return Err("ES256 needs the key spec ECC_NIST_P256"),
        (Algorithm::RS256, _) => return Err("RS256 needs the key spec RSA_2048"),
    };
    let material: KeyMaterial = material.ok_or("KMS sent another public key than it says")?;
    Ok(PublicKey { handle: arn, ..PublicKey::new(material) })
}

fn is_not_found(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<NotFoundException>)
}

#[cfg(test)]
mod tests;
