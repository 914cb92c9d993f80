//! The seam to receivers: an HTTP client that trusts nobody.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use url::Url;

/// Posts SETs to receivers (RFC 8935), logout tokens to applications, and reads the key sets of outside
/// issuers.
#[async_trait]
pub trait HttpPush: fmt::Debug + Send + Sync {
    /// Posts `set`, a compact JWS, to `endpoint`, with `authorization` verbatim as the header of
    /// that name.
    async fn push(&self, push: &Push<'_>) -> Result<PushAnswer, PushError>;

    /// Reads the JSON at `url`, at most 256 KiB, for the JWKS of an issuer or of a client. Any
    /// answer but a 200 is [`PushError::Broken`].
    async fn fetch(&self, url: &Url, chosen_by: ChosenBy) -> Result<Vec<u8>, PushError>;
}

/// Who chose a URL: it decides where it may lead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChosenBy {
    /// A client: only to where push endpoints may be.
    Client,
    /// The operator: also to private addresses.
    Operator,
}

/// One request.
#[derive(Clone, Copy)]
pub struct Push<'a> {
    /// Where to.
    pub endpoint: &'a Url,
    /// The whole value of the `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The compact JWS.
    pub set: &'a str,
    /// What it is, which decides how it is sent.
    pub kind: PushKind,
    /// Whether the certificate is checked; an operator's decision for one client.
    pub verify_certificate: bool,
}

/// What is posted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PushKind {
    /// A SET, as it is (RFC 8935, 2).
    Event,
    /// A logout token, in a form (OpenID Connect Back-Channel Logout 1.0, 2.5).
    Logout,
}

/// What the receiver said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PushAnswer {
    /// The status code.
    pub status: u16,
    /// The value of `Retry-After`, as it stands.
    pub retry_after: Option<String>,
    /// The media type, without parameters, in lower case.
    pub content_type: Option<String>,
    /// The beginning of the body, at most 20 kB, of an answer that is not a success.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PushError {
    /// The name leads to an address that we do not send to.
    #[error("the address of {host} is not allowed: it is {kind}")]
    AddressRefused {
        /// The name or address in the URL.
        host: String,
        /// Which kind of address it is, such as `loopback`.
        kind: &'static str,
    },
    /// No connection.
    #[error("no connection to {host}: {reason}")]
    Connect {
        /// The name or address in the URL.
        host: String,
        /// Why.
        reason: String,
    },
    /// TLS failed, for instance because the certificate is not trusted.
    #[error("no TLS with {host}: {reason}")]
    Tls {
        /// The name or address in the URL.
        host: String,
        /// Why.
        reason: String,
    },
    /// Too late.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The connection broke, or what came is not HTTP.
    #[error("the exchange broke off: {0}")]
    Broken(String),
}

impl fmt::Debug for Push<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the header nor the SET may reach a log.
        f.debug_struct("Push").field("endpoint", &self.endpoint.host_str()).finish_non_exhaustive()
    }
}
