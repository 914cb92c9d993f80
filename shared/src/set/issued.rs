//! SETs that were issued, as they are kept.
//!
//! | pk | sk | order |
//! | --- | --- | --- |
//! | `SET#<stream id>` | `<jti>` | pending: `P#<lane>#<sent at>#<sequence>#<jti>`; failed: `F#<issued at>#<jti>`; sent: none |
//!
//! So the pending ones of a lane are listed in order, however many others there are, and one that
//! is acknowledged is found by its `jti`.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Transmitter, clock,
    delivery::Attempt,
    event::EventType,
    metrics::{self, Metric},
    set::{Jti, SignedToken},
    stream::{
        Stream, StreamId,
        store::{decode, encode},
    },
    table::{Condition, Content, Item, Key, Query, TableError, Version, Write, class},
};

/// A SET that was issued to a stream, and what became of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct IssuedToken {
    /// Its name.
    pub jti: Jti,
    /// To which stream.
    pub stream_id: StreamId,
    /// What became of it.
    pub status: TokenStatus,
    /// Of what it tells.
    pub event_type: EventType,
    /// What it has in common with the other SETs of the same cause.
    pub txn: String,
    /// The SET.
    #[serde(with = "super::kept")]
    pub signed: SignedToken,
    /// In which lane of the stream it goes.
    pub lane: u8,
    /// Tells subjects apart; those of one subject go one after the other.
    pub subject: String,
    /// Its place among the others of its lane.
    pub place: String,
    /// When it passes.
    pub passage: Passage,
    /// 16 bytes of the hash of the event, if its sender named it: the same name with another content
    /// is not the same event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// By which revision of its stream it was issued; see
    /// [`Stream::revision`](crate::stream::Stream::revision).
    #[serde(default)]
    pub revision: u32,
    /// When it was issued.
    pub created: Timestamp,
    /// When its status last changed.
    pub last_modified: Timestamp,
    /// How often it was tried in vain.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// When it was first tried in vain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_attempt: Option<Timestamp>,
    /// When it will be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    /// What was wrong the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SetError>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What became of a SET.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum TokenStatus {
    /// Its stream was disabled, or asked for its type no more, before it was delivered. It keeps its
    /// bytes, for when the same event is accepted again.
    #[serde(rename = "dropped")]
    Dropped,
    /// It is still to be delivered.
    #[serde(rename = "pending_new")]
    New,
    /// It was refused, or given up: it stays until an operator tries it again or drops it.
    #[serde(rename = "pending_failed")]
    Failed,
    /// It was delivered.
    #[serde(rename = "sent")]
    Sent,
}

/// When a SET passes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    /// Whatever the status of the stream: it says that the status changes.
    Always,
    /// While the stream is enabled.
    WhenEnabled,
}

/// What a receiver says is wrong with a SET ([RFC 8935, 2.3], [RFC 8936, 2.6]), or what we saw.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SetError {
    /// A code.
    pub err: String,
    /// Words for people.
    #[serde(default)]
    pub description: String,
}

impl SetError {
    /// A push in vain, of which the receiver did not say what was wrong with the SET.
    pub(crate) fn push_failed(reason: String) -> Self {
        Self { err: Self::PUSH_FAILED.to_owned(), description: reason }
    }

    /// What a stream that stops for it is told: the receiver's code, but not its words.
    pub(crate) fn for_stream(&self) -> String {
        match self.own_words() {
            Some(words) => words.to_owned(),
            None => format!("the receiver answered 400 with {}", self.err),
        }
    }

    /// The description, if it is ours: a receiver's may say anything, and is not for a log.
    pub(crate) fn own_words(&self) -> Option<&str> {
        (self.err == Self::PUSH_FAILED).then_some(self.description.as_str())
    }

    /// Our own code for that.
    pub const PUSH_FAILED: &str = "push_failed";

    /// At most 100 bytes of code and 500 of words, whatever a receiver sends.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.err.truncate(self.err.floor_char_boundary(100));
        self.description.truncate(self.description.floor_char_boundary(500));
        self
    }
}

/// The partition of the SETs of a stream.
pub(crate) fn issued_partition(stream: &StreamId) -> String {
    class::SET.of(stream)
}

/// The orders of all pending SETs of a stream begin so.
pub(crate) const PENDING: &str = "P#";
/// The orders of all failed SETs of a stream begin so.
pub(crate) const FAILED: &str = "F#";

/// The orders of the pending SETs of one lane begin so.
pub(crate) fn lane_prefix(lane: u8) -> String {
    format!("{PENDING}{lane:02x}#")
}

/// A place among others: when a queue took the message, then its number there.
pub(crate) fn place(sent_at: Timestamp, sequence: Option<&str>) -> String {
    // A sequence number of SQS has 20 digits, and may have 39: 128 bits.
    format!("{}#{:0>39}", sortable(sent_at), sequence.unwrap_or_default())
}

/// `time` as text that sorts as times do, to the millisecond.
pub(crate) fn sortable(time: Timestamp) -> String {
    // 15 digits of milliseconds last until the year 33658.
    format!("{:015}", time.as_millisecond().max(0))
}

impl IssuedToken {
    /// Notes an attempt that was in vain.
    pub(crate) fn put_off(&mut self, attempt: Attempt, error: SetError) {
        self.attempts = attempt.number;
        self.first_attempt = Some(attempt.first_at);
        self.error = Some(error);
    }

    /// Until when it waits, on `stream`, if it does at `now`. What was put off before the stream was
    /// enabled again waits no longer.
    pub(crate) fn waits(&self, stream: &Stream, now: Timestamp) -> Option<Timestamp> {
        let counts = Some(self.last_modified) >= stream.round_began;
        self.next_attempt.filter(|next| counts && *next > now)
    }

    /// The attempt that is made now.
    pub(crate) fn attempt(&self, stream: &Stream, now: Timestamp) -> Attempt {
        match self.first_attempt {
            // What was tried before the stream was enabled again does not count.
            Some(first_at) if Some(first_at) >= stream.round_began => {
                Attempt { number: self.attempts + 1, first_at }
            }
            Some(_) | None => Attempt { number: 1, first_at: now },
        }
    }

    /// When the queue took the event that it tells.
    fn accepted_at(&self) -> Timestamp {
        let milliseconds = self.place.split('#').next().and_then(|text| text.parse().ok());
        let accepted = milliseconds.and_then(|time| Timestamp::from_millisecond(time).ok());
        accepted.unwrap_or(self.created)
    }

    /// Where it is kept.
    pub(crate) fn key(stream: &StreamId, jti: &Jti) -> Key {
        Key::new(issued_partition(stream), jti.as_str())
    }

    /// Where it stands among the others of its stream, if it does.
    pub(crate) fn order(&self) -> Option<String> {
        match self.status {
            TokenStatus::New => {
                Some(format!("{}{}#{}", lane_prefix(self.lane), self.place, self.jti))
            }
            TokenStatus::Failed => Some(format!("{FAILED}{}#{}", sortable(self.created), self.jti)),
            TokenStatus::Dropped | TokenStatus::Sent => None,
        }
    }

    /// The write that keeps it; only what was sent or dropped goes away by itself, at `expires`.
    pub(crate) fn write(&self, condition: Condition, expires: Timestamp) -> Write {
        let expires = match self.status {
            TokenStatus::Dropped | TokenStatus::Sent => Some(expires),
            TokenStatus::New | TokenStatus::Failed => None,
        };
        let content = Content { body: encode(self), order: self.order(), expires };
        Write::put(Self::key(&self.stream_id, &self.jti), condition, content)
    }
}

/// A SET in hand: as read, with its version.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) token: IssuedToken,
    pub(crate) version: Version,
}

impl Held {
    pub(crate) fn of(item: &Item) -> Result<Self, TableError> {
        Ok(Self { token: decode(item)?, version: item.version })
    }

    /// The write that removes it, if nobody has changed it.
    pub(crate) fn delete(&self) -> Write {
        let key = IssuedToken::key(&self.token.stream_id, &self.token.jti);
        Write::delete(key, Condition::Version(self.version))
    }
}

impl Transmitter {
    /// When what settles now goes away.
    pub(crate) fn retained_until(&self) -> Timestamp {
        clock::add(self.parts().clock.now(), self.parts().config.event_retention)
    }

    /// The SETs of a stream whose order begins with `prefix`, behind `after`, and where to go on if
    /// there are more.
    pub(crate) async fn pending(
        &self,
        stream: &StreamId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Held>, Option<String>), Error> {
        let query = Query::ordered(issued_partition(stream), prefix).limit(limit);
        let query = Query { after: after.map(str::to_owned), ..query };
        let page = self.parts().table.query(query).await?;
        let held = page.items.iter().map(Held::of).collect::<Result<_, _>>()?;
        Ok((held, page.next))
    }

    /// The SETs of a stream with these names, where there are any.
    pub(crate) async fn issued(&self, stream: &StreamId, jtis: &[Jti]) -> Result<Vec<Held>, Error> {
        let keys: Vec<Key> = jtis.iter().map(|jti| IssuedToken::key(stream, jti)).collect();
        let items = self.parts().table.batch_get(&keys).await?;
        Ok(items.iter().flatten().map(Held::of).collect::<Result<_, _>>()?)
    }

    /// Writes what became of `tokens`. A SET that somebody else settled meanwhile stays as it is.
    pub(crate) async fn settle(&self, tokens: Vec<Held>) -> Result<(), Error> {
        let expires = self.retained_until();
        let now = self.parts().clock.now();
        let sent = tokens.iter().filter(|held| held.token.status == TokenStatus::Sent);
        let latencies: Vec<Duration> =
            sent.map(|held| clock::since(held.token.accepted_at(), now)).collect();
        let writes = tokens
            .into_iter()
            .map(|mut held| {
                held.token.last_modified = now;
                held.token.write(Condition::Version(held.version), expires)
            })
            .collect();
        match self.write_rows(writes).await {
            Err(Error::Table(TableError::Conflict)) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        metrics::count(Metric::SetsDelivered, latencies.len());
        for latency in latencies {
            metrics::time(Metric::DeliveryLatency, latency);
        }
        Ok(())
    }
}
