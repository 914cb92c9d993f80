//! What came to the dead letters, and is sent through its door again.

use serde_json::{Value, json};
use ssf::delivery::dead_letter::{DOOR, GROUP, MESSAGE_ID, REASON, SEQUENCE};
use tests::{Fault, Plan, world::session_revoked};

use crate::{
    deployed::{Deployed, on_the_stack, wait_until},
    fifo::{all_arrive, event},
};

/// Removes those of earlier scenarios.
pub(crate) fn no_dead_letters(deployed: &Deployed) {
    deployed.tool(&["dead-letter", "drop", "--all", "--yes"]);
}

/// The dead letters, once there are any but `old`.
pub(crate) async fn dead_letters(deployed: &Deployed, old: &Value) -> Vec<Value> {
    let mut letters = Vec::new();
    wait_until("a dead letter", async || {
        letters.clone_from(deployed.tool(&["dead-letter", "list"]).as_array().unwrap());
        letters.iter().any(|letter| letter["id"] != *old)
    })
    .await;
    letters
}

/// Puts a letter where `ingest` puts what fails for good, as it does.
fn put(deployed: &Deployed, body: &Value, attributes: &[(&str, &str)]) {
    let text = |text: &str| json!({ "DataType": "String", "StringValue": text });
    let attributes: Value =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
    let letter = json!({
        "QueueUrl": deployed.output("DeadLetterQueueUrl"),
        "MessageBody": body.to_string(),
        "MessageAttributes": attributes,
    });
    deployed.boto3.call("sqs", "send_message", &letter);
}

#[test]
fn a_message_that_cannot_be_an_event_is_a_dead_letter_with_its_reason_and_comes_back_as_one() {
    on_the_stack(async |deployed| {
        no_dead_letters(deployed);
        let mut poison = session_revoked("poison@example.com");
        poison["events"] = json!({});
        deployed.send("IngestQueueUrl", &poison, None);
        let letters = dead_letters(deployed, &Value::Null).await;
        assert_eq!(letters[0]["reason"], "events: must hold exactly one event");
        assert_eq!(letters[0]["door"], "standard");
        let id = letters[0]["id"].as_str().unwrap();
        assert_eq!(deployed.tool(&["dead-letter", "show", id]), letters[0]);
        assert_eq!(deployed.tool(&["dead-letter", "redrive", id]), json!({ "redriven": 1 }));
        // It is no better than before.
        let again = dead_letters(deployed, &letters[0]["id"]).await;
        for member in ["reason", "door", "message_id", "body"] {
            assert_eq!(again[0][member], letters[0][member], "{member}");
        }
    });
}

#[test]
fn a_dead_letter_for_which_the_reason_is_gone_is_delivered() {
    on_the_stack(async |deployed| {
        no_dead_letters(deployed);
        let receiver = deployed.sign_in("forgiven").await;
        receiver.push_stream(&["session-revoked"]).await;
        let attributes =
            [(REASON, "failed for good"), (DOOR, "standard"), (MESSAGE_ID, "forgiven-1")];
        put(deployed, &session_revoked("forgiven@example.com"), &attributes);
        let letters = dead_letters(deployed, &Value::Null).await;
        let id = letters[0]["id"].as_str().unwrap();
        assert_eq!(deployed.tool(&["dead-letter", "redrive", id]), json!({ "redriven": 1 }));
        let sets = deployed.pushed("forgiven", 1).await;
        assert_eq!(sets[0]["sub_id"]["email"], "forgiven@example.com");
        assert_eq!(deployed.tool(&["dead-letter", "list"]), json!([]));
    });
}

#[test]
fn dead_letters_go_back_to_their_group_in_order() {
    on_the_stack(async |deployed| {
        no_dead_letters(deployed);
        let receiver = deployed.sign_in("redriven").await;
        receiver.push_stream(&["session-revoked"]).await;
        // As if they had failed for good, for a reason that is gone; the last one comes first.
        for number in [2, 0, 1] {
            let (sequence, id) = (format!("{number:020}"), format!("redriven-{number}"));
            let attributes = [
                (REASON, "failed for good"),
                (DOOR, "fifo"),
                (GROUP, "green"),
                (SEQUENCE, &sequence),
                (MESSAGE_ID, &id),
            ];
            put(deployed, &event("green", number), &attributes);
        }
        let redriven = deployed.tool(&["dead-letter", "redrive", "--all"]);
        assert_eq!(redriven, json!({ "redriven": 3 }));
        all_arrive(deployed, "redriven", &["green"], &[0, 1, 2]).await;
        assert_eq!(deployed.tool(&["dead-letter", "list"]), json!([]));
    });
}

/// SQS itself puts away what comes too often, and says nothing about it. One of two streams has its
/// SET already: it gets no second one, for it is the same event.
#[test]
fn what_sqs_itself_puts_with_the_dead_letters_is_the_same_event_when_it_comes_back() {
    on_the_stack(async |deployed| {
        no_dead_letters(deployed);
        let receiver = deployed.sign_in("put-away").await;
        receiver.push_stream(&["session-revoked"]).await;
        let unlucky = receiver.push_stream(&["session-revoked"]).await;
        comes_once(deployed, "IngestQueueUrl");
        let plan = Plan::new("DynamoDB_20120810.PutItem", &[Fault::BeforeItTookEffect; 4]);
        deployed.proxy.plan(plan.about(&format!("SET#{unlucky}")));
        deployed.send("IngestQueueUrl", &session_revoked("put-away@example.com"), None);
        let letters = dead_letters(deployed, &Value::Null).await;
        assert_eq!(letters[0].get("reason"), None);
        assert_eq!(deployed.proxy.left(), 0);
        let first = deployed.pushed("put-away", 1).await;
        assert_eq!(first.len(), 1);

        let id = letters[0]["id"].as_str().unwrap();
        assert_eq!(deployed.tool(&["dead-letter", "redrive", id]), json!({ "redriven": 1 }));
        deployed.pushed("put-away", 2).await;
        deployed.is_done("IngestQueueUrl").await;
        deployed.is_done("PushQueueUrl").await;
        assert_eq!(deployed.arrived("put-away").len(), 2, "one for each stream");
        assert_eq!(deployed.tool(&["dead-letter", "list"]), json!([]));
    });
}

/// Lets a message be received from a queue once only, and then be put with the dead letters.
fn comes_once(deployed: &Deployed, queue: &str) {
    let url = deployed.output(queue);
    let asked = json!({ "QueueUrl": url, "AttributeNames": ["RedrivePolicy"] });
    let answer = deployed.boto3.call("sqs", "get_queue_attributes", &asked);
    let policy = &answer["Attributes"]["RedrivePolicy"];
    let set =
        |policy: &Value| json!({ "QueueUrl": url, "Attributes": { "RedrivePolicy": policy } });
    deployed.will_undo([("sqs", "set_queue_attributes", set(policy))]);
    let mut once: Value = serde_json::from_str(policy.as_str().unwrap()).unwrap();
    once["maxReceiveCount"] = json!(1);
    let once = json!(once.to_string());
    deployed.boto3.call("sqs", "set_queue_attributes", &set(&once));
}
