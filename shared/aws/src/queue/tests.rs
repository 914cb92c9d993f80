//! What SQS may answer, and what the queue makes of it.

use std::sync::{Arc, Mutex};

use aws_sdk_sqs::{
    error::ErrorMetadata,
    operation::{
        delete_message_batch::DeleteMessageBatchOutput,
        send_message_batch::{
            SendMessageBatchError, SendMessageBatchInput, SendMessageBatchOutput,
        },
    },
    types::{BatchResultErrorEntry, SendMessageBatchRequestEntry, SendMessageBatchResultEntry},
};
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};

use super::*;

const STANDARD: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/ingest";
const FIFO: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/push.fifo";

/// The bodies of each request, in the order of the requests.
type Requests = Arc<Mutex<Vec<Vec<String>>>>;

/// What is said of a message of this body.
#[derive(Clone, Copy)]
enum Said {
    Fails(bool, &'static str),
    Nothing,
    Taken,
}

/// A queue of which SQS says of each body what `says` says; and what is sent to it.
fn queue(url: &str, says: fn(&str) -> Said) -> (SqsQueue, Requests) {
    let requests = Requests::default();
    let seen = requests.clone();
    let rule = mock!(Client::send_message_batch).then_compute_output(move |input| {
        seen.lock().unwrap().push(entries(input).map(|entry| entry.message_body.clone()).collect());
        // The other way round, as SQS may.
        let mut entries: Vec<_> = entries(input).collect();
        entries.reverse();
        let (mut taken, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            match says(&entry.message_body) {
                Said::Fails(fault, code) => failed.push(failure(entry.id(), fault, code)),
                Said::Nothing => {}
                Said::Taken => taken.push(success(entry)),
            }
        }
        let output = SendMessageBatchOutput::builder();
        let output = output.set_successful(Some(taken)).set_failed(Some(failed));
        output.build().unwrap()
    });
    (of(&rule, url), requests)
}

fn of(rule: &Rule, url: &str) -> SqsQueue {
    SqsQueue::new(mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [rule]), url)
}

fn entries(input: &SendMessageBatchInput) -> impl Iterator<Item = &SendMessageBatchRequestEntry> {
    input.entries().iter()
}

fn failure(id: &str, sender_fault: bool, code: &str) -> BatchResultErrorEntry {
    let failed = BatchResultErrorEntry::builder().id(id).sender_fault(sender_fault).code(code);
    failed.build().unwrap()
}

fn success(entry: &SendMessageBatchRequestEntry) -> SendMessageBatchResultEntry {
    let taken = SendMessageBatchResultEntry::builder().id(entry.id()).md5_of_message_body("");
    taken.message_id(format!("id of {}", entry.message_body())).build().unwrap()
}

fn message(body: impl Into<String>) -> Message {
    Message { body: body.into(), ..Message::default() }
}

fn in_group(group: &str, body: &str) -> Message {
    Message { group: Some(group.to_owned()), ..message(body) }
}

/// The answers in short.
fn short(answers: &[Result<String, QueueError>]) -> Vec<&'static str> {
    let short = |answer: &_| match answer {
        Ok(_) => "sent",
        Err(QueueError::Refused(_)) => "refused",
        Err(QueueError::Unavailable(_)) => "unavailable",
    };
    answers.iter().map(short).collect()
}

#[tokio::test]
async fn each_message_gets_the_answer_that_is_its_own() {
    let (queue, requests) = queue(STANDARD, |body| match body {
        "fault" => Said::Fails(true, "InvalidMessageContents"),
        "slow" => Said::Fails(true, "RequestThrottled"),
        "broken" => Said::Fails(false, "InternalError"),
        "silent" => Said::Nothing,
        _ => Said::Taken,
    });
    let bodies = ["1", "fault", "2", "slow", "broken", "", "silent", "3"];
    let answers = queue.send(bodies.map(message).into()).await;
    assert_eq!(
        short(&answers),
        ["sent", "refused", "sent", "unavailable", "unavailable", "refused", "unavailable", "sent"]
    );
    assert_eq!(answers[0].as_ref().unwrap(), "id of 1");
    assert_eq!(answers[7].as_ref().unwrap(), "id of 3");
    // What SQS would refuse it is not asked.
    assert_eq!(requests.lock().unwrap().concat().len(), 7);
}

#[tokio::test]
async fn a_request_has_ten_messages_at_most_and_is_not_too_large() {
    let (queue, requests) = queue(STANDARD, |_| Said::Taken);
    let large = |letter: &str| message(letter.repeat(100 * 1024));
    let full = Message {
        attributes: [("a".into(), "b".into())].into(),
        ..message("x".repeat(256 * 1024))
    };
    let small = (0..23).map(|n| message(n.to_string()));
    let messages: Vec<_> = small.chain([large("a"), large("b"), large("c"), full]).collect();
    let answers = queue.send(messages).await;
    assert!(answers.iter().all(Result::is_ok));
    let mut sizes: Vec<_> = requests.lock().unwrap().iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 5, 10, 10]);
}

#[tokio::test]
async fn on_fifo_queues_no_message_overtakes_one_of_its_group_that_was_not_sent() {
    let (queue, requests) = queue(FIFO, |body| match body {
        "a3" => Said::Fails(false, "InternalError"),
        "b5" => Said::Fails(true, "InvalidMessageContents"),
        _ => Said::Taken,
    });
    let groups =
        (0..10).flat_map(|n| ["a", "b"].map(|group| in_group(group, &format!("{group}{n}"))));
    let answers = queue.send(groups.collect()).await;
    let of_group =
        |offset: usize| short(&answers).into_iter().skip(offset).step_by(2).collect::<Vec<_>>();
    let (sent, failed) = ("sent", "unavailable");
    let mut of_a = [failed; 10];
    of_a[..3].fill(sent);
    assert_eq!(of_group(0), of_a);
    // One that is refused is never sent, so that none can overtake it.
    assert_eq!(of_group(1), [sent, sent, sent, sent, sent, "refused", sent, sent, sent, sent]);
    // Groups share requests, and nobody is asked again for who waits.
    let asked = requests.lock().unwrap().clone();
    assert_eq!(
        asked[..5],
        [vec!["a0", "b0"], vec!["a1", "b1"], vec!["a2", "b2"], vec!["a3", "b3"], vec!["b4"]]
    );
}

#[tokio::test]
async fn on_fifo_queues_nothing_is_sent_behind_a_request_that_failed() {
    let rule = mock!(Client::send_message_batch).then_compute_response(|input| {
        if entries(input).any(|entry| entry.message_body == "10") {
            let error = ErrorMetadata::builder().code("InternalFailure").build();
            return MockResponse::Error(SendMessageBatchError::generic(error));
        }
        let taken = entries(input).map(success).collect();
        let output = SendMessageBatchOutput::builder().set_successful(Some(taken));
        MockResponse::Output(output.set_failed(Some(Vec::new())).build().unwrap())
    });
    let messages = (0..30).map(|n| in_group(&format!("group{n}"), &n.to_string()));
    let answers = of(&rule, FIFO).send(messages.collect()).await;
    let expected = [["sent"; 10], ["unavailable"; 10], ["unavailable"; 10]].concat();
    assert_eq!(short(&answers), expected);
    assert_eq!(rule.num_calls(), 2);
}

#[tokio::test]
async fn a_request_says_all_that_a_message_has_and_rounds_a_delay_up() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let rule = mock!(Client::send_message_batch).then_compute_output({
        let seen = seen.clone();
        move |input| {
            seen.lock().unwrap().extend(entries(input).cloned());
            let taken = entries(input).map(success).collect();
            let output = SendMessageBatchOutput::builder().set_successful(Some(taken));
            output.set_failed(Some(Vec::new())).build().unwrap()
        }
    });
    let delay = Duration::from_millis(1500);
    let attributes = BTreeMap::from([("reason".to_owned(), "ü".to_owned())]);
    of(&rule, STANDARD).send(vec![Message { delay, attributes, ..message("1") }]).await;
    let id = || Some("id".to_owned());
    of(&rule, FIFO).send(vec![Message { deduplication: id(), ..in_group("a#0#1", "2") }]).await;
    of(&rule, FIFO).send(vec![in_group("a", "3"), in_group("a", "3")]).await;
    let seen = seen.lock().unwrap();
    assert_eq!((seen[0].delay_seconds, seen[0].message_deduplication_id()), (Some(2), None));
    let attribute = &seen[0].message_attributes.as_ref().unwrap()["reason"];
    assert_eq!((attribute.data_type(), attribute.string_value()), ("String", Some("ü")));
    assert_eq!((seen[1].message_group_id(), seen[1].delay_seconds), (Some("a#0#1"), None));
    assert_eq!(seen[1].message_deduplication_id(), Some("id"));
    // Equal messages are two messages.
    assert!(seen[2].message_deduplication_id().is_some());
    assert_ne!(seen[2].message_deduplication_id(), seen[3].message_deduplication_id());
}

#[tokio::test]
async fn receipts_that_are_outlived_are_passed_over_and_other_failures_are_not() {
    for (code, fine) in [
        ("ReceiptHandleIsInvalid", true),
        ("InvalidParameterValue", true),
        ("AWS.SimpleQueueService.MessageNotInflight", true),
        ("InternalError", false),
        ("RequestThrottled", false),
    ] {
        let rule = mock!(Client::delete_message_batch).then_compute_output(move |input| {
            let failed = failure(input.entries()[0].id(), true, code);
            let output = DeleteMessageBatchOutput::builder();
            output.set_successful(Some(Vec::new())).failed(failed).build().unwrap()
        });
        let receipts = (0..21).map(|n| n.to_string()).collect();
        assert_eq!(of(&rule, FIFO).delete(receipts).await.is_ok(), fine, "{code}");
        assert!(!fine || rule.num_calls() == 3);
    }
    for (code, fine) in [
        ("MessageNotInflight", true),
        ("ReceiptHandleIsInvalid", true),
        ("InvalidParameterValue", true),
        ("AccessDenied", false),
    ] {
        let body = format!(r#"{{"__type":"com.amazonaws.sqs#{code}"}}"#);
        let answers = mock!(Client::change_message_visibility).sequence();
        let rule = answers.http_status(400, Some(body)).build();
        let answer = of(&rule, FIFO).postpone("x", Duration::ZERO).await;
        assert_eq!(answer.is_ok(), fine, "{code}");
    }
}
