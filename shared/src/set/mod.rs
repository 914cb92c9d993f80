//! Security Event Tokens (RFC 8417): their claims, their signatures, the keys.

mod jwk;
pub mod jws;
mod keys;
mod ring;
mod signer;

pub use jwk::Jwk;
pub use keys::{JWKS_MAX_AGE, KeyRing};
pub use ring::{KeyState, PUBLISHED_BEFORE, Ring, RingKey};
pub use signer::{Algorithm, KeyMaterial, PublicKey, SignError, Signer};
