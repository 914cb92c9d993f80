//! What an operator does with SETs that are not delivered, for they failed or still wait: lets them
//! be tried again, or drops them.

use std::collections::HashSet;

use serde::Serialize;

use crate::{
    Error, Transmitter,
    delivery::{Bell, sift},
    operator::{EventFilter, EventSummary},
    set::{FAILED, Held, IssuedToken, Jti, PENDING, TokenStatus},
    stream::{Status, Stream, StreamId},
    table::TableError,
};

/// How many SETs are changed at once.
const AT_ONCE: usize = 100;

/// Who delivers may be ahead this often before a drop gives up.
const ATTEMPTS: usize = 20;

/// What became of many that were to be tried again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Retried {
    /// These will be.
    pub retried: usize,
    /// These not: their stream is disabled, or was since they were issued.
    pub passed_over: usize,
}

impl Transmitter {
    /// Lets a SET that failed, or still waits, be tried again at once, from the first attempt, with the
    /// same bytes.
    pub async fn event_retry(
        &self,
        jti: &Jti,
        stream: Option<&StreamId>,
    ) -> Result<EventSummary, Error> {
        let (held, stream) = self.find_undelivered(jti, stream).await?;
        let token = held.token.clone();
        if self.release(&stream, vec![held]).await? == 0 {
            let reason = match stream.status {
                Status::Enabled | Status::Paused => "was disabled after the event was issued",
                Status::Disabled => "is disabled",
                Status::DisabledDeleted => "is deleted",
            };
            let id = &stream.id;
            return Err(Error::Refused(format!(
                "the event {jti} cannot be tried again: the stream {id} {reason}"
            )));
        }
        Ok(EventSummary::of(fresh(token)))
    }

    /// Lets all SETs that fit `filter` be tried again at once: those that failed, unless it names
    /// those that still wait.
    pub async fn event_retry_all(&self, filter: &EventFilter) -> Result<Retried, Error> {
        let mut sum = Retried::default();
        self.each_undelivered(filter, async |stream, held| {
            let all = held.len();
            let retried = self.release(stream, held).await?;
            sum.retried += retried;
            sum.passed_over += all - retried;
            Ok(())
        })
        .await?;
        Ok(sum)
    }

    /// Removes a SET that failed, or still waits: its receiver will never have it, unless it is being
    /// sent at this moment. Those behind it go on.
    pub async fn event_drop(&self, jti: &Jti, stream: Option<&StreamId>) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let (held, stream) = self.find_undelivered(jti, stream).await?;
            if self.remove_issued(&stream, std::slice::from_ref(&held)).await? {
                tracing::info!(stream.id = %stream.id, set.jti = %jti, "event dropped");
                return Ok(());
            }
        }
        Err(TableError::Conflict.into())
    }

    /// Removes all SETs that fit `filter`: those that failed, unless it names those that still wait.
    /// Says how many. One that somebody else changes at this moment stays.
    pub async fn event_drop_all(&self, filter: &EventFilter) -> Result<usize, Error> {
        let mut sum = 0;
        self.each_undelivered(filter, async |stream, held| {
            for held in held {
                sum += usize::from(self.remove_issued(stream, &[held]).await?);
            }
            tracing::info!(stream.id = %stream.id, "events dropped");
            Ok(())
        })
        .await?;
        Ok(sum)
    }

    async fn find_undelivered(
        &self,
        jti: &Jti,
        stream: Option<&StreamId>,
    ) -> Result<(Held, Stream), Error> {
        let (held, stream) = self.find_event(jti, stream).await?;
        let was = match held.token.status {
            TokenStatus::Failed | TokenStatus::New => return Ok((held, stream)),
            TokenStatus::Dropped => "dropped",
            TokenStatus::Sent => "delivered",
        };
        Err(Error::Refused(format!(
            "the event {jti} has not failed and does not wait: it was {was}"
        )))
    }

    /// Says whether they were removed; not, if somebody else settled one meanwhile.
    async fn remove_issued(&self, stream: &Stream, held: &[Held]) -> Result<bool, Error> {
        match self.write_rows(held.iter().map(Held::delete).collect()).await {
            Err(Error::Table(TableError::Conflict)) => return Ok(false),
            done => done?,
        }
        self.ring_behind(stream, held).await?;
        Ok(true)
    }

    /// Tells who delivers that something may have come first in the lanes of `held`.
    async fn ring_behind(&self, stream: &Stream, held: &[Held]) -> Result<(), Error> {
        let pending = held.iter().filter(|held| held.token.status == TokenStatus::New);
        let lanes: HashSet<u8> = pending.map(|held| held.token.lane).collect();
        if stream.delivery.is_push() {
            let bells = lanes.into_iter().map(|lane| Bell::of(stream, lane)).collect();
            for rung in self.ring(bells).await {
                rung?;
            }
        }
        self.wakes().wake(&stream.id);
        Ok(())
    }

    /// Does `work` to all SETs that failed, or wait, and fit `filter`, stream by stream, some at a time.
    async fn each_undelivered(
        &self,
        filter: &EventFilter,
        mut work: impl AsyncFnMut(&Stream, Vec<Held>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (status, prefix) = match filter.status {
            Some(TokenStatus::New) => (TokenStatus::New, PENDING),
            Some(TokenStatus::Failed) | None => (TokenStatus::Failed, FAILED),
            Some(TokenStatus::Dropped | TokenStatus::Sent) => {
                let reason = "only what failed, or waits, can be tried again or dropped";
                return Err(Error::Refused(reason.to_owned()));
            }
        };
        let filter = EventFilter { status: Some(status), ..filter.clone() };
        self.each_stream(filter.stream.as_ref(), async |stream| {
            let mut after = None;
            loop {
                let (held, next) =
                    self.pending(&stream.id, prefix, after.as_deref(), AT_ONCE).await?;
                let held = held.into_iter().filter(|held| filter.fits(&held.token));
                work(stream, held.collect()).await?;
                if next.is_none() {
                    return Ok(());
                }
                after = next;
            }
        })
        .await
    }

    /// Makes SETs of `stream` pending as they were at first, and tells who delivers them; says how many.
    /// One that the stream would not let pass stays as it is, where it is seen.
    async fn release(&self, stream: &Stream, held: Vec<Held>) -> Result<usize, Error> {
        let released: Vec<Held> = held
            .into_iter()
            .filter(|held| sift(stream, vec![held.clone()]).1.is_empty())
            .map(|held| Held { token: fresh(held.token), ..held })
            .collect();
        if released.is_empty() {
            return Ok(0);
        }
        let count = released.len();
        self.settle(released.clone()).await?;
        // The operator knows better than what was seen of the receiver so far.
        if !stream.rests.is_empty() {
            let changed = self.change_stream(&stream.id, |now| {
                now.rests.clear();
                Ok(())
            });
            changed.await?;
        }
        self.ring_behind(stream, &released).await?;
        tracing::info!(stream.id = %stream.id, count, "events to be tried again");
        Ok(count)
    }
}

/// The same, as if it had never been tried.
fn fresh(token: IssuedToken) -> IssuedToken {
    IssuedToken {
        status: TokenStatus::New,
        attempts: 0,
        first_attempt: None,
        next_attempt: None,
        error: None,
        ..token
    }
}
