//! What names a user or a group to machines.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use crate::ids::Ids;

/// Names a user or a group: a UUID of version 7, so that they sort by the time of their creation
/// (RFC 9562, 5.7), to the quarter of a microsecond (6.2, method 3). Given once and never used again,
/// also not after a deletion.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ResourceId(Uuid);

impl ResourceId {
    /// A new one, as of `now`.
    pub(crate) fn fresh(ids: &dyn Ids, now: Timestamp) -> Self {
        const NANOSECONDS: i128 = 1_000_000;
        let elapsed = now.as_nanosecond().max(0);
        let millisecond = u64::try_from(elapsed / NANOSECONDS).unwrap_or_default();
        // What is left of it, in the 12 bits that follow the milliseconds.
        let fraction =
            u16::try_from(elapsed % NANOSECONDS * 4_096 / NANOSECONDS).unwrap_or_default();
        let mut rest = [0; 10];
        rest[..2].copy_from_slice(&fraction.to_be_bytes());
        rest[2..].copy_from_slice(&ids.fresh().as_bytes()[8..]);
        Self(Builder::from_unix_timestamp_millis(millisecond, &rest).into_uuid())
    }

    /// `text`, if it is written as we write ids. Whoever asks for anything else asks for nothing
    /// that there is.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok()?;
        (id.hyphenated().to_string() == text).then_some(Self(id))
    }

    /// In which of `count` parts it falls; always the same one.
    pub(crate) fn part(self, count: u8) -> u8 {
        self.0.as_bytes()[15] % count
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{RandomIds, SequentialIds};

    #[test]
    fn ids_sort_by_creation_and_are_read_as_they_are_written() {
        let ids = SequentialIds::default();
        let at = |second| ResourceId::fresh(&ids, Timestamp::from_second(second).unwrap());
        let (first, second, later) = (at(1_000), at(1_000), at(1_001));
        assert!(first < second && second < later);
        // Also within a millisecond, whatever is random.
        let within = |nanosecond| Timestamp::new(2_000, nanosecond).unwrap();
        let ids = RandomIds;
        for nanosecond in (0..999_000).step_by(1_000) {
            let (one, next) = (within(nanosecond), within(nanosecond + 250));
            assert!(ResourceId::fresh(&ids, one) < ResourceId::fresh(&ids, next), "{nanosecond}");
        }
        assert!(first.to_string() < later.to_string());
        assert_eq!(ResourceId::parse(&first.to_string()), Some(first));
        for text in ["", "x", "00000000-0000-7000-8000-00000000000A", &first.to_string()[1..]] {
            assert_eq!(ResourceId::parse(text), None, "{text}");
        }
    }
}
