//! Answers of the token endpoint about people (RFC 6749, 5; OpenID Connect Core 1.0, 3.1.3.3).

use std::fmt;

use serde::Serialize;

use crate::{
    Error,
    client::{Client, ClientId, OAuthError, Scope, Secret, scope_text},
    sign_in::{Also, Cut, Exchange, FamilyId, Refusal, SignIn, SubjectId, Tokens},
};

/// A token response.
#[derive(Serialize)]
pub struct PersonGrant {
    // The tokens themselves; so there is no public way to print them but the answer.
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl fmt::Debug for PersonGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonGrant").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// What is told of a token of a person (RFC 7662, 2.2).
#[derive(Debug, Serialize)]
pub struct PersonIntrospection {
    active: bool,
    scope: String,
    client_id: ClientId,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    exp: i64,
    iat: i64,
    sub: SubjectId,
    aud: Vec<ClientId>,
    iss: String,
    jti: FamilyId,
}

impl SignIn {
    /// Exchanges a code of `client` for tokens, as [`Self::code_exchange`] does.
    pub async fn grant_by_code(
        &self,
        client: &Client,
        code: &str,
        exchange: Exchange<'_>,
        also: &Also<'_>,
    ) -> Result<PersonGrant, Refusal> {
        // A code can be used once: that nothing can be signed here must not use it up.
        self.us.keys().signing_key().await?;
        let tokens = self.code_exchange(&client.client_id, code, exchange, also).await?;
        Ok(self.person_grant(tokens).await?)
    }

    /// Exchanges a refresh token of `client` for tokens, as [`Self::refresh`] does.
    pub async fn grant_by_refresh(
        &self,
        client: &Client,
        token: &str,
        asked: Option<&str>,
        also: &Also<'_>,
    ) -> Result<PersonGrant, Refusal> {
        let tokens = self.refresh(&client.client_id, token, asked, also).await?;
        Ok(self.person_grant(tokens).await?)
    }

    async fn person_grant(&self, tokens: Tokens) -> Result<PersonGrant, Error> {
        let id_token = if tokens.scope.contains(&Scope::OpenId) {
            Some(self.id_token(&tokens).await?)
        } else {
            None
        };
        let text = |token: &Secret| token.expose().to_owned();
        Ok(PersonGrant {
            access_token: text(&tokens.access_token),
            token_type: "Bearer",
            expires_in: tokens.expires_in,
            scope: scope_text(&tokens.scope),
            refresh_token: tokens.refresh_token.as_ref().map(text),
            id_token,
        })
    }

    /// What `client` may know of `token`: all, if it is good and the client has it or is who it is for.
    pub async fn person_introspect(
        &self,
        client: &Client,
        token: &str,
    ) -> Result<Option<PersonIntrospection>, Error> {
        let about = match self.token_about(token).await {
            Ok(about) => about,
            Err(Refusal::Other(error)) => return Err(error),
            Err(_) => return Ok(None),
        };
        let id = &client.client_id;
        if about.client != *id && !(about.is_access && about.audience.contains(id)) {
            return Ok(None);
        }
        Ok(Some(PersonIntrospection {
            active: true,
            scope: scope_text(&about.scope),
            exp: about.expires().as_second(),
            iat: about.issue_date.as_second(),
            client_id: about.client,
            token_type: about.is_access.then_some("Bearer"),
            sub: about.subject,
            aud: about.audience,
            iss: self.parts().config.issuer.as_str().to_owned(),
            jti: about.family,
        }))
    }
}

impl Refusal {
    /// Whose tokens have ended by what was tried, if any have: there are others to be told of it.
    pub fn ended(&self) -> Option<&SubjectId> {
        match self {
            Self::Replayed { subject, ended: true, .. } | Self::Reused { subject, .. } => {
                Some(subject)
            }
            _ => None,
        }
    }
}

impl From<Refusal> for OAuthError {
    /// RFC 6749, 5.2: why a code or a token is not good is not said.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown
            | Refusal::Over
            | Refusal::Code(_)
            | Refusal::Replayed { .. }
            | Refusal::Reused { .. }
            | Refusal::ChallengeMissing
            | Refusal::Cut(
                Cut::OwnerGone
                | Cut::OwnerLocked
                | Cut::Ended
                | Cut::ConsentMissing
                | Cut::ConsentRevoked,
            ) => Self::InvalidGrant,
            Refusal::Cut(Cut::ClientGone | Cut::ClientDisabled) => Self::InvalidClient,
            Refusal::Grant => Self::UnauthorizedClient,
            Refusal::Scope => Self::InvalidScope,
            Refusal::Other(error) => Self::Other(error),
        }
    }
}
