//! Issuing SETs: sign once, store, then ring.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::{
    Error, Transmitter, clock,
    delivery::Bell,
    event::SecurityEvent,
    metrics::{self, Metric},
    set::{
        EventId, Held, IssuedToken, Jti, Passage, PublicKey, SecurityEventToken, SignError,
        TokenStatus, place,
    },
    stream::Stream,
    table::{Condition, TableError},
};

/// What is to be told to one stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice<'a> {
    pub(crate) event: &'a SecurityEvent,
    pub(crate) id: &'a EventId,
    pub(crate) stream: &'a Stream,
    pub(crate) place: &'a str,
    pub(crate) passage: Passage,
}

/// How many signatures are asked for at once.
const SIGNATURES_AT_ONCE: usize = 16;

impl Transmitter {
    /// Issues a SET for each of `notices`, as of `now`; the answers are in their order. `Ok` says
    /// that the SET is stored, and that whoever delivers it was told. One that was stored before is
    /// left as it is, byte for byte.
    pub(crate) async fn issue(
        &self,
        notices: &[Notice<'_>],
        now: Timestamp,
    ) -> Vec<Result<(), Error>> {
        if notices.is_empty() {
            return Vec::new();
        }
        let key = match self.keys().signing_key().await {
            Ok(key) => key,
            Err(error) => return failed(notices.len(), error),
        };
        let mut tokens = Vec::with_capacity(notices.len());
        for notices in notices.chunks(SIGNATURES_AT_ONCE) {
            let signing = notices.iter().map(|notice| self.sign_notice(notice, &key, now));
            tokens.extend(join_all(signing).await);
        }
        let writes = tokens.iter().flatten().map(|token| token.write(Condition::Absent, now));
        let mut stored = self.parts().table.write(writes.collect()).await.into_iter();
        let stored = tokens.into_iter().map(|token| {
            token.map(|token| (token, stored.next().expect("each write has an answer")))
        });
        let lanes = join_all(stored.zip(notices).map(async |(stored, notice)| {
            let (token, stored) = stored?;
            let void_before = notice.stream.void_before;
            match stored {
                Ok(_) => Ok(token.lane),
                Err(TableError::Conflict) => self.revive(&token, void_before).await,
                Err(error) => Err(error.into()),
            }
        }));
        let mut answers: Vec<Result<(), Error>> = Vec::with_capacity(notices.len());
        let mut bells = HashMap::<_, Vec<usize>>::new();
        for (index, lane) in lanes.await.into_iter().enumerate() {
            answers.push(lane.map(|lane| {
                let stream = notices[index].stream;
                bells.entry((&stream.id, lane)).or_default().push(index);
            }));
        }
        metrics::count(Metric::SetsIssued, answers.iter().flatten().count());
        self.announce(notices, bells, &mut answers).await;
        answers
    }

    /// Of a SET that was stored before, the lane: whoever stored it may have died before ringing.
    /// It stays as it is, but for one that was dropped, or is about to be: the event was accepted
    /// anew, and so it is pending again, with the same bytes.
    async fn revive(&self, token: &IssuedToken, void_before: u32) -> Result<u8, Error> {
        let jtis = std::slice::from_ref(&token.jti);
        let Some(Held { token: kept, version }) = self.issued(&token.stream_id, jtis).await?.pop()
        else {
            // Its time has just come.
            return Err(TableError::Conflict.into());
        };
        let lane = kept.lane;
        let is_void = match kept.status {
            TokenStatus::Dropped => kept.revision <= token.revision,
            TokenStatus::New => kept.revision < void_before,
            TokenStatus::Failed | TokenStatus::Sent => false,
        };
        if is_void {
            let anew = IssuedToken {
                status: TokenStatus::New,
                revision: token.revision,
                place: token.place.clone(),
                created: token.created,
                last_modified: token.created,
                attempts: 0,
                first_attempt: None,
                next_attempt: None,
                error: None,
                ..kept
            };
            let write = anew.write(Condition::Version(version), token.created);
            self.write_rows(vec![write]).await?;
        }
        Ok(lane)
    }

    /// Tells those who deliver: one bell for each lane of a push stream, a nudge for polls.
    async fn announce(
        &self,
        notices: &[Notice<'_>],
        bells: HashMap<(&crate::stream::StreamId, u8), Vec<usize>>,
        answers: &mut [Result<(), Error>],
    ) {
        let mut polled = HashSet::new();
        let mut lanes = Vec::new();
        let mut waiting = Vec::new();
        for ((id, lane), indices) in bells {
            let stream = notices[indices[0]].stream;
            if stream.delivery.is_push() {
                lanes.push(Bell::of(stream, lane));
                waiting.push(indices);
            } else if polled.insert(id) {
                self.wakes().wake(id);
            }
        }
        for (rung, indices) in self.ring(lanes).await.into_iter().zip(waiting) {
            if let Err(error) = rung {
                let mut error = Some(error);
                for index in indices {
                    // The first is told the cause, the others only that they must come again.
                    answers[index] =
                        Err(error.take().map_or_else(|| TableError::Conflict.into(), Error::from));
                }
            }
        }
    }

    async fn sign_notice(
        &self,
        notice: &Notice<'_>,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<IssuedToken, Error> {
        let parts = self.parts();
        let Notice { event, id, stream, place, passage } = *notice;
        let jti = Jti::of(id, &stream.id);
        let txn = event.txn.clone().unwrap_or_else(|| id.txn());
        let token = SecurityEventToken::new(event, (&jti, &txn), stream, &parts.config, now);
        let began = parts.clock.now();
        let signed = token.sign(key, &*parts.signer).await;
        metrics::time(Metric::SignLatency, clock::since(began, parts.clock.now()));
        if let Err(SignError::Unavailable(_)) = signed {
            metrics::count(Metric::SignThrottles, 1);
        }
        let signed = signed?;
        Ok(IssuedToken {
            jti,
            stream_id: stream.id.clone(),
            status: TokenStatus::New,
            event_type: event.event_type.clone(),
            txn,
            signed,
            lane: stream.lane(&event.subject),
            subject: event.subject.digest().to_string(),
            place: place.to_owned(),
            passage,
            revision: stream.revision,
            created: now,
            last_modified: now,
            attempts: 0,
            first_attempt: None,
            next_attempt: None,
            error: None,
        })
    }

    /// Issues an event of our own to `stream`, which it is about.
    pub(crate) async fn issue_own(
        &self,
        stream: &Stream,
        event: &SecurityEvent,
        passage: Passage,
    ) -> Result<(), Error> {
        let now = self.parts().clock.now();
        let id = EventId::own(self.parts().ids.fresh());
        let place = place(now, None);
        let notice = Notice { event, id: &id, stream, place: &place, passage };
        self.issue(&[notice], now).await.pop().expect("one notice has one answer")
    }
}

fn failed(count: usize, error: impl Into<Error>) -> Vec<Result<(), Error>> {
    let mut answers = vec![Err(error.into())];
    // They fail for the same reason, which is told once.
    answers.resize_with(count, || Err(TableError::Conflict.into()));
    answers
}
