//! Messages that could not be events, and what an operator does with them.
//!
//! A queue has no list: to look at its messages is to receive them. So they are received, a few at
//! a time and out of sight for a moment, and given back. Two operators who look at the same moment
//! may each see only a part.

use std::{collections::HashMap, fmt, time::Duration};

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Error, Transmitter,
    delivery::{Door, dead_letter, origin::Origin},
    queue::{Message, Received},
};

/// How many are received at once: as many as SQS gives.
const AT_ONCE: usize = 10;

/// For how long they are out of sight if the one who looks dies.
const LOOK: Duration = Duration::from_secs(30);

/// A message that could not be an event.
#[derive(Clone, Eq, PartialEq, Serialize)]
pub struct DeadLetter {
    /// Names it among the dead letters.
    pub id: String,
    /// Why it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The door it came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub door: Option<String>,
    /// The group it had at the FIFO door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What its sender knows it by: the id that the door gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// When it came here.
    pub since: Timestamp,
    /// What was sent.
    pub body: String,
}

impl fmt::Debug for DeadLetter {
    /// Without what was sent, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("id", &self.id)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Some of the dead letters.
#[derive(Clone, Debug, Serialize)]
pub struct DeadLetters {
    /// Those that were looked at, the oldest first.
    pub items: Vec<DeadLetter>,
    /// About how many there are in all.
    pub total: u64,
}

impl DeadLetter {
    fn of(message: &Received) -> Self {
        let attribute = |name: &str| message.attributes.get(name).cloned();
        Self {
            id: message.id.clone(),
            reason: attribute(dead_letter::REASON),
            door: attribute(dead_letter::DOOR),
            group: attribute(dead_letter::GROUP),
            message_id: attribute(dead_letter::MESSAGE_ID),
            since: message.sent_at,
            body: message.body.clone(),
        }
    }
}

/// What is to happen to a dead letter that was looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Look {
    /// It stays; show the next.
    Keep,
    /// It goes; show the next.
    Remove,
    /// It goes; that is all.
    RemoveLast,
    /// It stays; that is all.
    Stop,
}

impl Transmitter {
    /// Dead letters, at most `limit`. Of more, it is not said which.
    pub async fn dead_letter_list(&self, limit: usize) -> Result<DeadLetters, Error> {
        let total = self.parts().dead_letters.depth().await?;
        let mut items = Vec::new();
        if limit > 0 {
            self.look(async |message| {
                items.push(DeadLetter::of(message));
                Ok(if items.len() < limit { Look::Keep } else { Look::Stop })
            })
            .await?;
        }
        items.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
        Ok(DeadLetters { total: total.max(items.len() as u64), items })
    }

    /// One dead letter.
    pub async fn dead_letter_show(&self, id: &str) -> Result<DeadLetter, Error> {
        let mut found = None;
        self.look(async |message| {
            if message.id != id {
                return Ok(Look::Keep);
            }
            found = Some(DeadLetter::of(message));
            Ok(Look::Stop)
        })
        .await?;
        found.ok_or_else(|| not_found(id))
    }

    /// Sends a dead letter through its door again, as the same event: a stream that has its SET
    /// gets no second one.
    pub async fn dead_letter_redrive(&self, id: &str) -> Result<(), Error> {
        self.remove_one(id, async |message| self.redrive(message).await).await
    }

    /// Does [`Self::dead_letter_redrive`] to all; says how many there were. What fails again and
    /// comes back meanwhile is not sent twice. What came through the FIFO door is sent in the order
    /// that it had there: dead letters themselves come in any order.
    pub async fn dead_letter_redrive_all(&self) -> Result<usize, Error> {
        let began = self.parts().clock.now();
        let (mut count, mut ordered) = (0, Vec::new());
        let mut kept = HashMap::new();
        let seen = self.look_into(&mut kept, async |message| {
            if message.sent_at > began {
                return Ok(Look::Keep);
            }
            if is_fifo(message) {
                ordered.push(message.clone());
                return Ok(Look::Keep);
            }
            self.redrive(message).await?;
            count += 1;
            Ok(Look::Remove)
        });
        let done = match seen.await {
            Ok(()) => self.redrive_in_order(ordered, &mut kept).await,
            Err(error) => Err(error),
        };
        self.give_back(kept).await?;
        Ok(count + done?)
    }

    async fn redrive_in_order(
        &self,
        mut messages: Vec<Received>,
        kept: &mut HashMap<String, String>,
    ) -> Result<usize, Error> {
        let place = |message: &Received| message.attributes.get(dead_letter::SEQUENCE).cloned();
        messages.sort_by_cached_key(|message| (place(message), message.sent_at));
        for message in &messages {
            self.redrive(message).await?;
            let receipt = kept.remove(&message.id).into_iter().collect();
            self.parts().dead_letters.delete(receipt).await?;
        }
        Ok(messages.len())
    }

    /// Removes a dead letter for good.
    pub async fn dead_letter_drop(&self, id: &str) -> Result<(), Error> {
        self.remove_one(id, async |_| Ok(())).await
    }

    /// Removes all dead letters for good; says how many there were.
    pub async fn dead_letter_drop_all(&self) -> Result<usize, Error> {
        self.remove_all(async |_| Ok(())).await
    }

    async fn remove_one(
        &self,
        id: &str,
        mut work: impl AsyncFnMut(&Received) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut found = false;
        self.look(async |message| {
            if message.id != id {
                return Ok(Look::Keep);
            }
            work(message).await?;
            found = true;
            Ok(Look::RemoveLast)
        })
        .await?;
        if found { Ok(()) } else { Err(not_found(id)) }
    }

    async fn remove_all(
        &self,
        mut work: impl AsyncFnMut(&Received) -> Result<(), Error>,
    ) -> Result<usize, Error> {
        let began = self.parts().clock.now();
        let mut count = 0;
        self.look(async |message| {
            if message.sent_at > began {
                return Ok(Look::Keep);
            }
            work(message).await?;
            count += 1;
            Ok(Look::Remove)
        })
        .await?;
        Ok(count)
    }

    async fn redrive(&self, message: &Received) -> Result<(), Error> {
        let parts = self.parts();
        let letter = DeadLetter::of(message);
        let is_fifo = is_fifo(message);
        let door = if is_fifo { Door::Fifo } else { Door::Standard };
        // One that a queue put here by itself, because no function saw it to the end, has the id that
        // it had at its door.
        let key = self.door_keys().ensure(&*parts.table).await?;
        let origin = Origin::proven(message, key).unwrap_or_else(|| Origin::of(message));
        let attributes = key.attributes(&origin.sender, Some(&origin.message_id), &letter.body);
        let again = Message {
            body: letter.body,
            group: letter.group.filter(|_| is_fifo),
            deduplication: is_fifo.then(|| parts.ids.fresh().to_string()),
            attributes,
            ..Message::default()
        };
        let sent =
            parts.door(door).send(vec![again]).await.pop().expect("one message has one answer");
        tracing::info!(message.id, "dead letter sent again");
        sent.map(drop).map_err(Error::from)
    }

    /// Shows dead letters to `visit` until it has seen all, or enough.
    pub(super) async fn look(
        &self,
        visit: impl AsyncFnMut(&Received) -> Result<Look, Error>,
    ) -> Result<(), Error> {
        let mut kept = HashMap::new();
        let seen = self.look_into(&mut kept, visit).await;
        let given_back = self.give_back(kept).await;
        seen.and(given_back)
    }

    /// The same, and does not give back yet what is `kept`: by id, the latest receipt.
    async fn look_into(
        &self,
        kept: &mut HashMap<String, String>,
        mut visit: impl AsyncFnMut(&Received) -> Result<Look, Error>,
    ) -> Result<(), Error> {
        let queue = &self.parts().dead_letters;
        loop {
            let batch = queue.receive(AT_ONCE, LOOK).await?;
            let mut fresh = false;
            let mut stop = false;
            let mut gone = Vec::new();
            let mut failed = Ok(());
            for message in batch {
                let known = kept.insert(message.id.clone(), message.receipt.clone()).is_some();
                // Whoever looks for longer than a moment meets again what was first out of sight.
                if known || stop {
                    continue;
                }
                fresh = true;
                let look = match visit(&message).await {
                    Ok(look) => look,
                    Err(error) => {
                        failed = Err(error);
                        Look::Stop
                    }
                };
                if matches!(look, Look::Remove | Look::RemoveLast) {
                    kept.remove(&message.id);
                    gone.push(message.receipt);
                }
                stop = matches!(look, Look::RemoveLast | Look::Stop);
            }
            if !gone.is_empty() {
                queue.delete(gone).await?;
            }
            failed?;
            if stop || !fresh {
                return Ok(());
            }
        }
    }

    async fn give_back(&self, kept: HashMap<String, String>) -> Result<(), Error> {
        let queue = &self.parts().dead_letters;
        let given_back =
            join_all(kept.values().map(|receipt| queue.postpone(receipt, Duration::ZERO)));
        let given_back: Result<Vec<()>, _> = given_back.await.into_iter().collect();
        given_back.map(drop).map_err(Error::from)
    }
}

fn is_fifo(message: &Received) -> bool {
    message.attributes.get(dead_letter::DOOR).map(String::as_str) == Some(Door::Fifo.name())
}

fn not_found(id: &str) -> Error {
    Error::NotFound { kind: "dead letter", id: id.to_owned() }
}
