//! Which addresses are sent to, and which are not.
//!
//! A push endpoint is chosen by a receiver and called from inside the operator's network, so it
//! must not lead back into it. What the URL says is judged when a stream is created or changed
//! ([`check_endpoint`]). What its name leads to is judged whenever a connection is made
//! ([`refusal`], asked by [`HttpsPush`](super::HttpsPush)): a name may lead elsewhere tomorrow.

use std::net::IpAddr;

use rustls::pki_types::DnsName;
use url::{Host, Url};

use crate::json::Invalid;

use self::blocks::{Block, Rule};

mod blocks;
#[cfg(test)]
mod tests;

/// Endpoint URLs longer than this are refused.
pub const MAX_ENDPOINT_LENGTH: usize = 2_048;

const CREDENTIALS: &str = "must not hold credentials";

/// Which kind of address `ip` is, if nothing is sent to its kind.
///
/// `allow_private` lets through what an operator may have receivers on: loopback, private, shared,
/// link-local and unique-local addresses. Nothing lets through the rest, foremost the addresses at
/// which clouds hand out credentials.
pub fn refusal(ip: IpAddr, allow_private: bool) -> Option<&'static str> {
    let block = Block::of(ip)?;
    match block.rule {
        Rule::Never => Some(block.kind),
        Rule::Private => (!allow_private).then_some(block.kind),
        Rule::Embedding => refusal(blocks::embedded(ip), allow_private),
    }
}

/// The URL of a push endpoint (`delivery.endpoint_url`) that a receiver asks for.
///
/// Refuses what could never be delivered to. A name that is fine here may still turn out to lead
/// to a refused address: that shows when it is resolved.
pub fn check_endpoint(url: &str, allow_private: bool) -> Result<Url, Invalid> {
    check_url(url, allow_private).map_err(|reason| {
        let hint = if reason == CREDENTIALS { "; use authorization_header" } else { "" };
        Invalid::new("delivery.endpoint_url", format!("{reason}{hint}"))
    })
}

/// `url`, if something can be posted there, else why not; see [`check_endpoint`].
pub(crate) fn check_url(url: &str, allow_private: bool) -> Result<Url, String> {
    let refuse = |reason: &str| Err(reason.to_owned());
    if url.len() > MAX_ENDPOINT_LENGTH {
        return refuse("is longer than 2048 characters");
    }
    // The parser would pass over these in silence, and what we echo would not be what we call.
    if url.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return refuse("holds a space, a control character or a backslash");
    }
    let Ok(url) = Url::parse(url) else { return refuse("is not an absolute URL") };
    if url.scheme() != "https" {
        return refuse("must be an https URL");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(CREDENTIALS);
    }
    if url.fragment().is_some() {
        return refuse("must not have a fragment");
    }
    if url.port() == Some(0) {
        return refuse("must not have the port 0");
    }
    match refused_host(&url, allow_private) {
        Some(reason) => refuse(&reason),
        None => Ok(url),
    }
}

/// Why nothing is sent to the host of `url`. The parser has already made one form of the many
/// spellings that an address has (`0x7f.1`, `2130706433`).
fn refused_host(url: &Url, allow_private: bool) -> Option<String> {
    let not_allowed = |kind: &str| format!("leads to an address that is not allowed: {kind}");
    match url.host()? {
        Host::Domain(name) if DnsName::try_from(name).is_err() => {
            Some("does not name a host".to_owned())
        }
        Host::Domain(name) => (is_local(name) && !allow_private)
            .then(|| "names a host that only a local network knows".to_owned()),
        Host::Ipv4(ip) => refusal(ip.into(), allow_private).map(not_allowed),
        // Resolvers make such addresses; no receiver is known by one.
        Host::Ipv6(ip) if Block::of(ip.into()).is_some_and(|it| it.rule == Rule::Embedding) => {
            Some(not_allowed("NAT64"))
        }
        Host::Ipv6(ip) => refusal(ip.into(), allow_private).map(not_allowed),
    }
}

/// Whether `name`, in lower case, is one that the public DNS does not have: a bare name, or one
/// under a special-use domain (RFC 6761, RFC 6762, RFC 8375; `internal` is reserved by ICANN).
fn is_local(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    match name.rsplit_once('.') {
        None | Some((_, "internal" | "local" | "localdomain" | "localhost")) => true,
        Some(_) => name == "home.arpa" || name.ends_with(".home.arpa"),
    }
}
