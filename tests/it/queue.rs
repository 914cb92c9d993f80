//! What every home of the queue must do.
//!
//! `queue/contract.rs` and `queue/time.rs` are small stories; `queue/model.rs` adds random ones, compared
//! with a model. On SQS time is real and cannot be moved: there those are told that need no time to
//! pass, since a message that is given back is visible at once.

mod contract;
mod embedded;
mod model;
mod sqs;
mod time;
mod wait;

use std::{sync::Arc, time::Duration};

use ssf::{
    clock::{Clock, ManualClock},
    embedded::{Database, QueueKind},
    queue::{Message, Queue, Received},
};

/// An empty queue of each kind.
struct Home {
    standard: Arc<dyn Queue>,
    fifo: Arc<dyn Queue>,
    /// What must outlive the queues.
    _folder: Option<tempfile::TempDir>,
}

/// A home whose time is ours to set.
struct Timed {
    home: Home,
    clock: Arc<ManualClock>,
}

fn in_memory() -> Timed {
    let clock = clock();
    home(&Database::in_memory(Arc::clone(&clock) as Arc<dyn Clock>), clock, None)
}

fn on_disk() -> Timed {
    let clock = clock();
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    home(&database, clock, Some(folder))
}

fn home(database: &Database, clock: Arc<ManualClock>, folder: Option<tempfile::TempDir>) -> Timed {
    let home = Home {
        standard: Arc::new(database.queue("standard", QueueKind::Standard)),
        fifo: Arc::new(database.queue("fifo", QueueKind::Fifo)),
        _folder: folder,
    };
    Timed { home, clock }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-09-01T12:00:00Z".parse().unwrap()))
}

/// What a consumer holds a message for, in these tests: on SQS, where time is real, for longer than a
/// test may take on a machine that has other things to do.
const HOLD: Duration = Duration::from_mins(10);

fn message(body: &str) -> Message {
    Message { body: body.to_owned(), ..Message::default() }
}

fn in_group(group: &str, body: &str) -> Message {
    Message { group: Some(group.to_owned()), ..message(body) }
}

/// One of those that count as the same message.
fn twin(body: &str) -> Message {
    Message { deduplication: Some("twin".to_owned()), ..in_group("a", body) }
}

async fn send(queue: &dyn Queue, messages: impl IntoIterator<Item = Message>) {
    for answer in queue.send(messages.into_iter().collect()).await {
        answer.unwrap();
    }
}

async fn receive(queue: &dyn Queue, max: usize) -> Vec<Received> {
    queue.receive(max, HOLD).await.unwrap()
}

/// Makes a message in hand visible again.
async fn give_back(queue: &dyn Queue, message: &Received) {
    queue.postpone(&message.receipt, Duration::ZERO).await.unwrap();
}

async fn delete(queue: &dyn Queue, message: &Received) {
    queue.delete(vec![message.receipt.clone()]).await.unwrap();
}

fn bodies(messages: &[Received]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_str()).collect()
}
