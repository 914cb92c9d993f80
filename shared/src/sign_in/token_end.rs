//! The operator takes back what an application has of a person.

use crate::{
    Error,
    client::opaque::{Kind, Opaque},
    sign_in::{Also, Family, FamilyId, SignIn},
};

impl SignIn {
    /// Ends all tokens of a sign-in, which are dead when this returns. It is given by one of them, or by
    /// its name: the `jti` of what is told of them (RFC 7662, 2.2). What there was; `None`: `text` is
    /// neither.
    pub async fn token_end(&self, text: &str, also: &Also<'_>) -> Result<Option<Family>, Error> {
        match named(text) {
            Some(id) => self.family_end(id, also).await,
            None => Ok(None),
        }
    }
}

/// The sign-in that a token of a person is of, or that is named so.
fn named(text: &str) -> Option<FamilyId> {
    let Some(parts) = Opaque::parse(text) else { return FamilyId::parse(text) };
    match parts.kind {
        Kind::Access => FamilyId::parse(&parts.name),
        Kind::Refresh => FamilyId::parse(parts.name.split_once('.')?.0),
        Kind::Client | Kind::Code => None,
    }
}
