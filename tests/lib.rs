//! What the tests of the whole share.

mod receiver;
mod web;
pub mod world;

pub use receiver::{Greeting, Received, Reply, Setup, TestReceiver};
pub use web::{Answer, Caller};
pub use world::World;
