//! ID tokens (OpenID Connect Core 1.0, 2): what an application learns of a person's sign-in.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Error,
    client::{ClientId, Secret},
    clock::add,
    set::jws::Header,
    sign_in::{SignIn, SubjectId, Tokens},
};

/// The type of an ID token. SETs and logout tokens, which the same keys sign, have types of their own
/// (RFC 8725, 3.11).
const TYPE: &str = "JWT";

/// How long an ID token may be taken for true: it says who signed in just now, and opens nothing.
pub const ID_TOKEN_LIFETIME: Duration = Duration::from_mins(5);

/// The claims of an ID token. What else is known of the person is told by the `UserInfo` endpoint
/// (OpenID Connect Core 1.0, 5.4).
#[derive(Debug, Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    sub: &'a SubjectId,
    aud: &'a ClientId,
    exp: i64,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    at_hash: String,
}

/// The left half of the hash of an access token, which ties the two to each other (OpenID Connect Core
/// 1.0, 3.1.3.6). Both algorithms that sign here have SHA-256 in them.
fn at_hash(access_token: &Secret) -> String {
    let hash = digest(&SHA256, access_token.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}

/// What an ID token of ours says that an application sends back, whether or not it is over: whom it
/// was about, and at which application.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdTokenHint {
    /// The application that it was for.
    pub client: ClientId,
    /// The person.
    pub subject: SubjectId,
    /// The session (`sid`).
    pub sid: Option<String>,
}

impl SignIn {
    /// The ID token that goes with `tokens`, signed by the key that signs SETs, too.
    pub(super) async fn id_token(&self, tokens: &Tokens) -> Result<String, Error> {
        let now = self.parts().clock.now();
        let family = &tokens.family;
        let signed_in = &family.signed_in;
        let claims = IdToken {
            iss: self.parts().config.issuer.as_str(),
            sub: &family.bond.subject,
            aud: &family.bond.client,
            exp: add(now, ID_TOKEN_LIFETIME).as_second(),
            iat: now.as_second(),
            auth_time: signed_in.auth_time.map(Timestamp::as_second),
            nonce: tokens.nonce.as_deref(),
            acr: signed_in.acr.as_deref(),
            amr: &signed_in.amr,
            sid: signed_in.sid.as_deref(),
            at_hash: at_hash(&tokens.access_token),
        };
        let claims = serde_json::to_vec(&claims).expect("claims have only string keys");
        self.us.keys().sign(TYPE, &claims).await
    }

    /// What the ID token `token` says; `None` if it is none, or not one of ours.
    pub async fn id_token_hint(&self, token: &str) -> Result<Option<IdTokenHint>, Error> {
        let Some(header) = Header::of(token).filter(|header| header.typ.as_deref() == Some(TYPE))
        else {
            return Ok(None);
        };
        let Some(kid) = &header.kid else { return Ok(None) };
        let Some(key) = self.us.keys().find(kid).await? else { return Ok(None) };
        let Some(claims) = key.verify(token) else { return Ok(None) };
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        if text("iss").as_deref() != Some(self.parts().config.issuer.as_str()) {
            return Ok(None);
        }
        let (Some(client), Some(subject)) = (text("aud"), text("sub")) else { return Ok(None) };
        let (client, subject) = (ClientId(client), SubjectId(subject));
        Ok(Some(IdTokenHint { client, subject, sid: text("sid") }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_token_is_hashed_as_the_standard_says() {
        // The example of OpenID Connect Core 1.0, A.3, signed with RS256.
        let token = Secret::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        assert_eq!(at_hash(&token), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
