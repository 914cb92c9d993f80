//! What AWS and identity providers already tell, as event messages.
//!
//! A message on a queue is an event message of ours, or an envelope: what a service put on
//! EventBridge, SNS or a log about something that happened. [`open()`] takes envelopes off. One
//! around an event message is only a wrapper; one of a [`Source`] is read by the module of that
//! source, as a pure function of the envelope and of the operator's [`SourceSettings`]. It becomes
//! one event, several with one `txn`, or none: what says nothing of a person's state, or nothing that
//! can be told, is dropped, for a [`Reason`]. What should be understood and cannot be is invalid.
//!
//! A mapping is a table of rows, each with the document that it follows. No row guesses: where an
//! envelope does not say whom it is about, nobody is told of.

mod auth0;
mod cloud_trail;
mod cognito;
mod cognito_risk;
mod entra;
mod envelope;
mod guard_duty;
mod identity_center;
mod keycloak;
mod okta;
mod read;
mod route;
mod settings;
mod tally;
mod tell;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use envelope::{Opened, open};
pub use settings::{SourceSettings, Sources};
pub(crate) use tally::Tally;
pub use tally::{SourceCount, SourceState};
pub use tell::Reason;

/// Who tells what happened.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Auth0's logs, by its partner event source.
    Auth0,
    /// What is asked of Amazon Cognito user pools, by CloudTrail.
    Cognito,
    /// The log of threat protection of Amazon Cognito user pools.
    CognitoRisk,
    /// The risk and audit logs of Microsoft Entra ID, as its diagnostic settings emit them.
    Entra,
    /// The findings of Amazon GuardDuty about people.
    #[serde(rename = "guardduty")]
    GuardDuty,
    /// What is asked of the directory of AWS IAM Identity Center, by CloudTrail.
    IdentityCenter,
    /// The user and admin events of Keycloak.
    Keycloak,
    /// Okta's System Log, by its partner event source.
    Okta,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Auth0,
        Self::Cognito,
        Self::CognitoRisk,
        Self::Entra,
        Self::GuardDuty,
        Self::IdentityCenter,
        Self::Keycloak,
        Self::Okta,
    ];

    /// Its name in settings, figures and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth0 => "auth0",
            Self::Cognito => "cognito",
            Self::CognitoRisk => "cognito-risk",
            Self::Entra => "entra",
            Self::GuardDuty => "guardduty",
            Self::IdentityCenter => "identity-center",
            Self::Keycloak => "keycloak",
            Self::Okta => "okta",
        }
    }

    /// Its name in the reasons that receivers get.
    pub fn title(self) -> &'static str {
        match self {
            Self::Auth0 => "Auth0",
            Self::Cognito => "Amazon Cognito",
            Self::CognitoRisk => "Amazon Cognito threat protection",
            Self::Entra => "Microsoft Entra ID",
            Self::GuardDuty => "Amazon GuardDuty",
            Self::IdentityCenter => "AWS IAM Identity Center",
            Self::Keycloak => "Keycloak",
            Self::Okta => "Okta",
        }
    }
}

impl Source {
    /// The names of the events of this source of which something is told, or may be; empty where what
    /// is told does not depend on a name. So a rule of EventBridge need let through no others.
    pub fn event_names(self) -> Vec<&'static str> {
        let names = |rows: &[tell::Row]| rows.iter().map(|row| row.name).collect::<Vec<_>>();
        match self {
            Self::Auth0 => names(&auth0::ROWS).into_iter().chain(auth0::OTHERS).collect(),
            Self::Cognito => names(&cognito::ROWS),
            Self::Entra => names(&entra::AUDITS),
            Self::IdentityCenter => names(&identity_center::ROWS),
            Self::Okta => okta::names().collect(),
            Self::CognitoRisk | Self::GuardDuty | Self::Keycloak => Vec::new(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|source| source.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|source| source.name()).collect();
            format!("is none of {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests;
