//! What an operator decides.

pub mod access;
mod settings;
pub mod span;

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

use crate::{
    event::EventType, json::Invalid, set::Algorithm, source::Sources, stream::DefaultSubjects,
};

pub use access::AccessRule;
pub use settings::Settings;

/// The settings of one transmitter; read once, at start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who we are: the `iss` of every SET, character for character.
    pub issuer: Issuer,
    /// What a client that has no wish of its own gets.
    pub default_subjects: DefaultSubjects,
    /// How long the record of a settled event is kept.
    pub event_retention: Duration,
    /// How often a receiver may ask for verification.
    pub min_verification_interval: Duration,
    /// After how long without a sign of the receiver a stream is paused; `None`: never.
    pub inactivity_timeout: Option<Duration>,
    /// How long a removed subject's events go on ([SSF 1.0, 9.3]).
    pub removal_grace: Duration,
    /// Push endpoints on loopback and private addresses are taken.
    pub allow_private_push: bool,
    /// How new keys sign.
    pub algorithm: Algorithm,
    /// Types outside the standards that upstream systems may send.
    pub private_event_types: BTreeSet<EventType>,
    /// Other issuers whose access tokens are taken.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// Requests per second that one client may make, on average; bursts of twice as many.
    pub requests_per_second: u32,
    /// Lanes per push stream, 1 to 64.
    pub lanes: u8,
    /// How long a long poll waits at most.
    pub poll_wait: Duration,
    /// How many SETs one poll answers at most.
    pub poll_sets: usize,
    /// How long it is kept who changed what in the directory.
    pub audit_retention: Duration,
    /// What is told of people.
    pub directory: DirectoryConfig,
    /// What people may do for themselves.
    pub access_rules: Vec<AccessRule>,
    /// Whose pages people see.
    pub branding: Branding,
    /// Whose envelopes are understood, and how.
    pub sources: Sources,
    /// How often a process writes down, at most, what came from sources.
    pub source_tally: Duration,
}

/// Whose pages people see when they sign in.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Branding {
    /// The operator's name; the host of the issuer if absent.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some_text")]
    pub name: Option<String>,
    /// The operator's logo, a square picture that is served over https.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some_url")]
    pub logo: Option<Url>,
}

/// A text; an empty one is none, as templates write it.
fn some_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

fn some_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let Some(text) = some_text(deserializer)? else { return Ok(None) };
    let url = Url::parse(&text).ok().filter(|url| url.scheme() == "https" && url.has_host());
    url.map(Some).ok_or_else(|| serde::de::Error::custom("must be an https URL"))
}

/// What the directory tells of people, where the standards leave it open.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DirectoryConfig {
    /// A new password ends the sessions (CAEP `session-revoked`).
    pub end_sessions_on_password_change: bool,
    /// Who joins or leaves a group is told to have other `groups` (CAEP `token-claims-change`).
    pub group_claims: bool,
}

impl Default for DirectoryConfig {
    fn default() -> Self {
        Self { end_sessions_on_password_change: true, group_claims: true }
    }
}

impl Config {
    /// The defaults, for `issuer`.
    pub fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            default_subjects: DefaultSubjects::All,
            event_retention: Duration::from_hours(30 * 24),
            min_verification_interval: Duration::from_secs(30),
            inactivity_timeout: None,
            removal_grace: Duration::ZERO,
            allow_private_push: false,
            algorithm: Algorithm::RS256,
            private_event_types: BTreeSet::new(),
            trusted_issuers: Vec::new(),
            requests_per_second: 50,
            lanes: 8,
            poll_wait: Duration::from_secs(25),
            poll_sets: 100,
            audit_retention: Duration::from_hours(400 * 24),
            directory: DirectoryConfig::default(),
            branding: Branding::default(),
            sources: Sources::default(),
            source_tally: Duration::from_mins(1),
            access_rules: AccessRule::defaults(),
        }
    }
}

/// The URL that names the transmitter ([SSF 1.0, 7.1]: https, no query, no fragment).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Issuer(String);

impl Issuer {
    /// `text`, if it can be an issuer.
    pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        let refuse = |reason: &str| Err(Invalid::new("issuer", reason));
        let Ok(url) = Url::parse(&text) else { return refuse("is not a URL") };
        if url.scheme() != "https" {
            return refuse("must be an https URL");
        }
        if url.host_str().is_none_or(str::is_empty) {
            return refuse("names no host");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("must have neither a query nor a fragment");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("must not hold credentials");
        }
        Ok(Self(text))
    }

    /// The text, as configured.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host.
    pub fn host(&self) -> &str {
        let rest = self.0.get("https://".len()..).unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            Some(_) | None => authority,
        }
    }

    /// The path, without a terminating `/`; empty when there is none.
    pub fn path(&self) -> &str {
        let rest = self.0.get("https://".len()..).unwrap_or_default();
        rest.find('/').map_or("", |at| rest[at..].trim_end_matches('/'))
    }

    /// The URL of something of ours: the issuer, without a terminating `/`, then `path`.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0.trim_end_matches('/'))
    }
}

/// An outside authorization server whose access tokens are taken besides our own.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuer {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// One of the `aud` of its tokens.
    pub audience: String,
    /// Where its keys are.
    pub jwks_url: Url,
    /// The claim that names the client, `client_id` by default; its value is the id of one of our
    /// clients.
    #[serde(default = "client_id")]
    pub client_claim: String,
}

fn client_id() -> String {
    "client_id".to_owned()
}
