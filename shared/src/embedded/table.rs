//! The table's home in SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{ErrorCode, Row, params, types::Value};

use super::{
    Database, PartitionLimits,
    partition::Partitions,
    session::{Access, Failed, Session, timestamp},
};
use crate::table::{
    By, Change, Condition, Content, Item, Key, Page, Query, SAME_KEY, Table, TableError, Version,
    Write, check_keys, check_partition, check_transaction, check_write,
};

/// After so many bytes a page ends, as in `DynamoDB`.
const PAGE: usize = 1024 * 1024;

/// A table in a [`Database`].
#[derive(Clone, Debug)]
pub struct SqliteTable {
    database: Database,
    /// Where they have bounds.
    partitions: Option<Arc<Partitions>>,
}

impl SqliteTable {
    pub(super) fn new(database: Database, limits: PartitionLimits) -> Self {
        let has_bounds = limits != PartitionLimits::default();
        Self { database, partitions: has_bounds.then(|| Arc::new(Partitions::new(limits))) }
    }
}

#[async_trait]
impl Table for SqliteTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        let key = key.clone();
        self.database.run(Access::Read, move |session| get(session, key)).await
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, TableError> {
        let keys = keys.to_vec();
        let work = move |session: &mut Session| {
            keys.into_iter().map(|key| get(session, key)).collect::<Result<_, _>>()
        };
        self.database.run(Access::Read, work).await
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        if check_partition(&query.pk).is_err() {
            return Ok(Page::default());
        }
        self.database.run(Access::Read, move |session| page(session, &query)).await
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Version, TableError>> {
        let count = writes.len();
        if check_keys(&writes).is_err() {
            return (0..count).map(|_| Err(SAME_KEY)).collect();
        }
        let partitions = self.partitions.clone();
        let work = move |session: &mut Session| {
            let alone = |write| {
                check_write(&write)?;
                admit(partitions.as_deref(), session, &write, 1)?;
                one(session, write)
            };
            Ok(writes.into_iter().map(alone).collect())
        };
        match self.database.run(Access::Write, work).await {
            Ok(answers) => answers,
            Err(failed) => (0..count).map(|_| Err(Failed::clone(&failed).into())).collect(),
        }
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Version>, TableError> {
        check_transaction(&writes)?;
        let partitions = self.partitions.clone();
        let work = move |session: &mut Session| {
            let together = |write| {
                admit(partitions.as_deref(), session, &write, 2)?;
                one(session, write)
            };
            writes.into_iter().map(together).collect()
        };
        self.database.run(Access::Attempt, work).await
    }

    async fn remove_expired(&self, limit: usize) -> Result<usize, TableError> {
        let work = move |session: &mut Session| {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let sql = "DELETE FROM item WHERE rowid IN
                       (SELECT rowid FROM item WHERE expires <= ?1 LIMIT ?2)";
            Ok(session.execute(sql, params![session.now(), limit])?)
        };
        self.database.run(Access::Write, work).await
    }
}

fn admit(
    partitions: Option<&Partitions>,
    session: &Session,
    write: &Write,
    times: u64,
) -> Result<(), TableError> {
    partitions.map_or(Ok(()), |partitions| partitions.admit(session, write, times))
}

fn get(session: &Session, key: Key) -> Result<Option<Item>, TableError> {
    let sql = "SELECT body, version, ord, expires FROM item
               WHERE pk = ?1 AND sk = ?2 AND (expires IS NULL OR expires > ?3)";
    let found = session.first_row(sql, params![key.pk, key.sk, session.now()], |row| {
        let content = Content { body: row.get(0)?, order: row.get(2)?, expires: expires(row, 3)? };
        Ok((content, row.get(1)?))
    })?;
    Ok(found.map(|(content, version)| item(key, content, version)))
}

fn page(session: &Session, query: &Query) -> Result<Page, TableError> {
    let sql = select(query.by, query.backwards);
    let (from, to) = range(query);
    let limit = query.limit.max(1);
    let mut page = Page::default();
    let mut size = 0;
    let take = |row: &Row<'_>| {
        if page.items.len() == limit || size > PAGE {
            page.next = page.items.last().map(|item| item.position(query.by).to_owned());
            return Ok(false);
        }
        let key = Key::new(query.pk.as_str(), row.get::<_, String>(4)?);
        let content = Content { body: row.get(0)?, order: row.get(2)?, expires: expires(row, 3)? };
        size += content.body.len();
        page.items.push(item(key, content, row.get(1)?));
        Ok(true)
    };
    // One more than asked for, to know whether more follow.
    let rows = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    session.rows(sql, params![query.pk, from, to, session.now(), rows], take)?;
    Ok(page)
}

fn select(by: By, backwards: bool) -> &'static str {
    macro_rules! select {
        ($column:literal, $direction:literal) => {
            concat!(
                "SELECT body, version, ord, expires, sk FROM item WHERE pk = ?1 AND ",
                $column,
                " >= ?2 AND ",
                $column,
                " < ?3 AND (expires IS NULL OR expires > ?4) ORDER BY ",
                $column,
                " ",
                $direction,
                " LIMIT ?5"
            )
        };
    }
    match (by, backwards) {
        (By::Order, false) => select!("ord", "ASC"),
        (By::Order, true) => select!("ord", "DESC"),
        (By::Sort, false) => select!("sk", "ASC"),
        (By::Sort, true) => select!("sk", "DESC"),
    }
}

/// The first key of the range, and the first one behind it.
fn range(query: &Query) -> (String, Value) {
    let from = query.prefix.clone();
    let to = query.end();
    match &query.after {
        None => (from, to.map_or(BEHIND_ALL, Value::Text)),
        Some(after) if query.backwards => {
            let to = to.map_or_else(|| after.clone(), |to| to.min(after.clone()));
            (from, Value::Text(to))
        }
        // No text is between `after` and `after` with a zero behind it.
        Some(after) => (from.max(format!("{after}\0")), to.map_or(BEHIND_ALL, Value::Text)),
    }
}

/// In SQLite's order every blob comes after every text.
const BEHIND_ALL: Value = Value::Blob(Vec::new());

fn item(key: Key, content: Content, version: i64) -> Item {
    let Content { body, order, expires } = content;
    Item { key, body, version: Version(version.cast_unsigned()), order, expires }
}

fn expires(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<jiff::Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(timestamp))
}

/// Does one write that the table takes.
fn one(session: &mut Session, write: Write) -> Result<Version, TableError> {
    let Write { key, condition, change } = write;
    let content = match change {
        Change::Check => return check(session, &key, condition).map(|()| Version(0)),
        Change::Delete => return delete(session, &key, condition),
        Change::Put(content) => content,
    };
    match put(session, &key, condition, &content) {
        Err(error) if is_order_taken(&error) => {
            let sql = "DELETE FROM item WHERE pk = ?1 AND ord = ?2 AND expires <= ?3";
            if session.execute(sql, params![key.pk, content.order, session.now()])? == 0 {
                return Err(ORDER_TAKEN);
            }
            put(session, &key, condition, &content)
        }
        done => done,
    }?
    .ok_or(TableError::Conflict)
}

const ORDER_TAKEN: TableError =
    TableError::Refused("another item of the partition has the same order");

/// The version of what was put; `None` when the condition does not hold.
fn put(
    session: &mut Session,
    key: &Key,
    condition: Condition,
    content: &Content,
) -> rusqlite::Result<Option<Version>> {
    let version = session.next_number()?;
    let expires = content.expires.map(jiff::Timestamp::as_microsecond);
    let Content { body, order, .. } = content;
    let changed = match condition {
        Condition::Any => session.execute(
            "INSERT INTO item (pk, sk, body, version, ord, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (pk, sk) DO UPDATE
             SET body = ?3, version = ?4, ord = ?5, expires = ?6",
            params![key.pk, key.sk, body, version, order, expires],
        ),
        Condition::Absent => session.execute(
            "INSERT INTO item (pk, sk, body, version, ord, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (pk, sk) DO UPDATE
             SET body = ?3, version = ?4, ord = ?5, expires = ?6 WHERE expires <= ?7",
            params![key.pk, key.sk, body, version, order, expires, session.now()],
        ),
        Condition::Version(before) => session.execute(
            "UPDATE item SET body = ?3, version = ?4, ord = ?5, expires = ?6
             WHERE pk = ?1 AND sk = ?2 AND version = ?8 AND (expires IS NULL OR expires > ?7)",
            params![
                key.pk,
                key.sk,
                body,
                version,
                order,
                expires,
                session.now(),
                before.0.cast_signed()
            ],
        ),
    }?;
    Ok((changed == 1).then_some(Version(version.cast_unsigned())))
}

fn delete(session: &Session, key: &Key, condition: Condition) -> Result<Version, TableError> {
    check(session, key, condition)?;
    session.execute("DELETE FROM item WHERE pk = ?1 AND sk = ?2", params![key.pk, key.sk])?;
    Ok(Version(0))
}

/// Whether `condition` holds; a conflict if not.
fn check(session: &Session, key: &Key, condition: Condition) -> Result<(), TableError> {
    let there = "SELECT version FROM item
                 WHERE pk = ?1 AND sk = ?2 AND (expires IS NULL OR expires > ?3)";
    let holds = match condition {
        Condition::Any => true,
        Condition::Absent | Condition::Version(_) => {
            let params = params![key.pk, key.sk, session.now()];
            let found = session.first_row(there, params, |row| row.get(0))?;
            found.map(i64::cast_unsigned)
                == match condition {
                    Condition::Version(version) => Some(version.0),
                    Condition::Any | Condition::Absent => None,
                }
        }
    };
    if holds { Ok(()) } else { Err(TableError::Conflict) }
}

fn is_order_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}
