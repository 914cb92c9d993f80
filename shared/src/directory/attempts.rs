//! Attempts to sign in, in vain: after some, whoever tries again has to wait, for longer each time.
//!
//! What is counted is counted for a name, whether anybody has it or not; and by itself for the second
//! factor of a person, which only those can get wrong who have the password. A browser at which somebody
//! has signed in so before is counted by itself: so strangers can make each other wait, but not the
//! person at a browser of theirs.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Directory, ResourceId,
    text::{fold, hash},
};
use crate::{
    Error,
    client::Secret,
    clock::{add, since},
    table::{Condition, Content, Item, Key, TableError, Write, class},
};

/// From this failure on one waits.
const PATIENCE: u32 = 5;

/// Nobody waits for longer.
const MAX_WAIT: Duration = Duration::from_mins(10);

/// Failures are forgotten when so long no other has followed.
const REMEMBERED: Duration = Duration::from_hours(24);

/// A browser that signed in once is known for so long.
const KNOWN_FOR: Duration = Duration::from_hours(90 * 24);

/// How often an attempt is counted anew because others are counted at the same time.
const TRIES: usize = 8;

/// How many attempts there were since the last that succeeded, and when the last was.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
struct Failures {
    count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Timestamp>,
}

impl Failures {
    /// How long one has to wait at `now`, if at all: 2 s after the fifth failure, and twice as long
    /// after each further one.
    fn wait(self, now: Timestamp) -> Option<Duration> {
        let doublings = self.count.checked_sub(PATIENCE - 1).filter(|doublings| *doublings > 0)?;
        let wait = 2_u64.checked_pow(doublings).map_or(MAX_WAIT, Duration::from_secs);
        let left = wait.min(MAX_WAIT).checked_sub(since(self.last?, now))?;
        (!left.is_zero()).then_some(left)
    }

    fn one_more(self, now: Timestamp) -> Self {
        Self { count: self.count.saturating_add(1), last: Some(now) }
    }
}

/// An attempt that has been counted.
#[derive(Debug)]
pub(super) struct Counted {
    key: Key,
    /// The browser is known.
    known: bool,
}

/// What attempts are counted for.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    partition: String,
}

impl Counter {
    /// The password of who has this name.
    pub(super) fn of_name(name: &str) -> Self {
        Self { partition: class::ATTEMPT.of(hash(&fold(name))) }
    }

    /// The second factor of this person. No hash of a name is an id.
    pub(super) fn of_second_factor(id: ResourceId) -> Self {
        Self { partition: class::ATTEMPT.of(id) }
    }

    fn strangers(&self) -> Key {
        Key::new(&*self.partition, "STRANGERS")
    }

    fn browser(&self, browser: &Secret) -> Key {
        let hash = digest(&SHA256, browser.expose().as_bytes());
        Key::new(&*self.partition, format!("BROWSER#{}", URL_SAFE_NO_PAD.encode(hash)))
    }
}

impl Directory {
    /// Counts an attempt for this, as one that fails, before anything is looked at: so many at
    /// once are no way around. How long to wait instead, if one has to.
    pub(super) async fn count_attempt(
        &self,
        whose: &Counter,
        browser: Option<&Secret>,
    ) -> Result<Result<Counted, Duration>, Error> {
        let table = &self.parts().table;
        let mut keys = vec![whose.strangers()];
        keys.extend(browser.map(|browser| whose.browser(browser)));
        for _ in 0..TRIES {
            let mut rows = table.batch_get(&keys).await?.into_iter();
            let (strangers, known) = (rows.next().flatten(), rows.next().flatten());
            let is_known = known.is_some();
            let key = keys[usize::from(is_known)].clone();
            let row = known.or(strangers);
            let failures =
                row.as_ref().map(Item::read::<Failures>).transpose()?.unwrap_or_default();
            let now = self.parts().clock.now();
            if let Some(wait) = failures.wait(now) {
                return Ok(Err(wait));
            }
            let condition = row.map_or(Condition::Absent, |row| Condition::Version(row.version));
            let kept = if is_known { KNOWN_FOR } else { REMEMBERED };
            let expires = Some(add(now, kept));
            let content = Content { expires, ..Content::json(&failures.one_more(now)) };
            match table.write_one(Write::put(key.clone(), condition, content)).await {
                Ok(_) => return Ok(Ok(Counted { key, known: is_known })),
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Err(Duration::from_secs(1)))
    }

    /// The attempt that was counted has succeeded: the failures are forgotten, and the browser is known
    /// from now on. Its secret, if it is a new one: that is `other` where it has been known for something
    /// else.
    pub(super) async fn forget_failures(
        &self,
        whose: &Counter,
        counted: Counted,
        other: Option<&Secret>,
    ) -> Result<Option<Secret>, Error> {
        let expires = Some(add(self.parts().clock.now(), KNOWN_FOR));
        let content = Content { expires, ..Content::json(&Failures::default()) };
        let (new, writes) = if counted.known {
            (None, vec![Write::put(counted.key, Condition::Any, content)])
        } else {
            let new = other.cloned().unwrap_or_else(Secret::fresh);
            let known = Write::put(whose.browser(&new), Condition::Any, content);
            (Some(new), vec![known, Write::delete(counted.key, Condition::Any)])
        };
        for written in self.parts().table.write(writes).await {
            written?;
        }
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_fifth_failure_on_one_waits_twice_as_long_each_time_up_to_ten_minutes() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let waits: Vec<_> = (0..16)
            .map(|count| {
                let failures = Failures { count, last: Some(at(0)) };
                failures.wait(at(0)).map_or(0, |wait| wait.as_secs())
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        let most = Failures { count: u32::MAX, last: Some(at(0)) };
        for (second, wanted) in [(0, 600), (1, 599), (599, 1), (600, 0), (601, 0)] {
            let wait = most.wait(at(second)).map_or(0, |wait| wait.as_secs());
            assert_eq!(wait, wanted, "{second} s");
        }
        assert_eq!(most.one_more(at(1)).count, u32::MAX);
    }
}
