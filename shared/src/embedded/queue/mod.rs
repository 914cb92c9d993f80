//! The queues' home in SQLite.
//!
//! A message is found by when it becomes visible, never by a look at those that are not: a group
//! that is blocked, however long, costs the others nothing (see `message_group` in the schema).

mod receive;
mod send;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{
    Database,
    session::{Access, Failed, Session},
};
use crate::{
    clock,
    queue::{Message, Queue, QueueError, QueueKind, Received, check_visibility},
};

/// How often a queue looks for what another process has sent.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A queue in a [`Database`].
#[derive(Clone)]
pub struct SqliteQueue {
    database: Database,
    name: Arc<str>,
    kind: QueueKind,
    /// Rung when something may have become visible earlier than it was to be.
    bell: Arc<Notify>,
}

impl SqliteQueue {
    pub(super) fn new(
        database: Database,
        name: String,
        kind: QueueKind,
        bell: Arc<Notify>,
    ) -> Self {
        Self { database, name: name.into(), kind, bell }
    }

    /// How long it is until the first message becomes visible; `None` when there are none.
    async fn next(&self) -> Result<Option<Duration>, Failed> {
        let (name, kind) = (Arc::clone(&self.name), self.kind);
        let work = move |session: &mut Session| {
            let next = receive::next_visible_at(session, &name, kind)?;
            Ok(next.map(|at| microseconds_between(session.now(), at)))
        };
        self.database.run(Access::Read, work).await
    }
}

#[async_trait]
impl Queue for SqliteQueue {
    async fn send(&self, messages: Vec<Message>) -> Vec<Result<String, QueueError>> {
        let count = messages.len();
        let (name, kind) = (Arc::clone(&self.name), self.kind);
        let work = move |session: &mut Session| send::send(session, &name, kind, messages);
        let answers = match self.database.run(Access::Write, work).await {
            Ok(answers) => answers,
            Err(failed) => (0..count).map(|_| Err(Failed::clone(&failed).into())).collect(),
        };
        self.bell.notify_waiters();
        answers
    }

    async fn receive(&self, max: usize, visibility: Duration) -> Result<Vec<Received>, QueueError> {
        check_visibility(visibility)?;
        let (name, kind) = (Arc::clone(&self.name), self.kind);
        let work = move |session: &mut Session| {
            let until = session.now().saturating_add(microseconds(visibility));
            match kind {
                QueueKind::Fifo => receive::from_groups(session, &name, max, until),
                QueueKind::Standard => receive::from_all(session, &name, max, until),
            }
        };
        Ok(self.database.run(Access::Write, work).await?)
    }

    async fn wait(&self, at_most: Duration) {
        let clock = &self.database.clock;
        let end = clock::add(clock.now(), at_most);
        loop {
            // Listens before it looks, else it would miss what comes in between.
            let rung = self.bell.notified();
            // Where the look fails, so will the receiving, which can say so.
            let next = self.next().await.unwrap_or_default().unwrap_or(Duration::MAX);
            let left = clock::since(clock.now(), end);
            if next.is_zero() || left.is_zero() {
                return;
            }
            let shared = if self.database.is_shared() { LOOK_EVERY } else { Duration::MAX };
            tokio::select! {
                biased;
                () = rung => {}
                () = clock.sleep(next.min(left).min(shared)) => {}
            }
        }
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueError> {
        let (name, kind) = (Arc::clone(&self.name), self.kind);
        let work = move |session: &mut Session| receive::delete(session, &name, &receipts);
        self.database.run(Access::Write, work).await?;
        match kind {
            // The next one of the group may be visible now.
            QueueKind::Fifo => self.bell.notify_waiters(),
            QueueKind::Standard => {}
        }
        Ok(())
    }

    async fn postpone(&self, receipt: &str, visibility: Duration) -> Result<(), QueueError> {
        check_visibility(visibility)?;
        let (name, receipt) = (Arc::clone(&self.name), receipt.to_owned());
        let work = move |session: &mut Session| {
            let until = session.now().saturating_add(microseconds(visibility));
            receive::postpone(session, &name, &receipt, until)
        };
        self.database.run(Access::Write, work).await?;
        self.bell.notify_waiters();
        Ok(())
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        let name = Arc::clone(&self.name);
        let work = move |session: &mut Session| {
            let sql = "SELECT depth FROM queue WHERE name = ?1";
            Ok(session.first_row(sql, [&*name], |row| row.get::<_, i64>(0))?)
        };
        let depth: Result<_, Failed> = self.database.run(Access::Read, work).await;
        Ok(depth?.unwrap_or_default().cast_unsigned())
    }
}

impl fmt::Debug for SqliteQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteQueue")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn microseconds_between(earlier: i64, later: i64) -> Duration {
    Duration::from_micros(later.saturating_sub(earlier).try_into().unwrap_or(0))
}
