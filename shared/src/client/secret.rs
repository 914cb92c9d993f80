//! Secrets of clients: made once, shown once, kept as hashes.

use std::fmt;

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// A secret in the clear. Only who asks for it by name sees it.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(String);

impl Secret {
    /// This secret, as it came in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// 256 bits that nobody can guess.
    pub fn fresh() -> Self {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system has a source of randomness");
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is kept of a secret. One round of SHA-256 is enough: a slow hash makes up for secrets that
/// people choose, and nobody guesses one of [`Secret::fresh`].
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct SecretHash(String);

impl SecretHash {
    pub(crate) fn of(secret: &Secret) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.0.as_bytes())))
    }

    /// Whether it is of `secret`; takes equally long whatever the answer.
    pub(crate) fn fits(&self, secret: &Secret) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), Self::of(secret).0.as_bytes()).is_ok()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_secret_only_and_nothing_is_printed() {
        let (one, other) = (Secret::fresh(), Secret::fresh());
        let hash = SecretHash::of(&one);
        assert!(hash.fits(&one));
        assert!(!hash.fits(&other));
        assert!(!hash.fits(&Secret::new("")));
        assert_eq!(one.expose().len(), 43);
        assert_eq!(format!("{one:?} {hash:?}"), "Secret(…) SecretHash(…)");
    }
}
