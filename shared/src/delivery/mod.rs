//! How SETs reach receivers.

pub mod address;
pub mod backoff;
mod http;
mod https_push;
mod outcome;
mod task;

pub use http::{ChosenBy, HttpPush, Push, PushAnswer, PushError};
pub use https_push::{HttpsPush, HttpsPushSettings, RootsError};
pub use outcome::{Attempt, PushOutcome};
pub use task::PushTask;
