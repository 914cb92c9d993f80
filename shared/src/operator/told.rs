//! What happened to a person lately, and who was told of it.

use crate::{
    Error, Transmitter,
    directory::{Change, Directory, Following, ResourceId},
    event::EventType,
    operator::IssuedTo,
    set::EventId,
};

/// A change of a person, and which streams were told of it.
#[derive(Clone, Debug)]
pub struct ToldChange {
    /// The change; never the values.
    pub change: Change,
    /// The events that followed, each with the streams that have a SET of it.
    pub events: Vec<(EventType, Vec<IssuedTo>)>,
}

impl Transmitter {
    /// The last `limit` changes of a person, the last first, and who was told of each: what
    /// [`Self::txn_show`] says, for the person.
    pub async fn told_of(&self, id: ResourceId, limit: usize) -> Result<Vec<ToldChange>, Error> {
        let changes = Directory::of(self).recent(id, limit).await?;
        let following = changes.iter().flat_map(|change| &change.events);
        let ids: Vec<EventId> = following.map(Following::event_id).collect();
        let mut streams = self.sets_of(&ids).await?.into_iter();
        let told = |change: Change| {
            let events = change.events.iter().map(|event| event.event_type.clone());
            let events = events.map(|event| (event, streams.next().unwrap_or_default())).collect();
            ToldChange { change, events }
        };
        Ok(changes.into_iter().map(told).collect())
    }
}
