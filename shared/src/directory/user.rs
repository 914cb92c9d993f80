//! A person.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::{PasswordHash, ResourceId, SecondFactor, UserAttributes};
use crate::{client::ClientId, model::is_zero};

/// A person of the directory, as the table keeps one. Its `Debug` shows no personal value.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct User {
    /// Given once, never used again.
    pub id: ResourceId,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_modified: Timestamp,
    /// What is known of the person.
    pub attributes: UserAttributes,
    /// From when on the person is locked out: a date in the past locks now, one in the future then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_date: Option<Timestamp>,
    /// How often all that was open was ended, because the person was locked out, or by a new password.
    /// What was begun under an earlier count is dead, and stays so. Not a time: of two changes side by
    /// side the one that began first may be the later one, and two processes may disagree on the time.
    #[serde(
        default,
        alias = "open_since",
        deserialize_with = "ends",
        skip_serializing_if = "is_zero"
    )]
    pub(crate) ends: u32,
    /// Grows with each change of the resource (RFC 7644, 3.14: its version). Joining a group is no
    /// change of the user.
    pub revision: u64,
    /// What is kept of the password, if the person has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<PasswordHash>,
    /// What the person has besides the password to sign in with, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) second_factor: Option<SecondFactor>,
    /// What each provisioning client calls the person (RFC 7643, 3.1: `externalId`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) external_ids: BTreeMap<ClientId, String>,
    /// Grows with all that is told of the person, so that it is told in order.
    pub(crate) sequence: u64,
    /// Whether others were last told that the person may come in.
    pub(crate) told_active: bool,
}

impl User {
    /// Whether the person is locked out at `now`.
    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.lock_date.is_some_and(|date| date <= now)
    }

    /// Notes that what was open is dead, if that follows from a change from `before` at `at`.
    pub(crate) fn note_end(&mut self, before: &Self, at: Timestamp, password_ends_sessions: bool) {
        // Who was told of as locked was so, whatever the clock of this process says.
        let was_locked = !before.told_active || before.is_locked(at);
        let new_password = before.password.is_some() && before.password != self.password;
        if (was_locked && !self.is_locked(at)) || (new_password && password_ends_sessions) {
            self.ends = before.ends.saturating_add(1);
        }
    }

    /// Gives the person this password, or none.
    pub fn set_password(&mut self, password: Option<PasswordHash>) {
        self.password = password;
    }

    /// Whether the person has a password.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// What the person has besides the password to sign in with, if anything.
    pub fn second_factor(&self) -> Option<&SecondFactor> {
        self.second_factor.as_ref()
    }
}

/// Reads [`User::ends`]. Earlier versions kept since when things were open; nothing of theirs is counted,
/// so that all of it is dead by that.
fn ends<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Ends {
        Count(u32),
        Since(#[expect(dead_code, reason = "that there is one says it")] Timestamp),
    }
    Ok(match Ends::deserialize(deserializer)? {
        Ends::Count(count) => count,
        Ends::Since(_) => 1,
    })
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("lock_date", &self.lock_date)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::ids::SequentialIds;

    #[test]
    fn what_was_open_under_an_earlier_version_is_dead_if_anything_had_ended_then() {
        let id = ResourceId::fresh(&SequentialIds::default(), Timestamp::UNIX_EPOCH);
        let row = json!({
            "id": id, "created": "2026-01-01T00:00:00Z", "last_modified": "2026-01-01T00:00:00Z",
            "attributes": UserAttributes::default(), "revision": 1, "sequence": 1, "told_active": true,
        });
        let ends = |member: &str, value: Value| {
            let mut row = row.clone();
            row[member] = value;
            serde_json::from_value::<User>(row).map(|user| user.ends)
        };
        assert_eq!(serde_json::from_value::<User>(row.clone()).unwrap().ends, 0);
        assert_eq!(ends("ends", json!(3)).unwrap(), 3);
        assert_eq!(ends("open_since", json!("2026-01-01T00:00:01Z")).unwrap(), 1);
        assert!(ends("ends", json!("x")).is_err());
    }
}
