//! The queues' home in SQS.

mod send;

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    error::ProvideErrorMetadata,
    types::{
        DeleteMessageBatchRequestEntry, Message as SqsMessage,
        MessageSystemAttributeName as System, QueueAttributeName as Attribute,
    },
};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use ssf::{
    queue::{Message, Queue, QueueError, QueueKind, Received, check_visibility},
    table::BoxError,
};

use crate::Lazy;

/// As many messages as one request of SQS holds.
const BATCH: usize = 10;

/// How many requests of one call are on their way at once.
const AT_ONCE: usize = 4;

/// A request that waits asks all of SQS's servers; one that does not asks some of them, and may come
/// back without a message although there is one. This is the shortest wait.
const WAIT_SECONDS: i32 = 1;

/// A queue in SQS.
#[derive(Clone, Debug)]
pub struct SqsQueue {
    client: Lazy<Client>,
    url: String,
    kind: QueueKind,
}

impl SqsQueue {
    /// The queue at `url`.
    pub fn new(client: impl Into<Lazy<Client>>, url: impl Into<String>) -> Self {
        let url = url.into();
        let kind = kind_of(&url);
        Self { client: client.into(), url, kind }
    }

    async fn delete_batch(&self, receipts: Vec<String>) -> Result<(), QueueError> {
        let entries = receipts.into_iter().enumerate().map(|(at, receipt)| {
            let entry = DeleteMessageBatchRequestEntry::builder();
            entry.id(at.to_string()).receipt_handle(receipt).build().expect("all is given")
        });
        let request = self.client.delete_message_batch().queue_url(&self.url);
        let answer = request.set_entries(Some(entries.collect())).send().await;
        let answer = answer.map_err(|error| QueueError::Unavailable(error.into()))?;
        match answer.failed.into_iter().find(|failed| !is_outlived(Some(&failed.code))) {
            Some(failed) => Err(QueueError::Unavailable(failed.code.into())),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, messages: Vec<Message>) -> Vec<Result<String, QueueError>> {
        self.send_all(messages).await
    }

    async fn receive(&self, max: usize, visibility: Duration) -> Result<Vec<Received>, QueueError> {
        check_visibility(visibility)?;
        if max == 0 {
            return Ok(Vec::new());
        }
        let request = self.client.receive_message().queue_url(&self.url);
        let answer = request
            .max_number_of_messages(i32::try_from(max.min(BATCH)).expect("ten at most"))
            .visibility_timeout(seconds(visibility))
            .wait_time_seconds(WAIT_SECONDS)
            .message_system_attribute_names(System::ApproximateReceiveCount)
            .message_system_attribute_names(System::MessageGroupId)
            .message_system_attribute_names(System::SenderId)
            .message_system_attribute_names(System::SentTimestamp)
            .message_system_attribute_names(System::SequenceNumber)
            .message_attribute_names("All")
            .send()
            .await;
        let answer = answer.map_err(|error| QueueError::Unavailable(error.into()))?;
        let messages = answer.messages.unwrap_or_default().into_iter().map(read);
        messages.collect::<Result<_, _>>().map_err(QueueError::Unavailable)
    }

    /// Returns at once: it is [`Queue::receive`] that waits, at SQS.
    async fn wait(&self, _: Duration) {}

    async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueError> {
        let batches: Vec<_> = receipts.chunks(BATCH).map(<[String]>::to_vec).collect();
        let deleted = batches.into_iter().map(|batch| self.delete_batch(batch));
        stream::iter(deleted).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn postpone(&self, receipt: &str, visibility: Duration) -> Result<(), QueueError> {
        check_visibility(visibility)?;
        let request = self.client.change_message_visibility().queue_url(&self.url);
        let request = request.receipt_handle(receipt).visibility_timeout(seconds(visibility));
        match request.send().await {
            // SQS counts the 12 hours from when the message was received. One that is put off for
            // nearly as long, later, comes again when it would have come anyway.
            Err(error) if !is_outlived(error.code()) => Err(QueueError::Unavailable(error.into())),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        let counts = [
            Attribute::ApproximateNumberOfMessages,
            Attribute::ApproximateNumberOfMessagesDelayed,
            Attribute::ApproximateNumberOfMessagesNotVisible,
        ];
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.set_attribute_names(Some(counts.to_vec())).send().await;
        let answer = answer.map_err(|error| QueueError::Unavailable(error.into()))?;
        let answer = answer.attributes.unwrap_or_default();
        let count = |name| answer.get(name).and_then(|count| count.parse::<u64>().ok());
        let counted: Option<u64> = counts.iter().map(count).sum();
        counted.ok_or_else(|| QueueError::Unavailable("SQS did not say how many there are".into()))
    }
}

/// The kind of the queue with this URL or ARN, which end with its name: the names of FIFO queues, and
/// of no others, end with `.fifo`.
pub(crate) fn kind_of(name: &str) -> QueueKind {
    match name.rsplit_once('.') {
        Some((_, "fifo")) => QueueKind::Fifo,
        Some(_) | None => QueueKind::Standard,
    }
}

/// Whether SQS says no more than that a receipt names nothing in hand: the message was received
/// again, or is gone. All else in such a request was checked before.
fn is_outlived(code: Option<&str>) -> bool {
    // As `AWS.SimpleQueueService.MessageNotInflight`, or without the prefix.
    let code = code.and_then(|code| code.rsplit('.').next()).unwrap_or_default();
    matches!(
        code,
        "InvalidParameterValue"
            | "InvalidReceiptHandle"
            | "MessageNotInflight"
            | "ReceiptHandleIsInvalid"
    )
}

fn read(message: SqsMessage) -> Result<Received, BoxError> {
    let system = message.attributes.unwrap_or_default();
    let read = |name: &System| {
        let value = system.get(name).cloned();
        value.ok_or_else(|| format!("SQS sent a message without {name}"))
    };
    // Attributes that are bytes are not ours, nor an upstream system's that we know.
    let attributes: BTreeMap<_, _> = message
        .message_attributes
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.string_value?)))
        .collect();
    Ok(Received {
        id: message.message_id.ok_or("SQS sent a message without an id")?,
        body: message.body.unwrap_or_default(),
        group: system.get(&System::MessageGroupId).cloned(),
        attributes,
        sender: system.get(&System::SenderId).map(|id| sender(id)),
        sent_at: Timestamp::from_millisecond(read(&System::SentTimestamp)?.parse()?)?,
        sequence: system.get(&System::SequenceNumber).cloned(),
        receives: read(&System::ApproximateReceiveCount)?.parse()?,
        receipt: message.receipt_handle.ok_or("SQS sent a message without a receipt")?,
    })
}

/// Who sent a message, by its `SenderId`. That of an assumed role is `AROA…:session`, and a session
/// lasts for an hour, say: who sends is the role.
pub(crate) fn sender(id: &str) -> String {
    id.split_once(':').map_or(id, |(role, _)| role).to_owned()
}

/// In whole seconds, which is what SQS counts in: never less than asked for.
fn seconds(duration: Duration) -> i32 {
    let up = u64::from(duration.subsec_nanos() > 0);
    i32::try_from(duration.as_secs() + up).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
