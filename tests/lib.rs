//! What the tests of the whole share.

mod receiver;

pub use receiver::{Greeting, Received, Reply, Setup, TestReceiver};
