//! Random runs of the whole transmitter, held against a model.
//!
//! A run is a list of steps on one clock: upstream systems send events, again, and nonsense;
//! receivers create, change, pause, enable, disable and delete streams, add and remove subjects, ask
//! for verification, poll and acknowledge, and their endpoints fail in all the ways there are; the
//! operator rotates keys and sets the status of streams; time passes, from moments to days. Two
//! processes share one database. What they are asked, they are asked one at a time or two at once:
//! then they take turns between any two calls of table, queues, signer and network, in an order that
//! is part of the run. Any of these calls can fail: the far side does all, some or none of its work
//! and does not answer, or the process dies at that moment and a new one, which knows nothing, takes
//! its place. At the end everybody is well, streams are enabled, and all that is due comes.
//!
//! These are failures:
//!
//! * An event that was accepted while a stream took it does not get through, and is not visible as
//!   failed with a reason either, though the stream has been neither disabled nor deleted since, and
//!   has not stopped to ask for the type. So with verifications, and with the news that we stopped
//!   or enabled a stream.
//! * A SET reaches anybody but the owner of its stream, or an endpoint that was given up, or without
//!   its authorization; or is about a subject or of a type that the stream does not want by the rule
//!   of the standard, applied without any index.
//! * A SET but the news of a new status comes while its stream is paused or disabled. A process that
//!   was sending already may go on for a second.
//! * What was pending when a stream was disabled comes later, unless its event was accepted anew.
//! * One event has two names on one stream, one name has two contents, or one SET two forms. The
//!   SETs of one event differ in their `txn`.
//! * Of two events about one subject that came through one group of the FIFO door, the later one
//!   gets through to a stream first.
//! * A SET cannot be verified with the keys that a receiver may have: those of the JWKS at any time
//!   from 5 minutes before it was signed. Only a rotation at once may leave a receiver without.
//! * A SET comes by poll after its acknowledgment was answered.
//! * A SET fails for good because its receiver could not judge it: for a key, an issuer, an audience
//!   or a sender that it does not know, or without a word of the SET, before it was tried for a day.
//! * We pause a stream because pushes fail, though anything was answered within the day before.
//! * A message that cannot be an event is not with the dead letters, as it was sent and with a
//!   reason; or one that can be is.
//! * A call fails without a fault and without a reason. A stream is not what one of those who
//!   changed it made it, or a change is lost that was answered. A stream pauses without a cause. A
//!   receiver has too many streams, or is told so without having them.
//! * Anything panics, or goes on forever. Bells are left when there is nothing to ring for. What is
//!   left of a deleted stream stays, or records do whose time is over, or others go.
//!
//! These are not:
//!
//! * Whatever happens to an event while a call that decides about it is under way or has failed:
//!   it may go either way, once.
//! * A SET that comes twice; but without faults, each is pushed to a healthy receiver once.
//! * What got stuck by a fault waits for the sweep. Without faults the sweep must not be needed.
//!
//! `PROPTEST_CASES` sets how many runs there are. What a run finds becomes a test of its own in
//! `found.rs`.

mod calls;
mod change;
mod found;
mod house;
mod judge;
mod listen;
mod model;
mod operators;
mod people;
mod plan;
mod reckon;
mod run;
mod seams;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, max_shrink_time: 90_000, ..ProptestConfig::default()
    })]

    #[test]
    fn promises_hold_whatever_happens(plan in plan::plan(60)) {
        run::run(&plan);
    }
}
