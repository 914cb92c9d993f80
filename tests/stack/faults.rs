//! What AWS may do to the functions: calls that fail before or after they took effect, that are
//! throttled, that are never answered; a function that is killed. Nothing is lost.

use std::collections::BTreeSet;

use tests::{Fault, world::session_revoked};

use crate::deployed::{Deployed, on_the_stack, wait_until};

/// Sends `count` events and waits until each has arrived at least once.
async fn all_arrive(deployed: &Deployed, name: &str, count: usize) {
    let wanted: BTreeSet<String> =
        (0..count).map(|number| format!("{name}-{number}@example.com")).collect();
    for email in &wanted {
        deployed.send("IngestQueueUrl", &session_revoked(email), None);
    }
    wait_until(&format!("all of {count} events at {name}"), async || {
        let sets = deployed.pushed(name, 0).await;
        let there: BTreeSet<String> = sets
            .iter()
            .map(|claims| claims["sub_id"]["email"].as_str().unwrap().to_owned())
            .collect();
        there == wanted
    })
    .await;
}

#[test]
fn nothing_is_lost_when_calls_of_aws_fail() {
    use Fault::{AfterItTookEffect, BeforeItTookEffect, OnlyTheFirst, Silence, Throttled};
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("faults").await;
        receiver.push_stream(&["session-revoked"]).await;
        // Of each kind more in a row than the SDK tries by itself.
        for (operation, fault) in [
            ("DynamoDB_20120810.PutItem", BeforeItTookEffect),
            ("DynamoDB_20120810.PutItem", AfterItTookEffect),
            ("DynamoDB_20120810.Query", Throttled),
            ("TrentService.Sign", Throttled),
            ("AmazonSQS.SendMessageBatch", BeforeItTookEffect),
            ("AmazonSQS.SendMessageBatch", AfterItTookEffect),
            ("AmazonSQS.SendMessage", AfterItTookEffect),
        ] {
            deployed.proxy.next(operation, &[fault; 5]);
        }
        deployed.proxy.next("AmazonSQS.SendMessageBatch", &[OnlyTheFirst; 2]);
        deployed.proxy.next("DynamoDB_20120810.PutItem", &[Silence]);
        all_arrive(deployed, "faults", 12).await;
        deployed.proxy.clear();
    });
}

/// A function is killed when it has asked for a signature: its messages come again.
#[test]
fn nothing_is_lost_when_a_function_is_killed_in_the_middle_of_a_batch() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("killed").await;
        receiver.push_stream(&["session-revoked"]).await;
        deployed.soon_again("IngestQueueUrl").await;
        deployed.proxy.next("TrentService.Sign", &[Fault::Silence; 4]);
        deployed.send("IngestQueueUrl", &session_revoked("killed-0@example.com"), None);
        wait_until("a function that waits for a signature", async || deployed.proxy.left() < 4)
            .await;
        deployed.kill("ingest");
        deployed.proxy.clear();
        all_arrive(deployed, "killed", 1).await;
    });
}
