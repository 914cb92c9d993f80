//! What a function is told by its environment.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::Credentials;
use ssf::{
    config::{Config, Settings},
    delivery::{HttpsPushSettings, RootsError},
    json::{self, Invalid},
};

use crate::Clients;

/// The names of the variables, as `template.yaml` sets them, or Lambda itself.
pub mod variable {
    /// The region.
    pub const REGION: &str = "AWS_REGION";
    /// The name of the key with which the function signs its requests.
    pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
    /// That key.
    pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
    /// What shows that the key is of the function's role; may be left out.
    pub const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
    /// Who stands for all services of AWS, in tests; may be left out.
    pub const ENDPOINT: &str = "AWS_ENDPOINT_URL";
    /// The settings, as JSON; see [`ssf::config::Settings`].
    pub const SETTINGS: &str = "SETTINGS";
    /// The name of the table.
    pub const TABLE: &str = "TABLE_NAME";
    /// The URL of the standard door for events.
    pub const INGEST: &str = "INGEST_QUEUE_URL";
    /// The URL of the door for senders who need order.
    pub const INGEST_FIFO: &str = "INGEST_FIFO_QUEUE_URL";
    /// The URL of the queue of what cannot be an event.
    pub const DEAD_LETTERS: &str = "DEAD_LETTER_QUEUE_URL";
    /// The URL of the queue of bells.
    pub const PUSH: &str = "PUSH_QUEUE_URL";
    /// The ARN of the first key that signs SETs.
    pub const SIGNING_KEY: &str = "SIGNING_KEY_ARN";
    /// The ARN of the key that encrypts receivers' secrets.
    pub const SECRETS_KEY: &str = "SECRETS_KEY_ARN";
    /// Certificates (PEM) to trust at push endpoints besides the system's; may be left out.
    pub const PUSH_CA: &str = "PUSH_CA";
}

/// Where everything is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resources {
    /// The name of the table.
    pub table: String,
    /// The URL of the standard door for events.
    pub ingest: String,
    /// The URL of the door for senders who need order.
    pub ingest_fifo: String,
    /// The URL of the queue of what cannot be an event.
    pub dead_letters: String,
    /// The URL of the queue of bells.
    pub push: String,
    /// The ARN of the first key that signs SETs.
    pub signing_key: String,
    /// The ARN of the key that encrypts receivers' secrets.
    pub secrets_key: String,
}

/// What a function is told.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The settings.
    pub config: Config,
    /// Where everything is.
    pub resources: Resources,
    /// How to reach receivers.
    pub push: HttpsPushSettings,
    /// How to reach the services of AWS; see [`Clients::new`].
    pub aws: SdkConfig,
}

/// A variable that is not as it must be. The function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// It is not set, or empty.
    #[error("the variable {0} is not set")]
    Missing(&'static str),
    /// The settings cannot be used.
    #[error("the variable SETTINGS cannot be used")]
    Settings(#[from] Invalid),
    /// The certificates cannot be trusted.
    #[error("the variable PUSH_CA cannot be used")]
    PushCa(#[source] RootsError),
}

impl Environment {
    /// Reads the variables, each by its name.
    pub fn read(variables: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        let optional = |name| variables(name).filter(|value| !value.is_empty());
        let read = |name| optional(name).ok_or(EnvironmentError::Missing(name));
        let settings: Settings = json::read(read(variable::SETTINGS)?.as_bytes())?;
        let config = settings.config()?;
        let mut push =
            HttpsPushSettings { allow_private: config.allow_private_push, ..Default::default() };
        if let Some(pem) = optional(variable::PUSH_CA) {
            push = push.trust(unfold(&pem).as_bytes()).map_err(EnvironmentError::PushCa)?;
        }
        Ok(Self {
            config,
            resources: Resources {
                table: read(variable::TABLE)?,
                ingest: read(variable::INGEST)?,
                ingest_fifo: read(variable::INGEST_FIFO)?,
                dead_letters: read(variable::DEAD_LETTERS)?,
                push: read(variable::PUSH)?,
                signing_key: read(variable::SIGNING_KEY)?,
                secrets_key: read(variable::SECRETS_KEY)?,
            },
            push,
            aws: Clients::function(
                read(variable::REGION)?,
                Credentials::new(
                    read(variable::ACCESS_KEY_ID)?,
                    read(variable::SECRET_ACCESS_KEY)?,
                    optional(variable::SESSION_TOKEN),
                    None,
                    "environment",
                ),
                optional(variable::ENDPOINT),
            ),
        })
    }
}

/// PEM as it was before a form of one line, or a shell, made spaces or `\n` of its line breaks.
fn unfold(text: &str) -> String {
    let mut pem = String::new();
    for part in text.replace("\\n", "\n").split("-----") {
        let is_label = part.starts_with("BEGIN ") || part.starts_with("END ");
        if is_label {
            pem.extend(["-----", part, "-----\n"]);
        } else {
            for word in part.split_whitespace() {
                pem.extend([word, "\n"]);
            }
        }
    }
    pem
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ssf::error::chain;

    use super::*;

    fn complete(name: &str) -> String {
        let value = match name {
            variable::SETTINGS => {
                r#"{"issuer":"https://ssf.example","event_retention":"days=7","trusted_issuers":[]}"#
            }
            variable::PUSH_CA | variable::SESSION_TOKEN | variable::ENDPOINT => "",
            other => other,
        };
        value.to_owned()
    }

    #[test]
    fn a_complete_environment_is_read() {
        let environment = Environment::read(|name| Some(complete(name))).unwrap();
        assert_eq!(environment.config.issuer.as_str(), "https://ssf.example");
        assert_eq!(environment.config.event_retention, Duration::from_hours(7 * 24));
        assert_eq!(environment.resources.ingest_fifo, "INGEST_FIFO_QUEUE_URL");
        assert!(environment.push.extra_roots.is_empty() && !environment.push.allow_private);
    }

    #[test]
    fn certificates_are_read_however_their_lines_were_broken() {
        let pem = "-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----\n";
        for text in [pem.to_owned(), pem.replace('\n', " "), pem.replace('\n', "\\n")] {
            assert_eq!(unfold(&text), pem);
        }
        assert_eq!(unfold(&pem.repeat(2)), pem.repeat(2));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let without = |gone: &'static str| {
            let read = move |name: &str| (name != gone).then(|| complete(name));
            Environment::read(read).unwrap_err().to_string()
        };
        for name in [variable::SETTINGS, variable::TABLE, variable::SECRETS_KEY] {
            assert_eq!(without(name), format!("the variable {name} is not set"));
        }
        let error = |wrong: &'static str, text: &'static str| {
            let read = move |name: &str| {
                Some(if name == wrong { text.to_owned() } else { complete(name) })
            };
            chain(&Environment::read(read).unwrap_err())
        };
        for (variable, text, reason) in [
            (
                variable::SETTINGS,
                r#"{"issuer":"http://ssf.example"}"#,
                "issuer: must be an https URL",
            ),
            (
                variable::SETTINGS,
                r#"{"event_retention":"months=1"}"#,
                "event_retention: \"months=1\" is not like days=30; units are weeks, days, hours, \
                 minutes and seconds",
            ),
            (variable::PUSH_CA, "MIIB", "the text holds no certificate"),
        ] {
            let expected = format!("the variable {variable} cannot be used: {reason}");
            assert_eq!(error(variable, text), expected);
        }
    }
}
