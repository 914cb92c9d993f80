//! Does what a plan says, and at the end lets everything come to rest.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use ssf::{
    delivery::Door,
    event::Family,
    queue::{Message, Queue},
    set::{IssuedToken, SetError, TokenStatus},
    stream::Status,
    table::Query,
};

use super::{
    calls::{self, Taken},
    house::{House, Outcome, at_once},
    model::{Event, Model, What, kind, payload, subject},
    plan::{self, BAD, Emission, Fault, Plan, RECEIVERS, Reply, Step},
    reckon::Call,
};

/// No event is sent again later than this: its record may be gone.
const AGAIN_WITHIN: Duration = Duration::from_hours(24);

/// No run lasts longer: records are kept for 30 days.
const LONGEST: Duration = Duration::from_hours(20 * 24);

/// A run under way.
pub(super) struct Run {
    house: House,
    model: Model,
    /// The process that makes the next call.
    turn: usize,
    passed: Duration,
}

/// Does all of `plan`, and panics when a promise is broken.
pub(super) fn run(plan: &Plan) {
    let house = House::new(&plan.settings);
    let model = Model { clean: true, ..Model::default() };
    let mut run = Run { house, model, turn: 0, passed: Duration::ZERO };
    for step in &plan.steps {
        run.step(step);
    }
    run.rest();
}

impl Run {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Advance(time) => self.advance((*time).min(LONGEST.saturating_sub(self.passed))),
            Step::Answer { receiver, once, then } => {
                self.house.receivers.answer(*receiver, once, *then);
            }
            Step::Poison { receiver, word } => self.house.receivers.poison(*receiver, *word),
            Step::Days { hours, subjects } => self.days(*hours, subjects),
            Step::Emit(emission, times) => (0..*times).for_each(|_| self.emit(emission)),
            Step::EmitAgain { nth, group } => self.emit_again(*nth, *group),
            Step::EmitNamesake { nth, subject, group } => {
                let nth = nth % self.model.events.len().max(1);
                let emission = Emission { subject: *subject, kind: 0, group: *group, target: None };
                // Each has a source of its own.
                self.emit_as(&emission, nth, Some(self.model.events.len()));
            }
            Step::EmitBad { how, group } => {
                let id = self.send(BAD[*how], *group, None);
                self.model.bad.insert(id, BAD[*how].to_owned());
            }
            Step::Run { calls, fault, turns } => {
                self.calls(calls, *fault, *turns);
            }
            Step::Settle => self.settle(),
        }
    }

    fn advance(&mut self, time: Duration) {
        self.passed += time;
        self.house.clock.advance(time);
        self.model.reckon(&self.house, &[]);
    }

    fn days(&mut self, hours: u8, subjects: &[usize]) {
        for (_, subject) in (0..hours).zip(subjects.iter().cycle()) {
            self.emit(&Emission { subject: *subject, kind: 0, group: Some(0), target: None });
            self.settle();
            for _ in 0..4 {
                self.step(&Step::Advance(Duration::from_mins(15)));
                self.settle();
            }
        }
    }

    fn emit(&mut self, emission: &Emission) {
        self.emit_as(emission, self.model.events.len(), None);
    }

    /// Sends an event under this name; `source`: by another system than most.
    fn emit_as(&mut self, emission: &Emission, name: usize, source: Option<usize>) {
        let number = self.model.events.len();
        let mut text = json!({
            "id": format!("event {name}"),
            "sub_id": subject(emission.subject),
            "events": { kind(emission.kind): payload(number, emission.kind) },
        });
        let target = emission.target.and_then(|stream| self.model.stream(stream));
        if let Some(target) = target {
            text["stream_id"] = json!(self.model.streams[target].id);
        }
        // Some senders leave it to the queue to name an event.
        if number % 4 == 3 {
            text.as_object_mut().expect("it is an object").remove("id");
        }
        self.model.events.push(Event {
            subject: emission.subject,
            kind: emission.kind,
            target,
            text: text.to_string(),
            source,
            sent: self.house.now(),
            places: Vec::new(),
            astray: false,
            txn: None,
        });
        self.send_event(number, emission.group);
    }

    fn emit_again(&mut self, nth: usize, group: Option<u8>) {
        let events = &self.model.events;
        if events.is_empty() {
            return;
        }
        let number = nth % events.len();
        let has_id = number % 4 != 3;
        if has_id && ssf::clock::since(events[number].sent, self.house.now()) < AGAIN_WITHIN {
            self.send_event(number, group);
        }
    }

    fn send_event(&mut self, number: usize, group: Option<u8>) {
        let Event { text, source, .. } = self.model.events[number].clone();
        let id = self.send(&text, group, source);
        self.model.messages.insert(id, number);
        let place = self.model.messages.len();
        let event = &mut self.model.events[number];
        match (group, event.places.first()) {
            (Some(group), None) => event.places.push((group, place)),
            (Some(group), Some((first, _))) if group == *first => event.places.push((group, place)),
            (Some(_), Some(_)) => event.astray = true,
            (None, _) => {}
        }
        event.astray |= group.is_none();
    }

    /// Puts a message on a queue; its id.
    fn send(&self, text: &str, group: Option<u8>, source: Option<usize>) -> String {
        let parts = self.house.plain.parts();
        let queue = if group.is_some() { &parts.ingest_fifo } else { &parts.ingest };
        let message = Message {
            body: text.to_owned(),
            group: group.map(|group| format!("group-{group}")),
            deduplication: group.map(|_| parts.ids.fresh().to_string()),
            attributes: source
                .map(|source| ("source".to_owned(), source.to_string()))
                .into_iter()
                .collect(),
            ..Message::default()
        };
        let sent = at_once(queue.send(vec![message])).pop().expect("one message, one answer");
        sent.expect("the queue takes it")
    }

    /// Makes these calls, side by side when they are two; how many messages they took.
    fn calls(&mut self, calls: &[plan::Call], fault: Option<Fault>, turns: u64) -> Taken {
        let first = self.turn;
        self.turn = 1 - self.turn;
        let begun: Vec<_> = calls
            .iter()
            .enumerate()
            .filter_map(|(at, call)| {
                let process = if at == 0 { first } else { 1 - first };
                calls::begin(&self.house, &mut self.model, process, *call)
            })
            .collect();
        if begun.len() < calls.len() {
            return 0;
        }
        let (wishes, running): (Vec<_>, Vec<_>) = begun.into_iter().unzip();
        let outcomes = self.house.run(first, running, fault, turns);
        let taken = outcomes.iter().map(|outcome| match outcome {
            Outcome::Done(taken) => *taken,
            Outcome::Crashed | Outcome::Failed { .. } => 0,
        });
        let taken = taken.sum();
        let calls: Vec<Call> = wishes
            .into_iter()
            .zip(outcomes)
            .enumerate()
            .map(|(at, (wish, outcome))| {
                let process = if at == 0 { first } else { 1 - first };
                Call { process, wish, outcome }
            })
            .collect();
        self.model.clean &= fault.is_none() && calls.len() == 1;
        self.model.reckon(&self.house, &calls);
        taken
    }

    fn call(&mut self, call: plan::Call) -> Taken {
        self.calls(&[call], None, 0)
    }

    fn settle(&mut self) {
        use plan::Call::{Ingest, Push};
        for _ in 0..1000 {
            let taken =
                [Ingest(Door::Standard), Ingest(Door::Fifo), Push].map(|call| self.call(call));
            if taken == [0; 3] {
                return;
            }
        }
        panic!("there is no end of messages");
    }

    /// Everybody is well again, streams are enabled, and all that is due comes.
    fn rest(&mut self) {
        for receiver in 0..RECEIVERS.len() {
            self.house.receivers.answer(receiver, &[], Reply::Accept);
            self.house.receivers.poison(receiver, None);
        }
        for stream in 0..self.model.streams.len() {
            // One that is enabled is not told so again: that would hide bells that were lost.
            let status = self.model.streams[stream].status;
            self.call(plan::Call::Read { stream });
            if !matches!(status, Status::Enabled | Status::DisabledDeleted) {
                self.call(plan::Call::SetStatus { stream, status: Status::Enabled, ours: false });
            }
        }
        // The longest wait after a failure is 2 h 24 min.
        for minutes in [3, 6, 6, 30, 60, 60, 60] {
            self.house.clock.advance(Duration::from_mins(minutes));
            if !self.model.clean {
                self.call(plan::Call::Sweep);
            }
            self.settle();
            self.poll_all();
        }
        self.check_delivered();
        self.check_dead_letters();
        self.check_queues();
        self.leave();
    }

    fn poll_all(&mut self) {
        for stream in 0..self.model.streams.len() {
            let polled = |run: &Self| {
                let stream = &run.model.streams[stream];
                stream.endpoint.is_none() && stream.status != Status::DisabledDeleted
            };
            loop {
                if !polled(self) {
                    break;
                }
                self.call(plan::Call::Poll {
                    stream,
                    max: 100,
                    ack: u8::MAX,
                    set_errs: 0,
                    of_us: false,
                });
                if self.model.judge.given.get(&stream).is_none_or(Vec::is_empty) {
                    break;
                }
            }
        }
    }

    /// Nothing is lost.
    fn check_delivered(&self) {
        let records: BTreeMap<usize, Vec<IssuedToken>> =
            (0..self.model.streams.len()).map(|stream| (stream, self.records(stream))).collect();
        let failed = |stream: usize, is_it: &dyn Fn(&IssuedToken) -> bool| {
            records[&stream].iter().any(|record| {
                record.status == TokenStatus::Failed && record.error.is_some() && is_it(record)
            })
        };
        for ((event, stream), told) in &self.model.told {
            let is_it = |record: &IssuedToken| Some(record.jti.as_str()) == told.jti.as_deref();
            assert!(
                !told.must || told.successes > 0 || failed(*stream, &is_it),
                "event {event} is lost for stream {stream}: {told:?}"
            );
            let pushed_only = self.model.streams[*stream].endpoint.is_some();
            assert!(
                !(self.model.clean && pushed_only) || told.successes <= 1,
                "event {event} was pushed {} times without need",
                told.successes
            );
        }
        for news in &self.model.news {
            let is_it = |record: &IssuedToken| {
                let claims = record.signed.claims().unwrap_or_default();
                let text = claims["events"].to_string();
                match &news.what {
                    What::Updated(reason) | What::Verification(reason) => text.contains(reason),
                    What::Event(_) => false,
                }
            };
            assert!(
                !news.must || news.delivered || failed(news.stream, &is_it),
                "{news:?} is lost"
            );
        }
        for record in records.values().flatten() {
            // A day by the schedule.
            let is_final = record.status == TokenStatus::Failed && record.attempts < 15;
            let code = record.error.as_ref().map_or("", |error| &error.err);
            let of_us =
                ["authentication_failed", "invalid_key", SetError::PUSH_FAILED].contains(&code);
            assert!(!(is_final && of_us), "what may pass was taken for final: {record:?}");
        }
        for (stream, records) in &records {
            if self.model.streams[*stream].status == Status::Enabled {
                let left = records.iter().filter(|record| record.status == TokenStatus::New);
                assert_eq!(left.count(), 0, "something still waits on stream {stream}");
            }
        }
    }

    /// The records of a stream.
    fn records(&self, stream: usize) -> Vec<IssuedToken> {
        let partition = format!("SET#{}", self.model.streams[stream].id);
        let query = Query::sorted(partition, "");
        let page = at_once(self.house.plain.parts().table.query(query)).expect("the table answers");
        page.items.iter().map(|item| item.read().expect("it is a record")).collect()
    }

    /// What cannot be an event is with the dead letters, with the reason; and nothing else is.
    fn check_dead_letters(&self) {
        let queue = &self.house.plain.parts().dead_letters;
        let letters = at_once(queue.receive(1000, Duration::ZERO)).expect("the queue answers");
        for (id, text) in &self.model.bad {
            let letter =
                letters.iter().find(|letter| letter.attributes["tocsin_message_id"] == *id);
            let letter = letter.unwrap_or_else(|| panic!("{text} is lost"));
            assert_eq!(letter.body, *text);
            assert!(!letter.attributes["reason"].is_empty());
        }
        for letter in &letters {
            let id = &letter.attributes["tocsin_message_id"];
            assert!(self.model.bad.contains_key(id), "{} was refused: {letter:?}", letter.body);
        }
        assert!(!self.model.clean || letters.len() == self.model.bad.len());
    }

    /// There is nothing left to do.
    fn check_queues(&self) {
        let parts = self.house.plain.parts();
        let depth = |queue: &dyn Queue| at_once(queue.depth()).expect("the queue answers");
        let depths = [&parts.ingest, &parts.ingest_fifo, &parts.push].map(|queue| depth(&**queue));
        assert_eq!(depths, [0; 3], "something stays on a queue");
    }

    /// What was deleted leaves nothing behind, and what was sent goes when its time is over.
    fn leave(&mut self) {
        for hours in [25, 31 * 24] {
            self.house.clock.advance(Duration::from_hours(hours));
            for _ in 0..3 {
                self.call(plan::Call::Sweep);
            }
        }
        for (number, stream) in self.model.streams.iter().enumerate() {
            let left = self.records(number);
            if stream.status == Status::DisabledDeleted {
                assert_eq!(left.len(), 0, "records of a stream that is gone");
            }
            let own = |record: &IssuedToken| record.event_type.family() == Family::Ssf;
            assert!(left.iter().all(|record| record.status == TokenStatus::Failed || own(record)));
        }
    }
}
