//! The seam to what holds work until it is done.
//!
//! A queue is SQS, or works like it: a table of the same SQLite file (`embedded::SqliteQueue`).
//! A message that was received is invisible for a while; who is done with it deletes it, else it
//! comes again. Messages of one group come in the order in which they were sent: while one is
//! invisible, the later ones of its group wait.

mod limits;
mod requests;

use std::{collections::BTreeMap, fmt, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::table::BoxError;

pub(crate) use limits::fit;
pub use limits::{MAX_VISIBILITY, check_visibility};
pub use requests::{RequestSize, requests, send_in_order};

/// What a queue promises.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QueueKind {
    /// Order within each group, and deduplication.
    Fifo,
    /// Neither.
    Standard,
}

/// Holds messages.
#[async_trait]
pub trait Queue: fmt::Debug + Send + Sync {
    /// Adds messages. The answers, their ids, are in the order of `messages`. One that fails does not
    /// keep other groups from being sent, as long as the queue answers; but nothing behind it in its own
    /// group is sent, so that whoever sends again what failed keeps the order. One that is refused
    /// keeps nothing back.
    async fn send(&self, messages: Vec<Message>) -> Vec<Result<String, QueueError>>;

    /// Takes at most `max` messages that are visible and makes them invisible for `visibility`,
    /// at most [`MAX_VISIBILITY`]. Returns soon. Of one group come as many as there are, in order,
    /// none of them behind an invisible one. There may be more than come: SQS gives ten at most.
    async fn receive(&self, max: usize, visibility: Duration) -> Result<Vec<Received>, QueueError>;

    /// Returns when there may be something to receive, at the latest after `at_most`.
    async fn wait(&self, at_most: Duration);

    /// Removes messages that are done. A receipt that is outlived (the message was received again)
    /// or whose message is gone is passed over; SQS may honor an outlived one on a standard queue.
    async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueError>;

    /// Makes a received message invisible for `visibility` from now (zero: visible at once; at
    /// most [`MAX_VISIBILITY`]). A receipt that is outlived is passed over.
    async fn postpone(&self, receipt: &str, visibility: Duration) -> Result<(), QueueError>;

    /// How many messages there are, visible or not. SQS says it approximately.
    async fn depth(&self) -> Result<u64, QueueError>;
}

/// What is to be sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Message {
    /// The text.
    pub body: String,
    /// Within a group messages keep their order. Required by, and only allowed on, FIFO queues.
    pub group: Option<String>,
    /// On FIFO queues: a second message with the same one within five minutes is taken and dropped.
    pub deduplication: Option<String>,
    /// Invisible for this long at first; only on queues without groups.
    pub delay: Duration,
    /// Named remarks, at most ten.
    pub attributes: BTreeMap<String, String>,
}

impl Message {
    /// How large it is: names, types and values of the attributes count too.
    pub fn size(&self) -> usize {
        let attribute =
            |(name, value): (&String, &String)| name.len() + "String".len() + value.len();
        self.body.len() + self.attributes.iter().map(attribute).sum::<usize>()
    }
}

/// A message in hand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Received {
    /// Given by the queue when the message was sent; the same each time it comes.
    pub id: String,
    /// The text.
    pub body: String,
    /// Its group, on FIFO queues.
    pub group: Option<String>,
    /// Named remarks.
    pub attributes: BTreeMap<String, String>,
    /// Who sent it, as the queue knows: on AWS the id of the user, role (without its session) or
    /// account. `None`: it does not say.
    pub sender: Option<String>,
    /// When the queue took it; the same each time it comes.
    pub sent_at: Timestamp,
    /// On FIFO queues: grows within a group from message to message (SQS: 20 digits).
    pub sequence: Option<String>,
    /// How often it has been received, with this time.
    pub receives: u32,
    /// Names this receiving of the message.
    pub receipt: String,
}

/// What can go wrong with a queue.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// It takes no such message.
    #[error("the queue refuses the message: {0}")]
    Refused(&'static str),
    /// The queue does not answer, or not in time; the message may have been sent.
    #[error("the queue is not available")]
    Unavailable(#[source] BoxError),
}
