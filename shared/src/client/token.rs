//! Access tokens, as they are kept and as they are sent.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    client::{ClientId, Scope},
    clock::add,
    ids::Ids,
};

/// How long an access token lives (IOP 2.7.1: at most 60 minutes).
pub(super) const LIFETIME: std::time::Duration = std::time::Duration::from_hours(1);

/// Begins every static token: what finds secrets in places where they must not be can know it.
pub(super) const STATIC_PREFIX: &str = "tocsin_";

/// A token as it is known here: who may do what, until when. Its value is not: that of an access
/// token is not kept at all, that of a static token as a hash.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Token {
    /// Its name: the `jti` of an access token.
    pub token_id: TokenId,
    /// Of which kind it is.
    pub r#type: TokenType,
    /// What it allows.
    pub scope: Vec<Scope>,
    /// When it was issued.
    pub issue_date: Timestamp,
    /// For how many seconds it is good. A static token has none; any other without is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u64>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute; only kept of static tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Timestamp>,
}

/// How a token came to be.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// From the token endpoint: a JWT (RFC 9068), soon over.
    Access,
    /// From the operator, for a receiver that cannot do OAuth: good until it is revoked.
    Static,
}

impl Token {
    /// Whether it is good at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        let over = match (self.r#type, self.expires()) {
            (TokenType::Access, expires) => expires.is_none_or(|expires| expires <= now),
            (TokenType::Static, expires) => expires.is_some_and(|expires| expires <= now),
        };
        self.revoked_at.is_none() && !over
    }

    /// When it is over.
    pub fn expires(&self) -> Option<Timestamp> {
        let lifetime = std::time::Duration::from_secs(self.lifetime?);
        Some(add(self.issue_date, lifetime))
    }
}

/// Names a token, and in it the client that has it.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String")]
pub struct TokenId(String);

impl TokenId {
    pub(super) fn fresh(client: &ClientId, ids: &dyn Ids) -> Self {
        Self(format!("{client}.{}", ids.fresh().simple()))
    }

    /// `text`, if it can name a token.
    pub fn parse(text: &str) -> Option<Self> {
        let (client, name) = text.rsplit_once('.')?;
        ClientId::parse(client)?;
        uuid::Uuid::try_parse(name).ok()?;
        Some(Self(text.to_owned()))
    }

    /// Whose it is.
    pub fn client(&self) -> ClientId {
        let (client, _) = self.0.rsplit_once('.').expect("it was checked when it was made");
        ClientId(client.to_owned())
    }
}

impl TryFrom<String> for TokenId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("is not the id of a token")
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The claims of our access tokens (RFC 9068, 2.2).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct AccessTokenClaims {
    pub(super) iss: String,
    pub(super) sub: ClientId,
    pub(super) client_id: ClientId,
    pub(super) aud: String,
    pub(super) exp: i64,
    pub(super) iat: i64,
    pub(super) jti: TokenId,
    pub(super) scope: String,
}

/// The type of a JWT that is an access token (RFC 9068, 2.1). No SET has it, and no access token is
/// `secevent+jwt`: neither can be taken for the other.
pub(super) const ACCESS_TOKEN_TYPE: &str = "at+jwt";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SequentialIds;

    #[test]
    fn a_token_is_live_until_it_is_over_or_revoked() {
        let now = Timestamp::UNIX_EPOCH;
        let token = |r#type, lifetime, revoked_at| Token {
            token_id: TokenId::fresh(&ClientId("a.b".into()), &SequentialIds::default()),
            r#type,
            scope: vec![],
            issue_date: now,
            lifetime,
            revoked_at,
            last_used: None,
        };
        let at = |second| Timestamp::from_second(second).unwrap();
        let access = token(TokenType::Access, Some(3600), None);
        assert!(access.is_live(at(3599)));
        assert!(!access.is_live(at(3600)));
        assert!(!token(TokenType::Access, None, None).is_live(now), "no lifetime is no life");
        assert!(!token(TokenType::Access, Some(1), Some(now)).is_live(now));
        assert!(token(TokenType::Static, None, None).is_live(at(1_000_000)));
        assert!(!token(TokenType::Static, None, Some(now)).is_live(now));
        assert_eq!(access.token_id.client().0, "a.b");
    }

    #[test]
    fn what_names_no_token_is_refused() {
        for text in ["", "a", "a.", ".00000000000000000000000000000001", "a.b", "a b.0"] {
            assert_eq!(TokenId::parse(text), None, "{text}");
        }
    }
}
