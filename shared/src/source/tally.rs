//! What came from each source, as an operator sees it.
//!
//! | pk | sk |
//! | --- | --- |
//! | `SOURCES` | `<source>` |
//!
//! Each process adds up for itself, and writes it down once in a while: what is dropped costs nothing.
//! So a process that ends keeps a minute's worth to itself; the figures of CloudWatch lose nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Reason, Source};
use crate::{
    Error, Transmitter, clock,
    error::chain,
    table::{Condition, Content, Item, Key, TableError, Write, class},
};

/// What came from a source.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct SourceCount {
    /// Envelopes that were understood.
    pub envelopes: u64,
    /// Events that they became.
    pub events: u64,
    /// Records of which nothing was told, by the name of the [`Reason`].
    pub dropped: BTreeMap<String, u64>,
    /// When the last envelope came.
    pub last: Option<Timestamp>,
}

impl SourceCount {
    fn add(&mut self, other: &Self) {
        self.envelopes += other.envelopes;
        self.events += other.events;
        for (reason, number) in &other.dropped {
            *self.dropped.entry(reason.clone()).or_default() += number;
        }
        self.last = self.last.max(other.last);
    }
}

/// A source, as an operator sees it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct SourceState {
    /// Which.
    pub source: Source,
    /// Whether its envelopes are taken.
    pub on: bool,
    /// What came from it.
    #[serde(flatten)]
    pub count: SourceCount,
}

/// What came in this process, and is not written down yet.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    counts: BTreeMap<Source, SourceCount>,
    /// Nothing is written down before.
    next: Option<Timestamp>,
}

impl Tally {
    /// An envelope came.
    pub(crate) fn count(&self, source: Source, events: usize, dropped: &[Reason], now: Timestamp) {
        let mut one = SourceCount { envelopes: 1, last: Some(now), ..SourceCount::default() };
        one.events = u64::try_from(events).unwrap_or(u64::MAX);
        for reason in dropped {
            *one.dropped.entry(reason.name().to_owned()).or_default() += 1;
        }
        self.held().counts.entry(source).or_default().add(&one);
    }

    /// What is to be written down now; then nothing for `rest`.
    fn take(&self, now: Timestamp, rest: Duration) -> BTreeMap<Source, SourceCount> {
        let mut held = self.held();
        if held.counts.is_empty() || held.next.is_some_and(|next| now < next) {
            return BTreeMap::new();
        }
        held.next = Some(clock::add(now, rest));
        std::mem::take(&mut held.counts)
    }

    fn put_back(&self, source: Source, count: &SourceCount) {
        self.held().counts.entry(source).or_default().add(count);
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(source: Source) -> Key {
    Key::new(class::SOURCES.partition(), source.name())
}

impl Transmitter {
    /// Writes down what came since the last time, if that is long enough ago.
    pub(crate) async fn write_tally(&self) {
        let parts = self.parts();
        let counts = self.tally().take(parts.clock.now(), parts.config.source_tally);
        if counts.is_empty() {
            return;
        }
        if let Err(error) = self.add_counts(&counts).await {
            for (source, count) in &counts {
                self.tally().put_back(*source, count);
            }
            tracing::warn!(error = chain(&error), "what came from sources is written down later");
        }
    }

    async fn add_counts(&self, counts: &BTreeMap<Source, SourceCount>) -> Result<(), TableError> {
        let keys: Vec<Key> = counts.keys().map(|source| key(*source)).collect();
        let found = self.parts().table.batch_get(&keys).await?;
        let mut writes = Vec::new();
        for ((key, found), count) in keys.into_iter().zip(found).zip(counts.values()) {
            let mut sum: SourceCount =
                found.as_ref().map(Item::read).transpose()?.unwrap_or_default();
            sum.add(count);
            let condition =
                found.map_or(Condition::Absent, |item| Condition::Version(item.version));
            writes.push(Write::put(key, condition, Content::json(&sum)));
        }
        for ((source, count), written) in counts.iter().zip(self.parts().table.write(writes).await)
        {
            // Another process was there first, most likely.
            if written.is_err() {
                self.tally().put_back(*source, count);
            }
        }
        Ok(())
    }

    /// All sources: which are on, and what came from each.
    pub async fn source_list(&self) -> Result<Vec<SourceState>, Error> {
        let keys: Vec<Key> = Source::ALL.into_iter().map(key).collect();
        let found = self.parts().table.batch_get(&keys).await?;
        let mut states = Vec::new();
        for (source, found) in Source::ALL.into_iter().zip(found) {
            let count = found.as_ref().map(Item::read).transpose()?.unwrap_or_default();
            let on = self.parts().config.sources.get(source).is_some();
            states.push(SourceState { source, on, count });
        }
        Ok(states)
    }
}
