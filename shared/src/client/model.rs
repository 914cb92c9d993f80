//! What an operator registered: a client.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    client::{
        Application, ClientId, ClientInformation, ClientSubjects, GrantType, Profile, Receiver,
        ResponseType, ScimOptions, Scope, jwks::Jwks,
    },
    config::Config,
};

/// A receiver, a provisioning client or an application as an OAuth client (RFC 6749, 2), with the
/// members of RFC 7591, 2. Its secret is not here: nobody needs to see even the hash.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a decision of its own")]
pub struct Client {
    /// Its name to the machine.
    pub client_id: ClientId,
    /// Its name to people.
    pub client_name: String,
    /// What else people may be shown of it.
    #[serde(flatten)]
    pub information: ClientInformation,
    /// How it proves who it is.
    pub token_endpoint_auth_method: AuthMethod,
    /// From when on its secret is of no use; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret_expires_at: Option<Timestamp>,
    /// The keys that it signs with instead of having a secret.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub keys: Option<ClientKeys>,
    /// How it comes to tokens.
    #[serde(default = "client_credentials")]
    pub grant_types: Vec<GrantType>,
    /// What the authorization endpoint may answer it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_types: Vec<ResponseType>,
    /// How people sign in to it.
    #[serde(flatten)]
    pub application: Application,
    /// What it may ask for.
    pub scope: Vec<Scope>,
    /// The `aud` of its SETs; at least one if it may have streams.
    pub audience: Vec<String>,
    /// Whom its new streams deliver events about; absent: as the transmitter's settings say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_subjects: Option<ClientSubjects>,
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
    /// How it is treated when it provisions the directory.
    #[serde(default, skip_serializing_if = "ScimOptions::is_default")]
    pub scim: ScimOptions,
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
    /// Not at all: a public client, whose secret everybody would have (RFC 6749, 2.1).
    None,
}

impl AuthMethod {
    /// Those that prove something, by the names of RFC 7591, 2.
    pub const NAMES: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }

    /// Whether it takes a secret.
    pub fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

fn client_credentials() -> Vec<GrantType> {
    vec![GrantType::ClientCredentials]
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

    /// What it gets for itself, without a person, as [`Self::allowed`] says.
    pub fn allowed_by_itself(&self, asked: Option<&str>) -> Vec<Scope> {
        let mut allowed = self.allowed(asked);
        allowed.retain(|scope| scope.is_of_clients());
        allowed
    }

    /// Whether it may come to tokens in this way.
    pub fn has_grant(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Whether everybody could have its secret, so that it has none and needs PKCE (RFC 6749, 2.1).
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == AuthMethod::None
    }

    /// Whether it must use PKCE: all do, but those with a secret or a key that the operator lets go
    /// without (OAuth 2.1, 7.5.1).
    pub fn needs_pkce(&self) -> bool {
        self.is_public() || !self.application.pkce_optional
    }

    /// Whether a person may be sent back to `uri`: the one registered, character by character, but
    /// with any port on loopback (RFC 8252, 7.3).
    pub fn redirects_to(&self, uri: &str) -> bool {
        self.application.redirect_uris.iter().any(|registered| registered.fits(uri))
    }

    /// The clients that its tokens about people are for: itself, unless others were registered.
    pub fn token_audience(&self) -> &[ClientId] {
        match self.application.token_audience.as_slice() {
            [] => std::slice::from_ref(&self.client_id),
            audience => audience,
        }
    }

    /// The receiver it is with a token for `scopes`, of which it keeps what it may still have.
    pub(super) fn receiver(self, scopes: &[Scope], config: &Config) -> Receiver {
        let scopes: BTreeSet<Scope> =
            scopes.iter().filter(|scope| self.scope.contains(scope)).copied().collect();
        let by_consent = self.follows_consents();
        Receiver {
            id: self.client_id,
            audience: self.audience,
            scopes,
            may_create: self.may_create,
            default_subjects: self
                .default_subjects
                .map_or(config.default_subjects, ClientSubjects::default_subjects),
            by_consent,
            profile: self.profile,
            subject_in_event: self.subject_in_event,
            max_streams: self.max_streams,
            verify_certificates: self.verify_certificates,
            scim: self.scim,
            version: None,
        }
    }

    /// Whether people's consents decide whom its new streams deliver events about.
    pub(crate) fn follows_consents(&self) -> bool {
        self.default_subjects == Some(ClientSubjects::Consent)
    }
}
