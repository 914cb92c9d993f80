//! The SETs that were issued, as an operator lists them.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Error, Transmitter,
    event::EventType,
    operator::Listed,
    set::{
        FAILED, Held, IssuedToken, Jti, PENDING, SetError, SignedToken, TokenStatus,
        issued_partition, sortable,
    },
    stream::{Stream, StreamId, store::decode},
    table::{Key, Query},
};

/// How many SETs are read at once.
const AT_ONCE: usize = 500;

/// Which SETs are listed: those that fit all that is said.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Those of this stream.
    pub stream: Option<StreamId>,
    /// Those of this status.
    pub status: Option<TokenStatus>,
    /// Those that tell of this.
    pub event_type: Option<EventType>,
    /// Those issued then, or later.
    pub since: Option<Timestamp>,
    /// Those issued before.
    pub until: Option<Timestamp>,
}

impl EventFilter {
    pub(super) fn fits(&self, token: &IssuedToken) -> bool {
        self.status.is_none_or(|status| status == token.status)
            && self.event_type.as_ref().is_none_or(|name| *name == token.event_type)
            && self.since.is_none_or(|since| since <= token.created)
            && self.until.is_none_or(|until| token.created < until)
    }
}

/// A SET in a list.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct EventSummary {
    /// Its name.
    pub jti: Jti,
    /// To which stream it was issued.
    pub stream_id: StreamId,
    /// What became of it.
    pub status: TokenStatus,
    /// Of what it tells.
    pub event_type: EventType,
    /// What it has in common with the other SETs of the same cause.
    pub txn: String,
    /// When it was issued.
    pub created: Timestamp,
    /// When its status last changed.
    pub last_modified: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// When it will be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    /// What was wrong the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<SetError>,
}

impl EventSummary {
    pub(super) fn of(token: IssuedToken) -> Self {
        Self {
            jti: token.jti,
            stream_id: token.stream_id,
            status: token.status,
            event_type: token.event_type,
            txn: token.txn,
            created: token.created,
            last_modified: token.last_modified,
            attempts: token.attempts,
            next_attempt: token.next_attempt,
            error: token.error,
        }
    }
}

/// All that an operator can know of a SET.
#[derive(Clone, Serialize)]
pub struct EventRecord {
    /// What stands in a list.
    #[serde(flatten)]
    pub summary: EventSummary,
    /// When it was first tried in vain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_attempt: Option<Timestamp>,
    /// What it says.
    pub claims: Option<Value>,
    /// Its bytes.
    pub set: SignedToken,
}

impl fmt::Debug for EventRecord {
    /// Without what it says, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventRecord").field("summary", &self.summary).finish_non_exhaustive()
    }
}

impl Transmitter {
    /// The SETs that fit `filter`, the newest first, at most `limit` (at least 1), behind `after`.
    ///
    /// What is pending or failed is found without a look at the rest. What was sent has no order,
    /// so that a list with such SETs reads all that are kept of the stream; it holds no more of
    /// them at a time than it answers.
    pub async fn event_list(
        &self,
        filter: &EventFilter,
        after: Option<&Jti>,
        limit: usize,
    ) -> Result<Listed<EventSummary>, Error> {
        let after = match after {
            Some(jti) => {
                let (held, _) = self.find_event(jti, filter.stream.as_ref()).await?;
                Some(Newest::place(&held.token))
            }
            None => None,
        };
        let mut newest = Newest { after, limit, found: BTreeMap::new() };
        self.each_stream(filter.stream.as_ref(), async |stream| {
            self.collect(&stream.id, filter, &mut newest).await
        })
        .await?;
        Ok(newest.listed())
    }

    async fn collect(
        &self,
        stream: &StreamId,
        filter: &EventFilter,
        newest: &mut Newest,
    ) -> Result<(), Error> {
        let partition = issued_partition(stream);
        let query = match filter.status {
            Some(TokenStatus::New) => Query::ordered(partition, PENDING),
            Some(TokenStatus::Failed) => Query {
                after: newest.after.as_ref().map(|after| format!("{FAILED}{after}")),
                ..Query::ordered(partition, FAILED).backwards()
            },
            Some(TokenStatus::Dropped | TokenStatus::Sent) | None => Query::sorted(partition, ""),
        }
        .limit(AT_ONCE);
        let backwards = query.backwards;
        let mut pages = self.parts().table.pages(query);
        while let Some(items) = pages.next().await? {
            for item in &items {
                let token: IssuedToken = decode(item)?;
                // Backwards, all that follow are older still.
                if backwards && newest.is_too_old(&token) {
                    return Ok(());
                }
                if filter.fits(&token) {
                    newest.offer(token);
                }
            }
        }
        Ok(())
    }

    /// A SET; `stream` spares looking for it in all streams.
    pub async fn event_show(
        &self,
        jti: &Jti,
        stream: Option<&StreamId>,
    ) -> Result<EventRecord, Error> {
        let (held, _) = self.find_event(jti, stream).await?;
        let token = held.token;
        Ok(EventRecord {
            first_attempt: token.first_attempt,
            claims: token.signed.claims(),
            set: token.signed.clone(),
            summary: EventSummary::of(token),
        })
    }

    /// A SET and its stream.
    pub(super) async fn find_event(
        &self,
        jti: &Jti,
        stream: Option<&StreamId>,
    ) -> Result<(Held, Stream), Error> {
        if let Some(id) = stream {
            let Some((stream, _)) = self.stream(id).await? else {
                return Err(Error::StreamNotFound(id.clone()));
            };
            let held = self.issued(id, std::slice::from_ref(jti)).await?.pop();
            return held.map(|held| (held, stream)).ok_or_else(|| not_found(jti));
        }
        let mut after = None;
        loop {
            let (streams, next) = self.streams_behind(after).await?;
            let keys: Vec<Key> =
                streams.iter().map(|stream| IssuedToken::key(&stream.id, jti)).collect();
            let items = self.parts().table.batch_get(&keys).await?;
            for (item, stream) in items.into_iter().zip(streams) {
                if let Some(item) = item {
                    return Ok((Held::of(&item)?, stream));
                }
            }
            if next.is_none() {
                return Err(not_found(jti));
            }
            after = next;
        }
    }
}

fn not_found(jti: &Jti) -> Error {
    Error::NotFound { kind: "event", id: jti.to_string() }
}

/// The newest of all that is offered, behind a place in the list.
struct Newest {
    /// The place of the one behind which the list begins.
    after: Option<String>,
    limit: usize,
    /// By place: the oldest first. One more than the limit, to know whether there is more.
    found: BTreeMap<String, EventSummary>,
}

impl Newest {
    /// Sorts as the orders of failed SETs do.
    fn place(token: &IssuedToken) -> String {
        format!("{}#{}", sortable(token.created), token.jti)
    }

    /// Whether there are enough without it, and without all that are older.
    fn is_too_old(&self, token: &IssuedToken) -> bool {
        let full = self.found.len() > self.limit;
        full && self.found.first_key_value().is_some_and(|(oldest, _)| Self::place(token) < *oldest)
    }

    fn offer(&mut self, token: IssuedToken) {
        let place = Self::place(&token);
        if self.after.as_ref().is_some_and(|after| place >= *after) || self.is_too_old(&token) {
            return;
        }
        self.found.insert(place, EventSummary::of(token));
        if self.found.len() > self.limit + 1 {
            self.found.pop_first();
        }
    }

    fn listed(mut self) -> Listed<EventSummary> {
        let more = self.found.len() > self.limit;
        if more {
            self.found.pop_first();
        }
        Listed { items: self.found.into_values().rev().collect(), more }
    }
}
