//! The person whom codes, tokens and consents are about.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    table::{Item, Key},
};

/// Names a person (`sub`): given once, never used again.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct SubjectId(pub String);

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a person stands at some time, as far as it matters for what was issued to applications.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Owner {
    /// There, and may come in.
    Live {
        /// How often all that was open was ended. What was begun under another count is dead: the
        /// person was locked out in between, or had it ended.
        ends: u32,
    },
    /// There, and locked out.
    Locked,
    /// Not there.
    Gone,
}

/// Knows people by their rows. This side of the house reads them together with its own rows, and
/// understands nothing of them.
pub trait Owners: fmt::Debug + Send + Sync {
    /// Where the row of this person is.
    fn key(&self, subject: &SubjectId) -> Key;

    /// How the person stands at `now` whose row this is.
    fn judge(&self, row: Option<&Item>, now: Timestamp) -> Result<Owner, Error>;
}
