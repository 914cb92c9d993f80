//! The attributes of clients and of their tokens, for queries.

use crate::{
    client::{Client, Token},
    model::{Attribute, Type},
};

impl Client {
    /// Its attributes; `client_id` names it, to machines and in addresses.
    pub const ATTRIBUTES: [Attribute; 35] = [
        Attribute::one("client_id", Type::Text),
        Attribute::one("client_name", Type::Text),
        Attribute::one("description", Type::Text),
        Attribute::one("client_uri", Type::Text),
        Attribute::one("logo_uri", Type::Text),
        Attribute::list("contacts", Type::Text),
        Attribute::one("tos_uri", Type::Text),
        Attribute::one("policy_uri", Type::Text),
        Attribute::one("software_id", Type::Text),
        Attribute::one("software_version", Type::Text),
        Attribute::one("token_endpoint_auth_method", Type::Text),
        Attribute::one("client_secret_expires_at", Type::Time),
        Attribute::one("jwks", Type::Object),
        Attribute::one("jwks_uri", Type::Text),
        Attribute::list("grant_types", Type::Text),
        Attribute::list("response_types", Type::Text),
        Attribute::list("redirect_uris", Type::Text),
        Attribute::list("post_logout_redirect_uris", Type::Text),
        Attribute::one("backchannel_logout_uri", Type::Text),
        Attribute::one("backchannel_logout_session_required", Type::Boolean),
        Attribute::list("token_audience", Type::Text),
        Attribute::one("preconsent", Type::Boolean),
        Attribute::one("pkce_optional", Type::Boolean),
        Attribute::list("scope", Type::Text),
        Attribute::list("audience", Type::Text),
        Attribute::one("default_subjects", Type::Text),
        Attribute::one("profile", Type::Text),
        Attribute::one("subject_in_event", Type::Boolean),
        Attribute::one("max_streams", Type::Number),
        Attribute::one("may_create", Type::Boolean),
        Attribute::one("verify_certificates", Type::Boolean),
        Attribute::one("scim", Type::Object),
        Attribute::one("disabled", Type::Boolean),
        Attribute::one("created", Type::Time),
        Attribute::one("last_modified", Type::Time),
    ];
}

impl Token {
    /// Its attributes; `token_id` names it.
    pub const ATTRIBUTES: [Attribute; 8] = [
        Attribute::one("token_id", Type::Text),
        Attribute::one("type", Type::Text),
        Attribute::list("scope", Type::Text),
        Attribute::one("issue_date", Type::Time),
        Attribute::one("lifetime", Type::Number),
        Attribute::one("revoked_at", Type::Time),
        Attribute::one("last_used", Type::Time),
        Attribute::one("last_modified", Type::Time),
    ];
}
