//! Push (RFC 8935): what a bell sets going.

use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::{
    Error, Transmitter,
    client::Secret,
    clock,
    delivery::{Attempt, Bell, BellTask, Push, PushKind, PushOutcome, When, backoff},
    metrics::{self, Metric},
    seal::SealError,
    set::{Held, IssuedToken, PENDING, Passage, SetError, TokenStatus, lane_prefix},
    stream::{Delivery, Rest, Status, Stream},
};

/// What is to happen to a bell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PushVerdict {
    /// There is nothing left to do for it.
    Done,
    /// It is put off, and must ring again after this time.
    Again(Duration),
}

/// How many SETs of a lane are read at once, and sent at once if they are about different subjects.
const AT_ONCE: usize = 16;

/// A bell that is answered for longer than this rings anew instead, so that it is not heard twice:
/// a queue takes a message that is long out for lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// How old the reading of a stream may be when a SET is sent.
const STREAM_AGE: Duration = Duration::from_secs(1);

/// Within this time a try and what is noted of it count as one.
const MOMENT: Duration = Duration::from_mins(1);

/// For how long a lane rests at most when nothing got through, if the receiver did not ask for
/// more. Then it tries what it has not tried yet; what failed keeps its own time. Each rest is twice
/// as long as the one before, from a second on.
const REST: Duration = Duration::from_mins(1);

/// How the SETs of one subject fared.
enum Fared {
    /// All were settled. Whether the receiver answered to any.
    Well { through: bool },
    /// All so far were settled, but what is known of the stream has grown old.
    Slowly { through: bool },
    /// One failed; it, and those behind it, are tried after this time. Whether the receiver answered
    /// to one before it.
    Badly { delay: Delay, through: bool },
    /// One failed, and nothing has got through for so long that the receiver counts as gone; why.
    Hopelessly(String),
}

/// For how long a SET is put off.
#[derive(Clone, Copy)]
struct Delay {
    /// When the try was made.
    tried_at: Timestamp,
    time: Duration,
    due: Timestamp,
    /// The receiver asked for it.
    asked: bool,
}

/// How a walk ends.
enum End {
    /// There is nothing more to do now.
    Done,
    /// Nothing got through: the lane rests.
    Rest(Delay),
}

/// One walk through a lane, from its first pending SET to its last.
struct Walk {
    /// Where it is.
    after: Option<String>,
    /// The subjects of which one SET waits: those behind it wait too.
    blocked: HashSet<String>,
    /// When the stream was read.
    read_at: Timestamp,
    /// Something got through.
    progress: bool,
    /// What was put off on this walk.
    delays: Vec<Delay>,
    /// When the first of those is due that are not due yet.
    due: Option<Timestamp>,
}

/// How one page of a walk went.
#[derive(Default)]
struct Page {
    /// It was left before its end, and is to be looked at once more.
    slow: bool,
    /// The receiver counts as gone; why.
    hopeless: Option<String>,
    /// What became of a SET is not known.
    failed: Option<Error>,
}

impl Walk {
    fn new(read_at: Timestamp) -> Self {
        let blocked = HashSet::new();
        Self { after: None, blocked, read_at, progress: false, delays: Vec::new(), due: None }
    }

    /// The SETs about `subject` wait until `due`.
    fn block(&mut self, subject: String, due: Timestamp) {
        self.blocked.insert(subject);
        self.due = Some(self.due.map_or(due, |first| first.min(due)));
    }

    /// Notes how the SETs about `subject` fared.
    fn note(&mut self, subject: String, fared: Result<Fared, Error>, page: &mut Page) {
        match fared {
            Ok(Fared::Well { through }) => self.progress |= through,
            Ok(Fared::Slowly { through }) => {
                self.progress |= through;
                page.slow = true;
            }
            Ok(Fared::Badly { delay, through }) => {
                self.progress |= through;
                self.block(subject, delay.due);
                self.delays.push(delay);
            }
            Ok(Fared::Hopelessly(reason)) => page.hopeless = Some(reason),
            Err(error) => page.failed = Some(error),
        }
    }

    /// How it ends, if it is over.
    fn end(&self, is_last: bool) -> Option<End> {
        let asked = self.delays.iter().filter(|delay| delay.asked).max_by_key(|delay| delay.time);
        let shortest = self.delays.iter().min_by_key(|delay| delay.time);
        match (asked, shortest) {
            (Some(delay), _) => Some(End::Rest(*delay)),
            (None, Some(delay)) if !self.progress => Some(End::Rest(*delay)),
            (None, _) => is_last.then_some(End::Done),
        }
    }
}

impl Transmitter {
    /// Answers a bell: sends what is pending in one lane of one stream, in order.
    ///
    /// A SET that fails holds up only those about the same subject, as long as others get through.
    /// When nothing gets through, the whole lane rests, so that a receiver that is away costs
    /// little and others nothing. For what is put off a bell rings when the first of it is due, or
    /// the lane's rest is over; no other is kept, so that as few wait as there are lanes, however
    /// many SETs there are.
    pub async fn push(&self, task: &BellTask) -> Result<PushVerdict, Error> {
        let BellTask { stream_id, lane, round, not_before, due } = task;
        let now = || due.map_or(self.parts().clock.now(), |due| due.max(self.parts().clock.now()));
        let began = now();
        if let Some(due) = not_before.filter(|due| *due > began) {
            return Ok(PushVerdict::Again(clock::since(began, due)));
        }
        let Some((mut stream, _)) = self.stream(stream_id).await? else {
            return Ok(PushVerdict::Done);
        };
        let mut walk = Walk::new(began);
        loop {
            let now = now();
            if clock::since(walk.read_at, now) >= STREAM_AGE {
                let Some((again, _)) = self.stream(stream_id).await? else {
                    return Ok(PushVerdict::Done);
                };
                (stream, walk.read_at) = (again, now);
            }
            // What is held stays where it is, and is rung for when the stream is enabled. Lane 0
            // may hold the news that the stream stops.
            let held = stream.standing() != Status::Enabled && *lane != 0;
            if held || !stream.delivery.is_push() {
                return Ok(PushVerdict::Done);
            }
            // It has a bell that rings when the rest is over.
            let rests = stream.rests.get(lane).is_some_and(|rest| rest.until > now);
            if rests && not_before.is_none() {
                return Ok(PushVerdict::Done);
            }
            // A bell of an earlier round, or one that was put off, is not in the line of those that
            // serve the lane, one at a time: it only rings there.
            let astray = stream.round != *round || not_before.is_some();
            if astray || clock::since(began, now) > PATIENCE {
                let when = not_before.map_or(When::Now, When::Due);
                self.ring_for(&stream, *lane, when).await?;
                return Ok(PushVerdict::Done);
            }
            match self.walk_on(&stream, *lane, &mut walk, now).await? {
                None => {}
                Some(End::Rest(delay)) => {
                    self.rest(&stream, *lane, delay, &walk).await?;
                    return Ok(PushVerdict::Done);
                }
                Some(End::Done) => {
                    self.end(&stream, *lane, &walk).await?;
                    return Ok(PushVerdict::Done);
                }
            }
        }
    }

    async fn ring_for(&self, stream: &Stream, lane: u8, when: When) -> Result<(), Error> {
        let rung = self.ring(vec![Bell { when, ..Bell::of(stream, lane) }]).await;
        Ok(rung.into_iter().collect::<Result<(), _>>()?)
    }

    /// Nothing got through, and will not before `delay` is over.
    async fn rest(
        &self,
        stream: &Stream,
        lane: u8,
        delay: Delay,
        walk: &Walk,
    ) -> Result<(), Error> {
        let now = self.parts().clock.now();
        let times = stream.rests.get(&lane).map_or(0, |rest| rest.times).saturating_add(1);
        let tried = walk.delays.iter().map(|delay| delay.tried_at).min();
        let failing = tried.filter(|_| !walk.progress);
        let until = if delay.asked {
            delay.due
        } else {
            let growing = Duration::from_secs(1_u64.checked_shl(times - 1).unwrap_or(u64::MAX));
            clock::add(now, delay.time.max(growing).min(REST))
        };
        // Before it rests: who is woken by nobody would rest for ever.
        self.ring_for(stream, lane, When::PutOff { until, now }).await?;
        let changed = self.change_stream(&stream.id, |now| {
            if now.round == stream.round {
                now.rests.insert(lane, Rest { until, times });
                now.nothing_since = now.nothing_since.or(failing);
            }
            Ok(())
        });
        changed.await.map(drop)
    }

    /// Something got through: who is away is not.
    async fn note_success(&self, stream: &Stream) -> Result<(), Error> {
        if stream.nothing_since.is_none() {
            return Ok(());
        }
        let changed = self.change_stream(&stream.id, |now| {
            now.nothing_since = None;
            Ok(())
        });
        changed.await.map(drop)
    }

    /// The end of the lane was reached.
    async fn end(&self, stream: &Stream, lane: u8, walk: &Walk) -> Result<(), Error> {
        if let Some(until) = walk.due {
            let now = self.parts().clock.now();
            self.ring_for(stream, lane, When::PutOff { until, now }).await?;
        }
        if walk.progress && stream.rests.contains_key(&lane) {
            let changed = self.change_stream(&stream.id, |now| {
                now.rests.remove(&lane);
                Ok(())
            });
            changed.await?;
        }
        Ok(())
    }

    /// One page further. `Some`: the walk is over.
    async fn walk_on(
        &self,
        stream: &Stream,
        lane: u8,
        walk: &mut Walk,
        now: Timestamp,
    ) -> Result<Option<End>, Error> {
        let prefix = lane_prefix(lane);
        let (held, next) =
            self.pending(&stream.id, &prefix, walk.after.as_deref(), AT_ONCE).await?;
        let (held, void) = self.let_pass(stream, held).await?;
        self.drop_issued(void).await?;
        let ready = by_subject(stream, held, now, walk);
        let subjects: Vec<String> =
            ready.iter().map(|list| list[0].token.subject.clone()).collect();
        let fared = ready.into_iter().map(|held| self.push_in_order(stream, walk.read_at, held));
        let fared = join_all(fared).await;
        let mut page = Page::default();
        for (subject, fared) in subjects.into_iter().zip(fared) {
            walk.note(subject, fared, &mut page);
        }
        if let Some(error) = page.failed {
            return Err(error);
        }
        if let Some(reason) = page.hopeless {
            let reason = format!("push has failed for too long: {reason}");
            if !self.pause_ourselves(stream, &reason).await? {
                // Something got through meanwhile, or it stopped: then this finds nothing to do.
                self.ring_for(stream, lane, When::Now).await?;
            }
            return Ok(Some(End::Done));
        }
        let is_last = next.is_none() && !page.slow;
        if !page.slow {
            walk.after = next;
        }
        Ok(walk.end(is_last))
    }

    /// Sends SETs about one subject, one after the other, until one fails, or until the stream has
    /// to be read again: it may have been stopped meanwhile.
    async fn push_in_order(
        &self,
        stream: &Stream,
        read_at: Timestamp,
        held: Vec<Held>,
    ) -> Result<Fared, Error> {
        // First: nothing takes time between the look whether the stream still goes, and the request.
        let header = self.header(stream).await;
        let mut through = false;
        for (at, mut held) in held.into_iter().enumerate() {
            let now = self.parts().clock.now();
            if clock::since(read_at, now) >= STREAM_AGE {
                // Of each list the first may go, if all is as it was: else, where reading takes that
                // long, nothing would ever go.
                let again = if at > 0 { None } else { self.stream(&stream.id).await? };
                if again.is_none_or(|(again, _)| !again.is_as(stream)) {
                    return Ok(Fared::Slowly { through });
                }
            }
            let attempt = held.token.attempt(stream, now);
            let outcome = self.push_one(stream, &header, &held.token, attempt).await;
            let after = self.parts().clock.now();
            let (token, mut ended) = (&mut held.token, None);
            token.next_attempt = None;
            match outcome {
                PushOutcome::Accepted => {
                    token.status = TokenStatus::Sent;
                    token.error = None;
                    through = true;
                }
                PushOutcome::Rejected(error) => {
                    token.status = TokenStatus::Failed;
                    token.error = Some(error);
                    through = true;
                }
                PushOutcome::Retry { error, .. } | PushOutcome::GiveUp { error }
                    if !through && is_gone(stream, token, attempt, after) =>
                {
                    ended = Some(Fared::Hopelessly(error.for_stream()));
                    token.put_off(attempt, error);
                }
                PushOutcome::Retry { after: asked, error } => {
                    token.put_off(attempt, error);
                    let jitter = backoff::jitter(self.parts().ids.fresh());
                    let time = asked.unwrap_or_else(|| backoff::delay(attempt.number, jitter));
                    let due = clock::add(after, time);
                    token.next_attempt = Some(due);
                    let delay = Delay { tried_at: now, time, due, asked: asked.is_some() };
                    ended = Some(Fared::Badly { delay, through });
                }
                PushOutcome::GiveUp { error } => {
                    // Others get through: it is the SET, and its subject goes on.
                    token.put_off(attempt, error);
                    token.status = TokenStatus::Failed;
                }
            }
            if let Some(error) = &token.error {
                metrics::count_at(Metric::PushFailures, &stream.id);
                tracing::warn!(
                    stream.id = %stream.id, set.jti = %token.jti, attempt = attempt.number,
                    err = error.err, reason = error.own_words(), "push failed",
                );
            }
            if through {
                // First: who dies in between sends it again, and notes it then.
                self.note_success(stream).await?;
            }
            self.settle(vec![held]).await?;
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
        Ok(Fared::Well { through })
    }

    async fn push_one(
        &self,
        stream: &Stream,
        header: &Result<Option<Secret>, SealError>,
        token: &IssuedToken,
        attempt: Attempt,
    ) -> PushOutcome {
        let Delivery::Push { endpoint_url, .. } = &stream.delivery else {
            // The caller looked; the receiver will ask for it.
            let error = SetError::push_failed("the stream is polled".to_owned());
            return PushOutcome::Retry { after: None, error };
        };
        let Ok(authorization) = header else {
            // It is our fault, not the receiver's: however long it lasts, nothing is given up.
            let reason = "its authorization header cannot be opened".to_owned();
            return PushOutcome::Retry { after: None, error: SetError::push_failed(reason) };
        };
        let push = Push {
            endpoint: endpoint_url.url(),
            authorization: authorization.as_ref().map(Secret::expose),
            set: token.signed.as_str(),
            kind: PushKind::Event,
            verify_certificate: stream.verify_certificates,
        };
        let answer = self.parts().http.push(&push).await;
        PushOutcome::of(&answer, attempt, self.parts().clock.now())
    }

    /// Notes that these SETs are not delivered.
    pub(crate) async fn drop_issued(&self, mut held: Vec<Held>) -> Result<(), Error> {
        for held in &mut held {
            held.token.status = TokenStatus::Dropped;
            held.token.next_attempt = None;
        }
        self.settle(held).await
    }

    /// Rings for every lane of a stream of which the first pending SET is overdue; says how many.
    pub(crate) async fn ring_stuck(
        &self,
        stream: &Stream,
        overdue: impl Fn(&IssuedToken) -> bool,
    ) -> Result<usize, Error> {
        let mut stuck = Vec::new();
        let mut after: Option<String> = None;
        // In all other lanes of a stream that is not enabled everything is held.
        let prefix =
            if stream.standing() == Status::Enabled { PENDING.to_owned() } else { lane_prefix(0) };
        loop {
            let (held, _) = self.pending(&stream.id, &prefix, after.as_deref(), 1).await?;
            let Some(first) = held.first() else { break };
            let lane = first.token.lane;
            if overdue(&first.token) {
                stuck.push(Bell::of(stream, lane));
            }
            // Behind all others of the lane: orders are ASCII.
            after = Some(format!("{}\u{7f}", lane_prefix(lane)));
        }
        let count = stuck.len();
        for rung in self.ring(stuck).await {
            rung?;
        }
        Ok(count)
    }
}

/// Whether the receiver of `stream`, which did not take `token` at `now`, counts as gone: nothing has
/// got through since the first attempt, a day ago. What says that the stream stops must not stop it.
fn is_gone(stream: &Stream, token: &IssuedToken, attempt: Attempt, now: Timestamp) -> bool {
    // Several lanes note what they find, each a moment after it tried.
    let nothing = |since: Timestamp| since <= clock::add(attempt.first_at, MOMENT);
    let long = |since: Timestamp| backoff::is_over(since.max(attempt.first_at), now);
    token.passage == Passage::WhenEnabled
        && stream.nothing_since.is_some_and(|since| nothing(since) && long(since))
}

/// One list for each subject, in order, of those that can be sent now. The subjects of which the
/// first SET still waits are blocked.
fn by_subject(stream: &Stream, held: Vec<Held>, now: Timestamp, walk: &mut Walk) -> Vec<Vec<Held>> {
    let mut subjects: Vec<Vec<Held>> = Vec::new();
    for held in held {
        let token = &held.token;
        if let Some(due) = token.waits(stream, now) {
            walk.block(token.subject.clone(), due);
        }
        if walk.blocked.contains(&token.subject) {
            continue;
        }
        match subjects.iter_mut().find(|list| list[0].token.subject == token.subject) {
            Some(list) => list.push(held),
            None => subjects.push(vec![held]),
        }
    }
    subjects
}
