//! What the tests of the whole share.

pub mod emulator;
mod faults;
mod meter;
mod receiver;
mod web;
pub mod world;

pub use emulator::Emulator;
pub use faults::{Fault, FaultProxy, Refusal};
pub use meter::{Meter, Usage};
pub use receiver::{Greeting, Received, Reply, Setup, TestReceiver};
pub use web::{Answer, Caller};
pub use world::World;
