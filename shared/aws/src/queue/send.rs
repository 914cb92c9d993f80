//! How messages get into SQS, ten at a time.

use std::collections::HashMap;

use aws_sdk_sqs::{
    error::ProvideErrorMetadata,
    types::{BatchResultErrorEntry, MessageAttributeValue, SendMessageBatchRequestEntry},
};
use futures_util::{StreamExt, stream};
use ssf::{
    error::chain,
    queue::{Message, QueueError, QueueKind, RequestSize, requests, send_in_order},
};
use uuid::Uuid;

use super::{AT_ONCE, BATCH, SqsQueue, seconds};

/// How large the messages of one request are together at most. SQS takes 1 MiB since 2025, and
/// counts every 64 KiB as a request, so that larger requests save little.
const BATCH_SIZE: usize = 256 * 1024;

/// As much as one request takes.
const MOST: RequestSize = RequestSize { messages: BATCH, bytes: BATCH_SIZE };

/// What SQS says of each message.
type Answers = Vec<Result<String, QueueError>>;

impl SqsQueue {
    pub(super) async fn send_all(&self, messages: Vec<Message>) -> Answers {
        let sound = |message: &Message| message.check(self.kind).map(|()| String::new());
        let mut answers: Vec<_> = messages.iter().map(sound).collect();
        let places: Vec<usize> = (0..messages.len()).filter(|at| answers[*at].is_ok()).collect();
        let mut messages: Vec<_> = messages.into_iter().map(Some).collect();
        let messages: Vec<_> = places.iter().filter_map(|at| messages[*at].take()).collect();
        let sent = match self.kind {
            QueueKind::Fifo => {
                send_in_order(messages, MOST, |request| self.send_request(request)).await
            }
            QueueKind::Standard => self.send_at_once(messages).await,
        };
        for (at, answer) in places.into_iter().zip(sent) {
            answers[at] = answer;
        }
        answers
    }

    /// Where there is no order, several requests at once.
    async fn send_at_once(&self, messages: Vec<Message>) -> Answers {
        let plan = requests(&messages, MOST);
        let mut messages: Vec<_> = messages.into_iter().map(Some).collect();
        let mut answers: Vec<_> = messages.iter().map(|_| Err(silent())).collect();
        let sent = plan.into_iter().map(|places| {
            let request: Vec<_> = places.iter().filter_map(|at| messages[*at].take()).collect();
            async move { (places, self.send_request(request).await) }
        });
        let sent: Vec<_> = sent.collect();
        let sent: Vec<_> = stream::iter(sent).buffer_unordered(AT_ONCE).collect().await;
        for (places, sent) in sent {
            let said = sent.unwrap_or_else(|error| of_each(&error, places.len()));
            for (at, answer) in places.into_iter().zip(said) {
                answers[at] = answer;
            }
        }
        answers
    }

    /// One request. SQS may take some of its messages and leave out others, whichever they are.
    async fn send_request(&self, messages: Vec<Message>) -> Result<Answers, QueueError> {
        let count = messages.len();
        let entries = messages.into_iter().enumerate().map(|(n, message)| self.entry(n, message));
        let request = self.client.send_message_batch().queue_url(&self.url);
        let answer = request.set_entries(Some(entries.collect())).send().await;
        let answer = answer.map_err(|error| {
            if error.code().is_some_and(is_refusal) {
                return QueueError::Refused("SQS refuses the request that it came with");
            }
            QueueError::Unavailable(error.into())
        })?;
        let sent = answer.successful.into_iter().map(|sent| (sent.id, Ok(sent.message_id)));
        let failed = answer.failed.into_iter().map(|failed| (failed.id.clone(), Err(of(&failed))));
        let mut answers: HashMap<String, _> = sent.chain(failed).collect();
        let mut answer = |n: usize| answers.remove(&n.to_string()).unwrap_or_else(|| Err(silent()));
        Ok((0..count).map(&mut answer).collect())
    }

    fn entry(&self, number: usize, message: Message) -> SendMessageBatchRequestEntry {
        let Message { body, group, deduplication, delay, attributes } = message;
        // Without an id SQS refuses the message, or takes equal ones for one. It is the same when
        // the request is tried again.
        let deduplication = match self.kind {
            QueueKind::Fifo => deduplication.or_else(|| Some(fresh())),
            QueueKind::Standard => None,
        };
        let attributes = attributes.into_iter().map(|(name, value)| {
            let attribute = MessageAttributeValue::builder().data_type("String");
            (name, attribute.string_value(value).build().expect("the type is given"))
        });
        SendMessageBatchRequestEntry::builder()
            .id(number.to_string())
            .message_body(body)
            .set_message_group_id(group)
            .set_message_deduplication_id(deduplication)
            .set_delay_seconds((!delay.is_zero()).then(|| seconds(delay)))
            .set_message_attributes(Some(attributes.collect()))
            .build()
            .expect("id and body are given")
    }
}

/// What a request did to all of its messages, said for each.
fn of_each(error: &QueueError, count: usize) -> Answers {
    let one = || match error {
        QueueError::Refused(reason) => QueueError::Refused(reason),
        QueueError::Unavailable(_) => QueueError::Unavailable(chain(error).into()),
    };
    (0..count).map(|_| Err(one())).collect()
}

fn silent() -> QueueError {
    QueueError::Unavailable("SQS said nothing about it".into())
}

/// What it means that SQS did not take one message of a request.
fn of(failed: &BatchResultErrorEntry) -> QueueError {
    // SQS counts too many requests as the sender's fault.
    if failed.sender_fault && !failed.code.contains("Throttl") {
        tracing::warn!(code = failed.code, "SQS refuses a message");
        return QueueError::Refused("SQS refuses it, and says that it is our fault");
    }
    let text = failed.message.as_deref().unwrap_or_default();
    QueueError::Unavailable(format!("{}: {text}", failed.code).into())
}

/// Whether the same request would be refused again.
fn is_refusal(code: &str) -> bool {
    let refusals = ["BatchRequestTooLong", "InvalidMessageContents", "UnsupportedOperation"];
    refusals.iter().any(|refusal| code.ends_with(refusal))
}

/// A name that was never used.
fn fresh() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has a source of randomness");
    Uuid::new_v8(bytes).to_string()
}
