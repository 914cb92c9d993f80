//! What an operator sees and does: streams, events, dead letters.
//!
//! The methods are named as the commands are: `tocsin stream list` is
//! [`Transmitter::stream_list`](crate::Transmitter::stream_list). Those about clients, tokens and
//! keys stand with clients, tokens and keys. Nothing here is reachable by a receiver.

mod dead_letters;
mod events;
mod failed;
mod fate;
mod keys;
mod streams;
mod told;
mod txn;

pub use dead_letters::{DeadLetter, DeadLetters};
pub use events::{EventFilter, EventRecord, EventSummary};
pub use failed::Retried;
pub use fate::{Emitted, Fate, IssuedTo};
use serde::Serialize;
pub use streams::{COUNTED, StreamDetails, StreamFilter, StreamSummary, Trouble};
pub use told::ToldChange;
pub use txn::{Followed, Txn};

/// Part of a list. The next part begins behind the last one of this.
#[derive(Clone, Debug, Serialize)]
pub struct Listed<T> {
    /// What is listed.
    pub items: Vec<T>,
    /// Whether there is more.
    pub more: bool,
}
