//! A group of people.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ResourceId;
use crate::client::ClientId;

/// A group, as the table keeps one; its members have rows of their own.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Group {
    /// Given once, never used again.
    pub id: ResourceId,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed; members are part of it.
    pub last_modified: Timestamp,
    /// Its name, unique without regard to case.
    pub display_name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many members it has.
    pub member_count: u64,
    /// Grows with each change of the group or its members (RFC 7644, 3.14: its version).
    pub revision: u64,
    /// Grows with all that is told of the group, so that it is told in order.
    pub(crate) sequence: u64,
    /// The change of many members that is still being worked off: its sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) journal: Option<u64>,
    /// What each provisioning client calls it (RFC 7643, 3.1: `externalId`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) external_ids: BTreeMap<ClientId, String>,
}

impl Group {
    /// Whether all rows of its members are there: no change of many is being worked off.
    pub fn is_settled(&self) -> bool {
        self.journal.is_none()
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("id", &self.id)
            .field("member_count", &self.member_count)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
