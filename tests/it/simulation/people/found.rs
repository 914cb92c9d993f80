//! What random runs have found.

use super::{
    super::plan::{Done, Fault, FaultKind},
    plan::{Call, Change, Plan, Step},
    run::run,
};

/// Whoever deletes somebody, and the sweep, work on the same job.
#[test]
fn who_is_deleted_leaves_each_group_once() {
    for turns in [22_616_073_496_415_338, 0x5555_5555_5555_5555, 0xaaaa_aaaa_aaaa_aaaa, u64::MAX] {
        let deleted = vec![Call::Delete { person: 0 }, Call::Sweep];
        let steps = vec![
            Step::call(Call::Create { name: 0 }),
            Step::call(Call::Join { person: 0, group: 0 }),
            Step::call(Call::Join { person: 0, group: 1 }),
            Step::Run { calls: deleted, fault: None, turns },
        ];
        run(&Plan { lanes: 1, steps });
    }
}

/// Who is made meanwhile has nothing to do with who signs in.
#[test]
fn who_signs_in_is_who_was_there_when_that_began() {
    let both = vec![Call::SignIn { person: 0, client: 1 }, Call::Create { name: 1 }];
    let steps = vec![
        Step::call(Call::Create { name: 0 }),
        Step::call(Call::Grant { person: 0, client: 1 }),
        Step::Run { calls: both, fault: None, turns: 0 },
    ];
    run(&Plan { lanes: 1, steps });
}

/// A queue may leave out any message of a request and take those behind it.
#[test]
fn nothing_overtakes_what_a_queue_left_out() {
    for (at, done) in [(3, Done::Odd), (3, Done::Even), (4, Done::Odd), (4, Done::Even)] {
        let calls = vec![Call::Change { person: 0, change: Change::Password(0) }];
        let fault = Some(Fault { at, kind: FaultKind::Unavailable, done });
        let steps = vec![
            Step::call(Call::Create { name: 0 }),
            Step::Settle,
            Step::Run { calls, fault, turns: 0 },
        ];
        run(&Plan { lanes: 1, steps });
    }
}

/// Whoever is made while the one before them goes takes over the address.
#[test]
fn an_address_that_is_given_up_at_this_moment_is_told_as_recycled() {
    for turns in [0x5555_5555_5555_5555, 0xaaaa_aaaa_aaaa_aaaa, 0x3333_3333_3333_3333, 0xfff0] {
        for calls in [
            vec![Call::Delete { person: 0 }, Call::Create { name: 0 }],
            vec![Call::Create { name: 0 }, Call::Delete { person: 0 }],
        ] {
            let steps =
                vec![Step::call(Call::Create { name: 0 }), Step::Run { calls, fault: None, turns }];
            run(&Plan { lanes: 1, steps });
        }
    }
}
