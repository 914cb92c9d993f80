//! What became of messages that were put on a door.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Error, Transmitter,
    client::ClientId,
    delivery::{
        dead_letter,
        origin::{LOCAL, narrowed},
    },
    operator::dead_letters::Look,
    queue::Received,
    set::{EventId, IssuedToken, Jti, SetError, TokenStatus},
    stream::{Status, Stream, StreamId, store::decode},
};

/// How many SETs are looked for at once.
const AT_ONCE: usize = 1000;

/// A message that was put on a door.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Emitted {
    /// The id that the door gave it.
    pub message_id: String,
    /// The sender's own name for the event: the member `id` of the message, when it is an event.
    pub event_id: Option<String>,
    /// Who sent it; see [`Transmitter::emit_sender`].
    pub sender: String,
}

/// What became of a message.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// It is still with the door, or in hand.
    Waiting,
    /// It was taken; these streams have a SET of it. None: no stream wants it.
    Issued {
        /// For which streams.
        streams: Vec<IssuedTo>,
    },
    /// It cannot be an event; it is with the dead letters.
    Refused {
        /// Why.
        reason: String,
    },
}

/// A stream that has a SET of an event.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct IssuedTo {
    /// Which stream.
    pub stream_id: StreamId,
    /// Whose it is.
    pub client_id: ClientId,
    /// The status of the stream; unless it is enabled, what is pending stays so.
    pub stream_status: Status,
    /// How its SETs reach the receiver: the URI, as the receiver named it.
    pub method: &'static str,
    /// The name of the SET.
    pub jti: Jti,
    /// What became of it.
    pub status: TokenStatus,
    /// When it was issued.
    pub issued: Timestamp,
    /// When its status last changed: of one that was sent, when its receiver acknowledged it.
    pub last_modified: Timestamp,
    /// When it will be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    /// What was wrong the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<SetError>,
}

impl Transmitter {
    /// Makes what proves that messages are ours, if it is not there: for an operator, and for a
    /// process that serves; on AWS the sweep does it.
    pub async fn ensure_door_key(&self) -> Result<(), Error> {
        self.door_keys().ensure(&*self.parts().table).await?;
        Ok(())
    }

    /// Who the operator is for the doors when he sends events himself, on behalf of `source` if that
    /// is said: the same on a laptop and on a stack, whoever he is there.
    pub fn emit_sender(source: Option<&str>) -> String {
        narrowed(LOCAL, source)
    }

    /// The attributes of a message with this `body` that prove that it is of `sender`, and that the
    /// queue called it `message_id` when it was first sent, if that is known.
    pub async fn own_attributes(
        &self,
        sender: &str,
        message_id: Option<&str>,
        body: &str,
    ) -> Result<BTreeMap<String, String>, Error> {
        let key = self.door_keys().ensure(&*self.parts().table).await?;
        Ok(key.attributes(sender, message_id, body))
    }

    /// What became of messages that were put on a door; the answers are in their order.
    ///
    /// No queue says whether it still has a certain message. So one of which there is neither a SET
    /// nor a dead letter counts as waiting as long as the doors hold anything at all, and as taken
    /// and wanted by nobody when they are empty. (The doors of SQS say approximately what they
    /// hold.) One that is being taken at this very moment may be told with a part of its streams.
    pub async fn fates(&self, emitted: &[Emitted]) -> Result<Vec<Fate>, Error> {
        // First: what has left the doors by now is where we look then.
        let empty = self.doors_are_empty().await?;
        let events = emitted.iter().map(|emitted| match &emitted.event_id {
            Some(id) => EventId::of_sender(&emitted.sender, id),
            None => EventId::of_message(&emitted.message_id),
        });
        let streams = self.sets_of(&events.collect::<Vec<_>>()).await?;
        let missing = emitted.iter().zip(&streams).filter(|(_, streams)| streams.is_empty());
        let missing = missing.map(|(emitted, _)| emitted.message_id.clone()).collect();
        let message_id =
            |letter: &Received| letter.attributes.get(dead_letter::MESSAGE_ID).cloned();
        let mut refused = self.find_refused(missing, message_id).await?;
        let fate = |(emitted, streams): (&Emitted, Vec<IssuedTo>)| {
            if let Some(reason) = refused.remove(&emitted.message_id) {
                Fate::Refused { reason }
            } else if streams.is_empty() && !empty {
                Fate::Waiting
            } else {
                Fate::Issued { streams }
            }
        };
        Ok(emitted.iter().zip(streams).map(fate).collect())
    }

    /// Whether nothing waits to be taken in.
    pub(super) async fn doors_are_empty(&self) -> Result<bool, Error> {
        let parts = self.parts();
        Ok(parts.ingest.depth().await? + parts.ingest_fifo.depth().await? == 0)
    }

    /// The SETs of these events, for all streams that have one.
    pub(super) async fn sets_of(&self, events: &[EventId]) -> Result<Vec<Vec<IssuedTo>>, Error> {
        let mut found = vec![Vec::new(); events.len()];
        let mut after = None;
        loop {
            let (part, next) = self.streams_behind(after).await?;
            self.find_issued(events, &part, &mut found).await?;
            if next.is_none() {
                return Ok(found);
            }
            after = next;
        }
    }

    async fn find_issued(
        &self,
        events: &[EventId],
        streams: &[Stream],
        found: &mut [Vec<IssuedTo>],
    ) -> Result<(), Error> {
        let pairs: Vec<(usize, &Stream, _)> = events
            .iter()
            .enumerate()
            .flat_map(|(at, event)| {
                let key = move |stream: &Stream| {
                    IssuedToken::key(&stream.id, &Jti::of(event, &stream.id))
                };
                streams.iter().map(move |stream| (at, stream, key(stream)))
            })
            .collect();
        for pairs in pairs.chunks(AT_ONCE) {
            let keys: Vec<_> = pairs.iter().map(|(_, _, key)| key.clone()).collect();
            let items = self.parts().table.batch_get(&keys).await?;
            for (item, (at, stream, _)) in items.into_iter().zip(pairs) {
                if let Some(item) = item {
                    found[*at].push(IssuedTo::of(stream, decode(&item)?));
                }
            }
        }
        Ok(())
    }

    /// The reasons of those of `missing` that are with the dead letters.
    pub(super) async fn find_refused(
        &self,
        mut missing: HashSet<String>,
        name: impl Fn(&Received) -> Option<String>,
    ) -> Result<HashMap<String, String>, Error> {
        let mut found = HashMap::new();
        // To look is to write: not as often as somebody waits in vain.
        if missing.is_empty() || self.parts().dead_letters.depth().await? == 0 {
            return Ok(found);
        }
        self.look(async |letter| {
            if let Some(name) = name(letter).filter(|name| missing.remove(name)) {
                let reason = letter.attributes.get(dead_letter::REASON).cloned();
                found.insert(name, reason.unwrap_or_default());
            }
            Ok(if missing.is_empty() { Look::Stop } else { Look::Keep })
        })
        .await?;
        Ok(found)
    }
}

impl IssuedTo {
    fn of(stream: &Stream, token: IssuedToken) -> Self {
        Self {
            stream_id: stream.id.clone(),
            client_id: stream.owner.clone(),
            stream_status: stream.status,
            method: stream.delivery.method(),
            jti: token.jti,
            status: token.status,
            issued: token.created,
            last_modified: token.last_modified,
            next_attempt: token.next_attempt,
            error: token.error,
        }
    }
}
