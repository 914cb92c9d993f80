//! What must, may and must not happen: a model that knows no index, no lane and no bell.
//!
//! What a call did that failed, crashed or ran beside another is read off afterwards, and has to be
//! one of the things that it may have done. Meanwhile the model is of several minds: an event that
//! was taken in just then may be told to the stream, or not.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use serde_json::{Value, json};
use ssf::stream::{DefaultSubjects, Status, StreamId};
use tests::world::caep;

use super::{
    judge::Judge,
    plan::{KINDS, SUBJECTS},
};

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) streams: Vec<Stream>,
    pub(super) events: Vec<Event>,
    /// The events, by the ids of the messages that brought them.
    pub(super) messages: HashMap<String, usize>,
    /// Messages that cannot be events, with their text.
    pub(super) bad: HashMap<String, String>,
    pub(super) told: BTreeMap<(usize, usize), Told>,
    pub(super) news: Vec<News>,
    /// By number: whose endpoint it is, and of which stream, when that is known.
    pub(super) endpoints: Vec<Option<usize>>,
    pub(super) judge: Judge,
    /// Nothing has gone wrong so far, and nothing happened side by side.
    pub(super) clean: bool,
}

/// A stream.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) id: StreamId,
    pub(super) receiver: usize,
    pub(super) default_subjects: DefaultSubjects,
    /// `DisabledDeleted`: gone.
    pub(super) status: Status,
    /// One bit for each type.
    pub(super) types: u8,
    /// The number of its endpoint; `None`: polled.
    pub(super) endpoint: Option<usize>,
    /// The subjects that differ from the default.
    pub(super) named: BTreeMap<usize, Answer>,
    /// When its receiver last showed.
    pub(super) seen: Timestamp,
    /// When the first push failed since one was answered, or it was enabled.
    pub(super) failing_since: Option<Timestamp>,
}

/// An event.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) subject: usize,
    pub(super) kind: usize,
    pub(super) target: Option<usize>,
    pub(super) text: String,
    /// Which system sends it, if not the one that sends most.
    pub(super) source: Option<usize>,
    /// When it was first sent.
    pub(super) sent: Timestamp,
    /// Its places in groups of the FIFO door, in the order in which it was sent.
    pub(super) places: Vec<(u8, usize)>,
    /// It was sent through several doors or groups, which have no order among each other.
    pub(super) astray: bool,
    /// The `txn` of its first SET.
    pub(super) txn: Option<String>,
}

/// What is known of an event and a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// It may be told.
    pub(super) may: bool,
    /// It was accepted, and must be told.
    pub(super) must: bool,
    /// How often it got through.
    pub(super) successes: usize,
    /// The receiver refused it for good.
    pub(super) refused: bool,
    pub(super) jti: Option<String>,
    /// The names that the stream may have known, if it hears of none but those that it named.
    pub(super) known: BTreeSet<(&'static str, &'static str)>,
}

/// Something about a stream itself.
#[derive(Clone, Debug)]
pub(super) struct News {
    pub(super) stream: usize,
    pub(super) what: What,
    pub(super) must: bool,
    /// It may still come.
    pub(super) may: bool,
    pub(super) delivered: bool,
}

/// What a SET tells.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum What {
    Event(usize),
    /// That the status changes, for this reason.
    Updated(String),
    /// A verification with this state.
    Verification(String),
}

/// Whether something is so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Maybe,
    No,
    Yes,
}

impl Answer {
    fn of<T>(possible: &[T], holds: impl Fn(&T) -> bool) -> Self {
        match possible.iter().filter(|one| holds(one)).count() {
            0 => Self::No,
            count if count == possible.len() => Self::Yes,
            _ => Self::Maybe,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::Maybe, _) | (_, Self::Maybe) => Self::Maybe,
        }
    }

    fn not(self) -> Self {
        match self {
            Self::Maybe => Self::Maybe,
            Self::No => Self::Yes,
            Self::Yes => Self::No,
        }
    }
}

/// What a stream may have been while a step was done.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) statuses: Vec<Status>,
    pub(super) types: Vec<u8>,
    pub(super) named: BTreeMap<usize, Answer>,
}

/// Whether a stream with this status takes events.
pub(super) fn takes(status: Status) -> bool {
    match status {
        Status::Enabled | Status::Paused => true,
        Status::Disabled | Status::DisabledDeleted => false,
    }
}

impl Model {
    /// Whether the stream with this number wants `event`, when it is as in `window`.
    pub(super) fn wants(&self, number: usize, window: &Window, event: &Event) -> Answer {
        let stream = &self.streams[number];
        if event.target.is_some_and(|target| target != number) {
            return Answer::No;
        }
        let named = SUBJECTS.iter().enumerate().map(|(at, subject)| {
            let is_named = window.named.get(&at).copied().unwrap_or(Answer::No);
            if matches(subject, SUBJECTS[event.subject]) { is_named } else { Answer::No }
        });
        // None of them is named.
        let none = named.map(Answer::not).fold(Answer::Yes, Answer::and);
        let subject = match stream.default_subjects {
            DefaultSubjects::All => none,
            DefaultSubjects::None => none.not(),
        };
        subject
            .and(Answer::of(&window.statuses, |status| takes(*status)))
            .and(Answer::of(&window.types, |types| types >> event.kind & 1 == 1))
    }

    /// The streams that are there, by receiver.
    pub(super) fn live(&self, receiver: usize) -> usize {
        let live = |stream: &&Stream| {
            stream.receiver == receiver && stream.status != Status::DisabledDeleted
        };
        self.streams.iter().filter(live).count()
    }

    /// The stream that a plan calls so.
    pub(super) fn stream(&self, number: usize) -> Option<usize> {
        (!self.streams.is_empty()).then(|| number % self.streams.len())
    }
}

/// The rule of [SSF 1.0, 8.1.3.1]: both simple, or both complex, and with a name in common in each
/// member that both have, at least one.
fn matches(named: &[(&str, &str)], event: &[(&str, &str)]) -> bool {
    let has = |member: &&(&str, &str)| event.iter().any(|(name, _)| *name == member.0);
    let shared: Vec<_> = named.iter().filter(has).collect();
    let agrees = |name: &str| shared.iter().any(|pair| pair.0 == name && event.contains(pair));
    !shared.is_empty() && shared.iter().all(|(name, _)| agrees(name))
}

/// A subject of the plan on the wire.
pub(super) fn subject(number: usize) -> Value {
    wire(SUBJECTS[number])
}

/// A subject with these members.
fn wire(pairs: &[(&str, &str)]) -> Value {
    let identifier = |(name, value): &(&str, &str)| match *name {
        "" | "user" => json!({"format": "email", "email": format!("{value}@example.com")}),
        _ => json!({"format": "opaque", "id": value}),
    };
    let mut complex = json!({"format": "complex"});
    for (name, _) in pairs {
        let names: Vec<_> = pairs.iter().filter(|(other, _)| other == name).collect();
        let member = match &names[..] {
            [only] => identifier(only),
            all => {
                let all: Vec<_> = all.iter().map(|pair| identifier(pair)).collect();
                json!({"format": "aliases", "identifiers": all})
            }
        };
        if name.is_empty() {
            return member;
        }
        complex[*name] = member;
    }
    complex
}

/// Whether `sub_id` tells of the subject with this number by its own names, and of each member by
/// those in `known` alone; but a member of which nothing is known has its first name.
pub(super) fn tells(sub_id: &Value, number: usize, known: &BTreeSet<(&str, &str)>) -> bool {
    let all = SUBJECTS[number];
    let is_first = |pair: &(&str, &str)| all.iter().find(|other| other.0 == pair.0) == Some(pair);
    let allowed = all.iter().copied().filter(|pair| {
        // What was named of another subject says nothing of this one.
        let any_known = known.iter().any(|other| other.0 == pair.0 && all.contains(other));
        if any_known { known.contains(pair) } else { is_first(pair) }
    });
    let allowed: Vec<_> = allowed.collect();
    // Each choice among them that leaves a name of each member: they are few.
    (1..1_usize << allowed.len()).any(|bits| {
        let chosen = (0..allowed.len()).filter(|at| bits & (1 << at) != 0).map(|at| allowed[at]);
        let chosen: Vec<_> = chosen.collect();
        let whole = all.iter().all(|(name, _)| chosen.iter().any(|other| other.0 == *name));
        whole && wire(&chosen) == *sub_id
    })
}

/// The event types of the plan.
pub(super) fn kind(number: usize) -> String {
    caep(["session-revoked", "credential-change", "device-compliance-change"][number])
}

/// The types that these bits stand for.
pub(super) fn kinds(types: u8) -> Vec<String> {
    (0..KINDS).filter(|at| types >> at & 1 == 1).map(kind).collect()
}

/// What an event of the plan says; `number` tells it from all others.
pub(super) fn payload(number: usize, kind: usize) -> Value {
    let mut payload = match kind {
        1 => json!({"credential_type": "password", "change_type": "update"}),
        2 => json!({"previous_status": "compliant", "current_status": "not-compliant"}),
        _ => json!({}),
    };
    payload["reason_admin"] = json!({"en": number.to_string()});
    payload
}

/// What was acknowledged, or refused: by stream.
pub(super) type Settled = HashSet<(usize, String)>;
