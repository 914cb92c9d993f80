//! Who sent a message, and by which proof.
//!
//! The id of an event is its sender's, and another sender may count 1, 2, 3 as well: so an event is
//! named by its sender and its id. Who the sender is says the queue, and no one else: what a message
//! says of that itself ([`SENDER`], [`MESSAGE_ID`](super::dead_letter::MESSAGE_ID)) counts only with a
//! [`PROOF`] that it is ours, for a dead letter that is sent again, an event of the directory or one
//! of the operator comes from whoever happens to send it. The proof is an HMAC by a key that stands in
//! the table, where no sender can read:
//!
//! | pk | sk | what |
//! | --- | --- | --- |
//! | `DOOR_KEY` | `KEY` | the key |

use std::{collections::BTreeMap, fmt, sync::Arc};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::dead_letter;
use crate::{
    Error, Transmitter,
    client::Secret,
    queue::{Message, Received},
    stream::store::decode,
    table::{Condition, Content, Key, Table, TableError, Write, class},
};

/// The attribute by which a sender narrows its own names: what several systems send by one identity,
/// each may call by numbers of its own.
pub const SOURCE: &str = "source";
/// The attribute that says who sent a message first.
pub const SENDER: &str = "tocsin_sender";
/// The attribute that proves it.
pub const PROOF: &str = "tocsin_proof";

/// The sender of a message of which the queue does not say it.
const UNKNOWN: &str = "unknown";
/// The sender of what the directory tells, whichever process sends it.
pub(crate) const DIRECTORY: &str = "directory";
/// The sender of what the operator sends by `tocsin emit`.
pub(crate) const LOCAL: &str = "local";

/// Who sent a message, and what the queue called it when it was first sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Origin {
    pub(crate) sender: String,
    pub(crate) message_id: String,
    /// It came before, under another id.
    pub(crate) again: bool,
}

impl Origin {
    /// By what the queue says.
    pub(crate) fn of(message: &Received) -> Self {
        let sender = message.sender.as_deref().unwrap_or(UNKNOWN);
        let sender = narrowed(sender, message.attributes.get(SOURCE).map(String::as_str));
        Self { sender, message_id: message.id.clone(), again: false }
    }

    /// By what the message says itself, if `key` proves it.
    pub(crate) fn proven(message: &Received, key: &DoorKey) -> Option<Self> {
        let attribute = |name| message.attributes.get(name).map(String::as_str);
        let (sender, proof) = (attribute(SENDER)?, attribute(PROOF)?);
        let first = attribute(dead_letter::MESSAGE_ID);
        let is_proven = key.proves(proof, sender, first.unwrap_or_default(), &message.body);
        is_proven.then(|| Self {
            sender: sender.to_owned(),
            message_id: first.unwrap_or(&message.id).to_owned(),
            again: first.is_some(),
        })
    }
}

/// `sender`, narrowed by the `source` that it names.
pub(crate) fn narrowed(sender: &str, source: Option<&str>) -> String {
    source.map_or_else(|| sender.to_owned(), |source| format!("{sender}/{source}"))
}

/// By which messages are known as ours.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct DoorKey {
    key: String,
}

impl fmt::Debug for DoorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DoorKey(…)")
    }
}

impl DoorKey {
    fn fresh() -> Self {
        Self { key: Secret::fresh().expose().to_owned() }
    }

    /// The attributes that say, and prove, who sent a message with this `body`, and what it was called
    /// when it was first sent, if that is known.
    pub(crate) fn attributes(
        &self,
        sender: &str,
        message_id: Option<&str>,
        body: &str,
    ) -> BTreeMap<String, String> {
        let tag = hmac::sign(&self.hmac(), &signed(sender, message_id.unwrap_or_default(), body));
        let pairs = [(SENDER, sender.to_owned()), (PROOF, URL_SAFE_NO_PAD.encode(tag))];
        let first = message_id.map(|id| (dead_letter::MESSAGE_ID, id.to_owned()));
        pairs.into_iter().chain(first).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// A message for senders who need order, under a name by which it is sent only once. Whoever sends
    /// it, it is the directory's: sent again by another, it is the same.
    pub(crate) fn of_directory(&self, group: &str, name: String, body: String) -> Message {
        Message {
            attributes: self.attributes(DIRECTORY, None, &body),
            body,
            group: Some(group.to_owned()),
            deduplication: Some(name),
            ..Message::default()
        }
    }

    fn proves(&self, proof: &str, sender: &str, message_id: &str, body: &str) -> bool {
        URL_SAFE_NO_PAD.decode(proof).is_ok_and(|tag| {
            hmac::verify(&self.hmac(), &signed(sender, message_id, body), &tag).is_ok()
        })
    }

    fn hmac(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.key.as_bytes())
    }
}

/// What is signed: no two different triples lead to the same.
fn signed(sender: &str, message_id: &str, body: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(sender.len() + message_id.len() + body.len() + 32);
    for part in [sender, message_id, body] {
        text.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    text
}

impl Transmitter {
    /// Puts these messages of the directory, each with its name, on the queue for who needs order.
    pub(crate) async fn send_of_directory(
        &self,
        group: &str,
        messages: Vec<(String, String)>,
    ) -> Result<(), Error> {
        if messages.is_empty() {
            return Ok(());
        }
        let key = self.door_keys().get(&*self.parts().table).await?;
        let messages = messages.into_iter().map(|(name, body)| key.of_directory(group, name, body));
        for sent in self.parts().ingest_fifo.send(messages.collect()).await {
            sent?;
        }
        Ok(())
    }
}

/// The key, as soon as it was needed and there.
#[derive(Clone, Debug, Default)]
pub(crate) struct DoorKeys(Arc<OnceCell<DoorKey>>);

impl DoorKeys {
    /// The key; an error before the first run of the sweep, or of the operator, which make it.
    pub(crate) async fn get(&self, table: &dyn Table) -> Result<&DoorKey, TableError> {
        let find = async || match table.get(&place()).await? {
            Some(item) => decode(&item),
            None => Err(TableError::Unavailable("the key of the doors is not made yet".into())),
        };
        self.0.get_or_try_init(find).await
    }

    /// The same, and makes it if there is none.
    pub(crate) async fn ensure(&self, table: &dyn Table) -> Result<&DoorKey, TableError> {
        let find = async || {
            if let Some(item) = table.get(&place()).await? {
                return decode(&item);
            }
            let fresh = DoorKey::fresh();
            let put = Write::put(place(), Condition::Absent, Content::json(&fresh));
            match table.write_one(put).await {
                Ok(_) => Ok(fresh),
                Err(error) => Err(error),
            }
        };
        match self.0.get_or_try_init(find).await {
            // Another was first.
            Err(TableError::Conflict) => self.get(table).await,
            found => found,
        }
    }
}

fn place() -> Key {
    Key::new(class::DOOR_KEY.partition(), "KEY")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn received(sender: &str, attributes: BTreeMap<String, String>, body: &str) -> Received {
        Received {
            id: "id".to_owned(),
            body: body.to_owned(),
            group: None,
            attributes,
            sender: Some(sender.to_owned()),
            sent_at: Timestamp::UNIX_EPOCH,
            sequence: None,
            receives: 1,
            receipt: String::new(),
        }
    }

    #[test]
    fn a_message_says_who_sent_it_only_by_proof() {
        let key = DoorKey::fresh();
        let attributes = key.attributes("AROA1", Some("first"), "body");
        let proven = |attributes: &BTreeMap<_, _>, body: &str| {
            Origin::proven(&received("AROA2", attributes.clone(), body), &key)
        };
        let origin =
            Origin { sender: "AROA1".to_owned(), message_id: "first".to_owned(), again: true };
        assert_eq!(proven(&attributes, "body"), Some(origin));
        assert_eq!(proven(&attributes, "another body"), None);
        for name in [SENDER, PROOF, dead_letter::MESSAGE_ID] {
            let mut changed = attributes.clone();
            changed.insert(name.to_owned(), "else".to_owned());
            assert_eq!(proven(&changed, "body"), None, "{name}");
            changed.remove(name);
            assert_eq!(proven(&changed, "body"), None, "{name}");
        }
        let another = DoorKey::fresh();
        assert_eq!(Origin::proven(&received("AROA2", attributes, "body"), &another), None);
        assert_eq!(format!("{key:?}"), "DoorKey(…)");
    }

    #[test]
    fn a_sender_can_narrow_its_names_and_not_take_those_of_others() {
        let source = BTreeMap::from([(SOURCE.to_owned(), "hr".to_owned())]);
        assert_eq!(Origin::of(&received("AROA1", source, "")).sender, "AROA1/hr");
        assert_eq!(Origin::of(&received("AROA1", BTreeMap::new(), "")).sender, "AROA1");
    }
}
