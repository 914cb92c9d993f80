//! Verification ([SSF 1.0, 8.1.4]) and signs of life (`inactivity_timeout`, 8.1.1).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Transmitter,
    client::Receiver,
    clock,
    error::chain,
    event::Verification,
    set::Passage,
    stream::{
        Stream, StreamId,
        store::{active_key, content, decode, verified_key},
    },
    table::{Condition, Write},
};

/// The body of a verification request ([SSF 1.0, 8.1.4.2]).
#[derive(Clone, Deserialize)]
pub struct VerifyStream {
    /// Which stream.
    pub stream_id: StreamId,
    /// Comes back exactly, in the SET.
    #[serde(default)]
    pub state: Option<State>,
}

impl fmt::Debug for VerifyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyStream").field("stream_id", &self.stream_id).finish_non_exhaustive()
    }
}

/// `state`: any string of at most 64 KiB, so that the SET fits where it is kept.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct State(pub String);

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

impl TryFrom<String> for State {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() > 64 * 1024 { Err("is longer than 64 KiB") } else { Ok(Self(text)) }
    }
}

/// When something last happened.
#[derive(Debug, Deserialize, Serialize)]
struct Last {
    at: Timestamp,
}

impl Transmitter {
    /// Sends a verification SET on a stream of `receiver`; not more often than the interval says.
    /// A paused stream gets it when it is enabled, a disabled one never.
    pub async fn verify_stream(
        &self,
        receiver: &Receiver,
        wish: VerifyStream,
    ) -> Result<(), Error> {
        let stream = self.stream_of(receiver, &wish.stream_id).await?;
        self.touch(&stream).await?;
        self.check_verification_interval(&stream).await?;
        if stream.takes_events() {
            let state = wish.state.map(|state| state.0);
            let event = Verification { state }.on(&stream.id);
            self.issue_own(&stream, &event, Passage::WhenEnabled).await?;
        }
        self.note_verification(&stream).await;
        Ok(())
    }

    /// Whether the interval since the last one is over.
    async fn check_verification_interval(&self, stream: &Stream) -> Result<(), Error> {
        let parts = self.parts();
        let interval = parts.config.min_verification_interval;
        if interval.is_zero() {
            return Ok(());
        }
        let Some(item) = parts.table.get(&verified_key(&stream.id)).await? else { return Ok(()) };
        let now = parts.clock.now();
        let again = clock::add(decode::<Last>(&item)?.at, interval);
        if now < again {
            return Err(Error::TooSoon { retry_after: clock::since(now, again) });
        }
        Ok(())
    }

    /// Begins the interval: after the SET, so that whoever is told to wait was sent one. If this
    /// fails, or two ask at the same moment, one more is sent.
    async fn note_verification(&self, stream: &Stream) {
        let parts = self.parts();
        if parts.config.min_verification_interval.is_zero() {
            return;
        }
        let last = content(&Last { at: parts.clock.now() });
        let put = Write::put(verified_key(&stream.id), Condition::Any, last);
        if let Err(error) = self.write_rows(vec![put]).await {
            tracing::warn!(stream.id = %stream.id, error = chain(&error), "no interval was begun");
        }
    }

    /// Notes that the receiver of `stream` is alive. To the twentieth of the timeout, so that a
    /// busy receiver costs few writes.
    pub(crate) async fn touch(&self, stream: &Stream) -> Result<(), Error> {
        let parts = self.parts();
        let Some(timeout) = parts.config.inactivity_timeout else { return Ok(()) };
        let now = parts.clock.now();
        let seen = self.last_active(stream).await?;
        if clock::since(seen, now) < timeout / 20 {
            return Ok(());
        }
        let put = Write::put(active_key(&stream.id), Condition::Any, content(&Last { at: now }));
        self.write_rows(vec![put]).await
    }

    /// When the receiver of `stream` last showed; when it was created, if it never did.
    pub(crate) async fn last_active(&self, stream: &Stream) -> Result<Timestamp, Error> {
        Ok(match self.parts().table.get(&active_key(&stream.id)).await? {
            Some(item) => decode::<Last>(&item)?.at,
            None => stream.created,
        })
    }
}
