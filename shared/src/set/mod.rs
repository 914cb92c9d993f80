//! Security Event Tokens (RFC 8417): their claims, their signatures, the keys.

mod signer;

pub use signer::{Algorithm, KeyMaterial, PublicKey, SignError, Signer};
