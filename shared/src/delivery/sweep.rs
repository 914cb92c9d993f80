//! What is done on a schedule: inactivity, what got stuck, what is over.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Error, Transmitter, clock,
    error::chain,
    metrics::{self, Metric},
    set::{IssuedToken, PENDING, issued_partition},
    stream::{
        Status, Stream, StreamId, listed_key, listed_subject,
        store::{active_key, content, decode, stream_key, verified_key},
        subject_rows,
    },
    table::{Condition, Item, Key, Query, Write, class},
};

/// What one run did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Swept {
    /// Streams that were looked at.
    pub streams: usize,
    /// Streams that were paused because their receivers have not shown for too long.
    pub paused: usize,
    /// Lanes in which something was stuck, and that were rung for.
    pub rung: usize,
    /// Streams of which the last remains were removed.
    pub removed: usize,
    /// Records whose time was over.
    pub expired: usize,
}

/// How many streams one run looks at; the next run goes on behind them.
const STREAMS: usize = 500;

/// How many items one run removes of one stream.
const ITEMS: usize = 1000;

/// How many records whose time is over one run removes.
const EXPIRED: usize = 10_000;

/// A SET that is this long overdue has lost its bell.
const STUCK_AFTER: Duration = Duration::from_mins(5);

/// What must still go out of a deleted stream has this long.
const REMOVE_AFTER: Duration = Duration::from_hours(24);

/// A run that takes longer leaves the rest to the next one: the function has a minute.
const PATIENCE: Duration = Duration::from_secs(40);

/// How far the last run came.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Progress {
    after: Option<String>,
}

impl Transmitter {
    /// One run; bounded, and the next goes on where this one stopped. The first of all makes the first
    /// key, and that of the doors: what answers strangers may not write them.
    pub async fn sweep(&self) -> Result<Swept, Error> {
        let began = self.parts().clock.now();
        // That there is no key is no reason to let things lie.
        if let Err(error) = self.keys().ensure_key().await {
            tracing::error!(error = chain(&error), "there may be no key that signs");
        }
        if let Err(error) = self.ensure_door_key().await {
            tracing::error!(error = chain(&error), "there may be no key of the doors");
        }
        let table = &self.parts().table;
        let key = Key::new(class::SWEEP.partition(), "PROGRESS");
        let progress = match table.get(&key).await? {
            Some(item) => decode::<Progress>(&item)?,
            None => Progress::default(),
        };
        let mut last = progress.after;
        let query = Query {
            after: last.clone(),
            ..Query::sorted(class::STREAMS.partition(), "").limit(STREAMS)
        };
        let page = table.query(query).await?;
        let mut swept = Swept::default();
        let mut after = page.next;
        for item in page.items {
            if clock::since(began, self.parts().clock.now()) >= PATIENCE {
                after = last;
                break;
            }
            let id = StreamId::parse(item.key.sk.as_str());
            last = Some(item.key.sk);
            let Some(id) = id else { continue };
            swept.streams += 1;
            // One stream that cannot be swept must not keep the others from it.
            if let Err(error) = self.sweep_stream(&id, &mut swept).await {
                tracing::error!(stream.id = %id, error = chain(&error), "cannot sweep");
            }
        }
        let put = Write::put(key, Condition::Any, content(&Progress { after }));
        self.write_rows(vec![put]).await?;
        swept.expired = table.remove_expired(EXPIRED).await?;
        Ok(swept)
    }

    async fn sweep_stream(&self, id: &StreamId, swept: &mut Swept) -> Result<(), Error> {
        let Some((stream, _)) = self.stream(id).await? else {
            // Its remains were removed, only the list does not know.
            return self.write_rows(vec![Write::delete(listed_key(id), Condition::Any)]).await;
        };
        match stream.standing() {
            Status::Enabled => {
                if self.is_inactive(&stream).await? {
                    let reason = "the receiver has not shown for too long";
                    swept.paused += usize::from(self.pause_ourselves(&stream, reason).await?);
                }
                swept.rung += self.ring_overdue(&stream).await?;
            }
            Status::Paused => swept.rung += self.ring_overdue(&stream).await?,
            Status::Disabled => {
                self.drop_pending(&stream).await?;
                swept.rung += self.ring_overdue(&stream).await?;
            }
            Status::DisabledDeleted => {
                swept.rung += self.ring_overdue(&stream).await?;
                if self.is_over(&stream).await? && self.remove_remains(&stream).await? {
                    swept.removed += 1;
                }
            }
        }
        Ok(())
    }

    async fn is_inactive(&self, stream: &Stream) -> Result<bool, Error> {
        let Some(timeout) = self.parts().config.inactivity_timeout else { return Ok(false) };
        let seen =
            self.last_active(stream).await?.max(stream.round_began.unwrap_or(stream.created));
        Ok(clock::since(seen, self.parts().clock.now()) > timeout)
    }

    /// Of a stream that has stopped too: it may still have to say so.
    async fn ring_overdue(&self, stream: &Stream) -> Result<usize, Error> {
        if !stream.delivery.is_push() {
            return Ok(0);
        }
        let now = self.parts().clock.now();
        let overdue = |token: &IssuedToken| {
            if stream.standing() == Status::Enabled {
                metrics::age(Metric::UndeliveredAge, clock::since(token.created, now));
            }
            let due = token.next_attempt.unwrap_or(token.created);
            clock::since(due, now) > STUCK_AFTER
        };
        self.ring_stuck(stream, overdue).await
    }

    async fn drop_pending(&self, stream: &Stream) -> Result<(), Error> {
        let (held, _) = self.pending(&stream.id, PENDING, None, ITEMS).await?;
        let (_, void) = crate::delivery::sift(stream, held);
        self.drop_issued(void).await
    }

    /// Whether nothing must go out of a deleted stream any more.
    async fn is_over(&self, stream: &Stream) -> Result<bool, Error> {
        let (held, _) = self.pending(&stream.id, PENDING, None, ITEMS).await?;
        let (passing, _) = crate::delivery::sift(stream, held);
        let waited = clock::since(stream.last_modified, self.parts().clock.now());
        Ok(passing.is_empty() || !stream.delivery.is_push() || waited > REMOVE_AFTER)
    }

    /// Removes what is left of a deleted stream; the stream itself last. Says whether that is all.
    async fn remove_remains(&self, stream: &Stream) -> Result<bool, Error> {
        let table = &self.parts().table;
        let sets =
            table.query(Query::sorted(issued_partition(&stream.id), "").limit(ITEMS)).await?;
        let own = Query::sorted(class::STREAM_SUBJECT.of(&stream.id), "").limit(ITEMS / 10);
        let subjects = table.query(own).await?;
        let mut rows = Vec::new();
        for item in &subjects.items {
            rows.extend(subject_rows(stream, &listed_subject(item)?));
        }
        self.remove_rows(rows).await?;
        self.remove_rows(keys(subjects.items)).await?;
        self.remove_rows(keys(sets.items)).await?;
        if sets.next.is_some() || subjects.next.is_some() {
            return Ok(false);
        }
        self.remove_rows(vec![active_key(&stream.id), verified_key(&stream.id)]).await?;
        self.remove_rows(vec![stream_key(&stream.id)]).await?;
        self.remove_rows(vec![listed_key(&stream.id)]).await?;
        Ok(true)
    }
}

fn keys(items: Vec<Item>) -> Vec<Key> {
    items.into_iter().map(|item| item.key).collect()
}
