//! The parts of the `tocsin` command that do not ask or tell people anything.

pub mod server;
pub mod tls;
