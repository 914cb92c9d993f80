//! The table's home in `DynamoDB`.
//!
//! | attribute | type | what it holds |
//! | --- | --- | --- |
//! | `pk`, `sk` | S | [`Key`], the primary key |
//! | `ord` | S | [`Item::order`], the range key of the local secondary index `by_order`; sparse |
//! | `body` | B | [`Item::body`], mostly compressed (`body.rs`) |
//! | `version` | N | [`Version`]: 63 random bits for each put |
//! | `expires` | N | [`Item::expires`], in microseconds: what reads and conditions go by |
//! | `ttl` | N | the same in whole seconds, rounded up: when `DynamoDB` may remove the item |
//!
//! `DynamoDB` removes an item days after its time, so that every read filters, and every condition
//! asks for the time too.
//!
//! The index is a local one because every read is consistent, which a global index cannot be. It
//! projects all attributes: a write costs one unit for each started kB of the item's row in the
//! index, and a whole SET, compressed, is below one kB, as its keys alone would be; so the bodies
//! in the index cost nothing, and spare each listed SET the unit of reading it from the table.

mod body;
mod failure;
mod range;
mod row;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::rand;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    types::{
        ConditionCheck, Delete, KeysAndAttributes, Put,
        ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
    },
};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use ssf::{
    clock::Clock,
    table::{
        By, Change, Content, Item, Key, Page, Query, SAME_KEY, Table, TableError, Version, Write,
        check_key, check_keys, check_partition, check_transaction, check_write,
    },
};

use self::row::{Attributes, Test, of_content, read, version_of};
use crate::Lazy;

/// The partition key: a string.
pub const PARTITION_KEY: &str = "pk";
/// The sort key: a string.
pub const SORT_KEY: &str = "sk";
/// The local secondary index of the items that have an order. It projects all attributes.
pub const ORDER_INDEX: &str = "by_order";
/// The range key of that index: a string.
pub const ORDER_KEY: &str = "ord";
/// The attribute for `DynamoDB`'s time to live.
pub const TTL_ATTRIBUTE: &str = "ttl";

/// After so many bytes of bodies a page ends.
const PAGE: usize = 1024 * 1024;
/// As many keys as one `BatchGetItem` takes.
const BATCH: usize = 100;
/// How many requests of one call are on their way at once.
const AT_ONCE: usize = 16;
/// How often in a row `DynamoDB` may leave all keys of a `BatchGetItem` unread. The SDK does not
/// count that as a failure, and so does not try again by itself.
const IDLE_TRIES: u32 = 6;
/// How often a write is tried while transactions with the same item are in its way. Each takes a few
/// milliseconds; the SDK does not try again by itself.
const TRANSACTION_TRIES: u32 = 5;
/// The version that is answered where nothing was put.
const NONE: Version = Version(0);
/// The longest wait before the second try; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// A table in `DynamoDB`.
#[derive(Clone, Debug)]
pub struct DynamoDbTable {
    client: Lazy<Client>,
    name: String,
    clock: Arc<dyn Clock>,
}

impl DynamoDbTable {
    /// The table `name`, which has the keys and the index above. What is over, and how long is
    /// waited, goes by `clock`.
    pub fn new(
        client: impl Into<Lazy<Client>>,
        name: impl Into<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { client: client.into(), name: name.into(), clock }
    }

    /// Reads at most [`BATCH`] keys, none of them twice.
    async fn get_all(&self, keys: Vec<Attributes>) -> Result<Vec<Attributes>, TableError> {
        let mut left = keys;
        let mut found = Vec::new();
        let mut idle = 0;
        while !left.is_empty() {
            let keys = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true);
            let keys = keys.build().expect("there are keys");
            let request = self.client.batch_get_item().request_items(&self.name, keys);
            let answer = request.send().await.map_err(failure::of)?;
            let of_us = answer.responses.and_then(|mut rows| rows.remove(&self.name));
            let rows = of_us.unwrap_or_default();
            let of_us = answer.unprocessed_keys.and_then(|mut keys| keys.remove(&self.name));
            left = of_us.map(|keys| keys.keys).unwrap_or_default();
            idle = if rows.is_empty() { idle + 1 } else { 0 };
            found.extend(rows);
            if !left.is_empty() && idle == IDLE_TRIES {
                return Err(TableError::Unavailable("DynamoDB leaves keys unread".into()));
            }
            // Also when some were read: that keys are left says that there is too much to do.
            if !left.is_empty() {
                self.clock.sleep(wait(idle.max(1))).await;
            }
        }
        Ok(found)
    }

    /// A part of what `query` asks for, at most `limit` rows, from where the one before ended.
    async fn rows(
        &self,
        query: &Query,
        range: &range::Range,
        limit: usize,
        from: Option<Attributes>,
    ) -> Result<(Vec<Attributes>, Option<Attributes>), TableError> {
        let (condition, names, values) = range.expression(query);
        let request = self
            .client
            .query()
            .table_name(&self.name)
            .set_index_name((query.by == By::Order).then(|| ORDER_INDEX.to_owned()))
            .consistent_read(true)
            .key_condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .scan_index_forward(!query.backwards)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(from);
        let answer = request.send().await.map_err(failure::of)?;
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok((answer.items.unwrap_or_default(), next))
    }

    async fn write_at(&self, write: Write, now: Timestamp) -> Result<Version, TableError> {
        check_write(&write)?;
        let Write { key, condition, change } = write;
        let test = Test::of(condition, now);
        match change {
            Change::Check => unreachable!("a check is not a write"),
            Change::Delete => self.delete(key, test).await,
            Change::Put(content) => self.put(key, test, content).await,
        }
    }

    async fn put(&self, key: Key, test: Test, content: Content) -> Result<Version, TableError> {
        let version = fresh_version();
        let request = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(of_content(key, content, version)?))
            .set_condition_expression(test.expression)
            .set_expression_attribute_names(test.names)
            .set_expression_attribute_values(test.values)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let sent = self.send(|| request.clone().send(), failure::is_in_the_way).await;
        let Err(error) = sent else { return Ok(version) };
        // A try that seemed to fail may have been done; the SDK's next one then finds our own item.
        let ours = error
            .as_service_error()
            .and_then(failure::item_in_the_way)
            .is_some_and(|item| version_of(item) == Some(version));
        if ours { Ok(version) } else { Err(failure::of(error)) }
    }

    async fn delete(&self, key: Key, test: Test) -> Result<Version, TableError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(row::key(key)))
            .set_condition_expression(test.expression)
            .set_expression_attribute_names(test.names)
            .set_expression_attribute_values(test.values);
        let sent = self.send(|| request.clone().send(), failure::is_in_the_way).await;
        sent.map_err(failure::of)?;
        Ok(NONE)
    }

    /// What `send` answers when no transaction is in its way, or when one has been too often.
    async fn send<T, E, F>(
        &self,
        send: impl Fn() -> F,
        is_in_the_way: impl Fn(&E) -> bool,
    ) -> F::Output
    where
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        for tries in 1..TRANSACTION_TRIES {
            match send().await {
                Err(error) if error.as_service_error().is_some_and(&is_in_the_way) => {
                    self.clock.sleep(wait(tries)).await;
                }
                answer => return answer,
            }
        }
        send().await
    }

    /// `write` as part of a transaction, and the version that it leads to.
    fn part(
        &self,
        write: Write,
        now: Timestamp,
    ) -> Result<(TransactWriteItem, Version), TableError> {
        let Write { key, condition, change } = write;
        let Test { expression, names, values } = Test::of(condition, now);
        let part = TransactWriteItem::builder();
        let (part, version) = match change {
            Change::Check => {
                let check = ConditionCheck::builder()
                    .table_name(&self.name)
                    .set_key(Some(row::key(key)))
                    .set_condition_expression(expression)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build();
                (part.condition_check(check.expect("table, key and condition are given")), NONE)
            }
            Change::Delete => {
                let delete = Delete::builder()
                    .table_name(&self.name)
                    .set_key(Some(row::key(key)))
                    .set_condition_expression(expression)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build();
                (part.delete(delete.expect("table and key are given")), NONE)
            }
            Change::Put(content) => {
                let version = fresh_version();
                let put = Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(of_content(key, content, version)?))
                    .set_condition_expression(expression)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build();
                (part.put(put.expect("table and item are given")), version)
            }
        };
        Ok((part.build(), version))
    }
}

#[async_trait]
impl Table for DynamoDbTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        if check_key(key).is_err() {
            return Ok(None);
        }
        let request = self.client.get_item().table_name(&self.name).consistent_read(true);
        let answer = request.set_key(Some(row::key(key.clone()))).send().await;
        let row = answer.map_err(failure::of)?.item;
        Ok(row.map(read).transpose()?.filter(|item| is_there(item, self.clock.now())))
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, TableError> {
        let mut asked = HashSet::with_capacity(keys.len());
        // A key that no item can have fails the whole request.
        let asked = keys.iter().filter(|key| check_key(key).is_ok() && asked.insert(*key));
        let asked: Vec<_> = asked.collect();
        let batches: Vec<Vec<_>> = asked
            .chunks(BATCH)
            .map(|keys| keys.iter().copied().cloned().map(row::key).collect())
            .collect();
        let reads = batches.into_iter().map(|batch| self.get_all(batch));
        let rows: Vec<_> = stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
        let now = self.clock.now();
        let mut found = HashMap::with_capacity(keys.len());
        for row in rows.into_iter().flatten() {
            let item = read(row)?;
            if is_there(&item, now) {
                found.insert(item.key.clone(), item);
            }
        }
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        let mut page = Page::default();
        if check_partition(&query.pk).is_err() {
            return Ok(page);
        }
        let Some(range) = range::Range::of(&query) else { return Ok(page) };
        let now = self.clock.now();
        let limit = query.limit.max(1);
        let mut size = 0;
        let mut from = None;
        loop {
            // One more than asked for, to know whether more follow.
            let rows = limit.saturating_add(1 + range.left_out()) - page.items.len();
            let (rows, next) = self.rows(&query, &range, rows, from).await?;
            for row in rows {
                let item = read(row)?;
                if !is_there(&item, now) || range.leaves_out(item.position(query.by)) {
                    continue;
                }
                if page.items.len() == limit || size > PAGE {
                    return Ok(and_more(page, query.by));
                }
                size += item.body.len();
                page.items.push(item);
            }
            if next.is_none() {
                return Ok(page);
            }
            // To read on only in order to know whether more follow would cost another megabyte.
            if size > PAGE {
                return Ok(and_more(page, query.by));
            }
            from = next;
        }
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Version, TableError>> {
        if check_keys(&writes).is_err() {
            return writes.iter().map(|_| Err(SAME_KEY)).collect();
        }
        let now = self.clock.now();
        let done = writes.into_iter().map(|write| self.write_at(write, now));
        stream::iter(done).buffered(AT_ONCE).collect().await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Version>, TableError> {
        check_transaction(&writes)?;
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let parts: Vec<_> =
            writes.into_iter().map(|write| self.part(write, now)).collect::<Result<_, _>>()?;
        let (parts, versions): (Vec<_>, _) = parts.into_iter().unzip();
        // The SDK sends a token along, so that a transaction that it tries again is done once.
        let request = self.client.transact_write_items().set_transact_items(Some(parts));
        let sent = self.send(|| request.clone().send(), failure::is_in_the_way_of_all).await;
        sent.map_err(failure::of_transaction)?;
        Ok(versions)
    }

    /// Does nothing: `DynamoDB` removes them by itself.
    async fn remove_expired(&self, _: usize) -> Result<usize, TableError> {
        Ok(0)
    }
}

fn and_more(page: Page, by: By) -> Page {
    let next = page.items.last().map(|item| item.position(by).to_owned());
    Page { next, ..page }
}

fn is_there(item: &Item, now: Timestamp) -> bool {
    item.expires.is_none_or(|expires| now < expires)
}

/// As no put had before: 63 bits, so that it is positive wherever it is read.
fn fresh_version() -> Version {
    Version(random() >> 1)
}

/// How long to wait after `idle` tries in vain; between half and whole, lest all come at once.
fn wait(idle: u32) -> Duration {
    let longest = FIRST_WAIT * 2_u32.saturating_pow(idle.saturating_sub(1));
    let share = u32::try_from(random() >> 54).expect("ten bits");
    longest / 2 + longest / 2 * share / 1024
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).expect("the system has randomness");
    u64::from_le_bytes(bytes)
}
