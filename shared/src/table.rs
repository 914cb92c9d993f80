//! The seam to what keeps items.
//!
//! A table keeps items under a partition key and a sort key. It speaks `DynamoDB`'s language, so
//! that its homes stay thin: SQLite on a laptop (`embedded::SqliteTable`), `DynamoDB` on AWS. All
//! keys and access patterns are written once, above this trait; [`class`] lists whose rows there are.

pub mod class;
mod limits;
mod pages;

use std::{error::Error as StdError, fmt};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

pub use limits::{
    SAME_KEY, check_key, check_keys, check_partition, check_transaction, check_write,
};
pub use pages::Pages;

/// Keeps items. Every read is consistent: it sees each write that returned before it began.
#[async_trait]
pub trait Table: fmt::Debug + Send + Sync {
    /// The item under `key`.
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError>;

    /// The items under `keys`, in the order of `keys`; `None` where there is no item.
    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, TableError>;

    /// A page of one partition, sorted. Where no item can be (a partition key that is empty or too
    /// long), there is none, as [`get`](Self::get) finds none.
    async fn query(&self, query: Query) -> Result<Page, TableError>;

    /// Does each of `writes` by itself. The answers are in their order; one that fails does not
    /// keep the others from being done. No two of them may have the same key, and none may be a
    /// [check](Change::Check).
    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Version, TableError>>;

    /// Does one write.
    async fn write_one(&self, write: Write) -> Result<Version, TableError> {
        self.write(vec![write]).await.pop().expect("one write has one answer")
    }

    /// Does all of `writes` (at most 100) or none, at twice the cost: [`TableError::Conflict`] when any condition does
    /// not hold. No two of them may have the same key.
    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Version>, TableError>;

    /// Removes at most `limit` items whose time is over, and says how many it removed. A home that
    /// removes them by itself (`DynamoDB`) does nothing.
    async fn remove_expired(&self, limit: usize) -> Result<usize, TableError>;
}

/// Where an item is.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// The partition.
    pub pk: String,
    /// The place in the partition.
    pub sk: String,
}

impl Key {
    /// The key of these two parts.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

/// What a table keeps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// Where it is.
    pub key: Key,
    /// JSON text.
    pub body: String,
    /// Changes with every put.
    pub version: Version,
    /// A second sort key, for items that are to be listed in another order, or not at all: the
    /// index by order holds only the items that have one. Unique within the partition.
    pub order: Option<String>,
    /// From then on the item is not there any more.
    pub expires: Option<Timestamp>,
}

impl Item {
    /// The value that [`Content::json`] wrote.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, TableError> {
        serde_json::from_str(&self.body).map_err(|error| TableError::Corrupt {
            pk: self.key.pk.clone(),
            sk: self.key.sk.clone(),
            source: error.into(),
        })
    }

    /// The key that sorts it; where `by` is the order, it must have one.
    pub fn position(&self, by: By) -> &str {
        match by {
            By::Order => self.order.as_deref().unwrap_or_default(),
            By::Sort => &self.key.sk,
        }
    }
}

/// The state of one item: never the same for two puts under one key, not even with a delete
/// between them.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Version(pub u64);

/// One change, or a check that nothing has changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Write {
    /// Where.
    pub key: Key,
    /// What must hold before; else the write fails with [`TableError::Conflict`].
    pub condition: Condition,
    /// What is done then.
    pub change: Change,
}

/// What a [`Write`] does when its condition holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// Nothing: only the condition is looked at. Part of a [transaction](Table::transact) alone, for
    /// which it counts, and costs, as much as a put; its condition may not be [`Condition::Any`].
    Check,
    /// Takes the item away; succeeds also when nothing is there.
    Delete,
    /// This is there from then on.
    Put(Content),
}

/// What a put puts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Content {
    /// See [`Item::body`].
    pub body: String,
    /// See [`Item::order`].
    pub order: Option<String>,
    /// See [`Item::expires`].
    pub expires: Option<Timestamp>,
}

impl Content {
    /// The JSON of `value`, which has only strings as names of members.
    pub fn json(value: &impl Serialize) -> Self {
        let body = serde_json::to_string(value).expect("what we keep is JSON");
        Self { body, order: None, expires: None }
    }
}

impl Write {
    /// A put.
    pub fn put(key: Key, condition: Condition, content: Content) -> Self {
        Self { key, condition, change: Change::Put(content) }
    }

    /// A delete. Its answer's version says nothing.
    pub fn delete(key: Key, condition: Condition) -> Self {
        Self { key, condition, change: Change::Delete }
    }

    /// A check, for a transaction. Its answer's version says nothing.
    pub fn check(key: Key, condition: Condition) -> Self {
        Self { key, condition, change: Change::Check }
    }

    /// What it puts, if it puts something.
    pub fn content(&self) -> Option<&Content> {
        match &self.change {
            Change::Put(content) => Some(content),
            Change::Check | Change::Delete => None,
        }
    }
}

/// What must hold for a write to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Condition {
    /// Nothing.
    Any,
    /// No item is there. An item whose time is over counts as not there.
    Absent,
    /// The item there is in this state.
    Version(Version),
}

/// A question for a range of one partition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Query {
    /// The partition.
    pub pk: String,
    /// By which key.
    pub by: By,
    /// Only keys that begin with this.
    pub prefix: String,
    /// Only keys behind this one (before it, when backwards); need not be a key that is there.
    pub after: Option<String>,
    /// From the last to the first.
    pub backwards: bool,
    /// At most so many items, at least 1.
    pub limit: usize,
}

impl Query {
    /// All of a partition whose sort key begins with `prefix`, forwards.
    pub fn sorted(pk: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            by: By::Sort,
            prefix: prefix.into(),
            after: None,
            backwards: false,
            limit: 1000,
        }
    }

    /// All of a partition that has an order beginning with `prefix`, forwards.
    pub fn ordered(pk: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self { by: By::Order, ..Self::sorted(pk, prefix) }
    }

    /// The same, with at most `limit` items.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The same, behind `after`.
    #[must_use]
    pub fn after(self, after: impl Into<String>) -> Self {
        Self { after: Some(after.into()), ..self }
    }

    /// The same, from the last to the first.
    #[must_use]
    pub fn backwards(self) -> Self {
        Self { backwards: true, ..self }
    }

    /// The first text, in the order of UTF-8 bytes, behind all that begin with the prefix.
    pub fn end(&self) -> Option<String> {
        let mut text = self.prefix.clone();
        while let Some(last) = text.pop() {
            // A range of characters leaves out the surrogates.
            if let Some(next) = (last..=char::MAX).nth(1) {
                text.push(next);
                return Some(text);
            }
        }
        None
    }
}

/// Which key sorts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// [`Item::order`]; items without one are not seen.
    Order,
    /// The sort key.
    Sort,
}

/// Part of an answer to a [`Query`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// The items, sorted.
    pub items: Vec<Item>,
    /// [`Query::after`] of the next page. `None`: there is no more.
    pub next: Option<String>,
}

/// What can go wrong with a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// One partition is asked for more than a partition can do in a second; the others are well. The
    /// write was not done.
    #[error("a partition of the table is asked for too much at once")]
    Busy(#[source] BoxError),
    /// A condition did not hold, or another writer was in the way: read again, decide again.
    #[error("the item was changed by another writer")]
    Conflict,
    /// An item is not what we wrote.
    #[error("the item {pk} {sk} is corrupt")]
    Corrupt {
        /// Its partition.
        pk: String,
        /// Its place.
        sk: String,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// The partition has no room for one more item, until some of it goes.
    #[error("a partition of the table is full")]
    Full,
    /// It takes no such write, now or later: too large, or not allowed together with another.
    #[error("the table refuses the write: {0}")]
    Refused(&'static str),
    /// The table does not answer, or not in time; the write may have been done.
    #[error("the table is not available")]
    Unavailable(#[source] BoxError),
}

/// The cause of an error, whatever it is.
pub type BoxError = Box<dyn StdError + Send + Sync>;
