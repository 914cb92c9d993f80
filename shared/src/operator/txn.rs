//! What one request to the directory changed, and what became of what it told.

use serde::Serialize;

use crate::{
    Error, Transmitter,
    directory::{Change, Directory, Following, ResourceId},
    operator::Fate,
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
    /// An event of which no stream has a SET counts as waiting, unless the doors are empty.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it changed nothing, or too long ago.
    pub async fn txn_show(&self, txn: &str) -> Result<Txn, Error> {
        let changes = Directory::of(self).txn(txn).await?;
        let empty = self.doors_are_empty().await?;
        let following = changes
            .iter()
            .flat_map(|change| change.events.iter().map(|event| (change.id, event.clone())));
        let following: Vec<(ResourceId, Following)> = following.collect();
        let ids: Vec<EventId> = following.iter().map(|(_, event)| event.event_id()).collect();
        let streams = self.sets_of(&ids).await?;
        let followed = |((resource, event), streams): ((ResourceId, Following), Vec<_>)| {
            let waits = streams.is_empty() && !empty;
            let fate = if waits { Fate::Waiting } else { Fate::Issued { streams } };
            Followed { resource, event, fate }
        };
        let events = following.into_iter().zip(streams).map(followed).collect();
        Ok(Txn { txn: txn.to_owned(), changes, events })
    }
}
