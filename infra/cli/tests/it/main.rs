//! The `tocsin` command as a black box: the real program, run as people and other programs run it.

mod demo;
mod operator;
mod program;
mod serve;
mod tool;
