//! The FIFO door of the deployed stack: order within a group, whatever happens to some of a batch.

use serde_json::{Value, json};
use tests::{Fault, world::session_revoked};

use crate::deployed::{Deployed, on_the_stack, wait_until};

/// The event `number` of a group, about a subject of its own.
fn event(group: &str, number: usize) -> Value {
    let mut event = session_revoked(&format!("{group}@example.com"));
    event["txn"] = format!("{group}-{number}").into();
    event
}

/// What came about each of `groups`, in order, each once however often it was sent.
async fn arrived(deployed: &Deployed, receiver: &str, groups: &[&str]) -> Vec<Vec<String>> {
    let sets = deployed.pushed(receiver, 0).await;
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
async fn all_arrive(deployed: &Deployed, receiver: &str, groups: &[&str], wanted: &[usize]) {
    let wanted: Vec<Vec<String>> = groups
        .iter()
        .map(|group| wanted.iter().map(|number| format!("{group}-{number}")).collect())
        .collect();
    let count = |all: &[Vec<String>]| all.iter().map(Vec::len).sum::<usize>();
    wait_until(&format!("{wanted:?}"), async || {
        count(&arrived(deployed, receiver, groups).await) >= count(&wanted)
    })
    .await;
    assert_eq!(arrived(deployed, receiver, groups).await, wanted);
}

#[test]
fn a_failure_holds_up_its_group_and_the_order_stays() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("groups").await;
        receiver.push_stream(&["session-revoked"]).await;
        // Some of the first signatures fail for longer than the SDK tries.
        deployed.proxy.next("TrentService.Sign", &[Fault::BeforeItTookEffect; 9]);
        let groups = ["red", "green", "blue"];
        let events: Vec<_> =
            (0..9).map(|at| (groups[at % 3], event(groups[at % 3], at / 3))).collect();
        deployed.send_batch("IngestFifoQueueUrl", &events);
        all_arrive(deployed, "groups", &groups, &[0, 1, 2]).await;
        assert_eq!(deployed.proxy.left(), 0, "nothing failed");
    });
}

#[test]
fn what_cannot_be_an_event_holds_up_nobody_in_its_group() {
    on_the_stack(async |deployed| {
        deployed.tool(&["dead-letter", "drop", "--all", "--yes"]);
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

/// The dead letters, once there are any but `old`.
async fn dead_letters(deployed: &Deployed, old: &Value) -> Vec<Value> {
    let mut letters = Vec::new();
    wait_until("a dead letter", async || {
        letters.clone_from(deployed.tool(&["dead-letter", "list"]).as_array().unwrap());
        letters.iter().any(|letter| letter["id"] != *old)
    })
    .await;
    letters
}

#[test]
fn dead_letters_go_back_to_their_group_in_order() {
    on_the_stack(async |deployed| {
        deployed.tool(&["dead-letter", "drop", "--all", "--yes"]);
        let receiver = deployed.sign_in("redriven").await;
        receiver.push_stream(&["session-revoked"]).await;
        // As if they had failed for good, for a reason that is gone; the last one comes first.
        for number in [2, 0, 1] {
            let text = |text: &str| json!({ "DataType": "String", "StringValue": text });
            let letter = json!({
                "QueueUrl": deployed.output("DeadLetterQueueUrl"),
                "MessageBody": event("green", number).to_string(),
                "MessageAttributes": {
                    "reason": text("failed for good"),
                    "door": text("fifo"),
                    "group": text("green"),
                    "sequence": text(&format!("{number:020}")),
                    "message_id": text(&format!("redriven-{number}")),
                },
            });
            deployed.boto3.call("sqs", "send_message", &letter);
        }
        let redriven = deployed.tool(&["dead-letter", "redrive", "--all"]);
        assert_eq!(redriven, json!({ "redriven": 3 }));
        all_arrive(deployed, "redriven", &["green"], &[0, 1, 2]).await;
        assert_eq!(deployed.tool(&["dead-letter", "list"]), json!([]));
    });
}
