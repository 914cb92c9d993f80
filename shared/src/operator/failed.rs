//! What an operator does with SETs that failed: lets them be tried again, or drops them.

use std::collections::HashSet;

use serde::Serialize;

use crate::{
    Error, Transmitter,
    delivery::{Bell, sift},
    operator::{EventFilter, EventSummary},
    set::{FAILED, Held, IssuedToken, Jti, TokenStatus},
    stream::{Status, Stream, StreamId},
    table::TableError,
};

/// How many SETs are changed at once.
const AT_ONCE: usize = 100;

/// What became of many that were to be tried again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Retried {
    /// These will be.
    pub retried: usize,
    /// These not: their stream is disabled, or was since they were issued.
    pub passed_over: usize,
}

impl Transmitter {
    /// Lets a failed SET be tried again, from the first attempt, with the same bytes.
    pub async fn event_retry(
        &self,
        jti: &Jti,
        stream: Option<&StreamId>,
    ) -> Result<EventSummary, Error> {
        let (held, stream) = self.find_failed(jti, stream).await?;
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

    /// Lets all failed SETs that fit `filter` be tried again, whatever status it names.
    pub async fn event_retry_all(&self, filter: &EventFilter) -> Result<Retried, Error> {
        let mut sum = Retried::default();
        self.each_failed(filter, async |stream, held| {
            let all = held.len();
            let retried = self.release(stream, held).await?;
            sum.retried += retried;
            sum.passed_over += all - retried;
            Ok(())
        })
        .await?;
        Ok(sum)
    }

    /// Removes a failed SET: its receiver will never have it.
    pub async fn event_drop(&self, jti: &Jti, stream: Option<&StreamId>) -> Result<(), Error> {
        let (held, _) = self.find_failed(jti, stream).await?;
        tracing::info!(stream.id = %held.token.stream_id, set.jti = %jti, "event dropped");
        self.remove_issued(&[held]).await
    }

    /// Removes all failed SETs that fit `filter`, whatever status it names; says how many.
    pub async fn event_drop_all(&self, filter: &EventFilter) -> Result<usize, Error> {
        let mut sum = 0;
        self.each_failed(filter, async |stream, held| {
            self.remove_issued(&held).await?;
            tracing::info!(stream.id = %stream.id, count = held.len(), "events dropped");
            sum += held.len();
            Ok(())
        })
        .await?;
        Ok(sum)
    }

    async fn find_failed(
        &self,
        jti: &Jti,
        stream: Option<&StreamId>,
    ) -> Result<(Held, Stream), Error> {
        let (held, stream) = self.find_event(jti, stream).await?;
        let is = match held.token.status {
            TokenStatus::Failed => return Ok((held, stream)),
            TokenStatus::Dropped => "was dropped",
            TokenStatus::New => "is still pending",
            TokenStatus::Sent => "was delivered",
        };
        Err(Error::Refused(format!("the event {jti} has not failed: it {is}")))
    }

    async fn remove_issued(&self, held: &[Held]) -> Result<(), Error> {
        match self.write_rows(held.iter().map(Held::delete).collect()).await {
            // Somebody else settled it meanwhile.
            Err(Error::Table(TableError::Conflict)) => Ok(()),
            done => done,
        }
    }

    /// Does `work` to all failed SETs that fit `filter`, stream by stream, some at a time.
    async fn each_failed(
        &self,
        filter: &EventFilter,
        mut work: impl AsyncFnMut(&Stream, Vec<Held>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let filter = EventFilter { status: Some(TokenStatus::Failed), ..filter.clone() };
        self.each_stream(filter.stream.as_ref(), async |stream| {
            let mut after = None;
            loop {
                let (held, next) =
                    self.pending(&stream.id, FAILED, after.as_deref(), AT_ONCE).await?;
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

    /// Makes failed SETs of `stream` pending again, and tells who delivers them; says how many.
    /// One that the stream would not let pass stays failed, where it is seen.
    async fn release(&self, stream: &Stream, held: Vec<Held>) -> Result<usize, Error> {
        let released: Vec<Held> = held
            .into_iter()
            .filter(|held| sift(stream, vec![held.clone()]).1.is_empty())
            .map(|held| Held { token: fresh(held.token), ..held })
            .collect();
        if released.is_empty() {
            return Ok(0);
        }
        let lanes: HashSet<u8> = released.iter().map(|held| held.token.lane).collect();
        let count = released.len();
        self.settle(released).await?;
        if stream.delivery.is_push() {
            let bells = lanes.into_iter().map(|lane| Bell::of(stream, lane)).collect();
            for rung in self.ring(bells).await {
                rung?;
            }
        }
        self.wakes().wake(&stream.id);
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
