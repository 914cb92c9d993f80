//! All of them.

mod queue;
mod table;
