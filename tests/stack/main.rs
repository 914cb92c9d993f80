//! The deployed stack, end to end: the packaged functions on a local AWS, driven from outside.

mod api;
mod boto3;
mod delivery;
mod deployed;
mod faults;
mod operation;
mod receiver;
