//! OAuth clients and who a caller is.

mod authenticate;
mod receiver;
mod scope;

pub use receiver::{ClientId, Profile, Receiver};
pub use scope::Scope;
