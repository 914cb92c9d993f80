//! The deployed stack, end to end: the packaged functions on a local AWS, driven from outside.

mod delivery;
mod deployed;
mod faults;
mod operation;
