//! Who copies the log into the file.
//!
//! SQLite would do it at the end of a commit, and everybody would wait for two fsyncs. A thread
//! with a connection of its own does it beside those who write.

use std::{
    ffi::c_int,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

use rusqlite::Connection;

use crate::error::chain;

/// After so many pages of log (16 MiB) it is copied.
const STEP: c_int = 4000;

/// A log of so many pages (64 MiB) must not grow on: those who write wait until it is copied.
const TOO_LONG: c_int = 4 * STEP;

/// With so many pages left the end is near.
const NEAR: c_int = 500;
const MAX_ROUNDS: usize = 5;

/// Rings when the log of `connection` has grown by [`STEP`]; in place of SQLite's own way.
pub(super) fn watch(connection: &mut Connection) -> rusqlite::Result<Receiver<c_int>> {
    // One bell in waiting is enough.
    let (bell, bells) = sync_channel(1);
    let mut due = STEP;
    connection.wal_hook(Some(move |_: &mut _, pages| {
        due = ring(&bell, pages, due);
        Ok(())
    }))?;
    Ok(bells)
}

/// Says when to ring next.
fn ring(bell: &SyncSender<c_int>, pages: c_int, due: c_int) -> c_int {
    if pages >= due {
        // A full channel: it has been rung.
        let _ = bell.try_send(pages);
        pages.saturating_add(STEP)
    } else {
        // A log that was copied begins again.
        due.min(pages.saturating_add(STEP))
    }
}

/// Copies the log whenever it is rung for, until nobody is left to ring.
pub(super) fn serve(connection: &Connection, bells: &Receiver<c_int>) {
    while let Ok(pages) = bells.recv() {
        if let Err(error) = catch_up(connection, pages) {
            // The next step tries again.
            tracing::warn!(error = chain(&error), "the log was not copied");
        }
    }
}

fn catch_up(connection: &Connection, pages: c_int) -> rusqlite::Result<()> {
    let mut left = copy(connection, "PASSIVE")?;
    if pages >= TOO_LONG {
        // Those who write meanwhile keep a passive copier from the end. Once it is near, they wait.
        for _ in 0..MAX_ROUNDS {
            if left <= NEAR {
                break;
            }
            left = copy(connection, "PASSIVE")?;
        }
        copy(connection, "FULL")?;
    }
    Ok(())
}

/// Copies what it can and says how many pages are left; somebody may have been in the way.
fn copy(connection: &Connection, mode: &str) -> rusqlite::Result<c_int> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        let (pages, copied): (c_int, c_int) = (row.get(1)?, row.get(2)?);
        Ok(pages - copied)
    })
}
