//! What an operator wishes for a client, when it is registered and when it is changed.

use jiff::Timestamp;

use crate::{
    client::{
        Application, AuthMethod, Client, ClientId, ClientInformation, ClientKeys, ClientSubjects,
        GrantType, Profile, ResponseType, ScimOptions, Scope, grant_type,
    },
    json::Invalid,
};

/// The wish for a client.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// See [`Client::client_id`]; absent: one is made. Chosen when an outside issuer has named the
    /// client already. It stays as it is when a client is changed.
    pub client_id: Option<ClientId>,
    /// See [`Client::client_name`].
    pub client_name: String,
    /// See [`Client::information`].
    pub information: ClientInformation,
    /// See [`Client::audience`].
    pub audience: Vec<String>,
    /// See [`Client::scope`].
    pub scope: Vec<Scope>,
    /// See [`Client::grant_types`]; absent: `authorization_code` and `refresh_token` for one that
    /// has redirect URIs, and `client_credentials` for one that has none, or that has scopes which
    /// it can have by itself.
    pub grant_types: Option<Vec<GrantType>>,
    /// See [`Client::response_types`]; absent: what the grant types need.
    pub response_types: Option<Vec<ResponseType>>,
    /// See [`Client::application`].
    pub application: Application,
    /// See [`Client::token_endpoint_auth_method`]; absent: by its keys, if it has any, else by its
    /// secret.
    pub auth_method: Option<AuthMethod>,
    /// See [`Client::keys`]; with them it gets no secret.
    pub keys: Option<ClientKeys>,
    /// See [`Client::client_secret_expires_at`].
    pub client_secret_expires_at: Option<Timestamp>,
    /// See [`Client::default_subjects`].
    pub default_subjects: Option<ClientSubjects>,
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
    /// See [`Client::scim`].
    pub scim: ScimOptions,
}

impl NewClient {
    /// The defaults for a receiver of this name and audience.
    pub fn new(client_name: impl Into<String>, audience: Vec<String>) -> Self {
        Self {
            client_id: None,
            client_name: client_name.into(),
            information: ClientInformation::default(),
            audience,
            scope: vec![Scope::Read, Scope::Manage],
            grant_types: None,
            response_types: None,
            application: Application::default(),
            auth_method: None,
            keys: None,
            client_secret_expires_at: None,
            default_subjects: None,
            profile: Profile::Standard,
            subject_in_event: false,
            max_streams: 10,
            may_create: true,
            verify_certificates: true,
            scim: ScimOptions::default(),
        }
    }

    /// The wish that `client` came from, with all that was chosen for it by default.
    pub(super) fn of(client: &Client) -> Self {
        let client = client.clone();
        Self {
            client_id: Some(client.client_id),
            client_name: client.client_name,
            information: client.information,
            audience: client.audience,
            scope: client.scope,
            grant_types: Some(client.grant_types),
            response_types: Some(client.response_types),
            application: client.application,
            auth_method: Some(client.token_endpoint_auth_method),
            keys: client.keys,
            client_secret_expires_at: client.client_secret_expires_at,
            default_subjects: client.default_subjects,
            profile: client.profile,
            subject_in_event: client.subject_in_event,
            max_streams: client.max_streams,
            may_create: client.may_create,
            verify_certificates: client.verify_certificates,
            scim: client.scim,
        }
    }

    /// The client wished for, or which member cannot be so and why. What is not chosen is taken
    /// from the rest.
    pub(crate) fn client(self, client_id: ClientId, now: Timestamp) -> Result<Client, Invalid> {
        let by_default = match self.keys {
            Some(_) => AuthMethod::PrivateKeyJwt,
            None => AuthMethod::ClientSecretBasic,
        };
        let token_endpoint_auth_method = self.auth_method.unwrap_or(by_default);
        let grant_types = self.grant_types.unwrap_or_else(|| {
            let mut grant_types = Vec::new();
            let signs_in = !self.application.redirect_uris.is_empty();
            if signs_in {
                grant_types.extend([GrantType::AuthorizationCode, GrantType::RefreshToken]);
            }
            let is_public = token_endpoint_auth_method == AuthMethod::None;
            if !signs_in || (!is_public && self.scope.iter().any(|scope| scope.is_of_clients())) {
                grant_types.push(GrantType::ClientCredentials);
            }
            grant_types
        });
        let response_types = self.response_types.unwrap_or_else(|| {
            let signs_in = grant_types.contains(&GrantType::AuthorizationCode);
            signs_in.then_some(ResponseType::Code).into_iter().collect()
        });
        let client = Client {
            client_id,
            client_name: self.client_name,
            information: self.information,
            token_endpoint_auth_method,
            client_secret_expires_at: self.client_secret_expires_at,
            keys: self.keys,
            grant_types,
            response_types,
            application: self.application,
            scope: self.scope,
            audience: self.audience,
            default_subjects: self.default_subjects,
            profile: self.profile,
            subject_in_event: self.subject_in_event,
            max_streams: self.max_streams,
            may_create: self.may_create,
            verify_certificates: self.verify_certificates,
            scim: self.scim,
            disabled: false,
            created: now,
            last_modified: now,
        };
        check(&client)?;
        Ok(client)
    }
}

/// The rules of RFC 7591, 2, and ours.
fn check(client: &Client) -> Result<(), Invalid> {
    let refuse = |member: &str, reason: &str| Err(Invalid::new(member, reason));
    if ClientId::parse(&client.client_id.0).is_none() {
        return refuse("client_id", "must be 1 to 255 printable ASCII characters without spaces");
    }
    if !(1..=256).contains(&client.client_name.chars().count()) {
        return refuse("client_name", "must have 1 to 256 characters");
    }
    client.information.check()?;
    if client.scope.is_empty() {
        return refuse("scope", "must have a value");
    }
    let has_streams = client.scope.iter().any(|scope| scope.is_of_streams());
    if (has_streams && client.audience.is_empty()) || client.audience.iter().any(String::is_empty) {
        return refuse("audience", "must have a value, and none that is empty");
    }
    if client.max_streams == 0 {
        return refuse("max_streams", "must be at least 1");
    }
    grant_type::check(&client.grant_types, &client.response_types, client.is_public())?;
    client.application.check(client.has_grant(GrantType::AuthorizationCode))?;
    check_authentication(client)
}

fn check_authentication(client: &Client) -> Result<(), Invalid> {
    let refuse = |member: &str, reason: &str| Err(Invalid::new(member, reason));
    let method = client.token_endpoint_auth_method;
    if (method == AuthMethod::PrivateKeyJwt) != client.keys.is_some() {
        return refuse(
            "token_endpoint_auth_method",
            "must be private_key_jwt with keys, and only then",
        );
    }
    if !method.has_secret() && client.client_secret_expires_at.is_some() {
        return refuse("client_secret_expires_at", "is of no use without a secret");
    }
    match &client.keys {
        Some(ClientKeys::JwksUri(url)) if url.scheme() != "https" => {
            refuse("jwks_uri", "must be an https URL")
        }
        Some(ClientKeys::Jwks(jwks)) => jwks.check().map_err(|error| error.within("jwks")),
        Some(ClientKeys::JwksUri(_)) | None => Ok(()),
    }
}
