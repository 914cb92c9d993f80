//! What random runs have found, or might have taken long to find.

use std::time::Duration;

use ssf::{delivery::Door, stream::Status};

use super::{
    plan::{Call, Done, Emission, Fault, FaultKind, Plan, Reply, Settings, Step},
    run::run,
};

const ALICE: usize = 0;
const BOB: usize = 1;

fn runs(steps: impl IntoIterator<Item = Step>) {
    run(&Plan { settings: Settings::PLAIN, steps: steps.into_iter().collect() });
}

fn poll_stream(receiver: usize) -> Step {
    Step::call(Call::Create { receiver, push: false, types: 1 })
}

fn push_stream(receiver: usize) -> Step {
    Step::call(Call::Create { receiver, push: true, types: 1 })
}

fn status(status: Status) -> Step {
    Step::call(Call::SetStatus { stream: 0, status, ours: false })
}

fn emit(subject: usize) -> Step {
    Step::Emit(Emission { subject, kind: 0, group: None, target: None }, 1)
}

/// `call`, with each fault at each place: one run for each.
fn with_each_fault(call: Call, before: &[Step], after: &[Step]) {
    for at in 0..14 {
        for kind in [FaultKind::Busy, FaultKind::Crash, FaultKind::Full, FaultKind::Unavailable] {
            for done in [Done::All, Done::Even, Done::Nothing, Done::Odd] {
                let fault = Some(Fault { at, kind, done });
                let step = Step::Run { calls: vec![call], fault, turns: 0 };
                let steps = before.iter().cloned().chain([step]).chain(after.iter().cloned());
                runs(steps);
            }
        }
    }
}

#[test]
fn an_event_right_after_a_stream_is_enabled_is_told() {
    runs([
        poll_stream(ALICE),
        status(Status::Disabled),
        status(Status::Enabled),
        emit(0),
        Step::Settle,
    ]);
}

#[test]
fn what_was_pending_when_a_stream_was_disabled_is_not_told() {
    runs([
        poll_stream(ALICE),
        emit(0),
        Step::Settle,
        status(Status::Disabled),
        status(Status::Enabled),
        Step::Settle,
    ]);
}

#[test]
fn a_subject_that_was_added_by_half_can_be_removed() {
    let subject = 0;
    with_each_fault(
        Call::Add { stream: 0, subject },
        &[poll_stream(BOB)],
        &[Step::call(Call::Remove { stream: 0, subject }), emit(subject), Step::Settle],
    );
}

#[test]
fn a_subject_that_was_removed_by_half_can_be_removed() {
    let subject = 0;
    with_each_fault(
        Call::Remove { stream: 0, subject },
        &[poll_stream(BOB), Step::call(Call::Add { stream: 0, subject })],
        &[Step::call(Call::Remove { stream: 0, subject }), emit(subject), Step::Settle],
    );
}

#[test]
fn a_stream_that_was_deleted_by_half_leaves_room_for_another() {
    with_each_fault(
        Call::Delete { stream: 0 },
        &[poll_stream(ALICE), poll_stream(ALICE), poll_stream(ALICE)],
        &[Step::call(Call::Delete { stream: 0 }), poll_stream(ALICE)],
    );
}

#[test]
fn a_slow_receiver_that_pauses_is_not_sent_what_was_about_to_be_sent() {
    let emission = Emission { subject: 0, kind: 0, group: None, target: None };
    let pause = Call::SetStatus { stream: 0, status: Status::Paused, ours: false };
    // The receiver does so after the first, the second … answer.
    for turns in (44..60).map(|bits| u64::MAX >> bits) {
        runs([
            push_stream(ALICE),
            Step::Answer { receiver: ALICE, once: vec![], then: Reply::AcceptLate(10) },
            Step::Emit(emission.clone(), 6),
            Step::call(Call::Ingest(Door::Standard)),
            Step::Run { calls: vec![pause, Call::Push], fault: None, turns },
        ]);
    }
}

#[test]
fn what_was_put_off_is_tried_again_without_a_sweep() {
    let waits = (0..60).flat_map(|_| [Step::Advance(Duration::from_secs(7)), Step::Settle]);
    let before = [
        push_stream(ALICE),
        Step::Answer { receiver: ALICE, once: vec![], then: Reply::Timeout },
        emit(0),
        Step::Settle,
    ];
    runs(before.into_iter().chain(waits));
}

#[test]
fn an_event_that_was_dropped_and_comes_again_keeps_its_bytes() {
    runs([
        push_stream(ALICE),
        Step::Answer { receiver: ALICE, once: vec![Reply::Timeout], then: Reply::Accept },
        emit(0),
        Step::Settle,
        status(Status::Disabled),
        Step::call(Call::Sweep),
        status(Status::Enabled),
        Step::EmitAgain { nth: 0, group: None },
        Step::Advance(Duration::from_mins(10)),
        Step::Settle,
    ]);
}

#[test]
fn two_verifications_at_once_are_told_apart_when_one_crashes() {
    let verify = Call::Verify { stream: 0 };
    let fault = Some(Fault { at: 0, kind: FaultKind::Crash, done: Done::All });
    let both = Step::Run { calls: vec![verify, verify], fault, turns: 0 };
    runs([poll_stream(ALICE), both, emit(0)]);
}

#[test]
fn a_walk_that_was_held_up_looks_again_whether_its_stream_still_goes() {
    let pause = Call::SetStatus { stream: 0, status: Status::Paused, ours: false };
    for turns in [1_897_562_758_435_067_466, 0x5555_5555_5555_5555, 0x3333_3333_3333_3333, 0] {
        runs([
            Step::call(Call::Create { receiver: ALICE, push: true, types: 7 }),
            Step::Answer {
                receiver: ALICE,
                once: vec![Reply::Unauthorized, Reply::AcceptLate(2)],
                then: Reply::Accept,
            },
            emit(3),
            Step::Settle,
            emit(3),
            Step::call(Call::Ingest(Door::Standard)),
            Step::call(Call::Verify { stream: 0 }),
            Step::Advance(Duration::from_secs(1)),
            Step::Run { calls: vec![pause, Call::Push], fault: None, turns },
        ]);
    }
}
