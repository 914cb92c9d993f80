//! Taking events in: from a message on a queue to SETs that are stored and announced.
//!
//! The queue's id of a message names the event that it brings, unless the sender has named it: then
//! its sender and that name do, and another content under it is refused. A message that is sent again
//! from the dead letters is a new one for the queue, and yet the same event: so it has its first id,
//! and who sent it, in attributes, with a proof that they are ours ([`super::origin`]).

use std::{collections::HashMap, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    Error, Transmitter, clock,
    delivery::origin::{self, DoorKey, Origin},
    error::chain,
    event::{EventRules, SecurityEvent},
    json::{self, Invalid},
    metrics::{self, Metric},
    queue::{Message, Received, fit},
    set::{EventId, Failure, Notice, Passage, place},
    stream::{Matcher, Stream},
    subject::Subject,
};

/// A message that comes this often, and fails each time for reasons of ours, goes to the dead
/// letters. With the rests that the function `ingest` lets it have that takes a day: for as long an
/// operator can mend what is wrong, a key that was disabled for instance, and nothing is out of its
/// order.
pub const MAX_RECEIVES: u32 = 300;

/// Nothing is begun for a batch later than this. AWS Lambda ends the function after 60 seconds,
/// and then all of the batch comes again, also what was done. What was begun may still ask KMS, the
/// table (three times at most), the push queue and the door, one after the other, and each has 4
/// seconds to answer.
const TIME: Duration = Duration::from_secs(35);

/// How many SETs are decided on before any of them is issued. As many as a batch of ten events makes
/// for a hundred streams: those of one lane share a bell. Of more, the first events are done with
/// before the others are begun.
const AT_ONCE: usize = 1000;

/// The names of the attributes that a dead letter has.
pub mod dead_letter {
    /// Why it is there, in words that name the member.
    pub const REASON: &str = "reason";
    /// The door it came through: `standard` or `fifo`.
    pub const DOOR: &str = "door";
    /// The queue's id of the message. One that is sent again from the dead letters keeps it, so
    /// that it is the same event.
    pub const MESSAGE_ID: &str = "tocsin_message_id";
    /// The group it had at the FIFO door.
    pub const GROUP: &str = "group";
    /// Its place in that group, so that what is sent again together keeps its order.
    pub const SEQUENCE: &str = "sequence";
}

/// The two ways in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Door {
    /// For senders who need order.
    Fifo,
    /// For all others.
    Standard,
}

impl Door {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Standard => "standard",
        }
    }
}

/// What became of a message.
#[derive(Debug)]
pub enum Accepted {
    /// It was not tried, and must come again: one before it in its group has to be first.
    Behind,
    /// A source said it, and nothing is to be told of it.
    Dropped,
    /// It must come again.
    Failed(Failure),
    /// Every stream that wants the event has its SET; so many.
    Issued(usize),
    /// It cannot be an event, or failed for good; it is with the dead letters.
    Refused(Invalid),
}

fn count(answers: &[Accepted]) {
    let (mut accepted, mut refused, mut failed) = (0, 0, 0);
    for answer in answers {
        match answer {
            Accepted::Dropped => {}
            Accepted::Issued(_) => accepted += 1,
            Accepted::Refused(_) => refused += 1,
            Accepted::Behind | Accepted::Failed(_) => failed += 1,
        }
    }
    metrics::count(Metric::EventsAccepted, accepted);
    metrics::count(Metric::EventsRefused, refused);
    metrics::count(Metric::EventsFailed, failed);
}

/// An event that is in a message.
struct Arrived {
    index: usize,
    id: EventId,
    /// What it says, if its sender named it.
    content: Option<String>,
    event: SecurityEvent,
    place: String,
    /// It was here before, or may have been.
    again: bool,
}

/// A batch in work.
struct Batch<'a> {
    door: Door,
    messages: &'a [Received],
    /// As of before the streams are read, so that what a stream is told is never younger than the
    /// decision that it should be told.
    now: Timestamp,
    /// When nothing more is begun.
    until: Timestamp,
    answers: Vec<Accepted>,
    /// Of each group that has stopped, the first message that must come again.
    stopped: HashMap<&'a str, usize>,
}

impl<'a> Batch<'a> {
    /// Nothing has failed so far.
    fn new(door: Door, messages: &'a [Received], now: Timestamp) -> Self {
        let answers = messages.iter().map(|_| Accepted::Issued(0)).collect();
        let until = clock::add(now, TIME);
        Self { door, messages, now, until, answers, stopped: HashMap::new() }
    }

    /// The message at `index` must come again.
    fn fail(&mut self, index: usize, failure: Failure) {
        self.answers[index] = Accepted::Failed(failure);
        self.stop(index);
    }

    /// Nothing behind the message at `index` is done in its group.
    fn stop(&mut self, index: usize) {
        if let Some(group) = &self.messages[index].group {
            let first = self.stopped.entry(group).or_insert(index);
            *first = index.min(*first);
        }
    }

    /// The message at `index` has failed for good, and holds back nothing.
    fn go_on(&mut self, index: usize) {
        if let Some(group) = self.messages[index].group.as_deref()
            && self.stopped.get(group) == Some(&index)
        {
            self.stopped.remove(group);
        }
    }

    /// Whether the message at `index` has to wait for one before it. Notes it.
    fn waits(&mut self, index: usize) -> bool {
        let group = self.messages[index].group.as_deref();
        let waits = group.and_then(|group| self.stopped.get(group)).is_some_and(|at| *at < index);
        if waits {
            self.answers[index] = Accepted::Behind;
        }
        waits
    }

    /// Whether another event of the message at `index` has failed, so that the message comes again as a
    /// whole, or is with the dead letters.
    fn is_over(&self, index: usize) -> bool {
        !matches!(self.answers[index], Accepted::Issued(_))
    }

    /// Notes what came of one SET of the message at `index`.
    fn note(&mut self, index: usize, issued: Result<(), Failure>) {
        match (&mut self.answers[index], issued) {
            (Accepted::Issued(count), Ok(())) => *count += 1,
            (Accepted::Issued(_), Err(failure)) => self.fail(index, failure),
            // It is worth another try while one SET is.
            (Accepted::Failed(first), Err(failure)) if first.is_permanent() => *first = failure,
            (
                Accepted::Behind | Accepted::Dropped | Accepted::Failed(_) | Accepted::Refused(_),
                _,
            ) => {}
        }
    }
}

impl Transmitter {
    /// Takes in a batch of messages from `door`; the answers are in their order. When one is
    /// `Issued`, each stream that wants the event holds its SET, signed and stored, and whoever
    /// delivers it was told: then the message can be deleted, and not before. When one of a group
    /// must come again, so must those of its group behind it, so that they keep their order.
    pub async fn accept(&self, door: Door, messages: &[Received]) -> Vec<Accepted> {
        let now = self.parts().clock.now();
        let rules = EventRules { private_types: &self.parts().config.private_event_types, now };
        let mut batch = Batch::new(door, messages, now);
        let (mut arrived, mut refused) = (Vec::new(), Vec::new());
        for (index, message) in messages.iter().enumerate() {
            let origin = match self.origin(message).await {
                Ok(origin) => origin,
                Err(error) => {
                    batch.fail(index, error.into());
                    continue;
                }
            };
            match self.take_out(message, &rules) {
                Ok(events) if events.is_empty() => batch.answers[index] = Accepted::Dropped,
                Ok(events) => {
                    let several = events.len() > 1;
                    let numbered = events.into_iter().enumerate();
                    arrived.extend(numbered.map(|(number, event)| {
                        Arrived::new(index, several.then_some(number), event, message, &origin)
                    }));
                }
                Err(invalid) => refused.push((index, invalid)),
            }
        }
        self.write_tally().await;
        self.refuse(&mut batch, refused).await;
        if !arrived.is_empty() {
            self.tell(&mut batch, &arrived).await;
        }
        count(&batch.answers);
        batch.answers
    }

    /// Who sent `message`. Reads the table once in the life of a process, if a message says so itself.
    async fn origin(&self, message: &Received) -> Result<Origin, Error> {
        if message.attributes.contains_key(origin::PROOF) {
            let key = self.door_keys().get(&*self.parts().table).await?;
            if let Some(origin) = Origin::proven(message, key) {
                return Ok(origin);
            }
        }
        Ok(Origin::of(message))
    }

    /// Issues the SETs for all that arrived: first those that are first of their groups, then the
    /// second ones, and so on.
    async fn tell(&self, batch: &mut Batch<'_>, arrived: &[Arrived]) {
        let found = self.find(arrived).await.map_err(Failure::from);
        for wave in waves(arrived, batch.messages) {
            let mut wanted = Vec::new();
            for &at in &wave {
                let Arrived { index, event, .. } = &arrived[at];
                if batch.waits(*index) || batch.is_over(*index) {
                    continue;
                }
                let (withheld, matcher) = match &found {
                    Ok(found) => found,
                    Err(failure) => {
                        batch.fail(*index, failure.clone());
                        continue;
                    }
                };
                if withheld[at] {
                    continue;
                }
                wanted.extend(
                    matcher.candidates(at, event).map(|(stream, known)| (at, stream, known)),
                );
                if wanted.len() >= AT_ONCE {
                    self.tell_some(batch, arrived, matcher, std::mem::take(&mut wanted)).await;
                }
            }
            if let Ok((_, matcher)) = &found {
                self.tell_some(batch, arrived, matcher, wanted).await;
            }
            let wave = wave.into_iter().map(|at| arrived[at].index).collect();
            self.give_up(batch, wave).await;
        }
    }

    /// Which of these events are withheld, and who finds the streams that want the others.
    async fn find(&self, arrived: &[Arrived]) -> Result<(Vec<bool>, Matcher<'_>), Error> {
        let placed: Vec<_> =
            arrived.iter().map(|arrived| (&arrived.event, arrived.place.as_str())).collect();
        let withheld = self.withheld(&placed).await?;
        let events: Vec<&SecurityEvent> = arrived.iter().map(|arrived| &arrived.event).collect();
        Ok((withheld, Matcher::new(self, &events).await?))
    }

    /// Issues the SETs for some events, given by their places in `arrived`, and streams.
    async fn tell_some(
        &self,
        batch: &mut Batch<'_>,
        arrived: &[Arrived],
        matcher: &Matcher<'_>,
        candidates: Vec<(usize, &Stream, Option<&Subject>)>,
    ) {
        if self.parts().clock.now() >= batch.until {
            for (at, ..) in candidates {
                batch.note(arrived[at].index, Err(Failure::OutOfTime));
            }
            return;
        }
        let pairs = candidates.iter().map(|(at, stream, _)| (&arrived[*at].event, *stream));
        let wanted = match matcher.are_wanted(pairs, batch.now).await {
            Ok(wanted) => wanted,
            Err(error) => {
                let failure = Failure::from(error);
                for (at, ..) in candidates {
                    batch.note(arrived[at].index, Err(failure.clone()));
                }
                return;
            }
        };
        let wanted = candidates.into_iter().zip(wanted).filter(|(_, wanted)| *wanted);
        let (owners, notices): (Vec<usize>, Vec<Notice<'_>>) = wanted
            .map(|((at, stream, known), _)| {
                let Arrived { index, id, content, event, place, again } = &arrived[at];
                let (content, passage, again) = (content.as_deref(), Passage::WhenEnabled, *again);
                (*index, Notice { event, id, content, stream, known, place, passage, again })
            })
            .unzip();
        for (index, issued) in
            owners.into_iter().zip(self.issue(&notices, batch.now, batch.until).await)
        {
            batch.note(index, issued);
        }
    }

    /// Puts those of these messages with the dead letters that have failed for good.
    async fn give_up(&self, batch: &mut Batch<'_>, wave: Vec<usize>) {
        let mut hopeless = Vec::new();
        for index in wave {
            let Accepted::Failed(failure) = &batch.answers[index] else { continue };
            let is_permanent = failure.is_permanent();
            if !is_permanent && !comes_too_often(&batch.messages[index]) {
                continue;
            }
            let invalid = match failure {
                Failure::OtherContent => Invalid::new("id", failure.to_string()),
                Failure::Error(_) | Failure::OutOfTime => {
                    Invalid::new(".", format!("failed for good: {}", chain(failure)))
                }
            };
            hopeless.push((index, invalid));
            // Those behind one that came too often come again themselves: what was in its way may be
            // in theirs, and each has tries of its own.
            if is_permanent {
                batch.go_on(index);
            }
        }
        self.refuse(batch, hopeless).await;
    }

    /// Puts these messages with the dead letters, with the reasons.
    async fn refuse(&self, batch: &mut Batch<'_>, refused: Vec<(usize, Invalid)>) {
        if refused.is_empty() {
            return;
        }
        // Without the key the operator's tool says who sent it, by what the queue says.
        let key = self.door_keys().get(&*self.parts().table).await.ok();
        let letter = |(index, invalid): &(usize, Invalid)| {
            let message = &batch.messages[*index];
            let origin = key.and_then(|key| Origin::proven(message, key));
            let origin = origin.unwrap_or_else(|| Origin::of(message));
            letter(batch.door, message, invalid, &origin, key)
        };
        let letters = refused.iter().map(letter).collect();
        let sent = self.parts().dead_letters.send(letters).await;
        for ((index, invalid), sent) in refused.into_iter().zip(sent) {
            match sent {
                Ok(_) => {
                    let message = &batch.messages[index];
                    tracing::warn!(message.id, reason = %invalid, "message refused");
                    batch.answers[index] = Accepted::Refused(invalid);
                }
                Err(error) => batch.fail(index, error.into()),
            }
        }
    }
}

/// Whether a message that has failed again is given up. One of a group also comes, and is counted,
/// while it waits behind others, which says nothing of itself; so one that follows others that were
/// given up gets as many tries again.
fn comes_too_often(message: &Received) -> bool {
    match message.group {
        Some(_) => message.receives.is_multiple_of(MAX_RECEIVES),
        None => message.receives >= MAX_RECEIVES,
    }
}

/// `message` as a dead letter.
fn letter(
    door: Door,
    message: &Received,
    invalid: &Invalid,
    origin: &Origin,
    key: Option<&DoorKey>,
) -> Message {
    let Origin { sender, message_id, .. } = origin;
    let proof = key.map(|key| key.attributes(sender, Some(message_id), &message.body));
    let attributes = [
        (dead_letter::REASON, fit(&invalid.to_string(), MAX_REASON)),
        (dead_letter::DOOR, door.name().to_owned()),
        (dead_letter::MESSAGE_ID, message_id.clone()),
    ];
    let group = message.group.clone().map(|group| (dead_letter::GROUP, group));
    let sequence = message.sequence.clone().map(|sequence| (dead_letter::SEQUENCE, sequence));
    Message {
        body: message.body.clone(),
        attributes: attributes
            .into_iter()
            .chain(group)
            .chain(sequence)
            .map(|(name, value)| (name.to_owned(), value))
            .chain(proof.into_iter().flatten())
            .collect(),
        ..Message::default()
    }
}

/// A reason is cut behind so many bytes: it must fit into the dead letter, beside the message.
const MAX_REASON: usize = 1024;

/// 16 bytes of the hash of what a message says, however it is written (RFC 8785), if the message
/// itself names its event `id`. One that a source wraps may come again in another wrapping, and is the
/// same event.
fn named_content(id: &str, body: &str) -> Option<String> {
    let value = json::parse(body.as_bytes()).ok()?;
    if value.get("id").and_then(Value::as_str) != Some(id) {
        return None;
    }
    let canonical = serde_json_canonicalizer::to_vec(&value).ok()?;
    let hash = digest(&SHA256, &canonical);
    Some(URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]))
}

impl Arrived {
    /// `number`: which it is, where a message holds several.
    fn new(
        index: usize,
        number: Option<usize>,
        event: SecurityEvent,
        message: &Received,
        origin: &Origin,
    ) -> Self {
        let (id, content) = match &event.id {
            Some(id) => (EventId::of_sender(&origin.sender, id), named_content(id, &message.body)),
            None => (EventId::of_message(&origin.message_id), None),
        };
        let place = place(message.sent_at, message.sequence.as_deref());
        let place = match number {
            None => place,
            Some(number) => format!("{place}+{number:04}"),
        };
        let again = message.receives > 1 || origin.again;
        Self { index, id, content, event, place, again }
    }
}

/// The positions in `arrived`, such that of each group one wave has one event, in order, and so of
/// each message. Those without a group have no order to keep among each other; but an event that is
/// there twice must not be written twice at once.
fn waves(arrived: &[Arrived], messages: &[Received]) -> Vec<Vec<usize>> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    let mut depths = HashMap::<_, usize>::new();
    let mut ids = HashMap::<_, usize>::new();
    let mut within = HashMap::<_, usize>::new();
    for (at, arrived) in arrived.iter().enumerate() {
        let id = ids.entry(&arrived.id).or_default();
        let depth = if let Some(group) = &messages[arrived.index].group {
            depths.entry(group).or_default()
        } else {
            within.entry(arrived.index).or_default()
        };
        *depth = (*depth).max(*id);
        let wave = *depth;
        *depth += 1;
        ids.insert(&arrived.id, wave + 1);
        if waves.len() <= wave {
            waves.resize_with(wave + 1, Vec::new);
        }
        waves[wave].push(at);
    }
    waves
}
