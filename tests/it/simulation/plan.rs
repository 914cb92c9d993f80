//! What happens in a run: values that proptest draws, shrinks and prints.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use ssf::{
    delivery::Door,
    stream::{DefaultSubjects, Status},
};

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) settings: Settings,
    pub(super) steps: Vec<Step>,
}

/// What the operator decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) lanes: u8,
    pub(super) poll_sets: usize,
    pub(super) inactivity_timeout: Option<Duration>,
}

impl Settings {
    /// For runs that are written by hand.
    pub(super) const PLAIN: Self = Self { lanes: 1, poll_sets: 5, inactivity_timeout: None };
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Time passes.
    Advance(Duration),
    /// A receiver's endpoints answer so: first each of these once, then always like that.
    Answer { receiver: usize, once: Vec<Reply>, then: Reply },
    /// A receiver's endpoints answer with 503 to what is about whom this word names; `None`: not any
    /// more.
    Poison { receiver: usize, word: Option<&'static str> },
    /// So many hours pass, and in each an event comes about one of these subjects in turn.
    Days { hours: u8, subjects: Vec<usize> },
    /// An upstream system sends so many different events of one kind.
    Emit(Emission, usize),
    /// It sends an earlier one again.
    EmitAgain { nth: usize, group: Option<u8> },
    /// Another one sends a different event that it calls as an earlier one is called.
    EmitNamesake { nth: usize, subject: usize, group: Option<u8> },
    /// It sends what cannot be an event.
    EmitBad { how: usize, group: Option<u8> },
    /// One call in one process, or two side by side in two.
    Run { calls: Vec<Call>, fault: Option<Fault>, turns: u64 },
    /// Messages are taken in and bells answered until there are none left.
    Settle,
}

/// An event and how it is sent. Which subject, type and stream: see the model.
#[derive(Clone, Debug)]
pub(super) struct Emission {
    pub(super) subject: usize,
    pub(super) kind: usize,
    /// The group at the FIFO door; else it goes through the standard one.
    pub(super) group: Option<u8>,
    /// The only stream that it is for.
    pub(super) target: Option<usize>,
}

/// What is asked of a process.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    Add {
        stream: usize,
        subject: usize,
    },
    Create {
        receiver: usize,
        push: bool,
        types: u8,
    },
    Delete {
        stream: usize,
    },
    /// The method of delivery changes, or at least the endpoint.
    Deliver {
        stream: usize,
        push: bool,
    },
    Ingest(Door),
    Poll {
        stream: usize,
        max: u32,
        ack: u8,
        set_errs: u8,
        /// These errors speak of us.
        of_us: bool,
    },
    Push,
    Read {
        stream: usize,
    },
    Remove {
        stream: usize,
        subject: usize,
    },
    /// What failed is tried again.
    Retry,
    Rotate {
        at_once: bool,
    },
    /// `ours`: on our own account, not by the receiver.
    SetStatus {
        stream: usize,
        status: Status,
        ours: bool,
    },
    Sweep,
    Verify {
        stream: usize,
    },
    /// Other event types are requested.
    Want {
        stream: usize,
        types: u8,
    },
}

/// What goes wrong with the `at`th call through a seam that the first process makes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) at: u16,
    pub(super) kind: FaultKind,
    pub(super) done: Done,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FaultKind {
    /// The partition is asked for too much; all but the table is as if it did not answer.
    Busy,
    /// The process is gone, with all that it has in memory.
    Crash,
    /// The partition has no room, which a reader does not notice.
    Full,
    /// The far side does not answer.
    Unavailable,
}

/// How much of the call is done nevertheless.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Done {
    All,
    /// Every second thing, beginning with the first.
    Even,
    Nothing,
    /// Every second thing, beginning with the second.
    Odd,
}

/// What a receiver answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reply {
    Accept,
    /// A 400 with an `err` that speaks of us.
    Accuse,
    /// After so many seconds.
    AcceptLate(u8),
    /// A 400 that says nothing.
    BadRequest,
    /// A 400 with an `err`.
    Reject,
    /// Nothing, for 15 seconds.
    Timeout,
    /// 429, with `Retry-After`.
    TooMany(u16),
    Unauthorized,
    Unavailable,
}

/// Who receives. The name leads to the endpoints.
pub(super) const RECEIVERS: [(&str, DefaultSubjects); 4] = [
    ("alice", DefaultSubjects::All),
    ("bob", DefaultSubjects::None),
    ("carol", DefaultSubjects::All),
    ("dave", DefaultSubjects::None),
];

pub(super) fn plan(steps: usize) -> impl Strategy<Value = Plan> {
    (settings(), vec(create(), 1..4), vec(step(), 1..steps)).prop_map(|(settings, first, rest)| {
        let first = first.into_iter().map(Step::call);
        Plan { settings, steps: first.chain(rest).collect() }
    })
}

fn settings() -> impl Strategy<Value = Settings> {
    let timeout = prop_oneof![3 => Just(None), 1 => Just(Some(Duration::from_hours(24)))];
    (1..4_u8, 1..6_usize, timeout).prop_map(|(lanes, poll_sets, inactivity_timeout)| Settings {
        lanes,
        poll_sets,
        inactivity_timeout,
    })
}

impl Step {
    /// One call, undisturbed.
    pub(super) fn call(call: Call) -> Self {
        Self::Run { calls: vec![call], fault: None, turns: 0 }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let answer =
        (0..4_usize, vec(reply(), 0..4), prop_oneof![3 => Just(Reply::Accept), 1 => reply()])
            .prop_map(|(receiver, once, then)| Step::Answer { receiver, once, then });
    let again = (any::<usize>(), group()).prop_map(|(nth, group)| Step::EmitAgain { nth, group });
    let bad = (0..BAD.len(), group()).prop_map(|(how, group)| Step::EmitBad { how, group });
    prop_oneof![
        6 => (emission(), prop_oneof![4 => Just(1), 1 => 2..7_usize])
            .prop_map(|(emission, times)| Step::Emit(emission, times)),
        1 => again,
        1 => (any::<usize>(), subject(), group()).prop_map(|(nth, subject, group)| {
            Step::EmitNamesake { nth, subject, group }
        }),
        1 => bad,
        2 => answer,
        1 => (0..4_usize, prop::option::weighted(0.7, prop::sample::select(POISONS.to_vec())))
            .prop_map(|(receiver, word)| Step::Poison { receiver, word }),
        1 => (1..60_u8, vec(subject(), 1..4))
            .prop_map(|(hours, subjects)| Step::Days { hours, subjects }),
        3 => pause().prop_map(Step::Advance),
        4 => Just(Step::Settle),
        6 => call().prop_map(Step::call),
        5 => (call(), fault()).prop_map(|(call, fault)| Step::Run {
            calls: vec![call], fault: Some(fault), turns: 0
        }),
        4 => (call(), call(), any::<u64>()).prop_map(|(one, other, turns)| Step::Run {
            calls: vec![one, other], fault: None, turns
        }),
        2 => (call(), call(), fault(), any::<u64>()).prop_map(|(one, other, fault, turns)| {
            Step::Run { calls: vec![one, other], fault: Some(fault), turns }
        }),
    ]
}

/// Words that name some of the subjects.
pub(super) const POISONS: [&str; 3] = ["ann@", "ben@", "\"y\""];

/// What cannot be an event.
pub(super) const BAD: [&str; 4] = [
    "{",
    r#"{"sub_id":{"format":"email","email":"ann@example.com"}}"#,
    r#"{"sub_id":{"format":"email"},"events":{}}"#,
    r#"{"sub_id":{"format":"opaque","id":"1"},"events":{"https://example.com/unknown":{}}}"#,
];

fn group() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![Just(None), (0..2_u8).prop_map(Some)]
}

/// Three of them more often, so that events and wishes meet.
fn subject() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), Just(3), Just(7), 0..SUBJECTS.len()]
}

fn emission() -> impl Strategy<Value = Emission> {
    let target = prop_oneof![9 => Just(None), 1 => any::<usize>().prop_map(Some)];
    (subject(), 0..KINDS, group(), target).prop_map(|(subject, kind, group, target)| Emission {
        subject,
        kind,
        group,
        target,
    })
}

/// How many event types there are.
pub(super) const KINDS: usize = 3;

/// Whom events are about: names of members and what they hold; one without a name is simple. Where a
/// name is there twice, it is of aliases.
pub(super) const SUBJECTS: [&[(&str, &str)]; 11] = [
    &[("", "ann")],
    &[("", "ben")],
    &[("user", "ann")],
    &[("user", "ann"), ("tenant", "x")],
    &[("user", "ben"), ("tenant", "x")],
    &[("tenant", "y")],
    &[("user", "ann"), ("device", "d")],
    &[("", "ann"), ("", "ann-2")],
    &[("", "ann-2")],
    &[("", "ann-2"), ("", "ben")],
    &[("user", "ann"), ("user", "ann-2"), ("tenant", "x")],
];

/// From moments to days.
fn pause() -> impl Strategy<Value = Duration> {
    prop_oneof![
        3 => (1..3_000_u64).prop_map(Duration::from_millis),
        4 => (1..400_u64).prop_map(Duration::from_secs),
        2 => (1..180_u64).prop_map(Duration::from_mins),
        1 => (1..50_u64).prop_map(Duration::from_hours),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        1 => Just(Reply::Accept),
        1 => Just(Reply::Accuse),
        1 => (1..15_u8).prop_map(Reply::AcceptLate),
        1 => Just(Reply::BadRequest),
        1 => Just(Reply::Reject),
        1 => Just(Reply::Timeout),
        1 => (0..5_000_u16).prop_map(Reply::TooMany),
        1 => Just(Reply::Unauthorized),
        2 => Just(Reply::Unavailable),
    ]
}

fn create() -> impl Strategy<Value = Call> {
    (0..RECEIVERS.len(), any::<bool>(), 1..1_u8 << KINDS)
        .prop_map(|(receiver, push, types)| Call::Create { receiver, push, types })
}

fn call() -> impl Strategy<Value = Call> {
    let stream = || 0..6_usize;
    let named = || (stream(), subject());
    let status = prop::sample::select(vec![
        Status::Enabled,
        Status::Enabled,
        Status::Paused,
        Status::Disabled,
    ]);
    let poll = (stream(), 0..5_u32, any::<u8>(), any::<u8>(), 0..4_u8, any::<bool>()).prop_map(
        |(stream, max, ack, bad, some, of_us)| {
            // Few of them are in error.
            let set_errs = if some == 0 { bad & !ack } else { 0 };
            Call::Poll { stream, max, ack, set_errs, of_us }
        },
    );
    prop_oneof![
        3 => named().prop_map(|(stream, subject)| Call::Add { stream, subject }),
        2 => named().prop_map(|(stream, subject)| Call::Remove { stream, subject }),
        1 => create(),
        1 => stream().prop_map(|stream| Call::Delete { stream }),
        1 => (stream(), any::<bool>()).prop_map(|(stream, push)| Call::Deliver { stream, push }),
        6 => prop::sample::select(vec![Door::Fifo, Door::Standard]).prop_map(Call::Ingest),
        4 => poll,
        6 => Just(Call::Push),
        1 => stream().prop_map(|stream| Call::Read { stream }),
        1 => Just(Call::Retry),
        1 => prop_oneof![3 => Just(false), 1 => Just(true)]
            .prop_map(|at_once| Call::Rotate { at_once }),
        4 => (stream(), status, prop_oneof![3 => Just(false), 1 => Just(true)])
            .prop_map(|(stream, status, ours)| Call::SetStatus { stream, status, ours }),
        2 => Just(Call::Sweep),
        1 => stream().prop_map(|stream| Call::Verify { stream }),
        1 => (stream(), 0..1_u8 << KINDS).prop_map(|(stream, types)| Call::Want { stream, types }),
    ]
}

pub(super) fn fault() -> impl Strategy<Value = Fault> {
    let kind = prop::sample::select(vec![
        FaultKind::Busy,
        FaultKind::Crash,
        FaultKind::Full,
        FaultKind::Unavailable,
    ]);
    let done = prop::sample::select(vec![Done::All, Done::Even, Done::Nothing, Done::Odd]);
    (prop_oneof![3 => 0..10_u16, 1 => 0..60_u16], kind, done).prop_map(|(at, kind, done)| Fault {
        at,
        kind,
        done,
    })
}
