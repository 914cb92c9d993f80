//! How SETs reach receivers.

pub mod address;
pub mod backoff;
mod http;
mod outcome;
mod task;

pub use http::{ChosenBy, HttpPush, Push, PushAnswer, PushError};
pub use outcome::{Attempt, PushOutcome};
pub use task::PushTask;
