//! Who the streams of a client hear of before anybody was named.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::stream::DefaultSubjects;

/// Whom the new streams of a client deliver events about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ClientSubjects {
    /// Everybody, but for those whom the receiver removes.
    All,
    /// Nobody, but for those whom the receiver adds.
    None,
    /// Nobody, but for the people who gave the client their consent. Its streams start as with
    /// [`Self::None`]; consent adds a person, and its end takes the person away.
    Consent,
}

impl ClientSubjects {
    /// What such streams start with, in the words of [SSF 1.0, 7.1].
    pub fn default_subjects(self) -> DefaultSubjects {
        match self {
            Self::All => DefaultSubjects::All,
            Self::None | Self::Consent => DefaultSubjects::None,
        }
    }
}

impl From<DefaultSubjects> for ClientSubjects {
    fn from(default_subjects: DefaultSubjects) -> Self {
        match default_subjects {
            DefaultSubjects::All => Self::All,
            DefaultSubjects::None => Self::None,
        }
    }
}

impl FromStr for ClientSubjects {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "all" => Ok(Self::All),
            "none" => Ok(Self::None),
            "consent" => Ok(Self::Consent),
            _ => Err("must be all, none or consent"),
        }
    }
}
