//! What one request to the directory changed, and what became of what it told.

use serde::Serialize;
use serde_json::Value;

use crate::{
    Error, Transmitter,
    directory::{Change, Directory, Following, ResourceId},
    operator::Fate,
    queue::Received,
    set::EventId,
};

/// What one request changed, and what became of what it told.
#[derive(Clone, Debug, Serialize)]
pub struct Txn {
    /// Its name, which all of its SETs share (RFC 8417, 2.2).
    pub txn: String,
    /// What it changed; never the values.
    pub changes: Vec<Change>,
    /// What it told, in the order of the changes.
    pub events: Vec<Followed>,
}

/// An event that followed from a change.
#[derive(Clone, Debug, Serialize)]
pub struct Followed {
    /// Of which person or group.
    pub resource: ResourceId,
    /// The event.
    #[serde(flatten)]
    pub event: Following,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
}

impl Transmitter {
    /// What the request changed that is called `txn`, and what became of each event that followed.
    /// An event of which no stream has a SET counts as waiting, unless it is among the dead letters or
    /// the doors are empty.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it changed nothing, or too long ago.
    pub async fn txn_show(&self, txn: &str) -> Result<Txn, Error> {
        let changes = Directory::of(self).txn(txn).await?;
        let empty = self.doors_are_empty().await?;
        let following = changes.iter().flat_map(|change| {
            change.events.iter().map(|event| {
                let event = event.clone();
                (event.member.unwrap_or(change.id), Following { member: None, ..event })
            })
        });
        let following: Vec<(ResourceId, Following)> = following.collect();
        let ids: Vec<EventId> = following.iter().map(|(_, event)| event.event_id()).collect();
        let streams = self.sets_of(&ids).await?;
        let missing = following.iter().zip(&streams).filter(|(_, streams)| streams.is_empty());
        let missing = missing.map(|((_, event), _)| event.id.clone()).collect();
        let mut refused = self.find_refused(missing, event_id).await?;
        let followed = |((resource, event), streams): ((ResourceId, Following), Vec<_>)| {
            let fate = if let Some(reason) = refused.remove(&event.id) {
                Fate::Refused { reason }
            } else if streams.is_empty() && !empty {
                Fate::Waiting
            } else {
                Fate::Issued { streams }
            };
            Followed { resource, event, fate }
        };
        let events = following.into_iter().zip(streams).map(followed).collect();
        Ok(Txn { txn: txn.to_owned(), changes, events })
    }
}

/// Its sender's name for what the message was to be.
fn event_id(letter: &Received) -> Option<String> {
    let body: Value = serde_json::from_str(&letter.body).ok()?;
    Some(body.get("id")?.as_str()?.to_owned())
}
