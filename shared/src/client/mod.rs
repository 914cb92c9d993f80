//! OAuth clients and who a caller is.

mod receiver;
mod scope;

pub use receiver::{ClientId, Profile, Receiver};
pub use scope::Scope;
