//! A person.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PasswordHash, ResourceId, SecondFactor, UserAttributes};
use crate::client::ClientId;

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
    /// What was issued to applications before then is dead, and stays so: the person was locked out
    /// until then, or had all that was open ended by a new password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) open_since: Option<Timestamp>,
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

    /// Notes what is dead because of a change from `before` at `at`.
    pub(crate) fn note_end(&mut self, before: &Self, at: Timestamp, password_ends_sessions: bool) {
        let comes_back = before.is_locked(at) && !self.is_locked(at);
        let new_password = before.password.is_some() && before.password != self.password;
        if comes_back || (new_password && password_ends_sessions) {
            self.open_since = Some(at);
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

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("lock_date", &self.lock_date)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
