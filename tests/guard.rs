//! Seams that hold each call against the rights of the function that makes it. What a call asks of
//! AWS is what its home in `shared/aws` asks.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ssf::{
    Parts,
    client::Secret,
    queue::{Message, Queue, QueueError, Received},
    seal::{Seal, SealError, Sealed},
    set::{Algorithm, PublicKey, SignError, Signer},
    table::{By, Change, Item, Key, Page, Query, Table, TableError, Version, Write},
};
use ssf_aws::table::ORDER_INDEX;

use crate::rights::{hold, hold_rows};

/// The same parts, guarded.
pub fn guarded(parts: Parts) -> Parts {
    let queue =
        |inner: Arc<dyn Queue>, name| -> Arc<dyn Queue> { Arc::new(Guarded { inner, name }) };
    Parts {
        table: Arc::new(Guarded { inner: parts.table, name: "Table" }),
        ingest: queue(parts.ingest, "IngestQueue"),
        ingest_fifo: queue(parts.ingest_fifo, "IngestFifoQueue"),
        dead_letters: queue(parts.dead_letters, "DeadLetterQueue"),
        push: queue(parts.push, "PushQueue"),
        signer: Arc::new(Guarded { inner: parts.signer, name: "SigningKey" }),
        seal: Arc::new(Guarded { inner: parts.seal, name: "SecretsKey" }),
        ..parts
    }
}

/// A seam, and the name that the template has for what is behind it.
#[derive(Debug)]
struct Guarded<T: ?Sized> {
    inner: Arc<T>,
    name: &'static str,
}

impl<T: ?Sized> Guarded<T> {
    fn hold(&self, action: &str) {
        hold(action, self.name);
    }
}

impl Guarded<dyn Table> {
    fn hold_rows<'a>(&self, action: &str, pks: impl IntoIterator<Item = &'a str>) {
        hold_rows(action, self.name, pks);
    }

    /// A part of a transaction needs the same right as the write by itself.
    fn hold_writes(&self, writes: &[Write]) {
        for write in writes {
            let action = match write.change {
                Change::Check => "dynamodb:ConditionCheckItem",
                Change::Delete => "dynamodb:DeleteItem",
                Change::Put(_) => "dynamodb:PutItem",
            };
            self.hold_rows(action, [write.key.pk.as_str()]);
        }
    }
}

#[async_trait]
impl Table for Guarded<dyn Table> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.hold_rows("dynamodb:GetItem", [key.pk.as_str()]);
        self.inner.get(key).await
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, TableError> {
        if !keys.is_empty() {
            let pks = keys.iter().map(|key| key.pk.as_str());
            self.hold_rows("dynamodb:BatchGetItem", pks);
        }
        self.inner.batch_get(keys).await
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        let pk = [query.pk.as_str()];
        match query.by {
            By::Order => {
                hold_rows("dynamodb:Query", &format!("{}/index/{ORDER_INDEX}", self.name), pk);
            }
            By::Sort => self.hold_rows("dynamodb:Query", pk),
        }
        self.inner.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Version, TableError>> {
        self.hold_writes(&writes);
        self.inner.write(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Version>, TableError> {
        self.hold_writes(&writes);
        self.inner.transact(writes).await
    }

    /// `DynamoDB` does so by itself.
    async fn remove_expired(&self, limit: usize) -> Result<usize, TableError> {
        self.inner.remove_expired(limit).await
    }
}

/// Who sends needs both rights to the key of a queue that has one, who receives the second alone.
const QUEUE_KEY: &str = "QueueKeyArn";

#[async_trait]
impl Queue for Guarded<dyn Queue> {
    async fn send(&self, messages: Vec<Message>) -> Vec<Result<String, QueueError>> {
        if !messages.is_empty() {
            self.hold("sqs:SendMessage");
            hold("kms:GenerateDataKey", QUEUE_KEY);
            hold("kms:Decrypt", QUEUE_KEY);
        }
        self.inner.send(messages).await
    }

    async fn receive(&self, max: usize, visibility: Duration) -> Result<Vec<Received>, QueueError> {
        self.hold("sqs:ReceiveMessage");
        hold("kms:Decrypt", QUEUE_KEY);
        self.inner.receive(max, visibility).await
    }

    async fn wait(&self, at_most: Duration) {
        self.inner.wait(at_most).await;
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueError> {
        if !receipts.is_empty() {
            self.hold("sqs:DeleteMessage");
        }
        self.inner.delete(receipts).await
    }

    async fn postpone(&self, receipt: &str, visibility: Duration) -> Result<(), QueueError> {
        self.hold("sqs:ChangeMessageVisibility");
        self.inner.postpone(receipt, visibility).await
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        self.hold("sqs:GetQueueAttributes");
        self.inner.depth().await
    }
}

#[async_trait]
impl Signer for Guarded<dyn Signer> {
    async fn first(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.hold("kms:GetPublicKey");
        self.inner.first(algorithm).await
    }

    async fn generate(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.hold("kms:CreateKey");
        self.inner.generate(algorithm).await
    }

    async fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.hold("kms:Sign");
        self.inner.sign(key, message).await
    }

    async fn destroy(&self, key: &PublicKey) -> Result<(), SignError> {
        self.hold("kms:ScheduleKeyDeletion");
        self.inner.destroy(key).await
    }
}

#[async_trait]
impl Seal for Guarded<dyn Seal> {
    async fn seal(&self, secret: &Secret, context: &str) -> Result<Sealed, SealError> {
        self.hold("kms:GenerateDataKey");
        self.inner.seal(secret, context).await
    }

    async fn open(&self, sealed: &Sealed, context: &str) -> Result<Secret, SealError> {
        self.hold("kms:Decrypt");
        self.inner.open(sealed, context).await
    }
}
