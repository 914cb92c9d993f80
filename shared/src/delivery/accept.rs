//! Taking events in: from a message on a queue to SETs that are stored and announced.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::{
    Error, Transmitter,
    error::chain,
    event::{EventRules, SecurityEvent},
    json::Invalid,
    metrics::{self, Metric},
    queue::{Message, Received},
    set::{EventId, Notice, Passage, place},
    stream::Matcher,
};

/// A message that fails this often for reasons of ours goes to the dead letters.
pub const MAX_RECEIVES: u32 = 20;

/// The names of the attributes that a dead letter has.
pub mod dead_letter {
    /// Why it is there, in words that name the member.
    pub const REASON: &str = "reason";
    /// The door it came through: `standard` or `fifo`.
    pub const DOOR: &str = "door";
    /// The queue's id of the message. One that is sent again from the dead letters keeps it, so
    /// that it is the same event.
    pub const MESSAGE_ID: &str = "message_id";
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
    /// Every stream that wants the event has its SET; so many.
    Issued(usize),
    /// It cannot be an event; it is with the dead letters.
    Refused(Invalid),
    /// It must come again.
    Failed(Error),
}

fn count(answers: &[Accepted]) {
    let (mut accepted, mut refused, mut failed) = (0, 0, 0);
    for answer in answers {
        match answer {
            Accepted::Issued(_) => accepted += 1,
            Accepted::Refused(_) => refused += 1,
            Accepted::Failed(_) => failed += 1,
        }
    }
    metrics::count(Metric::EventsAccepted, accepted);
    metrics::count(Metric::EventsRefused, refused);
    metrics::count(Metric::EventsFailed, failed);
}

/// A message that is an event.
struct Arrived {
    index: usize,
    id: EventId,
    event: SecurityEvent,
    place: String,
}

impl Transmitter {
    /// Takes in a batch of messages from `door`; the answers are in their order. When one is
    /// `Issued`, each stream that wants the event holds its SET, signed and stored, and whoever
    /// delivers it was told: then the message can be deleted, and not before. When one of a group
    /// is `Failed`, so are those of its group behind it, so that they keep their order.
    pub async fn accept(&self, door: Door, messages: &[Received]) -> Vec<Accepted> {
        // As of before the streams are read, so that what a stream is told is never younger than
        // the decision that it should be told.
        let now = self.parts().clock.now();
        let rules = EventRules { private_types: &self.parts().config.private_event_types, now };
        let mut answers = Vec::with_capacity(messages.len());
        let mut arrived = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            match SecurityEvent::parse(message.body.as_bytes(), &rules) {
                Ok(event) => {
                    arrived.push(Arrived::new(index, event, message));
                    answers.push(Accepted::Issued(0));
                }
                Err(invalid) => answers.push(self.refuse(door, message, invalid).await),
            }
        }
        match self.tell(&arrived, messages, now, &mut answers).await {
            Ok(()) => {}
            Err(error) => {
                let mut error = Some(error);
                for arrived in &arrived {
                    answers[arrived.index] = Accepted::Failed(error.take().unwrap_or_else(again));
                }
            }
        }
        for (message, answer) in messages.iter().zip(&mut answers) {
            if let Accepted::Failed(error) = answer
                && message.receives >= MAX_RECEIVES
            {
                let invalid = Invalid::new(".", format!("failed for good: {}", chain(error)));
                *answer = self.refuse(door, message, invalid).await;
            }
        }
        count(&answers);
        answers
    }

    /// Issues the SETs for all that arrived: first those that are first of their groups, then the
    /// second ones, and so on.
    async fn tell(
        &self,
        arrived: &[Arrived],
        messages: &[Received],
        now: Timestamp,
        answers: &mut [Accepted],
    ) -> Result<(), Error> {
        let placed: Vec<_> =
            arrived.iter().map(|arrived| (&arrived.event, arrived.place.as_str())).collect();
        let withheld = self.withheld(&placed).await?;
        let events: Vec<&SecurityEvent> = arrived.iter().map(|arrived| &arrived.event).collect();
        let matcher = Matcher::new(self, &events).await?;
        let mut stopped = HashSet::new();
        for wave in waves(arrived, messages) {
            let mut notices = Vec::new();
            let mut owners = Vec::new();
            for &at in &wave {
                let Arrived { index, id, event, place } = &arrived[at];
                if stopped.contains(&messages[*index].group) {
                    answers[*index] = Accepted::Failed(again());
                    continue;
                }
                if withheld[at] {
                    continue;
                }
                for stream in matcher.streams_for(at, event, now).await? {
                    let passage = Passage::WhenEnabled;
                    notices.push(Notice { event, id, stream, place, passage });
                    owners.push(*index);
                }
            }
            for (index, issued) in owners.into_iter().zip(self.issue(&notices, now).await) {
                match (issued, &mut answers[index]) {
                    (Ok(()), Accepted::Issued(count)) => *count += 1,
                    (Err(error), answer @ Accepted::Issued(_)) => {
                        *answer = Accepted::Failed(error);
                        if messages[index].group.is_some() {
                            stopped.insert(messages[index].group.clone());
                        }
                    }
                    (_, Accepted::Failed(_) | Accepted::Refused(_)) => {}
                }
            }
        }
        Ok(())
    }

    /// Puts a message with the dead letters, with the reason.
    async fn refuse(&self, door: Door, message: &Received, invalid: Invalid) -> Accepted {
        let attributes = [
            (dead_letter::REASON, invalid.to_string()),
            (dead_letter::DOOR, door.name().to_owned()),
            (dead_letter::MESSAGE_ID, first_id(message).to_owned()),
        ];
        let group = message.group.clone().map(|group| (dead_letter::GROUP, group));
        let sequence = message.sequence.clone().map(|sequence| (dead_letter::SEQUENCE, sequence));
        let letter = Message {
            body: message.body.clone(),
            attributes: attributes
                .into_iter()
                .chain(group)
                .chain(sequence)
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            ..Message::default()
        };
        if let Some(Err(error)) = self.parts().dead_letters.send(vec![letter]).await.pop() {
            return Accepted::Failed(error.into());
        }
        tracing::warn!(message.id, reason = %invalid, "message refused");
        Accepted::Refused(invalid)
    }
}

/// What the queue called `message` when it was first sent.
fn first_id(message: &Received) -> &str {
    message.attributes.get(dead_letter::MESSAGE_ID).unwrap_or(&message.id)
}

impl Arrived {
    fn new(index: usize, event: SecurityEvent, message: &Received) -> Self {
        let id = match &event.id {
            Some(id) => EventId::of_sender(id),
            None => EventId::of_message(first_id(message)),
        };
        let place = place(message.sent_at, message.sequence.as_deref());
        Self { index, id, event, place }
    }
}

/// The positions in `arrived`, such that of each group one wave has one message, in order. Those
/// without a group have no order to keep; but an event that is there twice must not be written
/// twice at once.
fn waves(arrived: &[Arrived], messages: &[Received]) -> Vec<Vec<usize>> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    let mut depths = HashMap::<_, usize>::new();
    let mut ids = HashMap::<_, usize>::new();
    for (at, arrived) in arrived.iter().enumerate() {
        let id = ids.entry(&arrived.id).or_default();
        let depth = match &messages[arrived.index].group {
            Some(group) => {
                let depth = depths.entry(group).or_default();
                *depth = (*depth).max(*id);
                depth
            }
            None => &mut *id,
        };
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

/// For all but the first of those that fail for one reason.
fn again() -> Error {
    crate::table::TableError::Conflict.into()
}
