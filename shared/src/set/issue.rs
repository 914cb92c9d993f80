//! Issuing SETs: sign once, store, then ring.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use crate::{
    Error, Transmitter, clock,
    delivery::Bell,
    event::SecurityEvent,
    metrics::{self, Metric},
    set::{
        EventId, Failure, Held, IssuedToken, Jti, Passage, PublicKey, SecurityEventToken,
        SignError, TokenStatus, place,
    },
    stream::{Stream, StreamId},
    subject::Subject,
    table::{Condition, TableError},
};

/// What is to be told to one stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice<'a> {
    pub(crate) event: &'a SecurityEvent,
    pub(crate) id: &'a EventId,
    /// What it says, as a hash, if its sender named it: under that name it must say the same again.
    pub(crate) content: Option<&'a str>,
    pub(crate) stream: &'a Stream,
    /// The subject by the names by which the stream named it; `None`: it named none, or there is no
    /// choice.
    pub(crate) known: Option<&'a Subject>,
    pub(crate) place: &'a str,
    pub(crate) passage: Passage,
    /// The event came before: the SET may be there already.
    pub(crate) again: bool,
}

/// How many SETs are signed, then stored, then rung for together. What was stored is not signed
/// again, so that of very many each try does more.
const CHUNK: usize = 100;

/// How many signatures are asked for at once.
const SIGNATURES_AT_ONCE: usize = 16;

/// What became of a notice: its SET is stored, and whoever serves this lane is to be told of it, if
/// it is still to be delivered. `None`: that is not decided yet.
type Told = Option<Result<Option<u8>, Failure>>;

impl Transmitter {
    /// Issues a SET for each of `notices`, as of `now`; the answers are in their order. `Ok` says
    /// that the SET is stored, and that whoever delivers it was told. One that was stored before is
    /// left as it is, byte for byte. Nothing is begun at `until` or later.
    pub(crate) async fn issue(
        &self,
        notices: &[Notice<'_>],
        now: Timestamp,
        until: Timestamp,
    ) -> Vec<Result<(), Failure>> {
        let mut answers = vec![Err(Failure::OutOfTime); notices.len()];
        if notices.is_empty() {
            return answers;
        }
        let key = match self.keys().signing_key().await {
            Ok(key) => key,
            Err(error) => return vec![Err(error.into()); notices.len()],
        };
        // Those of one stream together, so that they share a bell.
        let mut order: Vec<usize> = (0..notices.len()).collect();
        order.sort_by_key(|at| &notices[*at].stream.id);
        let mut chunks = order.chunks(CHUNK);
        while let Some(chunk) = chunks.next().filter(|_| self.parts().clock.now() < until) {
            let part: Vec<_> = chunk.iter().map(|at| notices[*at]).collect();
            let issued = self.issue_chunk(&part, &key, now, until).await;
            let lost = lost(&issued);
            for (at, answer) in chunk.iter().zip(issued) {
                answers[*at] = answer;
            }
            if let Some(failure) = lost {
                // The others would only take the time to fail too.
                chunks.flatten().for_each(|at| answers[*at] = Err(failure.clone()));
                break;
            }
        }
        answers
    }

    async fn issue_chunk(
        &self,
        notices: &[Notice<'_>],
        key: &PublicKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Vec<Result<(), Failure>> {
        let mut told: Vec<Told> = vec![None; notices.len()];
        let again = (0..notices.len()).filter(|at| notices[*at].again).collect();
        let mut kept = self.look_up(notices, again, &mut told).await;
        let fresh = (0..notices.len()).filter(|at| told[*at].is_none() && !kept.contains_key(at));
        let fresh: Vec<usize> = fresh.collect();
        let signing = fresh.iter().map(|at| self.sign_notice(&notices[*at], key, now, until));
        let signing: Vec<_> = signing.collect();
        let signed: Vec<_> = stream::iter(signing).buffered(SIGNATURES_AT_ONCE).collect().await;
        let mut tokens = Vec::new();
        for (at, signed) in fresh.into_iter().zip(signed) {
            match signed {
                Ok(token) => tokens.push((at, token)),
                Err(failure) => told[at] = Some(Err(failure)),
            }
        }
        let there = self.store_new(tokens, now, &mut told).await;
        kept.append(&mut self.look_up(notices, there.clone(), &mut told).await);
        for at in there {
            if !kept.contains_key(&at) {
                // Its time has just come.
                told[at].get_or_insert_with(|| Err(TableError::Conflict.into()));
            }
        }
        self.revive(notices, kept, now, &mut told).await;
        self.announce(notices, told).await
    }

    /// The SETs of the notices at these places that were stored before.
    async fn look_up(
        &self,
        notices: &[Notice<'_>],
        places: Vec<usize>,
        told: &mut [Told],
    ) -> BTreeMap<usize, Held> {
        if places.is_empty() {
            return BTreeMap::new();
        }
        let key = |at: &usize| {
            let Notice { id, stream, .. } = notices[*at];
            IssuedToken::key(&stream.id, &Jti::of(id, &stream.id))
        };
        let keys: Vec<_> = places.iter().map(key).collect();
        let items = match self.parts().table.batch_get(&keys).await {
            Ok(items) => items,
            Err(error) => {
                let failure = Failure::from(error);
                for at in places {
                    told[at] = Some(Err(failure.clone()));
                }
                return BTreeMap::new();
            }
        };
        let mut kept = BTreeMap::new();
        for (at, item) in places.into_iter().zip(items) {
            match item.as_ref().map(Held::of).transpose() {
                Ok(held) => kept.extend(held.map(|held| (at, held))),
                Err(error) => told[at] = Some(Err(error.into())),
            }
        }
        kept
    }

    /// Stores these new SETs; the places of those that were there before.
    async fn store_new(
        &self,
        tokens: Vec<(usize, IssuedToken)>,
        now: Timestamp,
        told: &mut [Told],
    ) -> Vec<usize> {
        let mut there = Vec::new();
        if tokens.is_empty() {
            return there;
        }
        let writes = tokens.iter().map(|(_, token)| token.write(Condition::Absent, now));
        let stored = self.parts().table.write(writes.collect()).await;
        metrics::count(Metric::SetsIssued, stored.iter().flatten().count());
        for ((at, token), stored) in tokens.into_iter().zip(stored) {
            match stored {
                Ok(_) => told[at] = Some(Ok(Some(token.lane))),
                Err(TableError::Conflict) => there.push(at),
                Err(error) => told[at] = Some(Err(error.into())),
            }
        }
        there
    }

    /// Sees to SETs that were stored before: whoever stored them may have died before ringing. They
    /// stay as they are, but for those that were dropped, or are about to be: the event was accepted
    /// anew, and so they are pending again, with the same bytes.
    async fn revive(
        &self,
        notices: &[Notice<'_>],
        kept: BTreeMap<usize, Held>,
        now: Timestamp,
        told: &mut [Told],
    ) {
        let mut writes = Vec::new();
        let mut revived = Vec::new();
        for (at, Held { token: kept, version }) in kept {
            let Notice { stream, place, content, .. } = notices[at];
            if kept.content.as_deref() != content {
                told[at] = Some(Err(Failure::OtherContent));
                continue;
            }
            let is_void = match kept.status {
                TokenStatus::Dropped => kept.revision <= stream.revision,
                TokenStatus::New => kept.revision < stream.void_before,
                TokenStatus::Failed | TokenStatus::Sent => false,
            };
            if !is_void {
                // What is settled has no use for a bell.
                let is_pending = kept.status == TokenStatus::New;
                told[at] = Some(Ok(is_pending.then_some(kept.lane)));
                continue;
            }
            let anew = IssuedToken {
                status: TokenStatus::New,
                revision: stream.revision,
                place: place.to_owned(),
                created: now,
                last_modified: now,
                attempts: 0,
                first_attempt: None,
                next_attempt: None,
                error: None,
                ..kept
            };
            writes.push(anew.write(Condition::Version(version), now));
            revived.push((at, anew.lane));
        }
        if writes.is_empty() {
            return;
        }
        let written = self.parts().table.write(writes).await;
        for ((at, lane), written) in revived.into_iter().zip(written) {
            told[at] = Some(written.map(|_| Some(lane)).map_err(Failure::from));
        }
    }

    /// Tells those who deliver: one bell for each lane of a push stream, a nudge for polls.
    async fn announce(&self, notices: &[Notice<'_>], told: Vec<Told>) -> Vec<Result<(), Failure>> {
        let mut answers = Vec::with_capacity(told.len());
        let mut bells = HashMap::<_, Vec<usize>>::new();
        for (at, told) in told.into_iter().enumerate() {
            let lane = told.expect("what was not there was signed, and stored or not");
            answers.push(lane.map(|lane| {
                if let Some(lane) = lane {
                    bells.entry((&notices[at].stream.id, lane)).or_default().push(at);
                }
            }));
        }
        self.ring_for_all(notices, bells, &mut answers).await;
        answers
    }

    async fn ring_for_all(
        &self,
        notices: &[Notice<'_>],
        bells: HashMap<(&StreamId, u8), Vec<usize>>,
        answers: &mut [Result<(), Failure>],
    ) {
        let mut polled = HashSet::new();
        let mut lanes = Vec::new();
        let mut waiting = Vec::new();
        for ((id, lane), places) in bells {
            let stream = notices[places[0]].stream;
            if stream.delivery.is_push() {
                lanes.push(Bell::of(stream, lane));
                waiting.push(places);
            } else if polled.insert(id) {
                self.wakes().wake(id);
            }
        }
        for (rung, places) in self.ring(lanes).await.into_iter().zip(waiting) {
            if let Err(error) = rung {
                let failure = Failure::from(error);
                for at in places {
                    answers[at] = Err(failure.clone());
                }
            }
        }
    }

    async fn sign_notice(
        &self,
        notice: &Notice<'_>,
        key: &PublicKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<IssuedToken, Failure> {
        let parts = self.parts();
        let Notice { event, id, content, stream, known, place, passage, again: _ } = *notice;
        let jti = Jti::of(id, &stream.id);
        let txn = event.txn.clone().unwrap_or_else(|| id.txn());
        let names = (&jti, txn.as_str());
        let token = SecurityEventToken::new(event, names, stream, known, &parts.config, now);
        let began = parts.clock.now();
        if began >= until {
            return Err(Failure::OutOfTime);
        }
        let signed = token.sign(key, &*parts.signer).await;
        metrics::time(Metric::SignLatency, clock::since(began, parts.clock.now()));
        if let Err(SignError::Throttled(_)) = signed {
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
            subject: event.subject.order_digest().to_string(),
            place: place.to_owned(),
            passage,
            content: content.map(str::to_owned),
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
        let id = EventId::own(self.parts().ids.fresh());
        self.issue_own_as(&id, stream, event, passage).await
    }

    /// The same, under a name by which it is issued once.
    pub(crate) async fn issue_own_as(
        &self,
        id: &EventId,
        stream: &Stream,
        event: &SecurityEvent,
        passage: Passage,
    ) -> Result<(), Error> {
        let now = self.parts().clock.now();
        let place = place(now, None);
        let (known, content, place) = (None, None, place.as_str());
        let notice = Notice { event, id, content, stream, known, place, passage, again: false };
        let issued = self.issue(&[notice], now, Timestamp::MAX).await.pop();
        issued.expect("one notice has one answer").map_err(Failure::into_error)
    }
}

/// Why nothing at all came of a chunk, if that would be so with the next one too.
fn lost(issued: &[Result<(), Failure>]) -> Option<Failure> {
    let failed = issued.iter().map(|issued| issued.as_ref().err());
    let failed: Vec<&Failure> = failed.collect::<Option<_>>()?;
    failed.last().filter(|failure| !failure.is_permanent()).map(|failure| (*failure).clone())
}
