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
