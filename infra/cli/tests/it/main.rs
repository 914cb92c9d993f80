//! The `tocsin` command as a black box: the real program, run as people and other programs run it.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod demo;
mod import;
mod killed;
mod operator;
mod people;
mod program;
mod serve;
mod source;
mod tool;
