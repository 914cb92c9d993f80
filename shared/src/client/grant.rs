//! What the OAuth endpoints do: grant, revoke and tell about access tokens.

use serde::Serialize;

use crate::{
    Error, Transmitter,
    client::{
        Client, ClientId, GrantType, Scope, Token, TokenId, TokenType, scope_text, token::LIFETIME,
    },
};

/// Why an OAuth endpoint does not do what it was asked (RFC 6749, 5.2).
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// Not a client, or not with these credentials.
    #[error("the client could not be authenticated")]
    InvalidClient,
    /// The request is not as it must be.
    #[error("{0}")]
    InvalidRequest(String),
    /// The code or the refresh token is not good, or not this client's.
    #[error("the code or refresh token is not good, or not this client's")]
    InvalidGrant,
    /// None of the scopes asked for may be had.
    #[error("the client may have none of these scopes")]
    InvalidScope,
    /// The client was not registered for this grant type.
    #[error("the client may not use this grant type")]
    UnauthorizedClient,
    /// There are only those of [`GrantType`].
    #[error("the grant type must be authorization_code, refresh_token or client_credentials")]
    UnsupportedGrantType,
    /// Something else.
    #[error(transparent)]
    Other(#[from] Error),
}

/// A token response (RFC 6749, 5.1).
#[derive(Debug, Serialize)]
pub struct Grant {
    // The token itself; so there is no public way to print it but the answer.
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
}

/// What is told of a token (RFC 7662, 2.2).
#[derive(Debug, Default, Serialize)]
pub struct Introspection {
    active: bool,
    #[serde(flatten)]
    about: Option<About>,
}

#[derive(Debug, Serialize)]
struct About {
    scope: String,
    client_id: ClientId,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    iat: i64,
    sub: ClientId,
    aud: String,
    iss: String,
    jti: TokenId,
}

impl Transmitter {
    /// A new access token for `client`, for what it may have of the scopes `asked` for.
    pub async fn grant(&self, client: &Client, asked: Option<&str>) -> Result<Grant, OAuthError> {
        if !client.has_grant(GrantType::ClientCredentials) {
            return Err(OAuthError::UnauthorizedClient);
        }
        let scope = client.allowed_by_itself(asked);
        if scope.is_empty() {
            return Err(OAuthError::InvalidScope);
        }
        let lifetime = LIFETIME.as_secs();
        let id = &client.client_id;
        let (token, access_token) =
            self.new_token(id, TokenType::Access, scope, Some(lifetime)).await?;
        Ok(Grant {
            access_token: access_token.expose().to_owned(),
            token_type: "Bearer",
            expires_in: lifetime,
            scope: scope_text(&token.scope),
        })
    }

    /// Revokes `token` if it is one of `client`; else nothing happens, and nobody learns why
    /// (RFC 7009, 2.2).
    pub async fn revoke(&self, client: &Client, token: &str) -> Result<(), Error> {
        match self.own_token_of(client, token).await? {
            Some(token) => self.revoke_token(&token.token_id).await.map(drop),
            None => Ok(()),
        }
    }

    /// What `client` may know of `token`: all, if it is its own and good, else nothing (RFC 7662,
    /// 2.2).
    pub async fn introspect(&self, client: &Client, token: &str) -> Result<Introspection, Error> {
        let Some(token) = self.own_token_of(client, token).await? else {
            return Ok(Introspection::default());
        };
        let issuer = self.parts().config.issuer.as_str();
        let registered = |scope: &Scope| client.scope.contains(scope);
        let scope: Vec<Scope> = token.scope.iter().copied().filter(registered).collect();
        let about = About {
            scope: scope_text(&scope),
            client_id: client.client_id.clone(),
            token_type: "Bearer",
            exp: token.expires().map(jiff::Timestamp::as_second),
            iat: token.issue_date.as_second(),
            sub: client.client_id.clone(),
            aud: issuer.to_owned(),
            iss: issuer.to_owned(),
            jti: token.token_id,
        };
        Ok(Introspection { active: true, about: Some(about) })
    }

    async fn own_token_of(&self, client: &Client, token: &str) -> Result<Option<Token>, Error> {
        match self.own_token(token).await {
            Ok((owner, token)) if owner.client.client_id == client.client_id => Ok(Some(token)),
            Ok(_) | Err(Error::Unauthenticated) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
