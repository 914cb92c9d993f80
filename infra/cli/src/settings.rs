//! The settings that `serve` was started with, as the operator's commands find them.

use std::{fs, io::Write, path::Path};

use anyhow::Context;
use ssf::config::Settings;
use tempfile::NamedTempFile;

/// The name of the file in the data folder.
const FILE: &str = "settings.json";

/// Those in `folder`; `None` when nobody has served there.
pub fn read(folder: &Path) -> anyhow::Result<Option<Settings>> {
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

/// Writes `settings` to `folder`, all at once: others may be reading.
pub fn write(settings: &Settings, folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(FILE);
    let write = || {
        let mut file = NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, settings)?;
        file.write_all(b"\n")?;
        file.persist(&path)?;
        anyhow::Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ssf::{
        config::{AccessRule, Branding, DirectoryConfig, TrustedIssuer, span::Span},
        event::EventType,
        set::Algorithm,
        source::{Source, SourceSettings},
        stream::DefaultSubjects,
    };

    use super::*;

    #[test]
    fn what_serve_was_started_with_is_what_the_others_find() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        let settings = Settings {
            issuer: "https://ssf.example/t/1".to_owned(),
            default_subjects: DefaultSubjects::None,
            event_retention: Span(Duration::from_mins(1)),
            min_verification_interval: Span(Duration::ZERO),
            inactivity_timeout: Some(Span(Duration::from_hours(1))),
            removal_grace: Span(Duration::from_secs(5)),
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
            audit_retention: Span(Duration::from_hours(24)),
            directory: DirectoryConfig {
                end_sessions_on_password_change: false,
                group_claims: false,
            },
            branding: Branding {
                name: Some("Example".to_owned()),
                logo: Some("https://ssf.example/logo.svg".parse().unwrap()),
            },
            sources: [Source::Okta].into(),
            source_settings: [(Source::Okta, SourceSettings::default())].into(),
            access_rules: Some(AccessRule::defaults()),
        };
        write(&settings, folder.path()).unwrap();
        write(&settings, folder.path()).unwrap();
        let found = read(folder.path()).unwrap().unwrap();
        assert_eq!(found, settings);
        let config = found.config().unwrap();
        assert_eq!(config.issuer.as_str(), "https://ssf.example/t/1");
        assert_eq!(config.event_retention, Duration::from_mins(1));
        assert_eq!(config.inactivity_timeout, Some(Duration::from_hours(1)));
        assert_eq!(config.trusted_issuers, settings.trusted_issuers);
    }

    #[test]
    fn a_setting_that_an_older_program_did_not_know_has_its_default() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), r#"{"issuer":"https://ssf.example"}"#).unwrap();
        let settings = read(folder.path()).unwrap().unwrap();
        let wanted = Settings { issuer: "https://ssf.example".to_owned(), ..Settings::default() };
        assert_eq!(settings, wanted);
        fs::write(folder.path().join(FILE), "{").unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("settings.json is damaged; start `serve` again"), "{error}");
    }
}
