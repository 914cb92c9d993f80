//! What the tests of the whole share.

pub mod emulator;
mod faults;
mod guard;
mod meter;
mod receiver;
mod rights;
mod switched;
mod template;
mod web;
pub mod world;

pub use emulator::Emulator;
pub use faults::{Fault, FaultProxy, Plan, Refusal};
pub use guard::guarded;
pub use meter::{Meter, Usage};
pub use receiver::{Greeting, Received, Reply, Setup, TestReceiver};
pub use rights::Function;
pub use template::Template;
pub use web::{Answer, Caller};
pub use world::World;
