//! What the tests of the whole share.

pub mod emulator;
mod meter;
mod faults;
mod receiver;
mod web;
pub mod world;

pub use emulator::Emulator;
pub use meter::{Meter, Usage};
pub use faults::{Fault, FaultProxy};
pub use receiver::{Greeting, Received, Reply, Setup, TestReceiver};
pub use web::{Answer, Caller};
pub use world::World;
