//! Counts what is asked of a table, a queue or a signer, for tests and for benchmarks.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    queue::{Message, Queue, QueueError, Received},
    set::{Algorithm, PublicKey, SignError, Signer},
    table::{Item, Key, Page, Query, Table, TableError, Version, Write},
};

/// A table that counts what is asked of it.
#[derive(Debug)]
pub struct CountingTable {
    inner: Arc<dyn Table>,
    counts: Mutex<TableCounts>,
}

/// What was asked of a table.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TableCounts {
    /// Calls of `get`.
    pub gets: u64,
    /// Calls of `batch_get`.
    pub batch_gets: u64,
    /// Keys asked for in `batch_get`.
    pub batch_get_keys: u64,
    /// Calls of `query`.
    pub queries: u64,
    /// Items that `query` answered.
    pub query_items: u64,
    /// Calls of `write`.
    pub writes: u64,
    /// Changes asked for in `write`.
    pub write_items: u64,
    /// Calls of `transact`.
    pub transactions: u64,
    /// Changes and checks asked for in `transact`.
    pub transaction_items: u64,
}

impl TableCounts {
    /// How many reads that is: each key and each query is one.
    pub fn reads(&self) -> u64 {
        self.gets + self.batch_get_keys + self.queries
    }

    /// How many writes that is: each changed or checked item is one.
    pub fn changes(&self) -> u64 {
        self.write_items + self.transaction_items
    }

    /// How many calls that is.
    pub fn calls(&self) -> u64 {
        self.gets + self.batch_gets + self.queries + self.writes + self.transactions
    }
}

impl CountingTable {
    /// Counts what is asked of `inner`.
    pub fn new(inner: Arc<dyn Table>) -> Self {
        Self { inner, counts: Mutex::default() }
    }

    /// What was asked since the last [`take`](Self::take).
    pub fn counts(&self) -> TableCounts {
        *self.lock()
    }

    /// The same, and begins again at zero.
    pub fn take(&self) -> TableCounts {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, TableCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Table for CountingTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.lock().gets += 1;
        self.inner.get(key).await
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, TableError> {
        {
            let mut counts = self.lock();
            counts.batch_gets += 1;
            counts.batch_get_keys += count(keys);
        }
        self.inner.batch_get(keys).await
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        self.lock().queries += 1;
        let page = self.inner.query(query).await?;
        self.lock().query_items += count(&page.items);
        Ok(page)
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Version, TableError>> {
        {
            let mut counts = self.lock();
            counts.writes += 1;
            counts.write_items += count(&writes);
        }
        self.inner.write(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Version>, TableError> {
        {
            let mut counts = self.lock();
            counts.transactions += 1;
            counts.transaction_items += count(&writes);
        }
        self.inner.transact(writes).await
    }

    async fn remove_expired(&self, limit: usize) -> Result<usize, TableError> {
        self.inner.remove_expired(limit).await
    }
}

/// A queue that counts what is asked of it.
#[derive(Debug)]
pub struct CountingQueue {
    inner: Arc<dyn Queue>,
    counts: Mutex<QueueCounts>,
}

/// What was asked of a queue.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct QueueCounts {
    /// Calls of `send`.
    pub sends: u64,
    /// Messages in them.
    pub sent: u64,
    /// Calls of `receive`.
    pub receives: u64,
    /// Messages that came.
    pub received: u64,
    /// Calls of `delete`.
    pub deletes: u64,
    /// Receipts in them.
    pub deleted: u64,
    /// Calls of `postpone`.
    pub postponed: u64,
}

impl QueueCounts {
    /// How many calls that is.
    pub fn calls(&self) -> u64 {
        self.sends + self.receives + self.deletes + self.postponed
    }
}

impl CountingQueue {
    /// Counts what is asked of `inner`.
    pub fn new(inner: Arc<dyn Queue>) -> Self {
        Self { inner, counts: Mutex::default() }
    }

    /// What was asked since the last [`take`](Self::take).
    pub fn counts(&self) -> QueueCounts {
        *self.lock()
    }

    /// The same, and begins again at zero.
    pub fn take(&self) -> QueueCounts {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, QueueCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for CountingQueue {
    async fn send(&self, messages: Vec<Message>) -> Vec<Result<String, QueueError>> {
        {
            let mut counts = self.lock();
            counts.sends += 1;
            counts.sent += count(&messages);
        }
        self.inner.send(messages).await
    }

    async fn receive(&self, max: usize, visibility: Duration) -> Result<Vec<Received>, QueueError> {
        self.lock().receives += 1;
        let received = self.inner.receive(max, visibility).await?;
        self.lock().received += count(&received);
        Ok(received)
    }

    async fn wait(&self, at_most: Duration) {
        self.inner.wait(at_most).await;
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueError> {
        {
            let mut counts = self.lock();
            counts.deletes += 1;
            counts.deleted += count(&receipts);
        }
        self.inner.delete(receipts).await
    }

    async fn postpone(&self, receipt: &str, visibility: Duration) -> Result<(), QueueError> {
        self.lock().postponed += 1;
        self.inner.postpone(receipt, visibility).await
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        self.inner.depth().await
    }
}

/// A signer that counts its signatures.
#[derive(Debug)]
pub struct CountingSigner {
    inner: Arc<dyn Signer>,
    signatures: AtomicU64,
}

impl CountingSigner {
    /// Counts what `inner` signs.
    pub fn new(inner: Arc<dyn Signer>) -> Self {
        Self { inner, signatures: AtomicU64::new(0) }
    }

    /// Calls of `sign` since the last [`take`](Self::take).
    pub fn count(&self) -> u64 {
        self.signatures.load(Ordering::Relaxed)
    }

    /// The same, and begins again at zero.
    pub fn take(&self) -> u64 {
        self.signatures.swap(0, Ordering::Relaxed)
    }
}

#[async_trait]
impl Signer for CountingSigner {
    async fn first(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.inner.first(algorithm).await
    }

    async fn generate(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.inner.generate(algorithm).await
    }

    async fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.signatures.fetch_add(1, Ordering::Relaxed);
        self.inner.sign(key, message).await
    }

    async fn destroy(&self, key: &PublicKey) -> Result<(), SignError> {
        self.inner.destroy(key).await
    }
}

fn count<T>(things: &[T]) -> u64 {
    things.len() as u64
}
