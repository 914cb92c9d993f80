//! The attributes of codes, families of tokens and consents, for queries. Of secrets not even the
//! hashes are among them.

use crate::{
    model::{Attribute, Type},
    sign_in::{AuthorizationCode, Consent, Family},
};

impl AuthorizationCode {
    /// Its attributes; `authorization_code_id` names it.
    pub const ATTRIBUTES: [Attribute; 19] = [
        Attribute::one("authorization_code_id", Type::Text),
        Attribute::one("client", Type::Text),
        Attribute::one("subject", Type::Text),
        Attribute::one("registered", Type::Time),
        Attribute::one("revocations", Type::Number),
        Attribute::one("redirect_uri", Type::Text),
        Attribute::one("response_type", Type::Text),
        Attribute::list("scope", Type::Text),
        Attribute::one("nonce", Type::Text),
        Attribute::one("issue_date", Type::Time),
        Attribute::one("lifetime", Type::Number),
        Attribute::one("challenge", Type::Text),
        Attribute::one("challenge_method", Type::Text),
        Attribute::one("revoked_at", Type::Time),
        Attribute::one("sid", Type::Text),
        Attribute::one("auth_time", Type::Time),
        Attribute::list("amr", Type::Text),
        Attribute::one("acr", Type::Text),
        Attribute::one("last_modified", Type::Time),
    ];
}

impl Family {
    /// Its attributes; `family_id` names it.
    pub const ATTRIBUTES: [Attribute; 16] = [
        Attribute::one("family_id", Type::Text),
        Attribute::one("client", Type::Text),
        Attribute::one("subject", Type::Text),
        Attribute::one("registered", Type::Time),
        Attribute::one("revocations", Type::Number),
        Attribute::list("scope", Type::Text),
        Attribute::list("audience", Type::Text),
        Attribute::one("issue_date", Type::Time),
        Attribute::one("lifetime", Type::Number),
        Attribute::one("revoked_at", Type::Time),
        Attribute::one("revoked_because", Type::Text),
        Attribute::one("sid", Type::Text),
        Attribute::one("auth_time", Type::Time),
        Attribute::list("amr", Type::Text),
        Attribute::one("acr", Type::Text),
        Attribute::one("last_modified", Type::Time),
    ];
}

impl Consent {
    /// Its attributes; `consent_id` names it, and so does the pair of `client` and `subject`.
    pub const ATTRIBUTES: [Attribute; 10] = [
        Attribute::one("consent_id", Type::Text),
        Attribute::one("client", Type::Text),
        Attribute::one("subject", Type::Text),
        Attribute::list("scope", Type::Text),
        Attribute::one("issue_date", Type::Time),
        Attribute::one("revoked_at", Type::Time),
        Attribute::one("last_revoked", Type::Time),
        Attribute::one("revocations", Type::Number),
        Attribute::one("created", Type::Time),
        Attribute::one("last_modified", Type::Time),
    ];
}
