//! The outbox: what was decided on together with a change, in the same transaction, until it is done.
//! There are events, until they are on the queue; whom the streams of a client hear of, until the
//! transmitter knows; and which applications are to be told that a session has ended, until that is on
//! the push queue. What waits for one resource is done in order.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Cause, Directory, ResourceId,
    store::{OUTBOX_PARTS, outbox_key, outbox_partition},
    tells::Told,
};
use crate::{
    Error, clock,
    delivery::{LogoutTask, logout},
    error::chain,
    metrics::{self, Metric},
    sign_in::{Logout, SubjectId},
    stream::Feeding,
    table::{Condition, Content, Item, Query, Write},
};

/// A row of the outbox: what follows from one change of one resource, in order.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Outgoing {
    /// When the change was made.
    pub(crate) at: Timestamp,
    /// The messages, and under which name each is sent only once.
    pub(crate) messages: Vec<(String, String)>,
    /// Whom the streams of a client hear of then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) feeding: Option<Feeding>,
    /// Which applications are told that a session of the person has ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) logouts: Vec<Logout>,
}

/// How many rows are handed over at once.
const ROWS: usize = 100;

/// What is this old, nobody hands over any more: whoever made it has died. A request has 30 seconds.
const LEFT_AFTER: Duration = Duration::from_secs(35);

impl Outgoing {
    /// The messages of these events of the change `sequence` of the resource `id`.
    pub(crate) fn new(id: ResourceId, sequence: u64, events: &[Told], cause: &Cause) -> Self {
        let message = |(n, event): (usize, &Told)| {
            let (name, message) = message(id, sequence, n, event, cause);
            (name, Value::Object(message).to_string())
        };
        let messages = events.iter().enumerate().map(message).collect();
        Self { at: cause.at, messages, feeding: None, logouts: Vec::new() }
    }

    /// Whether it is more than messages.
    fn is_more(&self) -> bool {
        self.feeding.is_some() || !self.logouts.is_empty()
    }

    pub(crate) fn write(&self, id: ResourceId, sequence: u64) -> Write {
        Write::put(outbox_key(id, sequence), Condition::Any, Content::json(self))
    }
}

/// The message of the event `n` of a change, and its name.
pub(crate) fn message(
    id: ResourceId,
    sequence: u64,
    n: usize,
    event: &Told,
    cause: &Cause,
) -> (String, Map<String, Value>) {
    let name = event_id(&cause.txn, id, sequence, n);
    let mut events = Map::new();
    events.insert(event.event_type.as_str().to_owned(), event.payload.clone());
    let mut message = Map::new();
    message.insert("id".to_owned(), name.as_str().into());
    message.insert("sub_id".to_owned(), event.subject.clone());
    message.insert("events".to_owned(), Value::Object(events));
    message.insert("txn".to_owned(), cause.txn.as_str().into());
    message.insert("toe".to_owned(), cause.at.as_second().into());
    (name, message)
}

/// The name of the event `n` of a change: the same however often it is sent.
pub(crate) fn event_id(txn: &str, id: ResourceId, sequence: u64, n: usize) -> String {
    format!("{txn}.{id}.{sequence}.{n}")
}

impl Directory {
    /// Puts on the queue what waits of these resources, in order for each. What cannot be put there
    /// now is left to the next change of the resource, or to [`Self::hand_over_left`]: the change is
    /// made, and nobody has to wait.
    pub(crate) async fn hand_over(&self, ids: &[ResourceId]) {
        if let Err(error) = self.try_hand_over(ids).await {
            tracing::warn!(error = chain(&error), "events are left in the outbox for a while");
        }
    }

    async fn try_hand_over(&self, ids: &[ResourceId]) -> Result<(), Error> {
        let waiting = try_join_all(ids.iter().map(|id| self.waiting(*id))).await?;
        self.send(waiting.into_iter().flatten().collect()).await.map(drop)
    }

    /// What waits of one resource: the changes from before too, for they must be first.
    async fn waiting(&self, id: ResourceId) -> Result<Vec<(String, Item)>, Error> {
        let partition = outbox_partition(id.part(OUTBOX_PARTS));
        let query = Query::sorted(partition, format!("{id}#")).limit(ROWS);
        let page = self.parts().table.query(query).await?;
        Ok(page.items.into_iter().map(|item| (id.to_string(), item)).collect())
    }

    /// Does what these rows say, those of one resource in order, and deletes those that are done; how
    /// many that were.
    async fn send(&self, rows: Vec<(String, Item)>) -> Result<usize, Error> {
        let mut more = BTreeSet::new();
        for (group, item) in &rows {
            if item.read::<Outgoing>()?.is_more() {
                more.insert(group.clone());
            }
        }
        let (one_by_one, at_once): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|(group, _)| more.contains(group));
        let sent = self.send_at_once(at_once).await;
        let mut done = 0;
        let (mut stuck, mut failed) = (BTreeSet::new(), None);
        for (group, item) in one_by_one {
            // Nothing overtakes what cannot be done.
            if stuck.contains(&group) {
                continue;
            }
            match self.send_and_do(group.clone(), item).await {
                Ok(()) => done += 1,
                Err(error) => {
                    stuck.insert(group);
                    failed = Some(error);
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(done + sent?),
        }
    }

    /// First the events, then whom streams hear of: so what is told because of this change goes to
    /// whom it went to before, as far as it is taken in by then, and what is committed later does not.
    /// At last what applications are told.
    async fn send_and_do(&self, group: String, item: Item) -> Result<(), Error> {
        let outgoing: Outgoing = item.read()?;
        self.transmitter().send_of_directory(&group, outgoing.messages).await?;
        if let Some(feeding) = &outgoing.feeding {
            self.transmitter().feed(feeding, &group).await?;
        }
        let logout = |(n, Logout { client, sid }): (usize, Logout)| {
            let task =
                LogoutTask { client, subject: SubjectId(group.clone()), sid, at: outgoing.at };
            logout::message(task, format!("logout#{}#{n}", item.key.sk))
        };
        let logouts: Vec<_> = outgoing.logouts.into_iter().enumerate().map(logout).collect();
        if !logouts.is_empty() {
            for sent in self.parts().push.send(logouts).await {
                sent?;
            }
        }
        self.parts().table.write_one(Write::delete(item.key, Condition::Any)).await?;
        Ok(())
    }

    /// Sends these rows, each for the group of its resource, and deletes those that are sent; how
    /// many that were.
    async fn send_at_once(&self, rows: Vec<(String, Item)>) -> Result<usize, Error> {
        if rows.is_empty() {
            return Ok(0);
        }
        let key = self.door_keys().get(&*self.parts().table).await?;
        let mut messages = Vec::new();
        let mut rows_of = Vec::new();
        for (row, (group, item)) in rows.iter().enumerate() {
            for (name, body) in item.read::<Outgoing>()?.messages {
                messages.push(key.of_directory(group, name, body));
                rows_of.push(row);
            }
        }
        if messages.is_empty() {
            return Ok(0);
        }
        let mut failed = None;
        let mut kept = vec![false; rows.len()];
        for (row, sent) in rows_of.into_iter().zip(self.parts().ingest_fifo.send(messages).await) {
            if let Err(error) = sent {
                kept[row] = true;
                failed = Some(error);
            }
        }
        let done = rows.into_iter().zip(kept).filter(|(_, kept)| !kept);
        let deletes: Vec<_> =
            done.map(|((_, item), _)| Write::delete(item.key, Condition::Any)).collect();
        let sent = deletes.len();
        for deleted in self.parts().table.write(deletes).await {
            deleted?;
        }
        failed.map_or(Ok(sent), |error| Err(error.into()))
    }

    /// Puts on the queue what nobody else does any more, and says how many changes that were.
    pub(crate) async fn hand_over_left(&self) -> Result<usize, Error> {
        let now = self.parts().clock.now();
        let mut sent = 0;
        for part in 0..OUTBOX_PARTS {
            let query = Query::sorted(outbox_partition(part), "").limit(ROWS);
            let page = self.parts().table.query(query).await?;
            // With a change go all from before it of the same resource: one that was begun earlier may
            // have been written later.
            let (mut left, mut before) = (Vec::new(), Vec::<(String, Item)>::new());
            for item in page.items {
                let age = clock::since(item.read::<Outgoing>()?.at, now);
                metrics::age(Metric::OutboxAge, age);
                let id = item.key.sk.split('#').next().unwrap_or_default().to_owned();
                before.retain(|(resource, _)| *resource == id);
                before.push((id, item));
                if age >= LEFT_AFTER {
                    left.append(&mut before);
                }
            }
            sent += self.send(left).await?;
        }
        Ok(sent)
    }
}
