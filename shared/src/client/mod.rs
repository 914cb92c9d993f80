//! OAuth clients, their tokens, and who a caller is.

mod application;
mod authenticate;
mod credentials;
mod grant;
mod grant_type;
mod information;
mod jwks;
mod manage;
mod model;
mod rate;
mod receiver;
mod redirect;
mod scim;
mod scope;
mod secret;
mod store;
mod subjects;
mod token;
mod wish;

pub use application::Application;
pub use credentials::Credentials;
pub use grant::{Grant, Introspection, OAuthError};
pub use grant_type::{GrantType, ResponseType};
pub use information::ClientInformation;
pub(crate) use jwks::JwksCache;
pub use jwks::{ALGORITHM_NAMES, Jwks};
pub use model::{AuthMethod, Client, ClientKeys};
pub(crate) use rate::Rate;
pub use receiver::{ClientId, Profile, Receiver};
pub use redirect::RedirectUri;
pub use scim::{GroupPatch, Reprovision, ScimOptions, Share, UnknownMembers};
pub use scope::{Scope, scope_text};
pub use secret::Secret;
pub use subjects::ClientSubjects;
pub use token::{Token, TokenId, TokenType};
pub use wish::NewClient;
