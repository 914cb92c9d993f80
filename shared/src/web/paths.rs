//! Where everything is, below the issuer.

/// The Transmitter Configuration Metadata ([SSF 1.0, 7.2]).
pub const SSF_CONFIGURATION: &str = "/.well-known/ssf-configuration";
/// The same document, where receivers look for it that were built when the framework was called
/// Shared Signals and Events (draft 01, 6.2).
pub const SSE_CONFIGURATION: &str = "/.well-known/sse-configuration";
/// The metadata of the authorization server (RFC 8414).
pub const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
/// The same document, where OpenID Connect looks for it (OpenID Connect Discovery 1.0, 4).
pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
/// The metadata of the management API as a protected resource (RFC 9728).
pub const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";
/// The public keys.
pub const JWKS: &str = "/jwks.json";

/// `configuration_endpoint`: streams ([SSF 1.0, 8.1.1]).
pub const STREAMS: &str = "/ssf/streams";
/// `status_endpoint` ([SSF 1.0, 8.1.2]).
pub const STATUS: &str = "/ssf/status";
/// `add_subject_endpoint` ([SSF 1.0, 8.1.3.2]).
pub const ADD_SUBJECT: &str = "/ssf/subjects/add";
/// `remove_subject_endpoint` ([SSF 1.0, 8.1.3.3]).
pub const REMOVE_SUBJECT: &str = "/ssf/subjects/remove";
/// `verification_endpoint` ([SSF 1.0, 8.1.4.2]).
pub const VERIFICATION: &str = "/ssf/verification";
/// The route of every stream's own poll endpoint (RFC 8936).
pub const POLL: &str = "/ssf/poll/{stream_id}";

/// The token endpoint (RFC 6749, 3.2).
pub const TOKEN: &str = "/oauth/token";
/// The revocation endpoint (RFC 7009).
pub const REVOKE: &str = "/oauth/revoke";
/// The introspection endpoint (RFC 7662).
pub const INTROSPECT: &str = "/oauth/introspect";

/// The `UserInfo` endpoint (OpenID Connect Core 1.0, 5.3).
pub const USERINFO: &str = "/oauth/userinfo";
/// The authorization endpoint (RFC 6749, 3.1).
pub const AUTHORIZE: &str = "/oauth/authorize";
/// Where applications send people to sign out (OpenID Connect RP-Initiated Logout 1.0, 2).
pub const END_SESSION: &str = "/oauth/end_session";
/// Where people say what an application may have.
pub const CONSENT: &str = "/consent";
/// Where people sign in.
pub const SIGN_IN: &str = "/sign-in";
/// Where they give the code of their second factor.
pub const SIGN_IN_CODE: &str = "/sign-in/code";
/// Where people sign out.
pub const SIGN_OUT: &str = "/sign-out";
/// Where they are then.
pub const SIGNED_OUT: &str = "/signed-out";
/// What people see of their own account.
pub const ACCOUNT: &str = "/account";
/// Where they take back what an application may have.
pub const ACCOUNT_REVOKE: &str = "/account/revoke";
/// Where they end their sessions.
pub const ACCOUNT_END: &str = "/account/end";
/// Where they change their password.
pub const ACCOUNT_PASSWORD: &str = "/account/password";
/// Where they add an authenticator app.
pub const ACCOUNT_AUTHENTICATOR: &str = "/account/authenticator";
/// Where they remove it, or have other recovery codes made.
pub const ACCOUNT_SECOND_FACTOR: &str = "/account/second-factor";
/// The icon of the pages.
pub const ICON: &str = "/assets/icon.svg";
/// The stylesheet of the pages.
pub const STYLE: &str = "/assets/style.css";

/// SCIM 2.0 (RFC 7644, 3.2): what all of its paths begin with.
pub const SCIM: &str = "/scim/v2";
/// What is at those paths, for the function that knows them.
pub const BELOW_SCIM: &str = "/scim/v2/{*below}";

/// The poll endpoint of one stream.
pub fn poll(stream_id: &crate::stream::StreamId) -> String {
    POLL.replace("{stream_id}", stream_id.as_str())
}
