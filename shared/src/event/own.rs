//! The events that the transmitter makes itself, about a stream.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{EventType, SecurityEvent};
use crate::{stream::StreamId, subject::Subject};

/// The stream works ([SSF 1.0, 8.1.4]).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Verification {
    /// What the receiver sent with its request, to be echoed; absent when nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// We changed the status of the stream ([SSF 1.0, 8.1.5]).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct StreamUpdated {
    /// The new status: `enabled`, `paused` or `disabled`.
    pub status: String,
    /// Why, in words for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Verification {
    /// What stands in `events`.
    pub fn payload(&self) -> Map<String, Value> {
        payload(self)
    }

    /// The event on the stream `id`.
    pub fn on(&self, id: &StreamId) -> SecurityEvent {
        event(id, EventType::VERIFICATION, self.payload())
    }
}

impl StreamUpdated {
    /// What stands in `events`.
    pub fn payload(&self) -> Map<String, Value> {
        payload(self)
    }

    /// The event on the stream `id`.
    pub fn on(&self, id: &StreamId) -> SecurityEvent {
        event(id, EventType::STREAM_UPDATED, self.payload())
    }
}

fn payload(event: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(event) {
        Ok(Value::Object(members)) => members,
        other => unreachable!("a struct of texts is an object, not {other:?}"),
    }
}

fn event(id: &StreamId, event_type: EventType, payload: Map<String, Value>) -> SecurityEvent {
    SecurityEvent {
        id: None,
        subject: Subject::stream(id),
        event_type,
        payload,
        txn: None,
        toe: None,
        stream_id: Some(id.clone()),
    }
}
