//! Creating, reading, updating, replacing and deleting streams ([SSF 1.0, 8.1.1]).

use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Transmitter,
    client::{ClientId, Profile, Receiver, client_key},
    json::{Invalid, Patch},
    seal::Sealed,
    stream::{
        CreateStream, Delivery, Status, Stream, StreamConfiguration, StreamId, UpdateStream,
        UriFamily,
        feed::unfed,
        store::{content, decode, index_row, listed_key, owned_key, stream_key, type_rows},
    },
    subject::Shape,
    table::{Condition, Item, TableError, Version, Write},
};

/// The streams of one client.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Owned {
    pub(crate) streams: Vec<StreamId>,
}

/// Whether an update leaves out what it does not name, or removes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missing {
    /// PUT ([SSF 1.0, 8.1.1.4]).
    Remove,
    /// PATCH ([SSF 1.0, 8.1.1.3]).
    Keep,
}

impl Transmitter {
    /// Creates a stream for `receiver` ([SSF 1.0, 8.1.1.1]).
    pub async fn create_stream(
        &self,
        receiver: &Receiver,
        wish: CreateStream,
    ) -> Result<StreamConfiguration, Error> {
        if !receiver.may_create {
            return Err(Error::MayNotCreate);
        }
        let mut stream = self.new_stream(receiver, wish).await?;
        // Before anything is written: a receiver that has enough must not leave rows behind.
        self.owned(&receiver.id, receiver.max_streams).await?;
        // See `replace_stream_item` for why the rows come first.
        let mut rows = type_rows(&stream);
        self.write_rows(rows.iter().cloned().map(index_row).collect()).await?;
        let mut version = receiver.version;
        let inserted = loop {
            match self.insert_stream(&stream, receiver.max_streams, version).await {
                // Another stream of the same client was created or deleted meanwhile, or the client
                // is not any more what it was.
                Err(Error::Table(TableError::Conflict)) => {
                    if version.is_some() {
                        match self.enabled_client(&receiver.id).await {
                            Ok((now, scim_full)) => {
                                version = Some(now);
                                stream.set_scim_full(scim_full, &self.parts().config);
                            }
                            Err(error) => break Err(error),
                        }
                        let new = type_rows(&stream);
                        let more = new.difference(&rows).cloned().map(index_row).collect();
                        self.write_rows(more).await?;
                        rows.extend(new);
                    }
                }
                done => break done,
            }
        };
        if matches!(inserted, Err(Error::TooManyStreams(_) | Error::Unauthenticated)) {
            self.remove_rows(rows).await?;
        } else if inserted.is_ok() {
            self.remove_rows(rows.difference(&type_rows(&stream)).cloned()).await?;
        }
        inserted?;
        tracing::info!(stream.id = %stream.id, receiver.id = %receiver.id, "stream created");
        Ok(StreamConfiguration::of(&stream, &self.parts().config))
    }

    async fn new_stream(&self, receiver: &Receiver, wish: CreateStream) -> Result<Stream, Error> {
        let parts = self.parts();
        let id = StreamId::fresh(&*parts.ids);
        let delivery = match wish.delivery {
            Some(delivery) => {
                let header = self.new_header(&id, &delivery).await?;
                delivery.resolve(header, None, &parts.config)?
            }
            None => Delivery::Poll { family: UriFamily::Rfc },
        };
        let now = parts.clock.now();
        let events_requested = wish.events_requested.map(|events| events.0);
        let is_legacy = receiver.profile == Profile::Legacy;
        Ok(Stream {
            id,
            owner: receiver.id.clone(),
            audience: receiver.audience.clone(),
            status: Status::Enabled,
            suspended: false,
            reason: None,
            events_delivered: parts
                .config
                .events_delivered(events_requested.as_ref(), receiver.scim.full),
            events_requested,
            // Those who poll get all lanes in one answer: one keeps them in one order.
            lanes: if delivery.is_push() { parts.config.lanes.max(1) } else { 1 },
            delivery,
            description: wish.description.map(|description| description.0),
            format: wish.format.filter(|_| is_legacy).map(|format| format.0),
            default_subjects: receiver.default_subjects,
            by_consent: receiver.by_consent,
            // What is fed to it has one shape, so that feeding it leaves the stream as it is.
            shapes: receiver.by_consent.then(Shape::simple).into_iter().collect(),
            profile: receiver.profile,
            subject_in_event: receiver.subject_in_event,
            verify_certificates: receiver.verify_certificates,
            scim_full: receiver.scim.full,
            round: 0,
            round_began: None,
            rests: std::collections::BTreeMap::new(),
            nothing_since: None,
            revision: 0,
            void_before: 0,
            created: now,
            last_modified: now,
        })
    }

    /// The limit holds also against creations at the same time: the list of the client's streams
    /// is written with the stream, or neither is.
    /// So does the check that the client is as it was read: one that is disabled or deleted at the
    /// same time leaves no stream behind.
    async fn insert_stream(
        &self,
        stream: &Stream,
        max_streams: usize,
        client: Option<Version>,
    ) -> Result<(), Error> {
        let (mut owned, condition) = self.owned(&stream.owner, max_streams).await?;
        owned.streams.push(stream.id.clone());
        let mut writes = vec![
            Write::put(owned_key(&stream.owner), condition, content(&owned)),
            Write::put(stream_key(&stream.id), Condition::Absent, content(stream)),
            index_row(listed_key(&stream.id)),
        ];
        writes.extend(unfed(stream));
        let check = |version| Write::check(client_key(&stream.owner), Condition::Version(version));
        writes.extend(client.map(check));
        self.parts().table.transact(writes).await?;
        Ok(())
    }

    /// The streams of `owner`, if there is room for one more, and the state that they are in.
    async fn owned(
        &self,
        owner: &ClientId,
        max_streams: usize,
    ) -> Result<(Owned, Condition), Error> {
        let (mut has, condition) = match self.parts().table.get(&owned_key(owner)).await? {
            Some(item) => (decode::<Owned>(&item)?, Condition::Version(item.version)),
            None => (Owned::default(), Condition::Absent),
        };
        if has.streams.len() >= max_streams {
            // Who died while it deleted one may have left it in the list.
            let streams = self.streams_of(owner).await?;
            let live =
                streams.into_iter().filter(|stream| stream.status != Status::DisabledDeleted);
            has.streams = live.map(|stream| stream.id).collect();
        }
        if has.streams.len() >= max_streams {
            return Err(Error::TooManyStreams(has.streams.len()));
        }
        Ok((has, condition))
    }

    /// One stream of `receiver` ([SSF 1.0, 8.1.1.2]).
    pub async fn read_stream(
        &self,
        receiver: &Receiver,
        id: &StreamId,
    ) -> Result<StreamConfiguration, Error> {
        let stream = self.stream_of(receiver, id).await?;
        self.touch(&stream).await?;
        Ok(StreamConfiguration::of(&stream, &self.parts().config))
    }

    /// All streams of `receiver`, in the order of their creation.
    pub async fn list_streams(
        &self,
        receiver: &Receiver,
    ) -> Result<Vec<StreamConfiguration>, Error> {
        let streams = self.streams_of(&receiver.id).await?;
        Ok(streams
            .iter()
            .filter(|stream| stream.is_of(receiver))
            .map(|stream| StreamConfiguration::of(stream, &self.parts().config))
            .collect())
    }

    /// All streams of the client `owner`.
    pub async fn streams_of(&self, owner: &ClientId) -> Result<Vec<Stream>, Error> {
        let table = &self.parts().table;
        let Some(item) = table.get(&owned_key(owner)).await? else { return Ok(Vec::new()) };
        let keys: Vec<_> = decode::<Owned>(&item)?.streams.iter().map(stream_key).collect();
        let items = table.batch_get(&keys).await?;
        items.iter().flatten().map(|item| Ok(decode(item)?)).collect()
    }

    /// Updates or replaces a stream of `receiver` ([SSF 1.0, 8.1.1.3 and 8.1.1.4]).
    pub async fn update_stream(
        &self,
        receiver: &Receiver,
        wish: UpdateStream,
        missing: Missing,
    ) -> Result<StreamConfiguration, Error> {
        let config = &self.parts().config;
        let now = self.parts().clock.now();
        let id = wish.stream_id.clone();
        let header = self.updated_header(receiver, &wish).await?;
        let tried = AtomicBool::new(false);
        let stream = self
            .change_stream(&id, |stream| {
                if !stream.is_of(receiver) {
                    return Err(Error::StreamNotFound(id.clone()));
                }
                let before = stream.clone();
                self.apply(stream, wish.clone(), header.clone(), missing)?;
                if *stream == before && tried.load(Ordering::Relaxed) {
                    // It is done already: by ourselves, and the answer was lost.
                    return Ok(());
                }
                // Against the stream as it is before the update.
                wish.supplied.check(&StreamConfiguration::of(&before, config))?;
                tried.store(true, Ordering::Relaxed);
                if stream.delivery != before.delivery {
                    stream.begin_round(now);
                }
                if stream.events_delivered != before.events_delivered {
                    stream.revision += 1;
                }
                Ok(())
            })
            .await?;
        if stream.round_began == Some(now) {
            // What is pending goes the new way at once.
            self.ring_all(&stream).await?;
            self.wakes().wake(&stream.id);
        }
        self.touch(&stream).await?;
        Ok(StreamConfiguration::of(&stream, config))
    }

    fn apply(
        &self,
        stream: &mut Stream,
        wish: UpdateStream,
        header: Option<Sealed>,
        missing: Missing,
    ) -> Result<(), Invalid> {
        let config = &self.parts().config;
        let replaced = missing == Missing::Remove;
        match wish.events_requested {
            Patch::Value(events) => stream.events_requested = Some(events.0),
            Patch::Null => stream.events_requested = None,
            Patch::Absent if replaced => stream.events_requested = None,
            Patch::Absent => {}
        }
        stream.events_delivered =
            config.events_delivered(stream.events_requested.as_ref(), stream.scim_full);
        match wish.delivery {
            Patch::Value(delivery) => {
                stream.delivery = delivery.resolve(header, Some(&stream.delivery), config)?;
            }
            // As for create: a stream without a delivery is polled.
            Patch::Null => stream.delivery = Delivery::Poll { family: UriFamily::Rfc },
            Patch::Absent if replaced => {
                stream.delivery = Delivery::Poll { family: UriFamily::Rfc };
            }
            Patch::Absent => {}
        }
        match wish.description {
            Patch::Value(description) => stream.description = Some(description.0),
            Patch::Null => stream.description = None,
            Patch::Absent if replaced => stream.description = None,
            Patch::Absent => {}
        }
        match wish.format {
            Patch::Value(_) if stream.profile == Profile::Standard => {}
            Patch::Value(format) => stream.format = Some(format.0),
            Patch::Null => stream.format = None,
            Patch::Absent if replaced => stream.format = None,
            Patch::Absent => {}
        }
        Ok(())
    }

    /// Deletes a stream of `receiver` ([SSF 1.0, 8.1.1.5]): from now on it is not there for
    /// anybody, and the sweep removes what is left of it.
    pub async fn delete_stream(&self, receiver: &Receiver, id: &StreamId) -> Result<(), Error> {
        let stream = self.stream_of(receiver, id).await?;
        self.retire_stream(&stream, "the receiver deleted it").await
    }

    /// Takes `stream` from its owner; nothing more is accepted for it.
    pub(crate) async fn retire_stream(&self, stream: &Stream, reason: &str) -> Result<(), Error> {
        self.change_stream(&stream.id, |stream| {
            stream.status = Status::DisabledDeleted;
            stream.reason = Some(reason.to_owned());
            Ok(())
        })
        .await?;
        loop {
            match self.disown(stream).await {
                Err(Error::Table(TableError::Conflict)) => {}
                done => break done,
            }
        }?;
        self.wakes().wake(&stream.id);
        tracing::info!(stream.id = %stream.id, receiver.id = %stream.owner, "stream deleted");
        Ok(())
    }

    async fn disown(&self, stream: &Stream) -> Result<(), Error> {
        let key = owned_key(&stream.owner);
        let Some(item) = self.parts().table.get(&key).await? else { return Ok(()) };
        let mut owned: Owned = decode::<Owned>(&item)?;
        owned.streams.retain(|id| *id != stream.id);
        self.write_rows(vec![owned_write(&item, &owned)]).await
    }
}

fn owned_write(item: &Item, owned: &Owned) -> Write {
    let condition = Condition::Version(item.version);
    if owned.streams.is_empty() {
        Write::delete(item.key.clone(), condition)
    } else {
        Write::put(item.key.clone(), condition, content(owned))
    }
}
