//! The commands, one file each: its arguments, and what it does.

pub mod bench;
pub mod client;
pub mod consent;
pub mod dead_letter;
pub mod demo;
pub mod doctor;
pub mod emit;
pub mod event;
pub mod group;
pub mod keys;
pub mod listen;
mod people;
pub mod serve;
pub mod session;
pub mod source;
pub mod stream;
pub mod token;
pub mod txn;
pub mod user;
