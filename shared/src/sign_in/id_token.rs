//! ID tokens (OpenID Connect Core 1.0, 2): what an application learns of a person's sign-in.

use serde_json::Value;

use crate::{
    Error,
    client::ClientId,
    set::jws::Header,
    sign_in::{SignIn, SubjectId},
};

/// The type of an ID token. SETs and logout tokens, which the same keys sign, have types of their own
/// (RFC 8725, 3.11).
const TYPE: &str = "JWT";

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
