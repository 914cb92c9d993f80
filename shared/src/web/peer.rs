//! Where a request comes from.

use std::net::IpAddr;

/// The address that a request comes from, as whatever took it knows; put into the extensions of the
/// request by who serves a router. It is that of a proxy where there is one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer(pub IpAddr);
