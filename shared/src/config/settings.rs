//! The settings as text: a file of the data folder, a variable of the functions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    config::{
        AccessRule, Branding, Config, DirectoryConfig, Issuer, TrustedIssuer, access, span::Span,
    },
    event::EventType,
    json::Invalid,
    set::Algorithm,
    source::{Source, SourceSettings, Sources},
    stream::DefaultSubjects,
};

/// The settings of one transmitter, as JSON. A member that is left out has its default.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Settings {
    /// See [`Config::issuer`].
    pub issuer: String,
    /// See [`Config::default_subjects`].
    pub default_subjects: DefaultSubjects,
    /// See [`Config::event_retention`].
    pub event_retention: Span,
    /// See [`Config::min_verification_interval`].
    pub min_verification_interval: Span,
    /// See [`Config::inactivity_timeout`].
    pub inactivity_timeout: Option<Span>,
    /// See [`Config::removal_grace`].
    pub removal_grace: Span,
    /// See [`Config::allow_private_push`].
    pub allow_private_push: bool,
    /// See [`Config::algorithm`].
    pub algorithm: Algorithm,
    /// See [`Config::private_event_types`].
    pub private_event_types: BTreeSet<EventType>,
    /// See [`Config::trusted_issuers`].
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// See [`Config::requests_per_second`].
    pub requests_per_second: u32,
    /// See [`Config::audit_retention`].
    pub audit_retention: Span,
    /// See [`Config::directory`].
    pub directory: DirectoryConfig,
    /// See [`Config::branding`].
    pub branding: Branding,
    /// The sources whose envelopes are understood; see [`Config::sources`].
    pub sources: BTreeSet<Source>,
    /// What is to be said of each of them.
    pub source_settings: BTreeMap<Source, SourceSettings>,
    /// See [`Config::access_rules`]; `null`: the [defaults](AccessRule::defaults).
    pub access_rules: Option<Vec<AccessRule>>,
}

impl Default for Settings {
    fn default() -> Self {
        // Where nobody has served yet there is no stream that could be told who we are.
        let issuer = Issuer::parse("https://localhost").expect("this is an issuer");
        let config = Config::new(issuer);
        Self {
            issuer: config.issuer.as_str().to_owned(),
            default_subjects: config.default_subjects,
            event_retention: Span(config.event_retention),
            min_verification_interval: Span(config.min_verification_interval),
            inactivity_timeout: config.inactivity_timeout.map(Span),
            removal_grace: Span(config.removal_grace),
            allow_private_push: config.allow_private_push,
            algorithm: config.algorithm,
            private_event_types: config.private_event_types,
            trusted_issuers: config.trusted_issuers,
            requests_per_second: config.requests_per_second,
            audit_retention: Span(config.audit_retention),
            directory: config.directory,
            branding: config.branding,
            sources: BTreeSet::new(),
            source_settings: BTreeMap::new(),
            access_rules: None,
        }
    }
}

impl Settings {
    /// What the transmitter makes of them.
    pub fn config(&self) -> Result<Config, Invalid> {
        let issuer = Issuer::parse(&self.issuer)?;
        let access_rules = self.access_rules.clone().unwrap_or_else(AccessRule::defaults);
        access::check(&access_rules)?;
        Ok(Config {
            default_subjects: self.default_subjects,
            event_retention: self.event_retention.0,
            min_verification_interval: self.min_verification_interval.0,
            inactivity_timeout: self.inactivity_timeout.map(|span| span.0),
            removal_grace: self.removal_grace.0,
            allow_private_push: self.allow_private_push,
            algorithm: self.algorithm,
            private_event_types: self.private_event_types.clone(),
            trusted_issuers: self.trusted_issuers.clone(),
            requests_per_second: self.requests_per_second,
            audit_retention: self.audit_retention.0,
            directory: self.directory,
            branding: self.branding.clone(),
            sources: Sources::new(&self.sources, &self.source_settings)?,
            access_rules,
            ..Config::new(issuer)
        })
    }
}
