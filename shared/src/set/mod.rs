//! Security Event Tokens (RFC 8417): their claims, their signatures, the keys.

mod failure;
mod issue;
mod issued;
mod jwk;
pub mod jws;
mod kept;
mod keys;
mod ring;
mod signer;
mod token;

pub use failure::Failure;
pub(crate) use issue::Notice;
pub(crate) use issued::{FAILED, Held, PENDING, issued_partition, lane_prefix, place, sortable};
pub use issued::{IssuedToken, Passage, SetError, TokenStatus};
pub use jwk::Jwk;
pub use keys::{JWKS_MAX_AGE, KeyRing};
pub use ring::{KeyState, PUBLISHED_BEFORE, Ring, RingKey};
pub use signer::{Algorithm, KeyMaterial, PublicKey, SignError, Signer};
pub use token::{EventId, Jti, SecurityEventToken, SignedToken};
