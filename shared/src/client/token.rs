//! Access tokens, as they are kept and as they are sent.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    client::{
        ClientId, Scope,
        opaque::{Kind, Opaque},
    },
    clock::add,
    ids::Ids,
};

/// How long an access token lives (IOP 2.7.1: at most 60 minutes).
pub(super) const LIFETIME: std::time::Duration = std::time::Duration::from_hours(1);

/// A token of a client as it is known here: who may do what, until when. Its value is not: of that
/// there is a hash.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Token {
    /// Its name: the `jti` of what is told of it (RFC 7662, 2.2).
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
    /// When it was last changed.
    pub last_modified: Timestamp,
}

/// How a token came to be.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// From the token endpoint, soon over.
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

    /// A new token of this name, of which only a hash is to be kept. The id of the client is encoded
    /// in it, since it may hold what is not allowed in a token.
    pub(super) fn token(&self) -> Opaque {
        let (client, name) = self.0.rsplit_once('.').expect("it was checked when it was made");
        Opaque::fresh(Kind::Client, format!("{}.{name}", URL_SAFE_NO_PAD.encode(client)))
    }

    /// The id of the token that these are the parts of, if it is one of a client.
    pub(super) fn of(token: &Opaque) -> Option<Self> {
        let (client, name) = token.name.rsplit_once('.')?;
        let client = String::from_utf8(URL_SAFE_NO_PAD.decode(client).ok()?).ok()?;
        let id = Self::parse(&format!("{client}.{name}"))?;
        (token.kind == Kind::Client).then_some(id)
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
            last_modified: now,
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
    fn a_token_says_its_name_whatever_its_client_is_called() {
        for client in ["a", "a.b", "a#b", "api://x?y=z", "tocsin_c."] {
            let id = TokenId::fresh(&ClientId(client.into()), &SequentialIds::default());
            let token = id.token().token();
            let parts = Opaque::parse(token.expose()).unwrap();
            assert_eq!(TokenId::of(&parts), Some(id));
            assert_eq!(TokenId::of(&Opaque { kind: Kind::Access, ..parts }), None);
        }
    }

    #[test]
    fn what_names_no_token_is_refused() {
        for text in ["", "a", "a.", ".00000000000000000000000000000001", "a.b", "a b.0"] {
            assert_eq!(TokenId::parse(text), None, "{text}");
        }
    }
}
