//! Two functions at one stream, at the same time for certain: calls are held until both are there.

use std::{collections::BTreeSet, ops::Range};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{Fault, Plan, world::session_revoked};

use crate::{
    deployed::{Deployed, on_the_stack, wait_until},
    fifo::event,
};

const PUT: &str = "DynamoDB_20120810.PutItem";

/// Holds the next calls of `PutItem` about `about`, as many as `count`; returns when they are there,
/// while `work` is done, and lets them go on.
async fn meet<T>(
    deployed: &Deployed,
    about: &str,
    count: usize,
    work: impl Future<Output = T>,
) -> T {
    deployed.proxy.plan(Plan::new(PUT, &vec![Fault::Held; count]).about(about));
    deployed.proxy.take_conflicts();
    let together = async {
        wait_until("calls that meet", async || deployed.proxy.held() == count).await;
        deployed.proxy.release();
    };
    futures_util::future::join(work, together).await.0
}

/// Neither overwrites what the other wrote.
#[test]
fn updates_of_one_stream_at_the_same_time_are_all_kept() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("races").await;
        let stream = receiver.poll_stream(&["session-revoked"]).await;
        let path = format!("/ssf/streams?stream_id={stream}");
        let description = json!({ "stream_id": stream, "description": "described" });
        let subject = json!({ "format": "opaque", "id": "somebody" });
        let removal = json!({ "stream_id": stream, "subject": subject });
        let status = json!({ "stream_id": stream, "status": "paused", "reason": "race" });
        // All three change the stream itself: the removal because the subject is of a new shape.
        let row = format!("STREAM#{stream}");
        let changes = futures_util::future::join3(
            receiver.ask(Method::PATCH, "/ssf/streams", Some(&description), StatusCode::OK),
            receiver.ask(
                Method::POST,
                "/ssf/subjects/remove",
                Some(&removal),
                StatusCode::NO_CONTENT,
            ),
            receiver.ask(Method::POST, "/ssf/status", Some(&status), StatusCode::OK),
        );
        meet(deployed, &row, 3, changes).await;
        let conflicts = deployed.proxy.take_conflicts();
        assert!(conflicts.get(PUT).is_some_and(|count| *count > 0), "{conflicts:?}");
        let is = receiver.ask(Method::GET, &path, None, StatusCode::OK).await;
        assert_eq!(is["description"], "described");
        let path = format!("/ssf/status?stream_id={stream}");
        let is = receiver.ask(Method::GET, &path, None, StatusCode::OK).await;
        assert_eq!((&is["status"], &is["reason"]), (&json!("paused"), &json!("race")));
        // Of what is sent about who was removed nothing is issued.
        receiver.set_status(&stream, "enabled").await;
        let mut removed = session_revoked("x@example.com");
        removed["sub_id"] = subject;
        for event in [removed, session_revoked("last@example.com")] {
            deployed.send("IngestFifoQueueUrl", &event, Some("races"));
        }
        wait_until("the last event", async || !receiver.poll(&stream).await.is_empty()).await;
        let sets = receiver.poll(&stream).await;
        let emails: Vec<Value> = sets
            .values()
            .map(|set| tests::world::claims(set.as_str().unwrap())["sub_id"]["email"].clone())
            .collect();
        assert_eq!(emails, ["last@example.com"]);
    });
}

/// A bell is heard twice, as when a queue takes a message for lost: the SET may arrive twice, is
/// settled once, and the next one comes behind it.
#[test]
fn a_bell_that_is_answered_twice_at_once_does_no_harm() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("twice").await;
        let stream = receiver.push_stream(&["session-revoked"]).await;
        deployed.proxy.take_calls();
        let put = Plan::new(PUT, &[Fault::Held]).about(&format!("SET#{stream}"));
        // The first such call, of `ingest`, stores the SET.
        deployed.proxy.plan(put.after(1));
        deployed.send("IngestFifoQueueUrl", &event("red", 0), Some("red"));
        wait_until("a SET to be delivered", async || deployed.proxy.held() == 1).await;
        let bells = deployed.proxy.requests("AmazonSQS.SendMessageBatch", &stream);
        let bell = &bells[0]["Entries"][0];
        let message = json!({
            "messageId": "again",
            "receiptHandle": "again",
            "body": bell["MessageBody"],
            "attributes": {
                "ApproximateReceiveCount": "2",
                "SentTimestamp": "1795301862748",
                "MessageGroupId": bell["MessageGroupId"],
            },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:push.fifo",
            "awsRegion": "us-east-1",
        });
        let invoke = json!({
            "FunctionName": deployed.function("push"),
            "Payload": json!({ "Records": [message] }).to_string(),
        });
        let answer = deployed.boto3.call("lambda", "invoke", &invoke);
        assert_eq!(answer["FunctionError"], Value::Null, "{answer}");
        assert_eq!(deployed.arrived("twice").len(), 2, "{answer}");
        deployed.proxy.take_conflicts();
        deployed.proxy.release();
        deployed.send("IngestFifoQueueUrl", &event("red", 1), Some("red"));
        let sets = deployed.pushed("twice", 2).await;
        assert_eq!((&sets[0]["txn"], &sets[1]["txn"]), (&json!("red-0"), &json!("red-1")));
        deployed.is_done("PushQueueUrl").await;
        let conflicts = deployed.proxy.take_conflicts();
        assert_eq!(conflicts.get(PUT), Some(&1), "one of both settled it");
        let sent = deployed.tool(&["event", "list", "--stream", &stream, "--status", "sent"]);
        assert_eq!(sent.as_array().map(Vec::len), Some(2), "{sent}");
    });
}

/// Events come in, are pushed, and in the middle of it the receiver says stop.
#[test]
fn a_stream_that_is_paused_in_a_flood_holds_what_was_not_sent_and_keeps_the_order() {
    const GROUPS: [&str; 3] = ["red", "green", "blue"];
    const EACH: usize = 10;
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("flood").await;
        let stream = receiver.push_stream(&["session-revoked"]).await;
        let send = |numbers: Range<usize>| {
            for number in numbers {
                let events = GROUPS.map(|group| (group, event(group, number)));
                deployed.send_batch("IngestFifoQueueUrl", &events);
            }
        };
        send(0..EACH / 2);
        deployed.pushed("flood", 1).await;
        let rest = async { send(EACH / 2..EACH) };
        futures_util::future::join(receiver.set_status(&stream, "paused"), rest).await;
        deployed.is_done("IngestFifoQueueUrl").await;
        // Bells that were rung before find nothing to do.
        deployed.is_done("PushQueueUrl").await;
        let before = deployed.arrived("flood").len();
        let pending = ["event", "list", "--stream", &stream, "--status", "pending_new"];
        let held = deployed.tool(&pending).as_array().map_or(0, Vec::len);
        assert_eq!(deployed.pushed("flood", 0).await.len() + held, GROUPS.len() * EACH);
        assert!(held > 0, "the stream was paused too late to show anything");
        // What comes now is held, too.
        deployed.send("IngestFifoQueueUrl", &event("red", EACH), Some("red"));
        deployed.is_done("IngestFifoQueueUrl").await;
        deployed.is_done("PushQueueUrl").await;
        assert_eq!(deployed.arrived("flood").len(), before, "a stream on hold was pushed to");

        receiver.set_status(&stream, "enabled").await;
        let sets = deployed.pushed("flood", GROUPS.len() * EACH + 1).await;
        for group in GROUPS {
            let of_group: Vec<&str> = sets
                .iter()
                .filter(|claims| claims["sub_id"]["email"] == format!("{group}@example.com"))
                .map(|claims| claims["txn"].as_str().unwrap())
                .collect();
            let count = if group == "red" { EACH + 1 } else { EACH };
            let wanted: Vec<String> = (0..count).map(|at| format!("{group}-{at}")).collect();
            assert_eq!(of_group, wanted);
        }
        let jtis: BTreeSet<String> = sets.iter().map(|claims| claims["jti"].to_string()).collect();
        assert_eq!(jtis.len(), sets.len());
    });
}
