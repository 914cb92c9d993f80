//! After each step: what was seen is held against what may have happened.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ssf::{
    Error,
    stream::{DefaultSubjects, Delivery, Status, Stream as Kept, StreamId},
    table::Key,
};

use super::{
    calls::{Taken, Wish},
    house::{Entry, House, MAX_STREAMS, Outcome, at_once, receiver},
    model::{Answer, Model, News, Stream, What, Window, kind, takes},
    plan::{KINDS, RECEIVERS, SUBJECTS},
};

/// A call that ended: who made it, what for, and how it ended.
pub(super) struct Call {
    pub(super) process: usize,
    pub(super) wish: Wish,
    pub(super) outcome: Outcome<Taken>,
}

impl Call {
    /// It found nothing to do.
    fn is_idle(&self) -> bool {
        match (&self.wish, &self.outcome) {
            (Wish::Ingest | Wish::Push, Outcome::Done(taken)) => *taken == 0,
            _ => false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.outcome, Outcome::Done(_))
    }

    /// Whether it may have changed something.
    pub(super) fn has_acted(&self) -> bool {
        match self.outcome {
            Outcome::Done(_) | Outcome::Crashed | Outcome::Failed { struck: true, .. } => true,
            Outcome::Failed { struck: false, .. } => false,
        }
    }
}

impl Model {
    /// Takes in what happened in one step.
    pub(super) fn reckon(&mut self, house: &House, calls: &[Call]) {
        let now = house.now();
        let entries = std::mem::take(&mut *house.journal.lock().expect("nobody panicked"));
        self.publish(house, &entries);
        if calls.iter().all(Call::is_idle) {
            return;
        }
        for call in calls {
            self.check_refusal(call, calls);
        }
        let before = self.streams.len();
        let kept = self.look(house, calls);
        let windows: Vec<Window> = (0..self.streams.len())
            .map(|number| self.window(number, number >= before, kept[number].as_ref(), calls))
            .collect();
        self.take_in(&entries, &windows);
        self.ask_for_news(calls, &windows, now);
        self.listen(&entries, &windows, calls, &kept);
        for (number, kept) in kept.iter().enumerate() {
            self.change(number, kept.as_ref(), calls, now);
        }
    }

    /// A call may only be refused for a reason.
    fn check_refusal(&self, call: &Call, calls: &[Call]) {
        let Outcome::Failed { error, struck: false } = &call.outcome else { return };
        let beside = calls.len() > 1;
        let is_gone = |stream: usize| self.streams[stream].status == Status::DisabledDeleted;
        let justified = match (&call.wish, error) {
            (_, Error::StreamNotFound(id)) => {
                let known = self.streams.iter().position(|stream| stream.id == *id);
                let stream = known.expect("nobody asked for it");
                is_gone(stream) || beside
            }
            (Wish::Create { receiver, .. }, Error::TooManyStreams(_)) => {
                self.live(*receiver) + usize::from(beside) >= MAX_STREAMS
            }
            (Wish::Poll { stream, .. }, Error::Refused(_)) => {
                self.streams[*stream].endpoint.is_some() || beside
            }
            (Wish::Rotate { .. }, Error::Refused(_))
            | (Wish::Verify { .. }, Error::TooSoon { .. }) => true,
            _ => false,
        };
        assert!(justified, "{:?} failed without a cause: {error:?}", call.wish);
    }

    /// The streams as they are kept now; those that are new become part of the model.
    fn look(&mut self, house: &House, calls: &[Call]) -> Vec<Option<Kept>> {
        for call in calls {
            let Wish::Create { receiver: owner, .. } = call.wish else { continue };
            let streams =
                at_once(house.plain.streams_of(&receiver(owner).id)).expect("they are there");
            for stream in streams {
                if self.streams.iter().all(|known| known.id != stream.id) {
                    self.meet(owner, &stream, calls, house.now());
                }
            }
            // As they are kept: one that a call beside it deletes makes room.
            let of_owner = self.streams.iter().filter(|stream| stream.receiver == owner);
            let live = of_owner.filter(|stream| {
                status_of(kept(house, &stream.id).as_ref()) != Status::DisabledDeleted
            });
            assert!(live.count() <= MAX_STREAMS, "too many streams");
        }
        self.streams.iter().map(|stream| kept(house, &stream.id)).collect()
    }

    fn meet(&mut self, owner: usize, stream: &Kept, calls: &[Call], now: Timestamp) {
        let wished = calls.iter().any(|call| match &call.wish {
            Wish::Create { receiver, endpoint, types } => {
                (owner, endpoint_of(stream), types_of(stream)) == (*receiver, *endpoint, *types)
            }
            _ => false,
        });
        assert!(wished, "nobody asked for {stream:?}");
        let endpoint = endpoint_of(stream);
        if let Some(endpoint) = endpoint {
            self.endpoints[endpoint] = Some(self.streams.len());
        }
        self.streams.push(Stream {
            id: stream.id.clone(),
            receiver: owner,
            default_subjects: RECEIVERS[owner].1,
            status: stream.status,
            types: types_of(stream),
            endpoint,
            named: BTreeMap::new(),
            seen: now,
            failing_since: None,
        });
    }

    /// What the stream may have been meanwhile.
    fn window(&self, number: usize, new: bool, kept: Option<&Kept>, calls: &[Call]) -> Window {
        let stream = &self.streams[number];
        let mut statuses = vec![stream.status, status_of(kept)];
        let mut types = vec![stream.types, kept.map_or(stream.types, types_of)];
        let mut named = stream.named.clone();
        if new {
            statuses.push(Status::Disabled);
        }
        for call in calls.iter().filter(|call| call.has_acted()) {
            match &call.wish {
                Wish::Delete { stream } if *stream == number => {
                    statuses.push(Status::DisabledDeleted);
                }
                Wish::SetStatus { stream, status, .. } if *stream == number => {
                    statuses.push(*status);
                }
                Wish::Want { stream, types: wished } if *stream == number => types.push(*wished),
                Wish::Add { stream, subject } | Wish::Remove { stream, subject }
                    if *stream == number =>
                {
                    named.insert(*subject, Answer::Maybe);
                }
                _ => {}
            }
        }
        Window { statuses, types, named }
    }

    /// What events may and must be told.
    fn take_in(&mut self, entries: &[Entry], windows: &[Window]) {
        for entry in entries {
            let (messages, accepted) = match entry {
                Entry::Attempted(messages) => (messages, false),
                Entry::Accepted(messages) => (messages, true),
                _ => continue,
            };
            for message in messages {
                let Some(&number) = self.messages.get(message) else { continue };
                for (stream, window) in windows.iter().enumerate() {
                    let wants = self.wants(stream, window, &self.events[number]);
                    if wants != Answer::No {
                        let told = self.told.entry((number, stream)).or_default();
                        told.may = true;
                        told.must |= accepted && wants == Answer::Yes;
                        if self.streams[stream].default_subjects == DefaultSubjects::None {
                            let named = window.named.iter().filter(|(_, is)| **is != Answer::No);
                            told.known.extend(named.flat_map(|(at, _)| SUBJECTS[*at]));
                        }
                    }
                }
            }
        }
    }

    /// What receivers are to be told about their streams.
    fn ask_for_news(&mut self, calls: &[Call], windows: &[Window], now: Timestamp) {
        for call in calls {
            match &call.wish {
                Wish::SetStatus { stream, ours: Some(reason), status } => {
                    let statuses = &windows[*stream].statuses;
                    let changed = statuses[0] != *status && statuses[0] != Status::DisabledDeleted;
                    let alone = calls.len() == 1;
                    self.news.push(News {
                        stream: *stream,
                        what: What::Updated(reason.clone()),
                        must: call.is_done() && changed && alone,
                        may: true,
                        delivered: false,
                    });
                }
                Wish::Verify { stream, state } => {
                    let all = windows[*stream].statuses.iter().all(|status| takes(*status));
                    let any = windows[*stream].statuses.iter().any(|status| takes(*status));
                    self.news.push(News {
                        stream: *stream,
                        what: What::Verification(state.clone()),
                        must: call.is_done() && all,
                        may: any && call.has_acted(),
                        delivered: false,
                    });
                }
                Wish::Rotate { at_once: true } => {
                    self.judge.emergencies.push(now);
                }
                _ => {}
            }
        }
    }

    /// A number for an endpoint, of this stream if it is there already.
    pub(super) fn new_endpoint(&mut self, stream: Option<usize>) -> usize {
        self.endpoints.push(stream);
        self.endpoints.len() - 1
    }
}

/// The stream with this id as it is kept.
pub(super) fn kept(house: &House, id: &StreamId) -> Option<Kept> {
    let key = Key::new(format!("STREAM#{id}"), "STREAM");
    let item = at_once(house.plain.parts().table.get(&key)).expect("the table answers");
    item.map(|item| item.read().expect("it is a stream"))
}

pub(super) fn status_of(kept: Option<&Kept>) -> Status {
    kept.map_or(Status::DisabledDeleted, |kept| kept.status)
}

pub(super) fn types_of(kept: &Kept) -> u8 {
    let has = |at: &usize| kept.events_delivered.iter().any(|uri| uri.as_str() == kind(*at));
    (0..KINDS).filter(has).map(|at| 1 << at).sum()
}

pub(super) fn endpoint_of(kept: &Kept) -> Option<usize> {
    match &kept.delivery {
        Delivery::Poll { .. } => None,
        Delivery::Push { endpoint_url, .. } => endpoint_url.url().path()[1..].parse().ok(),
    }
}
