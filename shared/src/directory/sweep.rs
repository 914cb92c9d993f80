//! What the directory does on a schedule: lock dates that have come, events that are still in the
//! outbox, jobs that are not finished.

use std::time::Duration;

use serde::Serialize;

use super::{Actor, Directory, ResourceId, store::due_until};
use crate::{
    Error,
    error::chain,
    table::{Condition, Item, Query, Write, class},
};

/// What one run did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Kept {
    /// People whose lock date had come.
    pub locked: usize,
    /// Changes whose events were put on the queue.
    pub handed_over: usize,
    /// Jobs that were finished.
    pub finished: usize,
    /// People of whom a stream hears that was made after they had given their consent.
    pub fed: usize,
}

/// So many lock dates are looked at in one run.
const DATES: usize = 500;

/// One run works on jobs for so long: the function has a minute.
const JOBS: Duration = Duration::from_secs(15);

/// And on new streams for so long.
const FEEDS: Duration = Duration::from_secs(5);

impl Directory {
    /// One run; the next goes on where this one stopped.
    pub async fn keep(&self) -> Result<Kept, Error> {
        let locked = self.tell_locks().await?;
        let handed_over = self.hand_over_left().await?;
        let finished = self.work_on_jobs(JOBS).await?;
        let fed = self.feed_new_streams(FEEDS).await?;
        Ok(Kept { locked, handed_over, finished, fed })
    }

    /// A person is locked when the date has come, whoever looks; here others are told.
    async fn tell_locks(&self) -> Result<usize, Error> {
        let behind =
            due_until(crate::clock::add(self.parts().clock.now(), Duration::from_micros(1)));
        let page = self
            .parts()
            .table
            .query(Query::sorted(class::DUE.partition(), "").limit(DATES))
            .await?;
        let mut locked = 0;
        for item in page.items.into_iter().take_while(|item| item.key.sk < behind) {
            // One that cannot be told must not keep the others from it.
            match self.tell_lock(&item).await {
                Ok(told) => locked += usize::from(told),
                Err(error) => tracing::error!(error = chain(&error), "cannot tell a lock"),
            }
        }
        Ok(locked)
    }

    async fn tell_lock(&self, due: &Item) -> Result<bool, Error> {
        let id = due.key.sk.rsplit('#').next().and_then(ResourceId::parse);
        if let Some(id) = id {
            match self.user_change(id, None, &self.cause(Actor::Clock), |_| Ok(())).await {
                // With the change goes the row.
                Ok(changed) if changed.changed => return Ok(true),
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        // Nobody is to be locked by it any more.
        let gone = Write::delete(due.key.clone(), Condition::Version(due.version));
        self.parts().table.write_one(gone).await?;
        Ok(false)
    }
}
