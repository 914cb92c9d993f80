//! What a stream delivers about subjects that were never named.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `default_subjects` of [SSF 1.0, 7.1].
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DefaultSubjects {
    /// Everybody's events, but for the subjects that were removed.
    #[default]
    All,
    /// Nobody's events, but for the subjects that were added.
    None,
}

impl FromStr for DefaultSubjects {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ALL" => Ok(Self::All),
            "NONE" => Ok(Self::None),
            _ => Err("must be ALL or NONE"),
        }
    }
}
