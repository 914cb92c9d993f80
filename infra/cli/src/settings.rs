//! The settings that `serve` was started with, as the operator's commands find them.

use std::{collections::BTreeSet, fs, io::Write, path::Path, time::Duration};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use ssf::{
    config::{Config, Issuer, TrustedIssuer},
    event::EventType,
    set::Algorithm,
    stream::DefaultSubjects,
};
use tempfile::NamedTempFile;

/// The name of the file in the data folder.
const FILE: &str = "settings.json";

/// The settings of the transmitter in one data folder.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Settings {
    /// See [`Config::issuer`].
    pub issuer: String,
    /// See [`Config::default_subjects`].
    pub default_subjects: DefaultSubjects,
    /// See [`Config::event_retention`]; in seconds, as all durations.
    pub event_retention: u64,
    /// See [`Config::min_verification_interval`].
    pub min_verification_interval: u64,
    /// See [`Config::inactivity_timeout`].
    pub inactivity_timeout: Option<u64>,
    /// See [`Config::removal_grace`].
    pub removal_grace: u64,
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
}

impl Default for Settings {
    fn default() -> Self {
        // Where nobody has served yet there is no stream that could be told who we are.
        let issuer = Issuer::parse("https://localhost").expect("this is an issuer");
        let config = Config::new(issuer);
        Self {
            issuer: config.issuer.as_str().to_owned(),
            default_subjects: config.default_subjects,
            event_retention: config.event_retention.as_secs(),
            min_verification_interval: config.min_verification_interval.as_secs(),
            inactivity_timeout: config.inactivity_timeout.map(|timeout| timeout.as_secs()),
            removal_grace: config.removal_grace.as_secs(),
            allow_private_push: config.allow_private_push,
            algorithm: config.algorithm,
            private_event_types: config.private_event_types,
            trusted_issuers: config.trusted_issuers,
            requests_per_second: config.requests_per_second,
        }
    }
}

impl Settings {
    /// Those in `folder`; `None` when nobody has served there.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let settings = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged; start `serve` again", path.display()))?;
        Ok(Some(settings))
    }

    /// Writes them to `folder`, all at once: others may be reading.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(FILE);
        let write = || {
            let mut file = NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.persist(&path)?;
            anyhow::Ok(())
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// What the transmitter makes of them.
    pub fn config(&self) -> anyhow::Result<Config> {
        let issuer = Issuer::parse(&self.issuer)
            .with_context(|| format!("{:?} cannot be an issuer", self.issuer))?;
        Ok(Config {
            default_subjects: self.default_subjects,
            event_retention: Duration::from_secs(self.event_retention),
            min_verification_interval: Duration::from_secs(self.min_verification_interval),
            inactivity_timeout: self.inactivity_timeout.map(Duration::from_secs),
            removal_grace: Duration::from_secs(self.removal_grace),
            allow_private_push: self.allow_private_push,
            algorithm: self.algorithm,
            private_event_types: self.private_event_types.clone(),
            trusted_issuers: self.trusted_issuers.clone(),
            requests_per_second: self.requests_per_second,
            ..Config::new(issuer)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serve_was_started_with_is_what_the_others_find() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Settings::read(folder.path()).unwrap(), None);
        let settings = Settings {
            issuer: "https://ssf.example/t/1".to_owned(),
            default_subjects: DefaultSubjects::None,
            event_retention: 60,
            min_verification_interval: 0,
            inactivity_timeout: Some(3600),
            removal_grace: 5,
            allow_private_push: true,
            algorithm: Algorithm::ES256,
            private_event_types: [EventType::new("https://a.example/left")].into(),
            trusted_issuers: vec![TrustedIssuer {
                issuer: "https://idp.example".to_owned(),
                audience: "tocsin".to_owned(),
                jwks_url: "https://idp.example/jwks".parse().unwrap(),
                client_claim: "azp".to_owned(),
            }],
            requests_per_second: 7,
        };
        settings.write(folder.path()).unwrap();
        settings.write(folder.path()).unwrap();
        let read = Settings::read(folder.path()).unwrap().unwrap();
        assert_eq!(read, settings);
        let config = read.config().unwrap();
        assert_eq!(config.issuer.as_str(), "https://ssf.example/t/1");
        assert_eq!(config.event_retention, Duration::from_mins(1));
        assert_eq!(config.inactivity_timeout, Some(Duration::from_hours(1)));
        assert_eq!(config.trusted_issuers, settings.trusted_issuers);
    }

    #[test]
    fn a_setting_that_an_older_program_did_not_know_has_its_default() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), r#"{"issuer":"https://ssf.example"}"#).unwrap();
        let settings = Settings::read(folder.path()).unwrap().unwrap();
        let wanted = Settings { issuer: "https://ssf.example".to_owned(), ..Settings::default() };
        assert_eq!(settings, wanted);
        fs::write(folder.path().join(FILE), "{").unwrap();
        let error = Settings::read(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("settings.json is damaged; start `serve` again"), "{error}");
    }
}
