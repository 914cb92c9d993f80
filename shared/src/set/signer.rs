//! Who signs.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::table::BoxError;

/// Keeps key pairs and signs with them: files in the data folder, or KMS.
#[async_trait]
pub trait Signer: fmt::Debug + Send + Sync {
    /// The key pair that a ring begins with, made if there is none: by its public half. On AWS it
    /// is made with everything else, so that those who sign need not be allowed to make keys.
    async fn first(&self, algorithm: Algorithm) -> Result<PublicKey, SignError>;

    /// Makes a new key pair and returns its public half.
    async fn generate(&self, algorithm: Algorithm) -> Result<PublicKey, SignError>;

    /// The signature of `message` as a JWS holds it (RFC 7518, 3.3 and 3.4: for ES256 the raw
    /// R and S, not DER). `message` is not hashed; the signer hashes it.
    async fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>, SignError>;

    /// Destroys the private half of `key`, on AWS after a while in which that can be undone. Does
    /// nothing if there is none.
    async fn destroy(&self, key: &PublicKey) -> Result<(), SignError>;
}

/// How a key signs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// RSA (2,048 bits) PKCS #1 v1.5 with SHA-256, which the CAEP interoperability profile demands.
    #[default]
    RS256,
}

impl Algorithm {
    /// Its name in JOSE.
    pub fn name(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::RS256 => "RS256",
        }
    }
}

/// The public half of a key pair.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PublicKey {
    /// The RFC 7638 thumbprint.
    pub kid: String,
    /// How it signs.
    pub algorithm: Algorithm,
    /// The name that the [`Signer`] knows the private half by: a file, a KMS key id.
    pub handle: String,
    /// The key itself.
    pub material: KeyMaterial,
}

/// The public members of a JWK that belong to the key's type (RFC 7518, 6), base64url.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kty")]
pub enum KeyMaterial {
    /// A point on P-256.
    #[serde(rename = "EC")]
    Ec {
        /// Always `P-256`.
        crv: String,
        /// Its first coordinate.
        x: String,
        /// Its second.
        y: String,
    },
    /// An RSA key.
    #[serde(rename = "RSA")]
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The private half is disabled, destroyed or cannot be read: an operator must act.
    #[error("the signing key {kid} cannot be used")]
    KeyUnusable {
        /// Which key.
        kid: String,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// There is no key yet: the first run of the sweep makes it.
    #[error("there is no key that signs yet; the first run of the sweep makes it")]
    NoKey,
    /// It was asked too often, and wants us to slow down.
    #[error("the signer is asked too often")]
    Throttled(#[source] BoxError),
    /// The signer does not answer, or not in time.
    #[error("the signer is not available")]
    Unavailable(#[source] BoxError),
}
