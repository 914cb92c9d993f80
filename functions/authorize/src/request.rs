//! What a client sends: a form, and who it is.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{Engine, engine::general_purpose::STANDARD};
use ssf::{
    Transmitter,
    client::{Client, ClientId, Credentials, OAuthError, Secret},
    web::{Form, pairs},
};

/// RFC 7523, 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A request to an OAuth endpoint.
pub(crate) struct Request {
    members: BTreeMap<String, String>,
    credentials: Credentials,
}

impl Request {
    /// The request in `form`. A parameter that is there twice is refused; one without a value is
    /// not there (RFC 6749, 3.2).
    pub(crate) fn read(form: Form) -> Result<Self, OAuthError> {
        let members = form.members.into_iter().filter(|(_, value)| !value.is_empty());
        let members =
            pairs(members).map_err(|error| OAuthError::InvalidRequest(error.to_string()))?;
        let credentials = credentials(basic(&form.headers)?, &members)?;
        Ok(Self { members, credentials })
    }

    /// The client that sent it.
    pub(crate) async fn client(&self, us: &Transmitter) -> Result<Client, OAuthError> {
        us.client_of(&self.credentials).await
    }

    /// Who the client says it is, if any client can be called so. An assertion alone says it only to
    /// who reads it.
    pub(crate) fn claimed(&self) -> Option<ClientId> {
        let id = match &self.credentials {
            Credentials::Secret { client_id, .. } | Credentials::Public { client_id } => client_id,
            Credentials::Assertion { client_id, .. } => client_id.as_ref()?,
        };
        ClientId::parse(id)
    }

    /// A parameter that may be left out.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.members.get(name).map(String::as_str)
    }

    /// A parameter that may not.
    pub(crate) fn required(&self, name: &str) -> Result<&str, OAuthError> {
        self.optional(name).ok_or_else(|| OAuthError::InvalidRequest(format!("{name} is missing")))
    }
}

/// The one proof of identity in the request: RFC 6749, 2.3, forbids a second.
fn credentials(
    basic: Option<(String, Secret)>,
    members: &BTreeMap<String, String>,
) -> Result<Credentials, OAuthError> {
    let optional = |name: &str| members.get(name).cloned();
    let client_id = optional("client_id");
    let refuse = |reason: &str| Err(OAuthError::InvalidRequest(reason.to_owned()));
    match (basic, optional("client_secret"), optional("client_assertion")) {
        (Some((id, secret)), None, None) => {
            if client_id.is_some_and(|other| other != id) {
                return refuse("client_id is not the one in the Authorization header");
            }
            Ok(Credentials::Secret { client_id: id, secret })
        }
        (None, Some(secret), None) => match client_id {
            Some(client_id) => Ok(Credentials::Secret { client_id, secret: Secret::new(secret) }),
            None => refuse("client_id is missing"),
        },
        (None, None, Some(assertion)) => {
            if optional("client_assertion_type").as_deref() != Some(JWT_BEARER) {
                return refuse("client_assertion_type is not the one of RFC 7523");
            }
            Ok(Credentials::Assertion { client_id, assertion: Secret::new(assertion) })
        }
        (None, None, None) => match client_id {
            Some(client_id) => Ok(Credentials::Public { client_id }),
            None => Err(OAuthError::InvalidClient),
        },
        (_, _, _) => refuse("the client authenticates in more than one way"),
    }
}

/// The client and its secret in the header `Authorization`. Both are encoded like the values of a
/// form (RFC 6749, 2.3.1), which not all clients do.
fn basic(headers: &HeaderMap) -> Result<Option<(String, Secret)>, OAuthError> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let (scheme, rest) = value.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(OAuthError::InvalidClient);
    }
    let decoded = STANDARD.decode(rest.trim()).ok().and_then(|text| String::from_utf8(text).ok());
    // No secret has a colon in it; an id that was not encoded may.
    match decoded.as_deref().and_then(|text| text.rsplit_once(':')) {
        Some((id, secret)) => Ok(Some((decode(id), Secret::new(decode(secret))))),
        None => Err(OAuthError::InvalidClient),
    }
}

fn decode(text: &str) -> String {
    // As a form of one member, so that nothing in the text may begin a second. Neither ids nor
    // secrets have spaces in them, so that a plus sign is one that was not encoded.
    let form = format!("text={}", text.replace('&', "%26").replace('+', "%2B"));
    let member = url::form_urlencoded::parse(form.as_bytes()).next();
    member.map(|(_, text)| text.into_owned()).unwrap_or_default()
}
