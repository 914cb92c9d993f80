//! What every home of the table must do.
//!
//! `table/contract.rs` is one suite of small stories; `table/model.rs` adds random ones, compared with a
//! model.

pub(crate) mod capacity;
mod contract;
pub(crate) mod dynamodb;
mod embedded;
mod model;

use std::sync::Arc;

use jiff::Timestamp;
use ssf::{
    clock::{Clock, ManualClock},
    embedded::Database,
    table::{Condition, Content, Key, Table, TableError, Write},
};

/// A table, and the clock that it goes by.
struct Home {
    table: Arc<dyn Table>,
    clock: Arc<ManualClock>,
    /// What must outlive the table.
    _folder: Option<tempfile::TempDir>,
}

async fn in_memory() -> Home {
    let clock = clock();
    let database = Database::in_memory(Arc::clone(&clock) as Arc<dyn Clock>);
    Home { table: Arc::new(database.table()), clock, _folder: None }
}

async fn on_disk() -> Home {
    let clock = clock();
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    Home { table: Arc::new(database.table()), clock, _folder: Some(folder) }
}

async fn in_dynamodb() -> Home {
    let clock = clock();
    let table = dynamodb::fresh_table(Arc::clone(&clock) as Arc<dyn Clock>).await;
    Home { table: Arc::new(table), clock, _folder: None }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-09-01T12:00:00Z".parse().unwrap()))
}

fn key(text: &str) -> Key {
    let (pk, sk) = text.split_once('/').unwrap();
    Key::new(pk, sk)
}

fn put(at: &str, condition: Condition, body: &str) -> Write {
    Write::put(key(at), condition, Content { body: body.to_owned(), ..Content::default() })
}

fn put_in_order(at: &str, order: &str) -> Write {
    let content =
        Content { body: at.to_owned(), order: Some(order.to_owned()), ..Content::default() };
    Write::put(key(at), Condition::Any, content)
}

fn put_until(at: &str, condition: Condition, expires: Timestamp) -> Write {
    let content = Content { body: at.to_owned(), expires: Some(expires), ..Content::default() };
    Write::put(key(at), condition, content)
}

fn is_conflict<T>(result: &Result<T, TableError>) -> bool {
    matches!(result, Err(TableError::Conflict))
}
