//! The FIFO door of the deployed stack: order within a group, whatever happens to some of a batch.

use serde_json::{Value, json};
use tests::{Fault, Plan, world::session_revoked};

use crate::{
    deployed::{Deployed, on_the_stack, wait_until},
    redrive::{dead_letters, no_dead_letters},
};

/// The event `number` of a group, about a subject of its own.
pub(crate) fn event(group: &str, number: usize) -> Value {
    let mut event = session_revoked(&format!("{group}@example.com"));
    event["txn"] = format!("{group}-{number}").into();
    event
}

/// What came about each of `groups`, in order, each once however often it was sent in a row.
fn arrived(deployed: &Deployed, receiver: &str, groups: &[&str]) -> Vec<Vec<String>> {
    let sets: Vec<Value> = deployed
        .arrived(receiver)
        .iter()
        .map(|request| tests::world::claims(&request.body))
        .collect();
    let of_group = |group: &&str| {
        let about = |claims: &&Value| claims["sub_id"]["email"] == format!("{group}@example.com");
        let txns = sets.iter().filter(about).map(|claims| claims["txn"].as_str().unwrap());
        let mut txns: Vec<String> = txns.map(str::to_owned).collect();
        txns.dedup();
        txns
    };
    groups.iter().map(of_group).collect()
}

/// Waits until `wanted`, and no more, has come about each of `groups`.
pub(crate) async fn all_arrive(
    deployed: &Deployed,
    receiver: &str,
    groups: &[&str],
    wanted: &[usize],
) {
    let wanted: Vec<Vec<String>> = groups
        .iter()
        .map(|group| wanted.iter().map(|number| format!("{group}-{number}")).collect())
        .collect();
    let count = |all: &[Vec<String>]| all.iter().map(Vec::len).sum::<usize>();
    wait_until(&format!("{wanted:?}"), async || {
        count(&arrived(deployed, receiver, groups)) >= count(&wanted)
    })
    .await;
    assert_eq!(arrived(deployed, receiver, groups), wanted);
}

#[test]
fn a_failure_holds_up_its_group_and_the_order_stays() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("groups").await;
        receiver.push_stream(&["session-revoked"]).await;
        // The SDK tries each signature four times: the first one of each group fails.
        for fault in [Fault::BeforeItTookEffect, Fault::Throttled] {
            deployed.proxy.plan(Plan::new("TrentService.Sign", &[fault; 6]));
        }
        deployed.proxy.take_calls();
        let groups = ["red", "green", "blue"];
        let events: Vec<_> =
            (0..9).map(|at| (groups[at % 3], event(groups[at % 3], at / 3))).collect();
        deployed.send_batch("IngestFifoQueueUrl", &events);
        all_arrive(deployed, "groups", &groups, &[0, 1, 2]).await;
        assert_eq!(deployed.proxy.left(), 0);
        assert!(deployed.put_off("IngestFifoQueueUrl") >= 3, "each group has failed once");
    });
}

#[test]
fn what_cannot_be_an_event_holds_up_nobody_in_its_group() {
    on_the_stack(async |deployed| {
        no_dead_letters(deployed);
        let receiver = deployed.sign_in("poisoned").await;
        receiver.push_stream(&["session-revoked"]).await;
        let mut poison = event("red", 1);
        poison["events"] = json!({});
        let batch = [event("red", 0), poison, event("red", 2)].map(|event| ("red", event));
        deployed.send_batch("IngestFifoQueueUrl", &batch);
        all_arrive(deployed, "poisoned", &["red"], &[0, 2]).await;
        let letters = dead_letters(deployed, &Value::Null).await;
        assert_eq!(letters.len(), 1);
        let letter = &letters[0];
        assert_eq!(letter["reason"], "events: must hold exactly one event");
        assert_eq!((&letter["door"], &letter["group"]), (&json!("fifo"), &json!("red")));
        // It goes back to its group, and is no better there; and still the same message.
        let id = letter["id"].as_str().unwrap();
        assert_eq!(deployed.tool(&["dead-letter", "redrive", id]), json!({ "redriven": 1 }));
        let again = dead_letters(deployed, &letter["id"]).await;
        assert_eq!(again.len(), 1);
        for member in ["reason", "door", "group", "message_id", "body"] {
            assert_eq!(again[0][member], letter[member], "{member}");
        }
    });
}
