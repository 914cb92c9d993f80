//! Does what a plan says, and at the end lets everything come to rest.

use std::time::Duration;

use serde_json::{Value, json};
use ssf::{
    client::{ClientSubjects, NewClient, RedirectUri},
    directory::{Actor, Directory, Given, Group, MemberRequest, ResourceId},
    event::EventType,
    queue::Queue,
    stream::StreamId,
};

use super::{
    super::{
        house::{House, Outcome, at_once, endpoint, receiver},
        plan::{Fault, RECEIVERS, Reply, Settings},
    },
    calls::{self, Answer, CALLBACK, SCOPES, Wish, client, email},
    hear::POLLED,
    look::Look,
    model::{About, FOLLOWER, State},
    plan::{CLIENTS, Call, GROUPS, Plan, Step},
    tokens::Token,
};

/// A stream for each; all but one are pushed to.
pub(super) const STREAMS: usize = 4;
/// The receiver that polls.
pub(super) const POLLER: usize = 2;
/// The receiver that is an application, and hears of those who gave it their consent.
pub(super) const BY_CONSENT: usize = 3;

/// All runs together last no longer: after a day without an answer a stream is paused.
const LONGEST: Duration = Duration::from_hours(12);

/// Somebody who was made.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: ResourceId,
    pub(super) name: usize,
    /// `None`: gone.
    pub(super) state: Option<State>,
    /// How many changes are noted.
    pub(super) noted: usize,
}

/// An event that follows from a change that was made.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) resource: ResourceId,
    pub(super) about: About,
    pub(super) kind: &'static str,
    pub(super) txn: String,
    /// The step in which it was made, and the place among what that told.
    pub(super) rank: (usize, usize),
    pub(super) heard: [Heard; STREAMS],
}

/// What a stream heard of an event.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// It may be told.
    pub(super) wanted: bool,
    /// It must be.
    pub(super) must: bool,
    pub(super) jti: Option<String>,
    pub(super) successes: usize,
}

/// A run under way.
pub(super) struct Run {
    pub(super) house: House,
    pub(super) people: Vec<Person>,
    pub(super) groups: [ResourceId; GROUPS],
    pub(super) group_noted: [usize; GROUPS],
    pub(super) expected: Vec<Expected>,
    /// Who is gone, and is still to be taken out of a group: by the deletion.
    pub(super) pending: Vec<(usize, String)>,
    pub(super) disabled: [bool; CLIENTS],
    pub(super) tokens: Vec<Token>,
    /// What polls gave and was not acknowledged yet.
    pub(super) given: Vec<String>,
    pub(super) step: usize,
    /// Nothing has gone wrong so far, and nothing happened side by side.
    pub(super) clean: bool,
    streams: Vec<StreamId>,
    turn: usize,
    passed: Duration,
}

/// Does all of `plan`, and panics when a promise is broken.
pub(super) fn run(plan: &Plan) {
    let mut run = Run::new(plan.lanes);
    for step in &plan.steps {
        run.step(step);
    }
    run.rest();
}

impl Run {
    fn new(lanes: u8) -> Self {
        let house = House::new(&Settings { lanes, ..Settings::PLAIN });
        let groups = std::array::from_fn(|number| make_group(&house, number));
        for number in 0..CLIENTS {
            register(&house, number);
        }
        let mut run = Self {
            house,
            people: Vec::new(),
            groups,
            group_noted: [1; GROUPS],
            expected: Vec::new(),
            pending: Vec::new(),
            disabled: [false; CLIENTS],
            tokens: Vec::new(),
            given: Vec::new(),
            step: 0,
            clean: true,
            streams: Vec::new(),
            turn: 0,
            passed: Duration::ZERO,
        };
        // That there are groups is told before anybody listens.
        run.settle();
        run.streams = (0..STREAMS).map(|number| make_stream(&run.house, number)).collect();
        run
    }

    pub(super) fn house(&self) -> &House {
        &self.house
    }

    pub(super) fn people(&self) -> &[Person] {
        &self.people
    }

    /// The person that a plan calls so: one of the last.
    pub(super) fn person(&self, number: usize) -> Option<usize> {
        let count = self.people.len();
        (count > 0).then(|| count - 1 - number % count)
    }

    pub(super) fn group(&self, number: usize) -> ResourceId {
        self.groups[number]
    }

    pub(super) fn stream(&self, number: usize) -> StreamId {
        self.streams[number].clone()
    }

    pub(super) fn given(&self) -> &[String] {
        &self.given
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Advance(time) => {
                let time = (*time).min(LONGEST.saturating_sub(self.passed));
                self.passed += time;
                self.house.clock.advance(time);
                self.try_tokens(&[]);
            }
            Step::Answer { receiver, once, then } => {
                self.house.receivers.answer(*receiver, once, *then);
            }
            Step::Run { calls, fault, turns } => drop(self.calls(calls, *fault, *turns)),
            Step::Settle => self.settle(),
        }
    }

    /// Makes these calls, side by side when they are two; how many messages they took.
    fn calls(&mut self, calls: &[Call], fault: Option<Fault>, turns: u64) -> usize {
        let first = self.turn;
        self.turn = 1 - self.turn;
        let process = |at| if at == 0 { first } else { 1 - first };
        let begun: Vec<_> = calls
            .iter()
            .enumerate()
            .filter_map(|(at, call)| calls::begin(self, process(at), *call))
            .collect();
        if begun.len() < calls.len() {
            return 0;
        }
        self.step += 1;
        let start = self.house.now();
        let (wishes, running): (Vec<Wish>, Vec<_>) = begun.into_iter().unzip();
        let polled = self.given.clone();
        let outcomes = self.house.run(first, running, fault, turns);
        let disturbed = fault.is_some() || calls.len() > 1;
        self.clean &= !disturbed;
        let times = (start, self.house.now());
        self.reckon(&wishes, &outcomes, times, disturbed);
        for (wish, outcome) in wishes.iter().zip(&outcomes) {
            if wish.call == Call::Poll && matches!(outcome, Outcome::Done(_)) {
                self.given.retain(|jti| !polled.contains(jti));
            }
        }
        self.hear();
        let taken = outcomes.iter().map(|outcome| match outcome {
            Outcome::Done(Answer::Taken(taken)) => *taken,
            Outcome::Done(_) | Outcome::Failed { .. } | Outcome::Crashed => 0,
        });
        let taken = taken.sum();
        self.take_tokens(&wishes, outcomes);
        self.try_tokens(&wishes);
        taken
    }

    fn call(&mut self, call: Call) -> usize {
        self.calls(&[call], None, 0)
    }

    fn settle(&mut self) {
        for _ in 0..1_000 {
            if [Call::Ingest, Call::Push].map(|call| self.call(call)) == [0; 2] {
                return;
            }
        }
        panic!("there is no end of messages");
    }

    /// Everybody is well again, and all that is due comes.
    fn rest(&mut self) {
        for receiver in 0..STREAMS {
            self.house.receivers.answer(receiver, &[], Reply::Accept);
        }
        for client in 0..CLIENTS {
            // What its streams hold is due.
            self.call(Call::Client { client, disabled: false });
        }
        for (round, minutes) in [3, 6, 6, 30, 60, 60, 60].into_iter().enumerate() {
            self.house.clock.advance(Duration::from_mins(minutes));
            // Without faults only lock dates need the sweep.
            if !self.clean || round == 6 {
                self.call(Call::Sweep);
            }
            self.settle();
            self.poll_all();
        }
        self.check_told();
        self.check_left();
    }

    fn poll_all(&mut self) {
        loop {
            self.call(Call::Poll);
            if self.given.is_empty() {
                return;
            }
        }
    }

    /// Nothing is left to do.
    fn check_left(&self) {
        assert_eq!(self.pending, [], "somebody who is gone was not taken out of a group");
        let look = Look(&self.house);
        for part in 0..16 {
            let left = look.rows(&format!("OUTBOX#{part:02}"));
            assert!(left.is_empty(), "something stays in the outbox: {left:?}");
        }
        for part in 0..4 {
            let left = look.rows(&format!("JOB#{part:02}"));
            assert!(left.is_empty(), "a job is not done: {left:?}");
        }
        for person in self.people.iter().filter(|person| person.state.is_none()) {
            let left = look.groups_of(person.id, &self.groups);
            assert!(left.is_empty(), "somebody who is gone is a member");
        }
        let parts = self.house.plain.parts();
        let depth = |queue: &dyn Queue| at_once(queue.depth()).expect("the queue answers");
        let queues = [&parts.ingest_fifo, &parts.push, &parts.dead_letters];
        assert_eq!(queues.map(|queue| depth(&**queue)), [0; 3], "something stays on a queue");
    }
}

fn make_group(house: &House, number: usize) -> ResourceId {
    let directory = Directory::of(&house.plain);
    let cause = directory.cause(Actor::Operator);
    let name = json!({ "displayName": format!("group {number}") });
    let name = name.as_object().expect("it is an object").clone();
    let make = |group: &mut Group| group.take(name.clone(), Given::Whole, None);
    let nobody = MemberRequest::default();
    at_once(directory.group_create(&cause, &nobody, make)).expect("a group can be made").id
}

fn register(house: &House, number: usize) {
    let mut wish = NewClient::new(format!("app {number}"), Vec::new());
    wish.client_id = Some(client(number));
    wish.scope = SCOPES.to_vec();
    wish.application.redirect_uris =
        vec![RedirectUri::parse(CALLBACK).expect("it is a redirect URI")];
    if number == FOLLOWER {
        wish.default_subjects = Some(ClientSubjects::Consent);
    }
    at_once(house.plain.client_create(wish)).expect("an application can be registered");
}

fn make_stream(house: &House, number: usize) -> StreamId {
    let mut me = receiver(number);
    if number == BY_CONSENT {
        me.id = client(FOLLOWER);
        me.by_consent = true;
    }
    let body = if number == POLLER {
        json!({ "events_requested": POLLED })
    } else {
        json!({
            "events_requested": EventType::supported(),
            "delivery": {
                "method": "urn:ietf:rfc:8935",
                "endpoint_url": endpoint(number, number),
                "authorization_header": format!("Bearer {}", RECEIVERS[number].0),
            },
        })
    };
    let wish = serde_json::from_value(body).expect("this is a wish");
    let made = at_once(house.plain.create_stream(&me, wish)).expect("a stream can be made");
    let made: Value = serde_json::to_value(made).expect("it is JSON");
    let id = StreamId::parse(made["stream_id"].as_str().expect("it has an id"));
    let id = id.expect("it is the id of a stream");
    // Who hears of none but those that it names knows two people by their mail.
    for name in [0, 1] {
        if number == 1 {
            let subject = json!({ "format": "email", "email": email(name) });
            let wish = json!({ "stream_id": id, "subject": subject });
            let wish = serde_json::from_value(wish).expect("this is a wish");
            at_once(house.plain.add_subject(&me, wish)).expect("a subject can be added");
        }
    }
    id
}
