//! What AWS may do to the functions: calls that fail before or after they took effect, that are
//! throttled, that are never answered. Nothing is lost, and nothing is signed twice.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{
    Fault::{
        self, AfterItTookEffect, AnswerLost, BeforeItTookEffect, OnlyTheFirst, RequestLost,
        Throttled,
    },
    Plan,
    world::{caep, session_revoked},
};

use crate::{
    deployed::{Deployed, on_the_stack, wait_until},
    receiver::Caller,
};

const BATCH_GET: &str = "DynamoDB_20120810.BatchGetItem";
const DECRYPT: &str = "TrentService.Decrypt";
const GENERATE: &str = "TrentService.GenerateDataKey";
const GET: &str = "DynamoDB_20120810.GetItem";
const POSTPONE: &str = "AmazonSQS.ChangeMessageVisibility";
const PUT: &str = "DynamoDB_20120810.PutItem";
const QUERY: &str = "DynamoDB_20120810.Query";
const SEND: &str = "AmazonSQS.SendMessageBatch";

const STANDARD: &str = "IngestQueueUrl";
const FIFO: &str = "IngestFifoQueueUrl";
const PUSH: &str = "PushQueueUrl";

/// As often in a row as the SDK tries a call by itself, so that the call fails.
const ALL_TRIES: usize = 4;

/// As many tries that are not answered as fit in the time that a call has.
const ALL_WAITS: usize = 2;

/// Enough for two calls: of those that the function `sweep` makes too, which comes by every minute,
/// and may take some of the faults.
const TWO_CALLS: usize = 8;

/// What goes wrong on the way of one event to one stream.
struct Misfortune {
    /// Of these calls, those that are about the stream…
    operation: &'static str,
    /// …but for so many.
    after: usize,
    fault: Fault,
    times: usize,
    /// The door through which the event comes.
    door: &'static str,
    /// The queue whose message fails, and comes again.
    again: &'static str,
}

#[rustfmt::skip]
const MISFORTUNES: [Misfortune; 16] = [
    // What `ingest` does for an event: find streams, store the SET, ring.
    of(BATCH_GET, Throttled, ALL_TRIES, STANDARD, STANDARD),
    of(PUT, BeforeItTookEffect, ALL_TRIES, STANDARD, STANDARD),
    of(PUT, AfterItTookEffect, ALL_TRIES, STANDARD, STANDARD),
    of(PUT, Throttled, ALL_TRIES, FIFO, FIFO),
    of(PUT, RequestLost, ALL_WAITS, STANDARD, STANDARD),
    of(PUT, AnswerLost, ALL_WAITS, FIFO, FIFO),
    // Those that take effect come last: of several that are sent at once none is sent again then.
    of(SEND, BeforeItTookEffect, ALL_TRIES, STANDARD, STANDARD),
    of(SEND, RequestLost, ALL_WAITS, STANDARD, STANDARD),
    of(SEND, AnswerLost, ALL_WAITS, STANDARD, STANDARD),
    of(SEND, Throttled, ALL_TRIES, FIFO, FIFO),
    of(SEND, AfterItTookEffect, ALL_TRIES, FIFO, FIFO),
    // What `push` does for a bell: read the stream and what is pending, open the secret, settle.
    of(GET, Throttled, TWO_CALLS, STANDARD, PUSH),
    of(QUERY, BeforeItTookEffect, TWO_CALLS, FIFO, PUSH),
    of(DECRYPT, Throttled, ALL_TRIES, STANDARD, PUSH),
    Misfortune { after: 1, ..of(PUT, BeforeItTookEffect, ALL_TRIES, STANDARD, PUSH) },
    Misfortune { after: 1, ..of(PUT, AfterItTookEffect, ALL_TRIES, STANDARD, PUSH) },
];

const fn of(
    operation: &'static str,
    fault: Fault,
    times: usize,
    door: &'static str,
    again: &'static str,
) -> Misfortune {
    Misfortune { operation, after: 0, fault, times, door, again }
}

/// A receiver whose streams are about those subjects alone that are added.
async fn picky<'a>(deployed: &'a Deployed, name: &str) -> Caller<'a> {
    let more = ["--default-subjects", "NONE", "--max-streams", "30"];
    deployed.sign_in_as(name, &more).await
}

/// Returns when as many SETs, about as many subjects, are at the receiver as there are `names`, and
/// what goes wrong has gone wrong. A SET that came again was the same, byte for byte.
async fn all_arrive(deployed: &Deployed, receiver: &str, names: &[String]) {
    let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    wait_until(&format!("{wanted:?} at {receiver}"), async || {
        let sets = deployed.pushed(receiver, 0).await;
        let there: BTreeSet<&str> =
            sets.iter().filter_map(|claims| claims["sub_id"]["email"].as_str()).collect();
        there.is_superset(&wanted)
    })
    .await;
    wait_until("all faults", async || deployed.proxy.left() == 0).await;
    let bodies: BTreeSet<_> =
        deployed.arrived(receiver).into_iter().map(|request| request.body).collect();
    assert_eq!(bodies.len(), wanted.len(), "{receiver}");
}

#[test]
fn nothing_is_lost_when_calls_of_aws_fail() {
    on_the_stack(async |deployed| {
        let receiver = picky(deployed, "faults").await;
        let names: Vec<_> =
            (0..MISFORTUNES.len()).map(|at| format!("misfortune-{at}@example.com")).collect();
        for (misfortune, name) in MISFORTUNES.iter().zip(&names) {
            let stream = receiver.push_stream(&["session-revoked"]).await;
            receiver.add_subject(&stream, name).await;
            let Misfortune { operation, after, fault, times, .. } = *misfortune;
            let plan = Plan::new(operation, &vec![fault; times]).about(&stream).after(after);
            deployed.proxy.plan(plan);
        }
        deployed.proxy.take_calls();
        for (misfortune, name) in MISFORTUNES.iter().zip(&names) {
            let group = (misfortune.door == FIFO).then_some(name.as_str());
            deployed.send(misfortune.door, &session_revoked(name), group);
        }
        all_arrive(deployed, "faults", &names).await;
        for queue in [STANDARD, FIFO, PUSH] {
            let wanted = MISFORTUNES.iter().filter(|one| one.again == queue).count();
            // Each failed for longer than the SDK tries by itself.
            wait_until(&format!("{wanted} that are put off at {queue}"), async || {
                deployed.put_off(queue) >= wanted
            })
            .await;
        }
    });
}

/// Whom to tell is asked for all events of a type at once.
#[test]
fn nothing_is_lost_when_streams_cannot_be_looked_for() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("unsought").await;
        receiver.push_stream(&["credential-change"]).await;
        let mut event = session_revoked("unsought@example.com");
        event["events"] = json!({
            caep("credential-change"): { "credential_type": "password", "change_type": "update" },
        });
        // Two such calls are made at once: one of them gets four of these.
        deployed.proxy.plan(Plan::new(QUERY, &[Throttled; 7]).about("credential-change"));
        deployed.proxy.take_calls();
        deployed.send(STANDARD, &event, None);
        all_arrive(deployed, "unsought", &["unsought@example.com".to_owned()]).await;
        assert!(deployed.put_off(STANDARD) > 0);
    });
}

/// A bell that did not get into its queue rings when the event comes again.
#[test]
fn nothing_is_lost_when_only_the_first_of_a_batch_is_sent() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("batched").await;
        for _ in 0..2 {
            receiver.push_stream(&["session-revoked"]).await;
        }
        let stream = receiver.push_stream(&["session-revoked"]).await;
        deployed.proxy.plan(Plan::new(SEND, &[OnlyTheFirst]).about(&stream));
        deployed.proxy.take_calls();
        deployed.send(STANDARD, &session_revoked("batched@example.com"), None);
        let sets = deployed.pushed("batched", 3).await;
        assert_eq!(sets.len(), 3);
        assert_eq!(deployed.proxy.left(), 0);
        assert!(deployed.put_off(STANDARD) > 0);
        let batches = deployed.proxy.requests(SEND, &stream);
        assert_eq!(batches[0]["Entries"].as_array().map(Vec::len), Some(3));
    });
}

/// What fails, and cannot even be put off, comes when its time out of sight is over.
#[test]
fn nothing_is_lost_when_messages_cannot_be_put_off() {
    on_the_stack(async |deployed| {
        deployed.soon_again(STANDARD);
        deployed.soon_again(PUSH);
        let receiver = picky(deployed, "not-put-off").await;
        let names = ["ingest@example.com".to_owned(), "push@example.com".to_owned()];
        for (name, after) in names.iter().zip([0, 1]) {
            let stream = receiver.push_stream(&["session-revoked"]).await;
            receiver.add_subject(&stream, name).await;
            let plan = Plan::new(PUT, &[BeforeItTookEffect; ALL_TRIES]).about(&stream);
            deployed.proxy.plan(plan.after(after));
        }
        for queue in [STANDARD, PUSH] {
            let plan = Plan::new(POSTPONE, &[BeforeItTookEffect; ALL_TRIES]);
            deployed.proxy.plan(plan.about(deployed.output(queue)));
        }
        for name in &names {
            deployed.send(STANDARD, &session_revoked(name), None);
        }
        all_arrive(deployed, "not-put-off", &names).await;
    });
}

/// Who asks while AWS fails is told so, and may ask again: nothing was half done.
#[test]
fn while_calls_of_aws_fail_the_api_says_so_and_forgets_nothing() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("asks").await;
        let stream = receiver.poll_stream(&["session-revoked"]).await;
        let other = receiver.poll_stream(&[]).await;
        let pushed = receiver.push_stream(&["session-revoked"]).await;
        receiver.set_status(&pushed, "paused").await;
        deployed.send(STANDARD, &session_revoked("asked@example.com"), None);
        wait_until("a SET to poll", async || !receiver.poll(&stream).await.is_empty()).await;
        let sets = receiver.poll(&stream).await;
        let poll = format!("/ssf/poll/{stream}");
        let ack = json!({ "returnImmediately": true, "ack": sets.keys().collect::<Vec<_>>() });
        let fail = async |plan: Plan, method, path: &str, body: Option<&Value>| {
            deployed.proxy.plan(plan);
            receiver.ask(method, path, body, StatusCode::SERVICE_UNAVAILABLE).await;
        };
        let all = |operation, fault| Plan::new(operation, &[fault; TWO_CALLS]);

        // These have nothing to do with each other, and so can fail side by side.
        let now = json!({ "returnImmediately": true });
        let read = format!("/ssf/streams?stream_id={other}");
        let wish = json!({
            "events_requested": [],
            "delivery": {
                "method": "urn:ietf:rfc:8935",
                "endpoint_url": deployed.receiver.url("/never"),
                "authorization_header": "Bearer for-never",
            },
        });
        let enable = json!({ "stream_id": pushed, "status": "enabled" });
        let client = format!("CLIENT#{}", receiver.client_id);
        deployed.proxy.plan(all(GET, Throttled).about(&client));
        let (grant, ..) = futures_util::join!(
            receiver.grant(),
            fail(all(GET, Throttled).about(&other), Method::GET, &read, None),
            fail(
                all(QUERY, BeforeItTookEffect).about(&format!("SET#{stream}")),
                Method::POST,
                &poll,
                Some(&now),
            ),
            fail(all(GENERATE, Throttled), Method::POST, "/ssf/streams", Some(&wish)),
            fail(
                all(SEND, BeforeItTookEffect).about(&pushed),
                Method::POST,
                "/ssf/status",
                Some(&enable),
            ),
        );
        assert_eq!(grant.0, StatusCode::SERVICE_UNAVAILABLE);
        deployed.proxy.clear();
        assert_eq!(receiver.grant().await.0, StatusCode::OK);
        receiver.ask(Method::GET, &read, None, StatusCode::OK).await;
        let streams = receiver.ask(Method::GET, "/ssf/streams", None, StatusCode::OK).await;
        assert_eq!(streams.as_array().map(Vec::len), Some(3), "{streams}");
        assert_eq!(receiver.poll(&stream).await, sets);
        // Nobody rang for what was held, and so the second time somebody must.
        receiver.set_status(&pushed, "enabled").await;
        deployed.pushed("asks", 1).await;

        let settle = |fault| all(PUT, fault).about(&format!("SET#{stream}"));
        fail(settle(BeforeItTookEffect), Method::POST, &poll, Some(&ack)).await;
        deployed.proxy.clear();
        assert_eq!(receiver.poll(&stream).await, sets, "it was not acknowledged");
        fail(settle(AfterItTookEffect), Method::POST, &poll, Some(&ack)).await;
        deployed.proxy.clear();
        let answer = receiver.ask(Method::POST, &poll, Some(&ack), StatusCode::OK).await;
        assert_eq!(answer, json!({ "sets": {} }));
    });
}
