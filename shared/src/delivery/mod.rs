//! How SETs reach receivers.

mod http;
mod task;

pub use http::{ChosenBy, HttpPush, Push, PushAnswer, PushError};
pub use task::PushTask;
