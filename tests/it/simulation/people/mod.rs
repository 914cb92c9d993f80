//! Random runs of the directory, held against a model.
//!
//! A run is a list of steps on one clock, as in the runs of the transmitter: people are created,
//! changed, locked now or later, unlocked, given passwords and deleted; they join groups and leave
//! them, let applications have tokens and take that back; applications are disabled and enabled; time
//! passes, and with it lock dates; messages are taken in and pushed to receivers that fail, or polled.
//! Two processes share one database, and any call of the table, the queues, the signer and the network
//! can fail before or after its work, or be the last of its process.
//!
//! These are failures:
//!
//! * A call that was answered did not do what it says, or one that failed did something else than all
//!   of it or nothing. Of two side by side it is not as if one came after the other.
//! * Somebody has a name that somebody else has. A group has a member who does not have the group.
//! * Of a change that was made something is not told to a stream that wants it, or twice under two
//!   names, or to a stream that does not want it. What changed nothing is told. What a change tells is
//!   not what it must be by the rules of the model, which are written down a second time here.
//! * Of two changes of one person, or of one group, the later one gets through to a stream first.
//! * An application whose stream follows consents hears of somebody who never gave it one, or of what
//!   was changed after it was taken back and was not given again. Or it does not hear of somebody whose
//!   consent holds, or that one came or went.
//! * A token is good whose person is locked or gone, or was locked in between or got a new password,
//!   whose consent was revoked, or whose application is disabled; or one is refused that has nothing of
//!   that.
//! * Anything is left in the outbox, of jobs, on the queues or with the dead letters at the end.
//!
//! There is one run for three of the transmitter's; `PROPTEST_CASES` sets how many those are.

mod calls;
mod found;
mod hear;
mod look;
mod model;
mod plan;
mod reckon;
mod run;
mod tokens;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(3),
        failure_persistence: None,
        max_shrink_time: 90_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_change_is_told_whatever_happens(plan in plan::plan(40)) {
        run::run(&plan);
    }
}
