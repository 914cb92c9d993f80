//! Where streams are kept, and how the streams that want an event are found.
//!
//! | pk | sk | what |
//! | --- | --- | --- |
//! | `STREAM#<id>` | `STREAM` | the stream |
//! | `STREAM_SUBJECT#<id>` | `<digest>` | a subject that was named, or fed: see [`super::feed`] |
//! | `STREAM_ACTIVITY#<id>` | `ACTIVE`, `VERIFIED` | when the receiver last showed, last asked for verification |
//! | `FEEDS` | `<id>` | a stream that is still to be fed with those who consented before |
//! | `STREAMS` | `<id>` | all streams, for the sweep and the operator |
//! | `CLIENT_STREAMS#<id>` | `STREAMS` | the streams of one client |
//! | `TYPE#<event type>` | `ALL#<id>` | a stream with default ALL that wants the type |
//! | `TYPE#<event type>` | `SHAPE#<shape>#<id>` | one with default NONE that wants it about such subjects |
//! | `SUBJECT#<digest>` | `ADDED#<id>#<digest>`, `REMOVED#…` | see [`super::subjects`] |

use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error, Transmitter,
    client::{ClientId, Receiver},
    error::chain,
    event::EventType,
    stream::{DefaultSubjects, Stream, StreamId},
    table::{Condition, Content, Item, Key, TableError, Version, Write, class},
};

/// The key of a stream.
pub(crate) fn stream_key(id: &StreamId) -> Key {
    Key::new(class::STREAM.of(id), "STREAM")
}

/// The key of a stream in the list of all.
pub(crate) fn listed_key(id: &StreamId) -> Key {
    Key::new(class::STREAMS.partition(), id.as_str())
}

/// The key of the list of a client's streams.
pub(crate) fn owned_key(owner: &ClientId) -> Key {
    Key::new(class::CLIENT_STREAMS.of(owner), "STREAMS")
}

/// The key of when the receiver of a stream last showed.
pub(crate) fn active_key(id: &StreamId) -> Key {
    Key::new(class::STREAM_ACTIVITY.of(id), "ACTIVE")
}

/// The key of when the receiver of a stream last asked for a verification.
pub(crate) fn verified_key(id: &StreamId) -> Key {
    Key::new(class::STREAM_ACTIVITY.of(id), "VERIFIED")
}

/// The partition in which the streams that want an event type are found.
pub(crate) fn type_partition(event_type: &str) -> String {
    class::TYPE.of(event_type)
}

/// The rows of streams with default ALL begin so.
pub(crate) const ALL: &str = "ALL#";
/// The rows of streams with default NONE begin so.
pub(crate) const SHAPE: &str = "SHAPE#";

/// What `item` holds.
pub(crate) fn decode<T: DeserializeOwned>(item: &Item) -> Result<T, TableError> {
    serde_json::from_str(&item.body).map_err(|source| TableError::Corrupt {
        pk: item.key.pk.clone(),
        sk: item.key.sk.clone(),
        source: source.into(),
    })
}

/// `value` as the body of an item.
pub(crate) fn encode<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types have only string keys")
}

/// `value` as the whole content of an item.
pub(crate) fn content<T: Serialize>(value: &T) -> Content {
    Content { body: encode(value), ..Content::default() }
}

/// A row of an index: its key says everything.
pub(crate) fn index_row(key: Key) -> Write {
    Write::put(key, Condition::Any, Content { body: "{}".to_owned(), ..Content::default() })
}

/// The rows by which events find `stream`.
pub(crate) fn type_rows(stream: &Stream) -> BTreeSet<Key> {
    if !stream.takes_events() {
        return BTreeSet::new();
    }
    let row = |event_type: &str, sk| Key::new(type_partition(event_type), sk);
    let id = &stream.id;
    let types = stream.events_delivered.iter().map(EventType::as_str);
    match stream.default_subjects {
        DefaultSubjects::All => types.map(|name| row(name, format!("{ALL}{id}"))).collect(),
        DefaultSubjects::None => types
            .flat_map(|name| stream.shapes.iter().map(move |shape| (name, shape)))
            .map(|(name, shape)| row(name, format!("{SHAPE}{shape}#{id}")))
            .collect(),
    }
}

/// Another writer may be ahead this often before a change gives up.
pub(super) const ATTEMPTS: usize = 100;

impl Transmitter {
    /// The stream with this id, whoever owns it. For what arrives at a receiver's door, use
    /// [`Transmitter::stream_of`].
    pub(crate) async fn stream(&self, id: &StreamId) -> Result<Option<(Stream, Version)>, Error> {
        let Some(item) = self.parts().table.get(&stream_key(id)).await? else { return Ok(None) };
        Ok(Some((decode(&item)?, item.version)))
    }

    /// The stream with this id, if it is `receiver`'s.
    pub(crate) async fn stream_of(
        &self,
        receiver: &Receiver,
        id: &StreamId,
    ) -> Result<Stream, Error> {
        match self.stream(id).await? {
            Some((stream, _)) if stream.is_of(receiver) => Ok(stream),
            Some(_) | None => Err(Error::StreamNotFound(id.clone())),
        }
    }

    /// Does `change` to the stream with this id and says what it is then. Where another writer is
    /// ahead, reads and changes again, so that `change` must be fit to run more than once.
    pub(crate) async fn change_stream(
        &self,
        id: &StreamId,
        change: impl Fn(&mut Stream) -> Result<(), Error> + Send,
    ) -> Result<Stream, Error> {
        self.change_stream_if(id, None, change).await
    }

    /// The same, if `check` holds when the stream is written; else, or if another writer is ahead,
    /// [`TableError::Conflict`].
    pub(crate) async fn change_stream_if(
        &self,
        id: &StreamId,
        check: Option<&Write>,
        change: impl Fn(&mut Stream) -> Result<(), Error> + Send,
    ) -> Result<Stream, Error> {
        for _ in 0..ATTEMPTS {
            let Some((before, version)) = self.stream(id).await? else {
                return Err(Error::StreamNotFound(id.clone()));
            };
            let mut after = before.clone();
            change(&mut after)?;
            if after == before {
                return Ok(after);
            }
            if !after.is_as(&before) {
                after.last_modified = self.parts().clock.now();
            }
            match self.replace_stream_item(&before, &after, version, check).await {
                Ok(()) => return Ok(after),
                // Whose check does not hold any more must see to that first.
                Err(Error::Table(TableError::Conflict)) if check.is_none() => {}
                Err(error) => return Err(error),
            }
        }
        Err(TableError::Conflict.into())
    }

    /// Writes `after` over `before`, and the rows of the index by type.
    ///
    /// Rows come before the stream and go after it, so that at no time a stream that wants events
    /// cannot be found. A row too many does no harm: who follows it sees that the stream does not
    /// want the event. A row that goes is deleted in the state in which it was before the stream
    /// was written: when another writer needs it again meanwhile, it has put it again, and the
    /// delete fails.
    async fn replace_stream_item(
        &self,
        before: &Stream,
        after: &Stream,
        version: Version,
        check: Option<&Write>,
    ) -> Result<(), Error> {
        let table = &self.parts().table;
        let (old, new) = (type_rows(before), type_rows(after));
        let gone: Vec<Key> = old.difference(&new).cloned().collect();
        let gone = table.batch_get(&gone).await?;
        self.write_rows(new.difference(&old).cloned().map(index_row).collect()).await?;
        let put = Write::put(stream_key(&after.id), Condition::Version(version), content(after));
        match check {
            Some(check) => drop(table.transact(vec![put, check.clone()]).await?),
            None => drop(table.write_one(put).await?),
        }
        let deletes = gone
            .into_iter()
            .flatten()
            .map(|item| Write::delete(item.key, Condition::Version(item.version)))
            .collect();
        if let Err(error) = self.write_rows(deletes).await
            && !matches!(error, Error::Table(TableError::Conflict))
        {
            // The stream is written; a row too many only costs a look.
            let error = chain(&error);
            tracing::warn!(stream.id = %after.id, error, "an index row stays behind");
        }
        Ok(())
    }

    /// Removes what stands under `keys`.
    pub(crate) async fn remove_rows(
        &self,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<(), Error> {
        let writes = keys.into_iter().map(|key| Write::delete(key, Condition::Any)).collect();
        match self.write_rows(writes).await {
            Err(Error::Table(TableError::Conflict)) => Ok(()),
            done => done,
        }
    }

    /// Does all of `writes`, and says the first error that is not only a conflict, else the first.
    pub(crate) async fn write_rows(&self, writes: Vec<Write>) -> Result<(), Error> {
        if writes.is_empty() {
            return Ok(());
        }
        let mut conflict = false;
        for answer in self.parts().table.write(writes).await {
            match answer {
                Ok(_) => {}
                Err(TableError::Conflict) => conflict = true,
                Err(error) => return Err(error.into()),
            }
        }
        if conflict { Err(TableError::Conflict.into()) } else { Ok(()) }
    }
}
