//! Takes envelopes off: SNS notifications, EventBridge events, and records as logs hold them.

use serde_json::Value;

use super::{
    Reason, Source, SourceSettings, Sources, auth0, cognito, cognito_risk, entra, guard_duty,
    identity_center, keycloak, okta,
    read::{elements, find, text},
    route::route,
    tell::{Facts, Stop},
};
use crate::{
    event::MAX_EVENT_BYTES,
    json::{self, Invalid},
};

/// So many envelopes may be around each other: a notification of SNS around an event of
/// EventBridge, and one more.
const MAX_ENVELOPES: usize = 3;

/// What is in a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Opened {
    /// A message of an upstream system that speaks our language, or of one that speaks none.
    Message {
        /// What [`SecurityEvent::read`](crate::event::SecurityEvent::read) takes.
        message: Value,
        /// Where it is in the envelopes that were around it, such as `Message.detail`; empty when
        /// there was none.
        within: String,
    },
    /// What a source said.
    Told {
        /// Which.
        source: Source,
        /// The event messages, in order, each with an `id` of its own and all with the same `txn`,
        /// when they have one cause.
        messages: Vec<Value>,
        /// Why nothing is told of a record, for each of which that is so.
        dropped: Vec<Reason>,
    },
}

/// What is in the message `text`. An envelope of a source that is not on is refused rather than
/// dropped, so that nothing is lost where a rule was made before its parameter.
pub fn open(text: &[u8], sources: &Sources) -> Result<Opened, Invalid> {
    if text.len() > MAX_EVENT_BYTES {
        let reason = format!("must not be longer than {MAX_EVENT_BYTES} bytes (256 KiB)");
        return Err(Invalid::new(".", reason));
    }
    open_value(json::parse(text)?, sources)
}

/// The same, once it is read.
pub(super) fn open_value(value: Value, sources: &Sources) -> Result<Opened, Invalid> {
    let mut carried = Carried { value, id: None, within: String::new() };
    for _ in 0..MAX_ENVELOPES {
        carried = match carried.take_off(sources)? {
            Step::Done(opened) => return Ok(opened),
            Step::Inside(inside) => inside,
        };
    }
    Err(Invalid::new(carried.within, "is within more envelopes than three"))
}

/// What is in the envelopes that were taken off.
struct Carried {
    value: Value,
    /// What the innermost of them is called, which is the same however often it is delivered.
    id: Option<String>,
    within: String,
}

enum Step {
    Done(Opened),
    Inside(Carried),
}

impl Carried {
    fn take_off(self, sources: &Sources) -> Result<Step, Invalid> {
        let within = self.within.clone();
        let at = move |invalid: Invalid| {
            if within.is_empty() { invalid } else { invalid.within(&within) }
        };
        if self.value.get("detail-type").is_some() {
            self.take_off_bus(sources).map_err(at)
        } else if self.value.get("Type").is_some() && self.value.get("TopicArn").is_some() {
            self.take_off_sns().map_err(at)
        } else if let Some(source) = record_of(&self.value) {
            let Self { value, id, .. } = self;
            told(source, &value, id.as_deref(), "", sources).map(Step::Done).map_err(at)
        } else {
            Ok(Step::Done(self.message()))
        }
    }

    /// A message of our own. What delivers at least once calls it the same each time, which makes it
    /// one event where its sender gave it no name.
    fn message(self) -> Opened {
        let Self { mut value, id, within } = self;
        if let (Value::Object(members), Some(id)) = (&mut value, id) {
            members.entry("id").or_insert(Value::String(id));
        }
        Opened::Message { message: value, within }
    }

    /// <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>
    fn take_off_bus(mut self, sources: &Sources) -> Result<Step, Invalid> {
        let source = text(&self.value, "source")?.to_owned();
        let id = text(&self.value, "id")?.to_owned();
        text(&self.value, "detail-type")?;
        if let Some(source) = route(&source) {
            let opened = told(source, &self.value, Some(&id), "detail", sources)?;
            return Ok(Step::Done(opened));
        }
        let detail = self.value.get_mut("detail").map(Value::take).unwrap_or_default();
        if ["sub_id", "events", "detail-type", "TopicArn"]
            .iter()
            .all(|name| detail.get(name).is_none())
        {
            let reason = "is of no source that is known here, and detail is not an event message";
            return Err(Invalid::new("source", reason));
        }
        Ok(Step::Inside(self.inside(detail, id, "detail")))
    }

    /// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>
    fn take_off_sns(self) -> Result<Step, Invalid> {
        if text(&self.value, "Type")? != "Notification" {
            let reason = "is not Notification: SNS asks to confirm a subscription, or its end";
            return Err(Invalid::new("Type", reason));
        }
        let id = text(&self.value, "MessageId")?.to_owned();
        let message = match find(&self.value, "Message") {
            Some(Value::String(message)) => json::parse(message.as_bytes()),
            Some(_) => Err(Invalid::new(".", "must be a string")),
            None => Err(Invalid::new(".", "is missing")),
        };
        let message = message.map_err(|invalid| invalid.within("Message"))?;
        Ok(Step::Inside(self.inside(message, id, "Message")))
    }

    fn inside(self, value: Value, id: String, member: &str) -> Self {
        let within = match self.within.as_str() {
            "" => member.to_owned(),
            outer => format!("{outer}.{member}"),
        };
        Self { value, id: Some(id), within }
    }
}

/// The source whose record this is, as its log has it, without an envelope.
fn record_of(value: &Value) -> Option<Source> {
    let has = |path: &str| find(value, path).is_some();
    if has("realmId") && (has("type") || has("operationType")) {
        Some(Source::Keycloak)
    } else if has("records") || (has("category") && has("operationName") && has("properties")) {
        Some(Source::Entra)
    } else if has("logEvents") || (has("logSourceId") && has("message")) {
        Some(Source::CognitoRisk)
    } else {
        None
    }
}

/// One record of a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    /// What the source wrote.
    pub detail: &'a Value,
    /// The event of EventBridge around it; itself, where there is none.
    pub envelope: &'a Value,
}

/// What `source` said in `envelope`, in whose member `at` the record is.
fn told(
    source: Source,
    envelope: &Value,
    id: Option<&str>,
    at: &str,
    sources: &Sources,
) -> Result<Opened, Invalid> {
    let settings = sources.get(source).ok_or_else(|| {
        Invalid::new("source", format!("is {source}, which is not on: see the setting sources"))
    })?;
    let detail = if at.is_empty() { Some(envelope) } else { find(envelope, at) };
    let detail = detail.ok_or_else(|| Invalid::new(at, "is missing"))?;
    let mut all = Vec::new();
    let mut dropped = Vec::new();
    for (number, (record, path)) in records(source, detail)?.iter().enumerate() {
        let record = Record { detail: record, envelope };
        let facts = match read(source, record, settings) {
            Ok(facts) => facts,
            Err(Stop::Dropped(reason)) => {
                dropped.push(reason);
                continue;
            }
            Err(Stop::Invalid(invalid)) => return Err(placed(invalid, &[path, at])),
        };
        let own = || Invalid::new("id", "is missing: nothing says whether it came before");
        let name = match (id, number) {
            (None, _) => facts.id.clone().ok_or_else(|| placed(own(), &[path, at]))?,
            (Some(id), 0) => id.to_owned(),
            (Some(id), number) => format!("{id}/{number}"),
        };
        all.extend(facts.messages(source, &name));
    }
    Ok(Opened::Told { source, messages: all, dropped })
}

/// A complaint about a setting stays one; a complaint about a record is told with its place.
fn placed(invalid: Invalid, within: &[&str]) -> Invalid {
    if invalid.member.starts_with("source_settings.") {
        return invalid;
    }
    within
        .iter()
        .filter(|part| !part.is_empty())
        .fold(invalid, |invalid, part| invalid.within(part))
}

/// The records in `detail`, each with its path: itself, or those that a forwarder put in one message
/// as it got them from a log.
fn records(source: Source, detail: &Value) -> Result<Vec<(Value, String)>, Invalid> {
    let list = match source {
        Source::Entra => "records",
        Source::CognitoRisk => "logEvents",
        _ => return Ok(vec![(detail.clone(), String::new())]),
    };
    if find(detail, list).is_none() {
        return Ok(vec![(detail.clone(), String::new())]);
    }
    let record = |(number, record): (usize, &Value)| {
        let path = format!("{list}[{number}]");
        match (source, record.get("message")) {
            (Source::CognitoRisk, Some(Value::String(message))) => {
                let message = json::parse(message.as_bytes());
                message.map_err(|invalid| invalid.within("message").within(&path))
            }
            _ => Ok(record.clone()),
        }
        .map(|record| (record, path))
    };
    elements(detail, list)?.iter().enumerate().map(record).collect()
}

fn read(source: Source, record: Record<'_>, settings: &SourceSettings) -> Result<Facts, Stop> {
    match source {
        Source::Auth0 => auth0::read(record, settings),
        Source::Cognito => cognito::read(record, settings),
        Source::CognitoRisk => cognito_risk::read(record, settings),
        Source::Entra => entra::read(record, settings),
        Source::GuardDuty => guard_duty::read(record, settings),
        Source::IdentityCenter => identity_center::read(record, settings),
        Source::Keycloak => keycloak::read(record, settings),
        Source::Okta => okta::read(record, settings),
    }
}
