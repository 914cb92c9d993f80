//! Where people are sent back to.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The address of an application that a person's browser is sent back to (RFC 6749, 3.1.2).
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String")]
pub struct RedirectUri(String);

impl RedirectUri {
    /// `text`, if a browser may be sent there: an absolute URI without a fragment, of https, of http
    /// on this machine's loopback (RFC 8252, 7.3), or of a private-use scheme, which has a dot in it
    /// (RFC 8252, 7.1).
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        // A parser of URLs mends what it gets; what is compared as text must need no mending.
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("must be a URI, in printable ASCII without spaces");
        }
        if text.contains('#') {
            return Err("must have no fragment");
        }
        let url = Url::parse(text).map_err(|_| "must be an absolute URI")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold credentials");
        }
        let fits = match url.scheme() {
            "https" => url.has_host(),
            "http" => is_loopback(&url),
            scheme => scheme.contains('.'),
        };
        let reason = "must be https, http on a loopback address, or of a private-use scheme with \
                      a dot in it, such as com.example.app:/signed-in";
        if fits { Ok(Self(text.to_owned())) } else { Err(reason) }
    }

    /// The text, as it was registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a person may be sent to `asked`: it is this URI, character by character; on loopback
    /// any port will do, because the application is given one when it starts (RFC 8252, 7.3).
    pub fn fits(&self, asked: &str) -> bool {
        if self.0 == asked {
            return true;
        }
        match (loopback(&self.0), loopback(asked)) {
            (Some(registered), Some(asked)) => registered == asked,
            (_, _) => false,
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The host of a loopback URI, and what stands behind its port. Read as text: another reading of
/// it than the browser's would be a way out.
fn loopback(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http://")?;
    let hosts = ["127.0.0.1", "[::1]", "localhost"];
    let host = hosts.into_iter().find(|host| rest.starts_with(host))?;
    let rest = &rest[host.len()..];
    let Some(port_and_rest) = rest.strip_prefix(':') else { return Some((host, rest)) };
    let digits = port_and_rest.bytes().take_while(u8::is_ascii_digit).count();
    let (port, rest) = port_and_rest.split_at(digits);
    port.parse::<u16>().ok()?;
    Some((host, rest))
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_nobody_else_can_take_are_registered() {
        let good = [
            "https://app.example/signed-in",
            "https://app.example:8443/cb?tenant=1",
            "https://app.example",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:8080/cb",
            "http://[::1]:1/cb",
            "http://localhost/cb",
            "com.example.app:/cb",
            "com.example.app://cb",
        ];
        for text in good {
            assert_eq!(RedirectUri::parse(text).as_ref().map(RedirectUri::as_str), Ok(text));
        }
        let bad = [
            "",
            "/cb",
            "app.example/cb",
            "https://",
            "https://app.example/cb#",
            "https://app.example/cb#x",
            "https://user@app.example/cb",
            "https://app.example/a b",
            " https://app.example/cb",
            "https://app.example/cb\n",
            "https://münchen.example/cb",
            "http://app.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://localhost.evil.example/cb",
            "ftp://app.example/cb",
            "myapp:/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "urn:ietf:wg:oauth:2.0:oob",
        ];
        for text in bad {
            assert!(RedirectUri::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_fits_itself_and_on_loopback_with_any_port() {
        let fits =
            |registered: &str, asked: &str| RedirectUri::parse(registered).unwrap().fits(asked);
        assert!(fits("https://app.example/cb", "https://app.example/cb"));
        for asked in [
            "https://app.example/cb/",
            "https://app.example/CB",
            "https://app.example:443/cb",
            "https://app.example/cb?x",
            "https://app.example/cb#x",
            "https://APP.example/cb",
            "http://app.example/cb",
            "",
        ] {
            assert!(!fits("https://app.example/cb", asked), "{asked}");
        }
        for registered in ["http://127.0.0.1/cb", "http://127.0.0.1:80/cb"] {
            for asked in
                ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"]
            {
                assert!(fits(registered, asked), "{registered} {asked}");
            }
            for asked in [
                "http://127.0.0.1:65536/cb",
                "http://127.0.0.1:/cb",
                "http://127.0.0.1:8080/other",
                "http://127.0.0.1:8080@evil.example/cb",
                "http://127.0.0.1@evil.example/cb",
                "http://127.0.0.1.evil.example/cb",
                "http://localhost:8080/cb",
                "http://[::1]:8080/cb",
                "https://127.0.0.1:8080/cb",
            ] {
                assert!(!fits(registered, asked), "{registered} {asked}");
            }
        }
        assert!(fits("http://[::1]/cb", "http://[::1]:5000/cb"));
        assert!(fits("com.example.app:/cb", "com.example.app:/cb"));
        assert!(!fits("com.example.app:/cb", "com.example.app:/cb2"));
    }
}
