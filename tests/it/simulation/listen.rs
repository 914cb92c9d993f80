//! What receivers were given: whether it may have come, and to them.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use ssf::{
    set::Jti,
    stream::{Status, Stream as Kept},
};

use super::{
    calls::{Taken, Wish},
    house::{Arrival, Entry, Outcome},
    judge::Judge,
    model::{Model, What, Window},
    plan::Reply,
    reckon::{Call, endpoint_of},
};

impl Model {
    /// What receivers were given.
    pub(super) fn listen(
        &mut self,
        entries: &[Entry],
        windows: &[Window],
        calls: &[Call],
        kept: &[Option<Kept>],
    ) {
        let retries = calls.iter().any(|call| matches!(call.wish, Wish::Retry));
        if retries {
            self.judge.refused.clear();
        }
        let mut quiet = Quiet::of(self, windows, calls);
        for entry in entries {
            match entry {
                Entry::Began(process) => quiet.began(*process),
                Entry::Done(process, at) => quiet.ended(*process, calls, *at),
                Entry::Arrived(arrival) => self.hear_push(arrival, &quiet, kept),
                Entry::Polled { process, stream, sets } => {
                    self.hear_poll(*process, *stream, sets, &quiet);
                }
                Entry::Accepted(_) | Entry::Attempted(_) => {}
            }
        }
        for call in calls {
            let Wish::Poll { stream, ack, set_errs, of_us } = &call.wish else { continue };
            // What is said of us may come again.
            let refused = if *of_us { &[][..] } else { set_errs };
            self.settle_polled(*stream, ack, refused, &call.outcome);
            if *of_us && matches!(call.outcome, Outcome::Done(_)) {
                self.judge.given.entry(*stream).or_default().retain(|jti| !set_errs.contains(jti));
            }
        }
        if retries {
            self.judge.refused.clear();
        }
    }

    fn hear_push(&mut self, arrival: &Arrival, quiet: &Quiet, kept: &[Option<Kept>]) {
        let stream = self.endpoints[arrival.endpoint].expect("somebody asked for this endpoint");
        self.check_endpoint(stream, arrival);
        let now = kept[stream].as_ref().and_then(endpoint_of);
        let current = [self.streams[stream].endpoint, now].contains(&Some(arrival.endpoint));
        assert!(current, "a SET went to an endpoint that was given up");
        let seen = self.read(stream, &arrival.set);
        quiet.check(stream, arrival.process, &seen.what, Some(arrival.at));
        let accepted = arrival.reply.is_success();
        self.check_type(&seen.what, quiet.types[stream]);
        self.hear(stream, &seen, accepted);
        if let (What::Event(event), Reply::Reject) = (&seen.what, arrival.reply) {
            self.told.entry((*event, stream)).or_default().refused = true;
        }
        let failing = &mut self.streams[stream].failing_since;
        *failing = if arrival.reply.is_verdict() { None } else { failing.or(Some(arrival.at)) };
    }

    fn hear_poll(&mut self, process: usize, stream: usize, sets: &[(Jti, String)], quiet: &Quiet) {
        for (jti, set) in sets {
            let seen = self.read(stream, set);
            assert_eq!(seen.jti, jti.as_str());
            let settled = (stream, seen.jti.clone());
            let Judge { acknowledged, refused, .. } = &self.judge;
            let came = acknowledged.contains(&settled) || refused.contains(&settled);
            assert!(!came, "{} came again", seen.jti);
            quiet.check(stream, process, &seen.what, None);
            self.check_type(&seen.what, quiet.types[stream]);
            self.hear(stream, &seen, true);
            let given = self.judge.given.entry(stream).or_default();
            if !given.contains(&seen.jti) {
                given.push(seen.jti);
            }
        }
    }

    /// What was held is only told as long as its type is asked for.
    fn check_type(&self, what: &What, types: u8) {
        if let What::Event(event) = what {
            let kind = self.events[*event].kind;
            assert!(types >> kind & 1 == 1, "event {event} is of a type that is not asked for");
        }
    }

    fn settle_polled(
        &mut self,
        stream: usize,
        ack: &[String],
        set_errs: &[String],
        outcome: &Outcome<Taken>,
    ) {
        if !matches!(outcome, Outcome::Done(_)) {
            return;
        }
        let settled = |jti: &String| ack.contains(jti) || set_errs.contains(jti);
        self.judge.given.entry(stream).or_default().retain(|jti| !settled(jti));
        self.judge.acknowledged.extend(ack.iter().map(|jti| (stream, jti.clone())));
        self.judge.refused.extend(set_errs.iter().map(|jti| (stream, jti.clone())));
    }
}

/// Since when each stream may not be sent events.
struct Quiet {
    /// By stream: since before the step, or from when on.
    stopped: BTreeMap<usize, Option<Timestamp>>,
    /// Streams that were being enabled meanwhile.
    excused: HashSet<usize>,
    /// By stream: all types that it asked for meanwhile.
    types: Vec<u8>,
    /// The streams that were quiet when the call of this process began.
    began: BTreeMap<usize, HashSet<usize>>,
}

/// A process may send for so long on what it has read of a stream.
const TOLERANCE: i64 = 1;

impl Quiet {
    fn of(model: &Model, windows: &[Window], calls: &[Call]) -> Self {
        let streams = model.streams.iter().enumerate();
        let stopped = streams.filter(|(_, stream)| stream.status != Status::Enabled);
        let enables = calls.iter().filter_map(|call| match call.wish {
            Wish::SetStatus { stream, status: Status::Enabled, .. } => Some(stream),
            _ => None,
        });
        Self {
            stopped: stopped.map(|(number, _)| (number, None)).collect(),
            excused: enables.collect(),
            types: windows
                .iter()
                .map(|window| window.types.iter().fold(0, |all, one| all | one))
                .collect(),
            began: BTreeMap::new(),
        }
    }

    fn began(&mut self, process: usize) {
        self.began.insert(process, self.stopped.keys().copied().collect());
    }

    fn ended(&mut self, process: usize, calls: &[Call], now: Timestamp) {
        let call = calls.iter().find(|call| call.process == process).expect("it was made");
        let stream = match call.wish {
            Wish::Delete { stream } => stream,
            Wish::SetStatus { stream, status, .. } if status != Status::Enabled => stream,
            _ => return,
        };
        self.stopped.entry(stream).or_insert(Some(now));
    }

    /// A SET of `stream` came, by the call of `process`.
    fn check(&self, stream: usize, process: usize, what: &What, at: Option<Timestamp>) {
        if matches!(what, What::Updated(_)) || self.excused.contains(&stream) {
            return;
        }
        let Some(stopped) = self.stopped.get(&stream) else { return };
        let began = &self.began[&process];
        assert!(!began.contains(&stream), "stream {stream} has stopped, and {what:?} came");
        if let (Some(stopped), Some(at)) = (stopped, at) {
            let late = at.as_second() - stopped.as_second();
            assert!(late <= TOLERANCE, "stream {stream} stopped, and {what:?} came {late} s after");
        }
    }
}
