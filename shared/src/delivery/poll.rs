//! Poll (RFC 8936).

use std::{
    collections::{BTreeMap, HashSet},
    pin::pin,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    Error, Transmitter,
    client::Receiver,
    clock,
    delivery::{backoff, verdict::Verdict},
    json::{self, Invalid},
    metrics::{self, Metric},
    set::{Held, IssuedToken, Jti, PENDING, SetError, SignedToken, TokenStatus, lane_prefix},
    stream::{Status, Stream, StreamId},
};

/// A poll request ([RFC 8936, 2.2]).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PollRequest {
    /// At most so many SETs; left out: as many as we give at once.
    pub max_events: Option<u64>,
    /// Do not wait for a SET when there is none.
    #[serde(deserialize_with = "json::or_default")]
    pub return_immediately: bool,
    /// The SETs that were received and are not to come again.
    #[serde(deserialize_with = "json::or_default")]
    pub ack: Vec<Jti>,
    /// The SETs that were received and are no good, or that the receiver cannot judge because of
    /// something that is wrong with us: those are offered again, later and later.
    #[serde(deserialize_with = "json::or_default")]
    pub set_errs: BTreeMap<Jti, SetError>,
}

/// The answer to it ([RFC 8936, 2.3]).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PollResponse {
    /// The SETs, by name.
    pub sets: Sets,
    /// Whether there are more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_available: bool,
}

/// SETs by their names: an object on the wire, its members in the order of delivery. Who reads them
/// one after the other, as most programs do, sees what happened first first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sets(Vec<(Jti, SignedToken)>);

impl Sets {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names.
    pub fn keys(&self) -> impl Iterator<Item = &Jti> {
        self.0.iter().map(|(jti, _)| jti)
    }

    /// The SETs.
    pub fn values(&self) -> impl Iterator<Item = &SignedToken> {
        self.0.iter().map(|(_, set)| set)
    }
}

impl Serialize for Sets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(jti, set)| (jti, set)))
    }
}

/// How many SETs one request may settle.
const MAX_SETTLED: usize = 2000;

/// How many bytes of SETs one answer holds at most: AWS Lambda takes 6 MB.
const MAX_BYTES: usize = 4 << 20;

/// For a SET that another process stored, a waiting poll looks this often.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

impl Transmitter {
    /// Answers a poll of `receiver` on its stream `id`: settles what it acknowledges, then gives
    /// what is pending, in order. With nothing to give it waits, unless told not to.
    pub async fn poll(
        &self,
        receiver: &Receiver,
        id: &StreamId,
        request: PollRequest,
    ) -> Result<PollResponse, Error> {
        // From here on, so that what is settled first does not make the answer come too late.
        let until = clock::add(self.parts().clock.now(), self.parts().config.poll_wait);
        let stream = self.polled_stream(receiver, id).await?;
        self.touch(&stream).await?;
        self.settle_polled(&stream, request.ack, request.set_errs).await?;
        let most = self.parts().config.poll_sets;
        let limit =
            request.max_events.map_or(most, |max| most.min(usize::try_from(max).unwrap_or(most)));
        if limit == 0 || request.return_immediately {
            return self.poll_now(&stream, limit, &mut Look::default()).await;
        }
        self.poll_and_wait(receiver, stream, limit, until).await
    }

    async fn polled_stream(&self, receiver: &Receiver, id: &StreamId) -> Result<Stream, Error> {
        let stream = self.stream_of(receiver, id).await?;
        if stream.delivery.is_push() {
            return Err(Error::Refused("the stream is delivered by push".to_owned()));
        }
        Ok(stream)
    }

    async fn poll_and_wait(
        &self,
        receiver: &Receiver,
        mut stream: Stream,
        limit: usize,
        until: Timestamp,
    ) -> Result<PollResponse, Error> {
        let clock = &self.parts().clock;
        let wake = self.wakes().of(&stream.id);
        let mut look = Look::default();
        loop {
            // Listen before looking, or what comes in between is not heard.
            let mut woken = pin!(wake.notified());
            woken.as_mut().enable();
            let response = self.poll_now(&stream, limit, &mut look).await?;
            let left = clock::since(clock.now(), until);
            if !response.sets.is_empty() || left.is_zero() || self.wakes().is_ended() {
                return Ok(response);
            }
            tokio::select! {
                () = woken => {}
                () = clock.sleep(left.min(LOOK_EVERY)) => {}
            }
            let before = stream;
            stream = self.polled_stream(receiver, &before.id).await?;
            if stream != before || look.is_over(clock.now()) {
                look = Look::default();
            }
        }
    }

    /// Answers the long polls that wait in this process, and from now on all others at once: for a
    /// process that is about to end.
    pub fn end_long_polls(&self) {
        self.wakes().end();
    }

    /// What is pending now, at most `limit`, behind what an earlier `look` of the same poll saw.
    async fn poll_now(
        &self,
        stream: &Stream,
        limit: usize,
        look: &mut Look,
    ) -> Result<PollResponse, Error> {
        let mut response = PollResponse::default();
        // Lane 0 may hold the news that the stream stops; what else is held is not read.
        let prefix = match stream.standing() {
            Status::Enabled => PENDING.to_owned(),
            Status::Paused | Status::Disabled | Status::DisabledDeleted => lane_prefix(0),
        };
        let now = self.parts().clock.now();
        let mut after = look.after.clone();
        let mut bytes = 0;
        loop {
            let wanted = limit - response.sets.len() + 1;
            let wanted = if look.due.is_some() { wanted.max(MANY) } else { wanted };
            let (held, next) = self.pending(&stream.id, &prefix, after.as_deref(), wanted).await?;
            let last = held.last().and_then(|held| held.token.order());
            let (passing, void) = self.let_pass(stream, held).await?;
            self.drop_issued(void).await?;
            for Held { token, .. } in passing {
                if look.passes_over(stream, &token, now) {
                    continue;
                }
                bytes += token.signed.as_str().len();
                let full = response.sets.len() == limit
                    || (bytes > MAX_BYTES && !response.sets.is_empty());
                if full {
                    response.more_available = true;
                    return Ok(response);
                }
                response.sets.0.push((token.jti, token.signed));
            }
            if next.is_none() {
                if look.due.is_some() {
                    look.after = last.or(look.after.take());
                }
                return Ok(response);
            }
            after = next;
        }
    }

    async fn settle_polled(
        &self,
        stream: &Stream,
        ack: Vec<Jti>,
        set_errs: BTreeMap<Jti, SetError>,
    ) -> Result<(), Error> {
        if ack.len() + set_errs.len() > MAX_SETTLED {
            let reason = format!("settles more than {MAX_SETTLED} SETs at once");
            return Err(Invalid::new("ack", reason).into());
        }
        // One that is named in both is in error.
        let mut outcomes: BTreeMap<Jti, Option<SetError>> =
            ack.into_iter().map(|jti| (jti, None)).collect();
        outcomes.extend(set_errs.into_iter().map(|(jti, error)| (jti, Some(error.bounded()))));
        let jtis: Vec<Jti> = outcomes.keys().cloned().collect();
        for jtis in jtis.chunks(100) {
            let mut settled = Vec::new();
            for mut held in self.issued(&stream.id, jtis).await? {
                // What is settled stays as it is; a name that we never gave is passed over.
                if held.token.status == TokenStatus::Sent {
                    continue;
                }
                let error = outcomes.get(&held.token.jti).cloned().flatten();
                if let Some(error) = &error {
                    metrics::count_at(Metric::PushFailures, &stream.id);
                    tracing::warn!(
                        stream.id = %stream.id, set.jti = %held.token.jti, err = error.err,
                        "the receiver does not take a SET",
                    );
                }
                if self.settle_one(stream, &mut held.token, error) {
                    settled.push(held);
                }
            }
            self.settle(settled).await?;
        }
        Ok(())
    }

    /// Notes what the receiver said of one SET; says whether that changes anything.
    fn settle_one(
        &self,
        stream: &Stream,
        token: &mut IssuedToken,
        error: Option<SetError>,
    ) -> bool {
        let parts = self.parts();
        let now = parts.clock.now();
        let attempt = token.attempt(stream, now);
        let of_us = error.as_ref().is_some_and(|error| Verdict::of(&error.err) == Verdict::OfUs);
        if of_us && token.waits(stream, now).is_some() {
            // The same was said before, and the answer was lost.
            return false;
        }
        if of_us && token.status == TokenStatus::Failed {
            return false;
        }
        token.next_attempt = None;
        match error {
            None => {
                token.status = TokenStatus::Sent;
                token.error = None;
            }
            Some(error) if of_us && !backoff::is_over(attempt.first_at, now) => {
                token.put_off(attempt, error);
                let jitter = backoff::jitter(parts.ids.fresh());
                let time = backoff::delay(attempt.number, jitter);
                token.next_attempt = Some(clock::add(now, time));
            }
            Some(error) => {
                token.status = TokenStatus::Failed;
                token.error = Some(error);
            }
        }
        true
    }
}

/// What a poll has seen of what is pending. What the receiver could not judge is not due yet, and
/// what is behind it of the same subject waits for it; a poll that waits reads it once.
#[derive(Debug, Default)]
struct Look {
    /// How far it came, once something was passed over.
    after: Option<String>,
    /// The subjects of which something is not due yet.
    blocked: HashSet<String>,
    /// When the first of that is due.
    due: Option<Timestamp>,
}

/// How many SETs are read at once where some are passed over.
const MANY: usize = 100;

impl Look {
    /// Whether `token` is not to be given yet.
    fn passes_over(&mut self, stream: &Stream, token: &IssuedToken, now: Timestamp) -> bool {
        if let Some(due) = token.waits(stream, now) {
            self.due = Some(self.due.map_or(due, |first| first.min(due)));
            self.blocked.insert(token.subject.clone());
        }
        self.blocked.contains(&token.subject)
    }

    /// Whether something that was passed over is due.
    fn is_over(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}
