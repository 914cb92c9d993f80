//! Poll (RFC 8936).

use std::{collections::BTreeMap, pin::pin};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    Error, Transmitter,
    client::Receiver,
    clock,
    delivery::sift,
    json::Invalid,
    set::{Held, Jti, PENDING, SetError, SignedToken, TokenStatus, lane_prefix},
    stream::{Status, Stream, StreamId},
};

/// A poll request ([RFC 8936, 2.2]).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PollRequest {
    /// At most so many SETs; left out: as many as we give at once.
    pub max_events: Option<u64>,
    /// Do not wait for a SET when there is none.
    pub return_immediately: bool,
    /// The SETs that were received and are not to come again.
    pub ack: Vec<Jti>,
    /// The SETs that were received and are no good.
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
            return self.poll_now(&stream, limit).await;
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
        loop {
            // Listen before looking, or what comes in between is not heard.
            let mut woken = pin!(wake.notified());
            woken.as_mut().enable();
            let response = self.poll_now(&stream, limit).await?;
            let left = clock::since(clock.now(), until);
            if !response.sets.is_empty() || left.is_zero() || self.wakes().is_ended() {
                return Ok(response);
            }
            tokio::select! {
                () = woken => {}
                () = clock.sleep(left.min(LOOK_EVERY)) => {}
            }
            stream = self.polled_stream(receiver, &stream.id).await?;
        }
    }

    /// Answers the long polls that wait in this process, and from now on all others at once: for a
    /// process that is about to end.
    pub fn end_long_polls(&self) {
        self.wakes().end();
    }

    /// What is pending now, at most `limit`.
    async fn poll_now(&self, stream: &Stream, limit: usize) -> Result<PollResponse, Error> {
        let mut response = PollResponse::default();
        // Lane 0 may hold the news that the stream stops; what else is held is not read.
        let prefix = match stream.status {
            Status::Enabled => PENDING.to_owned(),
            Status::Paused | Status::Disabled | Status::DisabledDeleted => lane_prefix(0),
        };
        let mut after = None;
        let mut bytes = 0;
        loop {
            let wanted = limit - response.sets.len() + 1;
            let (held, next) = self.pending(&stream.id, &prefix, after.as_deref(), wanted).await?;
            let (passing, void) = sift(stream, held);
            self.drop_issued(void).await?;
            for Held { token, .. } in passing {
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
        let mut outcomes: BTreeMap<Jti, Option<SetError>> =
            set_errs.into_iter().map(|(jti, error)| (jti, Some(error.bounded()))).collect();
        outcomes.extend(ack.into_iter().map(|jti| (jti, None)));
        let jtis: Vec<Jti> = outcomes.keys().cloned().collect();
        for jtis in jtis.chunks(100) {
            let mut settled = Vec::new();
            for mut held in self.issued(&stream.id, jtis).await? {
                // What is settled stays as it is; a name that we never gave is passed over.
                if held.token.status == TokenStatus::Sent {
                    continue;
                }
                let error = outcomes.get(&held.token.jti).cloned().flatten();
                held.token.status =
                    if error.is_some() { TokenStatus::Failed } else { TokenStatus::Sent };
                held.token.error = error;
                settled.push(held);
            }
            self.settle(settled).await?;
        }
        Ok(())
    }
}
