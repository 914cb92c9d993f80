//! The three documents that say what we are. None has a member whose value would be empty
//! ([SSF 1.0, 7.2.3], RFC 8414, 3.2, RFC 9728, 3.2).

use serde::Serialize;
use ssf::{
    client::{ALGORITHM_NAMES, AuthMethod, GrantType, Scope},
    config::Config,
    directory::UserInfo,
    set::Algorithm,
    sign_in::{Assurance, Prompt},
    stream::DefaultSubjects,
    web::paths,
};

/// Transmitter Configuration Metadata ([SSF 1.0, 7.1], IOP 2.3).
#[derive(Debug, Serialize)]
pub(crate) struct TransmitterMetadata {
    spec_version: &'static str,
    issuer: String,
    jwks_uri: String,
    delivery_methods_supported: [&'static str; 4],
    configuration_endpoint: String,
    status_endpoint: String,
    add_subject_endpoint: String,
    remove_subject_endpoint: String,
    verification_endpoint: String,
    authorization_schemes: [AuthorizationScheme; 2],
    default_subjects: DefaultSubjects,
}

#[derive(Debug, Serialize)]
struct AuthorizationScheme {
    spec_urn: &'static str,
}

impl TransmitterMetadata {
    pub(crate) fn of(config: &Config) -> Self {
        let issuer = &config.issuer;
        Self {
            spec_version: "1_0",
            issuer: issuer.as_str().to_owned(),
            jwks_uri: issuer.join(paths::JWKS),
            delivery_methods_supported: DELIVERY_METHODS,
            configuration_endpoint: issuer.join(paths::STREAMS),
            status_endpoint: issuer.join(paths::STATUS),
            add_subject_endpoint: issuer.join(paths::ADD_SUBJECT),
            remove_subject_endpoint: issuer.join(paths::REMOVE_SUBJECT),
            verification_endpoint: issuer.join(paths::VERIFICATION),
            // An access token from an authorization server, or a static one from the operator.
            authorization_schemes: ["urn:ietf:rfc:6749", "urn:ietf:rfc:6750"]
                .map(|spec_urn| AuthorizationScheme { spec_urn }),
            default_subjects: config.default_subjects,
        }
    }
}

/// Push (RFC 8935) and poll (RFC 8936), and the names that RISC gave them before.
const DELIVERY_METHODS: [&str; 4] = [
    "urn:ietf:rfc:8935",
    "urn:ietf:rfc:8936",
    "https://schemas.openid.net/secevent/risc/delivery-method/push",
    "https://schemas.openid.net/secevent/risc/delivery-method/poll",
];

/// Authorization Server Metadata (RFC 8414, 2), and that of an `OpenID` provider (OpenID Connect
/// Discovery 1.0, 3): the same document at two places.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the standards have them")]
pub(crate) struct AuthorizationServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    end_session_endpoint: String,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    jwks_uri: String,
    scopes_supported: [&'static str; 13],
    claims_supported: Vec<&'static str>,
    claim_types_supported: [&'static str; 1],
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 3],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    code_challenge_methods_supported: [&'static str; 1],
    prompt_values_supported: [&'static str; 4],
    acr_values_supported: [&'static str; 2],
    authorization_response_iss_parameter_supported: bool,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    token_endpoint_auth_methods_supported: [&'static str; 4],
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 5],
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: [&'static str; 4],
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 5],
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 5],
}

impl AuthorizationServerMetadata {
    /// `algorithms` are those by which ID tokens are signed.
    pub(crate) fn of(config: &Config, algorithms: &[Algorithm]) -> Self {
        let issuer = &config.issuer;
        Self {
            issuer: issuer.as_str().to_owned(),
            authorization_endpoint: issuer.join(paths::AUTHORIZE),
            token_endpoint: issuer.join(paths::TOKEN),
            userinfo_endpoint: issuer.join(paths::USERINFO),
            end_session_endpoint: issuer.join(paths::END_SESSION),
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            jwks_uri: issuer.join(paths::JWKS),
            scopes_supported: Scope::ALL.map(Scope::name),
            claims_supported: OF_ID_TOKENS.into_iter().chain(UserInfo::claims()).collect(),
            claim_types_supported: ["normal"],
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            grant_types_supported: GrantType::ALL.map(GrantType::name),
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: algorithms
                .iter()
                .map(|algorithm| algorithm.name())
                .collect(),
            code_challenge_methods_supported: ["S256"],
            prompt_values_supported: Prompt::ALL.map(Prompt::name),
            acr_values_supported: Assurance::ALL.map(Assurance::name),
            authorization_response_iss_parameter_supported: true,
            claims_parameter_supported: false,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            token_endpoint_auth_methods_supported: with_none(),
            token_endpoint_auth_signing_alg_values_supported: ALGORITHM_NAMES,
            revocation_endpoint: issuer.join(paths::REVOKE),
            revocation_endpoint_auth_methods_supported: with_none(),
            revocation_endpoint_auth_signing_alg_values_supported: ALGORITHM_NAMES,
            introspection_endpoint: issuer.join(paths::INTROSPECT),
            introspection_endpoint_auth_methods_supported: AuthMethod::NAMES,
            introspection_endpoint_auth_signing_alg_values_supported: ALGORITHM_NAMES,
        }
    }
}

/// How a client may authenticate, where one that is public need not.
fn with_none() -> [&'static str; 4] {
    let [basic, post, jwt] = AuthMethod::NAMES;
    [basic, post, jwt, AuthMethod::None.name()]
}

/// The claims of ID tokens.
const OF_ID_TOKENS: [&str; 11] =
    ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"];

/// Protected Resource Metadata (RFC 9728, 2) of the management API and the poll endpoints.
#[derive(Debug, Serialize)]
pub(crate) struct ProtectedResourceMetadata {
    resource: String,
    authorization_servers: Vec<String>,
    scopes_supported: [&'static str; 5],
    bearer_methods_supported: [&'static str; 1],
}

impl ProtectedResourceMetadata {
    pub(crate) fn of(config: &Config) -> Self {
        let outside = config.trusted_issuers.iter().map(|trusted| trusted.issuer.clone());
        let ours = config.issuer.as_str().to_owned();
        Self {
            resource: ours.clone(),
            authorization_servers: std::iter::once(ours).chain(outside).collect(),
            scopes_supported: Scope::OF_CLIENTS.map(Scope::name),
            bearer_methods_supported: ["header"],
        }
    }
}
