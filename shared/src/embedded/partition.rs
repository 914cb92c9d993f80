//! What one partition can do in a second, and hold.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use rusqlite::params;

use super::session::Session;
use crate::table::{Change, TableError, Write};

/// Bounds of each partition of a table, for what must be known to work within them. `DynamoDB` has
/// 1,000 write units a second, and 10 GB where there is a local index; SQLite has neither.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PartitionLimits {
    /// Write units a second, by the clock's whole seconds: one for each started kB of an item, one
    /// more for each of its copy in the index, and twice as many in a transaction. What is more is
    /// [`TableError::Busy`]; a write that needs more by itself is done when it comes first.
    pub units: Option<u64>,
    /// Items. One more is [`TableError::Full`].
    pub items: Option<u64>,
}

/// The partitions of a table with bounds.
#[derive(Debug)]
pub(super) struct Partitions {
    limits: PartitionLimits,
    used: Mutex<Used>,
}

/// The units that each partition has used in one second.
#[derive(Debug, Default)]
struct Used {
    second: i64,
    units: HashMap<String, u64>,
}

impl Partitions {
    pub(super) fn new(limits: PartitionLimits) -> Self {
        Self { limits, used: Mutex::default() }
    }

    /// Whether the partition of `write`, which costs so many `times` as usual, can take it.
    pub(super) fn admit(
        &self,
        session: &Session,
        write: &Write,
        times: u64,
    ) -> Result<(), TableError> {
        if self.limits.units.is_some_and(|most| !self.has_time(session, write, times, most)) {
            return Err(TableError::Busy("the units of this second are used up".into()));
        }
        match self.limits.items {
            Some(most) if !has_room(session, write, most)? => Err(TableError::Full),
            Some(_) | None => Ok(()),
        }
    }

    fn has_time(&self, session: &Session, write: &Write, times: u64, most: u64) -> bool {
        let second = session.now().div_euclid(1_000_000);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.second != second {
            *used = Used { second, ..Used::default() };
        }
        let units = used.units.entry(write.key.pk.clone()).or_default();
        let cost = times * cost(write);
        let fits = *units == 0 || *units + cost <= most;
        if fits {
            *units += cost;
        }
        fits
    }
}

fn cost(write: &Write) -> u64 {
    let Some(content) = write.content() else { return 1 };
    let each = content.body.len().div_ceil(1024).max(1) as u64;
    if content.order.is_some() { 2 * each } else { each }
}

/// Whether there are fewer than `most` items, or the one of `write` is one of them, or goes.
fn has_room(session: &Session, write: &Write, most: u64) -> Result<bool, TableError> {
    if !matches!(write.change, Change::Put(_)) {
        return Ok(true);
    }
    let key = &write.key;
    let there = "SELECT 1 FROM item WHERE pk = ?1 AND sk = ?2";
    if session.first_row(there, params![key.pk, key.sk], |_| Ok(()))?.is_some() {
        return Ok(true);
    }
    let count = "SELECT COUNT(*) FROM item WHERE pk = ?1";
    let items: i64 = session.one_row(count, params![key.pk], |row| row.get(0))?;
    Ok(items.unsigned_abs() < most)
}
