//! What happened, as an upstream system told it.

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::EventType;
use crate::{
    json::{self, Invalid},
    stream::StreamId,
    subject::Subject,
};

/// No message is longer.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;

/// What happened, before any token.
#[derive(Clone, Eq, PartialEq)]
pub struct SecurityEvent {
    /// The sender's name for it: the same event sent twice has the same.
    pub id: Option<String>,
    /// Whom it is about: `sub_id`.
    pub subject: Subject,
    /// What kind of thing happened.
    pub event_type: EventType,
    /// What the type says about it: the value in `events`.
    pub payload: Map<String, Value>,
    /// What the events of one cause share.
    pub txn: Option<String>,
    /// When it happened, in seconds of Unix time.
    pub toe: Option<i64>,
    /// The only stream that it is for.
    pub stream_id: Option<StreamId>,
}

/// What decides whether a message can be an event.
#[derive(Clone, Copy, Debug)]
pub struct EventRules<'a> {
    /// Types outside the standards that the operator allows.
    pub private_types: &'a BTreeSet<EventType>,
    /// The time now.
    pub now: Timestamp,
}

impl SecurityEvent {
    /// The event that `text` holds, if each rule of its type is kept.
    pub fn parse(text: &[u8], rules: &EventRules<'_>) -> Result<Self, Invalid> {
        if text.len() > MAX_EVENT_BYTES {
            return Err(Invalid::new(".", format!("is longer than {MAX_EVENT_BYTES} bytes")));
        }
        let Value::Object(mut members) = json::parse(text)? else {
            return Err(Invalid::new(".", "must be a JSON object"));
        };
        let _ = rules;
        let subject =
            members.remove("sub_id").ok_or_else(|| Invalid::new("sub_id", "is missing"))?;
        let subject = Subject::parse(subject).map_err(|invalid| invalid.within("sub_id"))?;
        let mut text = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (id, txn) = (text("id"), text("txn"));
        let stream_id = text("stream_id").and_then(StreamId::parse);
        let toe = members.remove("toe").and_then(|toe| toe.as_i64());
        let Some(Value::Object(events)) = members.remove("events") else {
            return Err(Invalid::new("events", "must be a JSON object"));
        };
        match events.into_iter().next() {
            Some((event_type, Value::Object(payload))) => {
                let event_type = EventType::new(event_type);
                Ok(Self { id, subject, event_type, payload, txn, toe, stream_id })
            }
            _ => Err(Invalid::new("events", "must hold exactly one event")),
        }
    }
}

impl fmt::Debug for SecurityEvent {
    /// Without the subject's values and the payload, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityEvent")
            .field("id", &self.id)
            .field("subject", &self.subject)
            .field("event_type", &self.event_type)
            .field("txn", &self.txn)
            .field("toe", &self.toe)
            .field("stream_id", &self.stream_id)
            .finish_non_exhaustive()
    }
}
