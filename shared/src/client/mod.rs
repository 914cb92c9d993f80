//! OAuth clients, their tokens, and who a caller is.

mod authenticate;
mod credentials;
mod grant;
mod jwks;
mod manage;
mod model;
mod rate;
mod receiver;
mod scope;
mod secret;
mod store;
mod token;

pub use credentials::Credentials;
pub use grant::{Grant, Introspection, OAuthError};
pub(crate) use jwks::JwksCache;
pub use jwks::{ALGORITHM_NAMES, Jwks};
pub use model::{AuthMethod, Client, ClientKeys, NewClient};
pub(crate) use rate::Rate;
pub use receiver::{ClientId, Profile, Receiver};
pub use scope::Scope;
pub use secret::Secret;
pub use token::{Token, TokenId, TokenType};
