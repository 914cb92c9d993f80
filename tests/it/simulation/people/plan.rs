//! What happens in a run: values that proptest draws, shrinks and prints.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};

use super::super::plan::{Fault, Reply, fault};

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) lanes: u8,
    pub(super) steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Time passes.
    Advance(Duration),
    /// A receiver's endpoint answers so: first each of these once, then always like that.
    Answer { receiver: usize, once: Vec<Reply>, then: Reply },
    /// One call in one process, or two side by side in two.
    Run { calls: Vec<Call>, fault: Option<Fault>, turns: u64 },
    /// Messages are taken in and bells answered until there are none left.
    Settle,
}

/// What is asked of a process. People are those who were ever made, by number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Call {
    Create { name: usize },
    Change { person: usize, change: Change },
    Delete { person: usize },
    Join { person: usize, group: usize },
    Leave { person: usize, group: usize },
    Grant { person: usize, client: usize },
    Revoke { person: usize, client: usize },
    SignIn { person: usize, client: usize },
    Refresh { token: usize },
    Client { client: usize, disabled: bool },
    Ingest,
    Poll,
    Push,
    Sweep,
}

/// What becomes different of a person, or stays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    Title(usize),
    Lock,
    LockIn(u16),
    Unlock,
    Password(usize),
}

/// How many names there are; people of the first two have a receiver of their own.
pub(super) const NAMES: usize = 4;
/// How many groups there are.
pub(super) const GROUPS: usize = 2;
/// How many applications there are.
pub(super) const CLIENTS: usize = 2;

pub(super) fn plan(steps: usize) -> impl Strategy<Value = Plan> {
    let first = (0..NAMES).prop_map(|name| Step::call(Call::Create { name }));
    (1..4_u8, vec(first, 1..3), vec(step(), 1..steps)).prop_map(|(lanes, first, rest)| Plan {
        lanes,
        steps: first.into_iter().chain(rest).collect(),
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
        (0..2_usize, vec(reply(), 0..4), prop_oneof![3 => Just(Reply::Accept), 1 => reply()])
            .prop_map(|(receiver, once, then)| Step::Answer { receiver, once, then });
    let run = |calls, fault, turns| Step::Run { calls, fault, turns };
    prop_oneof![
        1 => answer,
        3 => pause().prop_map(Step::Advance),
        3 => Just(Step::Settle),
        8 => call().prop_map(Step::call),
        6 => (call(), fault()).prop_map(move |(call, fault)| run(vec![call], Some(fault), 0)),
        4 => (call(), call(), any::<u64>())
            .prop_map(move |(one, other, turns)| run(vec![one, other], None, turns)),
        3 => (call(), call(), fault(), any::<u64>()).prop_map(move |(one, other, fault, turns)| {
            run(vec![one, other], Some(fault), turns)
        }),
    ]
}

/// From moments to hours; all in all less than the day after which a stream would be paused.
fn pause() -> impl Strategy<Value = Duration> {
    prop_oneof![
        2 => (1..3_000_u64).prop_map(Duration::from_millis),
        4 => (1..120_u64).prop_map(Duration::from_secs),
        1 => (1..20_u64).prop_map(Duration::from_mins),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        1 => Just(Reply::Accept),
        1 => (1..15_u8).prop_map(Reply::AcceptLate),
        1 => Just(Reply::Timeout),
        1 => (0..300_u16).prop_map(Reply::TooMany),
        2 => Just(Reply::Unavailable),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (0..2_usize).prop_map(Change::Title),
        3 => Just(Change::Lock),
        2 => (1..10_u16).prop_map(Change::LockIn),
        3 => Just(Change::Unlock),
        1 => (0..2_usize).prop_map(Change::Password),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    // Few, so that calls meet.
    let person = || 0..4_usize;
    let at = || (person(), 0..CLIENTS);
    let member = || (person(), 0..GROUPS);
    prop_oneof![
        3 => (0..NAMES).prop_map(|name| Call::Create { name }),
        10 => (person(), change()).prop_map(|(person, change)| Call::Change { person, change }),
        2 => person().prop_map(|person| Call::Delete { person }),
        3 => member().prop_map(|(person, group)| Call::Join { person, group }),
        2 => member().prop_map(|(person, group)| Call::Leave { person, group }),
        3 => at().prop_map(|(person, client)| Call::Grant { person, client }),
        2 => at().prop_map(|(person, client)| Call::Revoke { person, client }),
        3 => at().prop_map(|(person, client)| Call::SignIn { person, client }),
        1 => (0..4_usize).prop_map(|token| Call::Refresh { token }),
        1 => (0..CLIENTS, any::<bool>())
            .prop_map(|(client, disabled)| Call::Client { client, disabled }),
        4 => Just(Call::Ingest),
        2 => Just(Call::Poll),
        4 => Just(Call::Push),
        4 => Just(Call::Sweep),
    ]
}
