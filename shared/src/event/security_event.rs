//! What happened, as an upstream system told it.
//!
//! A message is a SET without the transmitter's part:
//!
//! ```json
//! {
//!   "id": "optional: the same event sent twice has the same",
//!   "sub_id": { "format": "email", "email": "ann@example.com" },
//!   "events": {
//!     "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {
//!       "event_timestamp": 1615304991,
//!       "reason_admin": { "en": "Landspeed Policy Violation: C076E82F" }
//!     }
//!   },
//!   "txn": "optional: shared by the events of one cause",
//!   "toe": 1615304991,
//!   "stream_id": "optional: the only stream that it is for"
//! }
//! ```

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{EventType, Family, schema};
use crate::{
    json::{self, Invalid},
    stream::StreamId,
    subject::Subject,
};

/// A message is not longer: 256 KiB.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;

/// `id` and `txn` have at most so many characters.
const MAX_NAME_CHARS: usize = 256;

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
    /// When it happened, in whole seconds of Unix time.
    pub toe: Option<i64>,
    /// The only stream that it is for.
    pub stream_id: Option<StreamId>,
}

/// What decides, besides the standards, whether a message can be an event.
#[derive(Clone, Copy, Debug)]
pub struct EventRules<'a> {
    /// Types outside the standards that the operator allows.
    pub private_types: &'a BTreeSet<EventType>,
    /// The time now.
    pub now: Timestamp,
}

impl SecurityEvent {
    /// The event that `text` holds, if each rule of its type is kept. In the member of an error, the
    /// event's type stands with its short name: `events.credential-change.change_type`.
    pub fn parse(text: &[u8], rules: &EventRules<'_>) -> Result<Self, Invalid> {
        if text.len() > MAX_EVENT_BYTES {
            let reason = format!("must not be longer than {MAX_EVENT_BYTES} bytes (256 KiB)");
            return Err(Invalid::new(".", reason));
        }
        Self::read(json::parse(text)?, rules)
    }

    /// The event that `message` is, which was read by [`json::parse`]; as [`SecurityEvent::parse`].
    pub fn read(message: Value, rules: &EventRules<'_>) -> Result<Self, Invalid> {
        let message = Message::read(message)?;
        let subject = message.sub_id.ok_or_else(|| Invalid::new("sub_id", "is missing"))?;
        let subject = Subject::parse(subject).map_err(|invalid| invalid.within("sub_id"))?;
        let (event_type, payload) = event(message.events, &subject, rules)?;
        schema::check_subject(&event_type, &subject).map_err(|invalid| invalid.within("sub_id"))?;
        let toe = message
            .toe
            .map(|toe| schema::seconds(&toe, rules.now).map_err(|invalid| invalid.within("toe")));
        let stream_id = message.stream_id.map(stream_id);
        Ok(Self {
            id: message.id.map(|id| name("id", id)).transpose()?,
            subject,
            event_type,
            payload,
            txn: message.txn.map(|txn| name("txn", txn)).transpose()?,
            toe: toe.transpose()?,
            stream_id: stream_id.transpose()?,
        })
    }
}

/// The members of a message, not yet understood.
struct Message {
    id: Option<Value>,
    sub_id: Option<Value>,
    events: Option<Value>,
    txn: Option<Value>,
    toe: Option<Value>,
    stream_id: Option<Value>,
}

impl Message {
    fn read(value: Value) -> Result<Self, Invalid> {
        let Value::Object(mut members) = value else {
            return Err(Invalid::new(".", "must be a JSON object"));
        };
        // What is `null` is absent, whether it may be or not.
        let mut take = |name| members.remove(name).filter(|value| !value.is_null());
        let message = Self {
            id: take("id"),
            sub_id: take("sub_id"),
            events: take("events"),
            txn: take("txn"),
            toe: take("toe"),
            stream_id: take("stream_id"),
        };
        // Looked at first, as a member with a wrong name is the cause of one that is missing.
        match members.into_iter().next() {
            None => Ok(message),
            Some((name, _)) => {
                let reason = match name.as_str() {
                    "iss" | "aud" | "iat" | "jti" => "is set by the transmitter",
                    // [SSF 1.0, 4.1.2 and 4.1.7]
                    "sub" | "exp" => "must not be part of a SET",
                    _ => "is not one of sub_id, events, txn, toe, id and stream_id",
                };
                Err(Invalid::new(name, reason))
            }
        }
    }
}

/// The one event in `events` ([SSF 1.0, 4.2.1], [CAEP Interop 1.0, 2.8.1]).
fn event(
    events: Option<Value>,
    subject: &Subject,
    rules: &EventRules<'_>,
) -> Result<(EventType, Map<String, Value>), Invalid> {
    const NAME: &str = "events";
    let events = match events {
        None => return Err(Invalid::new(NAME, "is missing")),
        Some(Value::Object(events)) => events,
        Some(_) => return Err(Invalid::new(NAME, "must be a JSON object")),
    };
    let mut events = events.into_iter();
    let (Some((uri, value)), None) = (events.next(), events.next()) else {
        return Err(Invalid::new(NAME, "must hold exactly one event"));
    };
    let event_type = EventType::new(uri);
    let at = |invalid: Invalid| invalid.within(event_type.short_name()).within(NAME);
    check_type(&event_type, rules).map_err(at)?;
    let Value::Object(mut payload) = value else {
        return Err(at(Invalid::new(".", "must be a JSON object")));
    };
    // What an operator's own types mean by `null`, only their receivers know.
    if event_type.family() != Family::Private {
        payload.retain(|_, value| !value.is_null());
    }
    schema::check(&event_type, &mut payload, rules.now).map_err(at)?;
    schema::check_inner_subject(&event_type, &payload, subject).map_err(at)?;
    Ok((event_type, payload))
}

/// Whether an upstream system may send events of this type.
fn check_type(event_type: &EventType, rules: &EventRules<'_>) -> Result<(), Invalid> {
    let reason = match event_type.family() {
        // [RISC 1.0, 2.11]
        Family::Risc if *event_type == EventType::SESSIONS_REVOKED => {
            format!("is deprecated; send {}", EventType::SESSION_REVOKED)
        }
        Family::Caep | Family::Risc | Family::Scim => return Ok(()),
        Family::Private if rules.private_types.contains(event_type) => return Ok(()),
        Family::Private => {
            "is neither a type of CAEP, RISC or SCIM nor allowed by the operator".to_owned()
        }
        Family::Ssf => "is made by the transmitter alone".to_owned(),
    };
    Err(Invalid::new(".", reason))
}

/// The text of `id` or `txn`.
fn name(member: &str, value: Value) -> Result<String, Invalid> {
    match value {
        Value::String(text)
            if !text.is_empty()
                && text.chars().count() <= MAX_NAME_CHARS
                && !text.contains(char::is_control) =>
        {
            Ok(text)
        }
        _ => {
            let reason = format!(
                "must be a string of 1 to {MAX_NAME_CHARS} characters, none a control character"
            );
            Err(Invalid::new(member, reason))
        }
    }
}

fn stream_id(value: Value) -> Result<StreamId, Invalid> {
    let id = match value {
        Value::String(text) => StreamId::parse(text),
        _ => None,
    };
    id.ok_or_else(|| Invalid::new("stream_id", "is not the id of a stream"))
}

impl fmt::Debug for SecurityEvent {
    /// Without the values of the subject and the payload, which must not reach a log.
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
