//! What the tests of the whole share.

mod receiver;
pub mod world;

pub use receiver::{Greeting, Received, Reply, Setup, TestReceiver};
pub use world::World;
