//! Seals with KMS: each secret with a data key of its own, which KMS wraps.
//!
//! What is sealed is `kms1.` and three parts in base64url, separated by periods: the wrapped data
//! key, and what [`DataKey::seal`] makes. KMS binds the wrapped key to what the secret belongs to, such as
//! a stream (its encryption context), so that a key's policy can tell kinds of secrets apart; and we bind the secret to it once more, so that nothing rests on KMS alone.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_sdk_kms::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::DataKeySpec,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ssf::{
    client::Secret,
    seal::{DataKey, Seal, SealError, Sealed},
    table::BoxError,
};
use tokio::sync::OnceCell;

use crate::{Lazy, kms::is_unusable};

/// Begins what is sealed so: the version of the form.
const PREFIX: &str = "kms1.";

/// The kind of what a secret belongs to, where our context names none.
const STREAM: &str = "stream";

/// The name and the value of our context in the encryption context, which `CloudTrail` shows.
fn named(context: &str) -> (&str, &str) {
    context.split_once('/').unwrap_or((STREAM, context))
}

/// How many data keys are kept in memory. A push whose key is kept asks nothing of KMS.
const KEPT: usize = 1_000;

/// Seals with a key in KMS.
pub struct KmsSeal {
    client: Lazy<Client>,
    key: String,
    /// By their wrapped form. One that is being unwrapped is waited for.
    kept: Mutex<HashMap<String, Arc<OnceCell<DataKey>>>>,
}

impl KmsSeal {
    /// A seal with `key`, the ARN of a symmetric key.
    pub fn new(client: impl Into<Lazy<Client>>, key: impl Into<String>) -> Self {
        Self { client: client.into(), key: key.into(), kept: Mutex::default() }
    }

    fn place(&self, wrapped: &str) -> Arc<OnceCell<DataKey>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT && !kept.contains_key(wrapped) {
            // Any: a map has no order that somebody could play on.
            let any = kept.keys().next().cloned();
            any.and_then(|any| kept.remove(&any));
        }
        kept.entry(wrapped.to_owned()).or_default().clone()
    }

    async fn unwrap_key(&self, wrapped: &str, context: &str) -> Result<DataKey, SealError> {
        let blob = URL_SAFE_NO_PAD.decode(wrapped).map_err(|_| no_secret_of_ours())?;
        let request = self.client.decrypt().key_id(&self.key).ciphertext_blob(Blob::new(blob));
        let (kind, id) = named(context);
        let answer = request.encryption_context(kind, id).send().await;
        data_key(answer.map_err(seal_error)?.plaintext)
    }
}

#[async_trait]
impl Seal for KmsSeal {
    async fn seal(&self, secret: &Secret, context: &str) -> Result<Sealed, SealError> {
        let request = self.client.generate_data_key().key_id(&self.key);
        let (kind, id) = named(context);
        let request = request.key_spec(DataKeySpec::Aes256).encryption_context(kind, id);
        let answer = request.send().await.map_err(seal_error)?;
        let wrapped = answer.ciphertext_blob.map(Blob::into_inner).unwrap_or_default();
        let sealed = data_key(answer.plaintext)?.seal(secret, context);
        let (wrapped, sealed) = (URL_SAFE_NO_PAD.encode(wrapped), URL_SAFE_NO_PAD.encode(sealed));
        Ok(Sealed::new(format!("{PREFIX}{wrapped}.{sealed}")))
    }

    async fn open(&self, sealed: &Sealed, context: &str) -> Result<Secret, SealError> {
        let parts = sealed.as_str().strip_prefix(PREFIX);
        let parts = parts.and_then(|parts| parts.split_once('.'));
        let (wrapped, sealed) = parts.ok_or_else(no_secret_of_ours)?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| no_secret_of_ours())?;
        let place = self.place(wrapped);
        let key = place.get_or_try_init(|| self.unwrap_key(wrapped, context)).await?;
        let altered = || SealError::Unusable("it was sealed for something else, or altered".into());
        key.open(&sealed, context).ok_or_else(altered)
    }
}

impl fmt::Debug for KmsSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsSeal").field("key", &self.key).finish_non_exhaustive()
    }
}

fn data_key(plaintext: Option<Blob>) -> Result<DataKey, SealError> {
    let key = plaintext.and_then(|octets| DataKey::new(octets.as_ref()));
    key.ok_or_else(|| SealError::Unusable("KMS gave no data key of 256 bits".into()))
}

fn no_secret_of_ours() -> SealError {
    SealError::Unusable("it is not sealed with KMS".into())
}

fn seal_error<E, R>(error: SdkError<E, R>) -> SealError
where
    SdkError<E, R>: ProvideErrorMetadata + Into<BoxError>,
{
    if is_unusable(error.code()) {
        SealError::Unusable(error.into())
    } else {
        SealError::Unavailable(error.into())
    }
}

#[cfg(test)]
mod tests;
