//! Functions that are killed in the middle of their work, as Lambda kills what takes too long.

use serde_json::Value;
use tests::{Fault, Plan, world::session_revoked};

use crate::{
    deployed::{on_the_stack, wait_until},
    fifo::{all_arrive, event},
};

/// `ingest` has stored the first SET of a batch, and waits for the signature of the second.
#[test]
fn nothing_is_lost_and_order_stays_when_a_function_is_killed_in_the_middle_of_a_batch() {
    on_the_stack(async |deployed| {
        deployed.soon_again("IngestFifoQueueUrl");
        let receiver = deployed.sign_in("killed").await;
        receiver.push_stream(&["session-revoked"]).await;
        deployed.proxy.plan(Plan::new("TrentService.Sign", &[Fault::RequestLost; 4]).after(1));
        let batch = [0, 1, 2].map(|number| ("red", event("red", number)));
        deployed.send_batch("IngestFifoQueueUrl", &batch);
        wait_until("a function that waits for a signature", async || deployed.proxy.left() < 4)
            .await;
        assert_ne!(deployed.kill("ingest"), 0);
        assert_eq!(deployed.put_off("IngestFifoQueueUrl"), 0, "it had given up already");
        let bells = deployed.output("PushQueueUrl");
        let rung = deployed.proxy.requests("AmazonSQS.SendMessageBatch", bells);
        assert_eq!(rung.len(), 1, "the first one was to be delivered by then, and no other");
        deployed.proxy.clear();
        all_arrive(deployed, "killed", &["red"], &[0, 1, 2]).await;
    });
}

/// `push` has delivered a SET, and nobody will ever know.
#[test]
fn nothing_is_lost_when_push_is_killed_before_it_notes_that_a_set_is_delivered() {
    on_the_stack(async |deployed| {
        deployed.soon_again("PushQueueUrl");
        let receiver = deployed.sign_in("killed-late").await;
        let stream = receiver.push_stream(&["session-revoked"]).await;
        // The first such call, of `ingest`, stores it.
        let plan = Plan::new("DynamoDB_20120810.PutItem", &[Fault::RequestLost; 4]);
        deployed.proxy.plan(plan.about(&format!("SET#{stream}")).after(1));
        deployed.send("IngestQueueUrl", &session_revoked("late@example.com"), None);
        wait_until("a function that has delivered", async || deployed.proxy.left() < 4).await;
        assert_eq!(deployed.arrived("killed-late").len(), 1);
        assert_ne!(deployed.kill("push"), 0);
        assert_eq!(deployed.put_off("PushQueueUrl"), 0, "it had given up already");
        deployed.proxy.clear();
        wait_until("the same SET", async || deployed.arrived("killed-late").len() == 2).await;
        let settled = ["event", "list", "--stream", &stream, "--status", "sent"];
        wait_until("it to be settled", async || {
            deployed.tool(&settled).as_array().is_some_and(|sent| sent.len() == 1)
        })
        .await;
        let bodies: Vec<String> =
            deployed.arrived("killed-late").into_iter().map(|request| request.body).collect();
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[0], bodies[1]);
        let pending = ["event", "list", "--stream", &stream, "--status", "pending_new"];
        assert_eq!(deployed.tool(&pending), Value::Array(Vec::new()));
    });
}
