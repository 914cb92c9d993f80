//! Tokens that say nothing to whoever has them.
//!
//! A token is `tocsin_`, a letter for its kind, the name of its row, a secret of 256 bits, and a
//! checksum: what finds secrets in places where they must not be can know one by itself, and what was
//! made up or cut off is refused without a read. All of it are characters that the header
//! `Authorization` allows (RFC 6750, 2.1). Of the secret only a hash is kept.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::client::Secret;

/// Begins every token.
const PREFIX: &str = "tocsin_";

/// Characters of a secret, and of the checksum behind it.
const SECRET: usize = 43;
const CHECK: usize = 6;

/// What a token is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A client's own: from the token endpoint or from the operator.
    Client,
    /// An access token for a person.
    Access,
    /// A refresh token for a person.
    Refresh,
    /// An authorization code, which is exchanged for these.
    Code,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Client, Self::Access, Self::Refresh, Self::Code];

    fn letter(self) -> &'static str {
        match self {
            Self::Client => "c",
            Self::Access => "u",
            Self::Refresh => "r",
            Self::Code => "a",
        }
    }
}

/// The parts of a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Opaque {
    pub(crate) kind: Kind,
    /// What finds its row: characters that RFC 6750, 2.1, allows.
    pub(crate) name: String,
    /// As [`Secret::fresh`] makes them.
    pub(crate) secret: Secret,
}

impl Opaque {
    /// A new one.
    pub(crate) fn fresh(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), secret: Secret::fresh() }
    }

    /// The token as it is sent.
    pub(crate) fn token(&self) -> Secret {
        let mut text =
            format!("{PREFIX}{}.{}.{}", self.kind.letter(), self.name, self.secret.expose());
        let check = checksum(&text);
        text.push_str(&check);
        Secret::new(text)
    }

    /// The parts of `token`, if it is whole. Whether there is such a one is not said.
    pub(crate) fn parse(token: &str) -> Option<Self> {
        let at = token.len().checked_sub(CHECK)?;
        let (text, check) = (token.get(..at)?, token.get(at..)?);
        if checksum(text) != check {
            return None;
        }
        let (letter, rest) = text.strip_prefix(PREFIX)?.split_once('.')?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.letter() == letter)?;
        let (name, secret) = rest.rsplit_once('.')?;
        (secret.len() == SECRET).then(|| Self {
            kind,
            name: name.to_owned(),
            secret: Secret::new(secret),
        })
    }
}

fn checksum(text: &str) -> String {
    let mut check = URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()));
    check.truncate(CHECK);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_whole_or_none() {
        for kind in Kind::ALL {
            let parts = Opaque::fresh(kind, "YWxpY2U.17");
            let token = parts.token();
            let token = token.expose();
            assert_eq!(Opaque::parse(token), Some(parts));
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert!(token.starts_with(PREFIX) && token.bytes().all(allowed), "{token}");
            for cut in 0..token.len() {
                assert_eq!(Opaque::parse(&token[..cut]), None);
                let other = if token.as_bytes()[cut] == b'A' { "B" } else { "A" };
                let changed = format!("{}{other}{}", &token[..cut], &token[cut + 1..]);
                assert_eq!(Opaque::parse(&changed), None, "{changed}");
            }
        }
        let text = format!("{PREFIX}c.a.short");
        assert_eq!(Opaque::parse(&format!("{text}{}", checksum(&text))), None);
        for token in ["", "é", "ééééééé", "a.b.c", PREFIX] {
            assert_eq!(Opaque::parse(token), None, "{token}");
        }
    }
}
