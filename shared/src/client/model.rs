//! What an operator registers: a client.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    client::{ClientId, Profile, Receiver, Scope, jwks::Jwks},
    config::Config,
    json::Invalid,
    stream::DefaultSubjects,
};

/// A receiver as an OAuth client (RFC 6749, 2). Its secret is not here: nobody needs to see even
/// the hash.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a decision of its own")]
pub struct Client {
    /// Its name to the machine.
    pub client_id: ClientId,
    /// Its name to people.
    pub client_name: String,
    /// How it proves who it is.
    pub token_endpoint_auth_method: AuthMethod,
    /// From when on its secret is of no use; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret_expires_at: Option<Timestamp>,
    /// The keys that it signs with instead of having a secret.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub keys: Option<ClientKeys>,
    /// What it may ask for.
    pub scope: Vec<Scope>,
    /// The `aud` of its SETs, at least one.
    pub audience: Vec<String>,
    /// What its new streams deliver; absent: as the transmitter's settings say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_subjects: Option<DefaultSubjects>,
    /// Which draft it was built on.
    pub profile: Profile,
    /// Whether it wants the subject repeated inside the event.
    pub subject_in_event: bool,
    /// How many streams it may have.
    pub max_streams: usize,
    /// Whether it may create streams.
    pub may_create: bool,
    /// Whether the certificates of its push endpoints are checked.
    pub verify_certificates: bool,
    /// A disabled client is nobody.
    pub disabled: bool,
    /// When it was registered (`client_id_issued_at`).
    pub created: Timestamp,
    /// When it was last changed.
    pub last_modified: Timestamp,
}

/// How a client authenticates at the token endpoint. One with a secret may send it either way.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Its secret, by HTTP Basic (RFC 6749, 2.3.1).
    #[default]
    ClientSecretBasic,
    /// Its secret, in the form.
    ClientSecretPost,
    /// A JWT signed with its own key (RFC 7523).
    PrivateKeyJwt,
}

impl AuthMethod {
    /// All of them, by the names of RFC 7591, 2.
    pub const NAMES: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
}

/// Where the keys of a client are; never both.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKeys {
    /// Here.
    Jwks(Jwks),
    /// There; read when needed.
    JwksUri(Url),
}

/// The wish for a client.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// See [`Client::client_id`]; absent: one is made. Chosen when an outside issuer has named the
    /// client already.
    pub client_id: Option<ClientId>,
    /// See [`Client::client_name`].
    pub client_name: String,
    /// See [`Client::audience`].
    pub audience: Vec<String>,
    /// See [`Client::scope`].
    pub scope: Vec<Scope>,
    /// See [`Client::keys`]; with them it gets no secret.
    pub keys: Option<ClientKeys>,
    /// See [`Client::client_secret_expires_at`].
    pub client_secret_expires_at: Option<Timestamp>,
    /// See [`Client::default_subjects`].
    pub default_subjects: Option<DefaultSubjects>,
    /// See [`Client::profile`].
    pub profile: Profile,
    /// See [`Client::subject_in_event`].
    pub subject_in_event: bool,
    /// See [`Client::max_streams`].
    pub max_streams: usize,
    /// See [`Client::may_create`].
    pub may_create: bool,
    /// See [`Client::verify_certificates`].
    pub verify_certificates: bool,
}

impl NewClient {
    /// The defaults for a receiver of this name and audience.
    pub fn new(client_name: impl Into<String>, audience: Vec<String>) -> Self {
        Self {
            client_id: None,
            client_name: client_name.into(),
            audience,
            scope: vec![Scope::Read, Scope::Manage],
            keys: None,
            client_secret_expires_at: None,
            default_subjects: None,
            profile: Profile::Standard,
            subject_in_event: false,
            max_streams: 10,
            may_create: true,
            verify_certificates: true,
        }
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        let refuse = |member: &str, reason: &str| Err(Invalid::new(member, reason));
        if self.client_id.as_ref().is_some_and(|id| ClientId::parse(&id.0).is_none()) {
            return refuse("client_id", "must be 1 to 128 letters, digits, '-', '.', '_' or '~'");
        }
        if !(1..=256).contains(&self.client_name.chars().count()) {
            return refuse("client_name", "must have 1 to 256 characters");
        }
        if self.audience.is_empty() || self.audience.iter().any(String::is_empty) {
            return refuse("audience", "must have a value, and none that is empty");
        }
        if self.scope.is_empty() {
            return refuse("scope", "must have a value");
        }
        if self.max_streams == 0 {
            return refuse("max_streams", "must be at least 1");
        }
        match &self.keys {
            Some(ClientKeys::JwksUri(url)) if url.scheme() != "https" => {
                refuse("jwks_uri", "must be an https URL")
            }
            Some(ClientKeys::Jwks(jwks)) => jwks.check().map_err(|error| error.within("jwks")),
            Some(ClientKeys::JwksUri(_)) | None => Ok(()),
        }
    }
}

impl ClientId {
    /// `text`, if it can name a client.
    pub fn parse(text: &str) -> Option<Self> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let fits = matches!(text.len(), 1..=128) && text.bytes().all(unreserved);
        fits.then(|| Self(text.to_owned()))
    }
}

impl Client {
    /// What it gets when it asks for `asked`: what is registered, in the order asked; when it asks
    /// for nothing, all that is registered.
    pub fn allowed(&self, asked: Option<&str>) -> Vec<Scope> {
        let Some(asked) = asked else { return self.scope.clone() };
        let mut allowed = Vec::new();
        for scope in asked.split(' ').filter_map(Scope::parse) {
            if self.scope.contains(&scope) && !allowed.contains(&scope) {
                allowed.push(scope);
            }
        }
        allowed
    }

    /// The receiver it is with a token for `scopes`, of which it keeps what it may still have.
    pub(super) fn receiver(self, scopes: &[Scope], config: &Config) -> Receiver {
        let scopes: BTreeSet<Scope> =
            scopes.iter().filter(|scope| self.scope.contains(scope)).copied().collect();
        Receiver {
            id: self.client_id,
            audience: self.audience,
            scopes,
            may_create: self.may_create,
            default_subjects: self.default_subjects.unwrap_or(config.default_subjects),
            profile: self.profile,
            subject_in_event: self.subject_in_event,
            max_streams: self.max_streams,
            verify_certificates: self.verify_certificates,
        }
    }
}
