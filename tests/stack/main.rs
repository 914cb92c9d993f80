//! The deployed stack, end to end: the packaged functions on a local AWS, driven from outside.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod api;
mod boto3;
mod consents;
mod delivery;
mod deployed;
mod directory;
mod faults;
mod fifo;
mod killed;
mod operation;
mod pages;
mod policies;
mod races;
mod receiver;
mod redrive;
mod scene;
mod secrecy;
mod sources;
mod tool;
