//! Who keeps receivers' secrets out of sight while they are at rest.

use std::fmt;

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use serde::{Deserialize, Serialize};

use crate::{client::Secret, table::BoxError};

/// Encrypts secrets before they are kept: with a key in the data folder, or with KMS.
///
/// `context` says where a secret belongs: the id of a stream, or the kind and the id of something else,
/// with a `/` between them. It is no secret. What is sealed opens there only, so that whoever can write to the table cannot have one receiver's
/// header sent to another.
#[async_trait]
pub trait Seal: fmt::Debug + Send + Sync {
    /// Encrypts `secret`; each time differently.
    async fn seal(&self, secret: &Secret, context: &str) -> Result<Sealed, SealError>;

    /// The secret that was sealed for this context.
    async fn open(&self, sealed: &Sealed, context: &str) -> Result<Secret, SealError>;
}

/// A secret that is encrypted: a text that says by its beginning how.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// This text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// Why a secret is not sealed, or not opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key is disabled, destroyed or cannot be read; or the secret was sealed with another key,
    /// or for another context, or was altered: an operator must act.
    #[error("the secret cannot be sealed or opened")]
    Unusable(#[source] BoxError),
    /// Who holds the key does not answer, or wants us to slow down.
    #[error("the keeper of the secrets' key is not available")]
    Unavailable(#[source] BoxError),
}

/// A key that encrypts (AES-256-GCM), in the memory of this process.
pub struct DataKey(RandomizedNonceKey);

impl DataKey {
    /// How many octets it is made of.
    pub const LENGTH: usize = 32;

    /// The key of these octets; `None` if they are too many or too few.
    pub fn new(octets: &[u8]) -> Option<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, octets).ok().map(Self)
    }

    /// The nonce, `secret` encrypted, and the tag, which covers `context` too.
    pub fn seal(&self, secret: &Secret, context: &str) -> Vec<u8> {
        let mut sealed = secret.expose().as_bytes().to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(context), &mut sealed);
        let nonce = nonce.expect("a secret is shorter than 64 GiB");
        [nonce.as_ref().as_slice(), &sealed].concat()
    }

    /// The secret, if `sealed` is what [`DataKey::seal`] made of it with this key for this context.
    pub fn open(&self, sealed: &[u8], context: &str) -> Option<Secret> {
        let (nonce, encrypted) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut encrypted = encrypted.to_vec();
        let secret = self.0.open_in_place(nonce, Aad::from(context), &mut encrypted).ok()?;
        str::from_utf8(secret).ok().map(Secret::new)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_with_its_key_and_in_its_context_only() {
        let key = DataKey::new(&[7; 32]).unwrap();
        for text in ["", "Bearer secret", "ü", &"x".repeat(4096)] {
            let secret = Secret::new(text);
            let sealed = key.seal(&secret, "here");
            assert_eq!(sealed.len(), text.len() + 12 + 16);
            assert_eq!(key.open(&sealed, "here").unwrap(), secret);
            assert_eq!(key.open(&sealed, "there"), None);
            assert_eq!(DataKey::new(&[8; 32]).unwrap().open(&sealed, "here"), None);
            assert_ne!(key.seal(&secret, "here"), sealed);
        }
    }

    #[test]
    fn a_secret_that_was_altered_or_cut_off_does_not_open() {
        let key = DataKey::new(&[7; 32]).unwrap();
        let sealed = key.seal(&Secret::new("Bearer secret"), "here");
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(key.open(&altered, "here"), None, "{at}");
            assert_eq!(key.open(&sealed[..at], "here"), None, "{at}");
        }
    }

    #[test]
    fn nothing_is_printed_and_no_other_length_is_a_key() {
        let key = DataKey::new(&[7; 32]).unwrap();
        assert_eq!(format!("{key:?} {:?}", Sealed::new("x")), "DataKey(…) Sealed(…)");
        assert!(DataKey::new(&[7; 16]).is_none());
        assert!(DataKey::new(&[]).is_none());
    }
}
