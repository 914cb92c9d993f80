//! Who changes something, and how.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::client::ClientId;

/// Who changes something.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A provisioning client, over SCIM.
    Client(ClientId),
    /// The operator, by a command.
    Operator,
    /// The person.
    Person,
    /// The time: a date that was set has come.
    Clock,
    /// The directory itself, which found something out.
    System,
}

impl Actor {
    /// CAEP's name for it ([CAEP 1.0, 2]: `initiating_entity`).
    pub(crate) fn initiating_entity(&self) -> &'static str {
        match self {
            Self::Client(_) | Self::Operator => "admin",
            Self::Person => "user",
            Self::Clock => "policy",
            Self::System => "system",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(id) => write!(f, "client {id}"),
            Self::Operator => f.write_str("operator"),
            Self::Person => f.write_str("person"),
            Self::Clock => f.write_str("clock"),
            Self::System => f.write_str("directory"),
        }
    }
}

/// Why something changes: what all changes of one request share.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Who changes it.
    pub actor: Actor,
    /// The name of the request, shared by all of its events (RFC 8417, 2.2: `txn`).
    pub txn: String,
    /// When.
    pub at: Timestamp,
    /// A resource is given whole (SCIM's PUT); else only what changes (SCIM's PATCH, and all that
    /// works like it).
    pub replaces: bool,
}
