//! How a connection is opened and the file laid out.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rusqlite::{Connection, TransactionBehavior, config::DbConfig};

use super::secret_file::make_private_folder;
use crate::ids::{Ids, RandomIds};

/// The name of the file in the data folder.
const FILE: &str = "tocsin.db";

/// What this version of the program reads and writes.
const VERSION: i64 = 1;

/// How long a connection waits for another one that writes, in steps.
const BUSY_STEP: Duration = Duration::from_millis(1);
const BUSY_STEPS: i32 = 10_000;
/// The same for who copies the log: meanwhile nobody can write.
const COPIER_BUSY_STEPS: i32 = 100;

/// Why a [`Database`](super::Database) cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made, or the file in it.
    #[error("the data folder {} cannot be used", path.display())]
    Folder {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A newer version of the program has been here.
    #[error("the file was written by a newer version (layout {found}, this one knows {VERSION})")]
    Newer {
        /// The layout of the file.
        found: i64,
    },
    /// The file is not what we wrote, or another process holds it.
    #[error("the database cannot be opened")]
    Sqlite(#[from] rusqlite::Error),
}

/// A connection to the file in `folder`; both are made if they are not there.
pub(super) fn open(folder: &Path) -> Result<Connection, OpenError> {
    make_private(folder, &folder.join(FILE))
        .map_err(|source| OpenError::Folder { path: folder.to_owned(), source })?;
    let mut connection = connect(folder, BUSY_STEPS)?;
    use_write_ahead_log(&connection)?;
    // A log that has grown in a storm is cut to this afterwards.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    let salt = u64::from_be_bytes(first_bytes(RandomIds.fresh().as_bytes()));
    lay_out(&mut connection, salt.cast_signed())?;
    Ok(connection)
}

/// A second connection, for who copies the log.
pub(super) fn open_copier(folder: &Path) -> Result<Connection, OpenError> {
    Ok(connect(folder, COPIER_BUSY_STEPS)?)
}

fn connect(folder: &Path, busy_steps: i32) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(folder.join(FILE))?;
    // SQLite's own handler waits in ever longer steps, and would starve beside a busy process.
    connection.busy_handler(Some(move |step| {
        thread::sleep(BUSY_STEP);
        step < busy_steps
    }))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

/// A connection to a new database in memory.
pub(super) fn in_memory() -> Result<Connection, OpenError> {
    let mut connection = Connection::open_in_memory()?;
    lay_out(&mut connection, 0)?;
    Ok(connection)
}

/// SETs and the hashes of secrets are nobody else's business.
fn make_private(folder: &Path, file: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    make_private_folder(folder)?;
    match options.open(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Two processes that open a new file at once are in each other's way here, and SQLite does not ask
/// the busy handler.
fn use_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    let mut steps = 0;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if is_busy(&error) && steps < BUSY_STEPS => {
                steps += 1;
                thread::sleep(BUSY_STEP);
            }
            done => return done,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
    )
}

fn lay_out(connection: &mut Connection, salt: i64) -> Result<(), OpenError> {
    connection.set_prepared_statement_cache_capacity(64);
    // Otherwise SQLite plans each query anew for each value, which costs more than the query.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found {
        0 => {
            transaction.execute_batch(include_str!("schema.sql"))?;
            transaction.execute("INSERT INTO counter (number, salt) VALUES (0, ?1)", [salt])?;
        }
        VERSION => {}
        found => return Err(OpenError::Newer { found }),
    }
    transaction.commit()?;
    Ok(())
}

fn first_bytes(uuid: &[u8; 16]) -> [u8; 8] {
    std::array::from_fn(|at| uuid[at])
}
