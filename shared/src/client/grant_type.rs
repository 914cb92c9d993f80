//! How a client comes to tokens.

use serde::{Deserialize, Serialize};

use crate::json::Invalid;

/// A grant type (RFC 7591, 2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A code that a person's browser brought (RFC 6749, 4.1).
    AuthorizationCode,
    /// A refresh token (RFC 6749, 6).
    RefreshToken,
    /// The client's own credentials (RFC 6749, 4.4).
    ClientCredentials,
}

impl GrantType {
    /// All of them.
    pub const ALL: [Self; 3] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The grant type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant_type| grant_type.name() == name)
    }
}

/// A response type of the authorization endpoint (RFC 7591, 2). There is one: the implicit grant is
/// not offered (OAuth 2.1, 10.1).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseType {
    /// A code.
    Code,
}

impl ResponseType {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
        }
    }

    /// The response type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        (name == Self::Code.name()).then_some(Self::Code)
    }
}

/// Whether the two fit each other (RFC 7591, 2.1) and the way the client authenticates.
pub(super) fn check(
    grant_types: &[GrantType],
    response_types: &[ResponseType],
    is_public: bool,
) -> Result<(), Invalid> {
    let has = |grant_type| grant_types.contains(&grant_type);
    let refuse = |member: &str, reason: &str| Err(Invalid::new(member, reason));
    if grant_types.is_empty() {
        return refuse("grant_types", "must have a value");
    }
    if has(GrantType::AuthorizationCode) != response_types.contains(&ResponseType::Code) {
        return refuse("response_types", "must be code with authorization_code, and only with it");
    }
    if has(GrantType::RefreshToken) && !has(GrantType::AuthorizationCode) {
        return refuse("grant_types", "refresh_token needs authorization_code");
    }
    if has(GrantType::ClientCredentials) && is_public {
        return refuse("grant_types", "a public client has no credentials for client_credentials");
    }
    Ok(())
}
