//! How events come in, and how SETs reach receivers.

mod accept;
pub mod address;
pub mod backoff;
mod bells;
mod http;
mod https_push;
mod incoming;
pub(crate) mod logout;
mod opt_out;
pub mod origin;
mod outcome;
mod poll;
mod push;
mod sift;
mod sweep;
mod task;
mod verdict;

pub use accept::{Accepted, Door, MAX_RECEIVES, dead_letter};
pub use address::check_endpoint;
pub(crate) use bells::{Bell, Wakes, When};
pub use http::{ChosenBy, HttpPush, Push, PushAnswer, PushError, PushKind};
pub use https_push::{HttpsPush, HttpsPushSettings, RootsError};
pub use logout::{LOGOUT_TOKEN_LIFETIME, LOGOUT_TRIED_FOR};
pub use outcome::{Attempt, PushOutcome};
pub use poll::{PollRequest, PollResponse, Sets};
pub use push::PushVerdict;
pub(crate) use sift::sift;
pub use sweep::Swept;
pub use task::{BellTask, LogoutTask, PushTask};
