//! What AWS may do to the functions: calls that fail before or after they took effect, that are
//! throttled, that are never answered; a function that is killed. Nothing is lost.

use std::collections::BTreeSet;

use tests::{Fault, world::session_revoked};

use crate::deployed::{Deployed, on_the_stack, wait_until};

/// Sends events about `names` and waits until each has arrived at least once.
async fn all_arrive(deployed: &Deployed, receiver: &str, names: &[String]) {
    let wanted: BTreeSet<String> = names.iter().map(|name| format!("{name}@example.com")).collect();
    for email in &wanted {
        deployed.send("IngestQueueUrl", &session_revoked(email), None);
    }
    wait_until(&format!("{wanted:?} at {receiver}"), async || {
        let sets = deployed.pushed(receiver, 0).await;
        let there: BTreeSet<String> = sets
            .iter()
            .map(|claims| {
                claims["sub_id"]["email"].as_str().expect("all are about e-mails").to_owned()
            })
            .collect();
        there.is_superset(&wanted)
    })
    .await;
}

#[test]
fn nothing_is_lost_when_calls_of_aws_fail() {
    use Fault::{AfterItTookEffect, BeforeItTookEffect, OnlyTheFirst, Silence, Throttled};
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("faults").await;
        receiver.push_stream(&["session-revoked"]).await;
        // More in a row than the SDK tries by itself.
        for (round, (operation, fault, times)) in [
            ("DynamoDB_20120810.PutItem", BeforeItTookEffect, 5),
            ("DynamoDB_20120810.PutItem", AfterItTookEffect, 5),
            ("DynamoDB_20120810.PutItem", Silence, 1),
            ("DynamoDB_20120810.Query", Throttled, 5),
            ("TrentService.Sign", Throttled, 5),
            ("AmazonSQS.SendMessageBatch", BeforeItTookEffect, 5),
            ("AmazonSQS.SendMessageBatch", AfterItTookEffect, 5),
            ("AmazonSQS.SendMessageBatch", OnlyTheFirst, 2),
        ]
        .into_iter()
        .enumerate()
        {
            deployed.proxy.next(operation, &vec![fault; times]);
            let names = [format!("round-{round}-a"), format!("round-{round}-b")];
            all_arrive(deployed, "faults", &names).await;
            deployed.proxy.clear();
        }
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
        assert!(deployed.kill("ingest") > 0);
        deployed.proxy.clear();
        deployed.pushed("killed", 1).await;
    });
}
