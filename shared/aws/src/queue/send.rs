//! How messages get into SQS, ten at a time.

use std::collections::{HashMap, HashSet};

use aws_sdk_sqs::{
    error::ProvideErrorMetadata,
    types::{BatchResultErrorEntry, MessageAttributeValue, SendMessageBatchRequestEntry},
};
use futures_util::{StreamExt, stream};
use ssf::{
    error::chain,
    queue::{Message, QueueError, QueueKind},
};
use uuid::Uuid;

use super::{AT_ONCE, BATCH, SqsQueue, seconds};

/// How large the messages of one request are together at most. SQS takes 1 MiB since 2025, and
/// counts every 64 KiB as a request, so that larger requests save little.
const BATCH_SIZE: usize = 256 * 1024;

/// A message, and its place among those that were to be sent.
type Numbered = (usize, Message);

/// What became of it.
type Answer = (usize, Result<String, QueueError>);

impl SqsQueue {
    pub(super) async fn send_all(&self, messages: Vec<Message>) -> Vec<Result<String, QueueError>> {
        let sound = |message: &Message| message.check(self.kind).map(|()| String::new());
        let mut answers: Vec<_> = messages.iter().map(sound).collect();
        let numbered = messages.into_iter().enumerate().filter(|(at, _)| answers[*at].is_ok());
        let batches = batches(numbered);
        let sent = match self.kind {
            QueueKind::Fifo => self.send_in_order(batches).await,
            QueueKind::Standard => {
                let sent = batches.into_iter().map(|batch| self.send_batch(batch));
                stream::iter(sent).buffer_unordered(AT_ONCE).concat().await
            }
        };
        for (at, answer) in sent {
            answers[at] = answer;
        }
        answers
    }

    /// One request after the other; what comes behind a message that was not sent must not overtake
    /// it. Within one request SQS itself keeps the order, and may yet leave one out: that is told
    /// to the sender and cannot be undone.
    async fn send_in_order(&self, batches: Vec<Vec<Numbered>>) -> Vec<Answer> {
        let mut answers = Vec::new();
        let mut stopped = HashSet::new();
        let mut lost = false;
        for batch in batches {
            let is_held = |(_, message): &Numbered| lost || stopped.contains(&message.group);
            let (held, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(is_held);
            answers.extend(held.into_iter().map(|(at, _)| (at, Err(behind()))));
            if batch.is_empty() {
                continue;
            }
            let groups: HashMap<_, _> =
                batch.iter().map(|(at, message)| (*at, message.group.clone())).collect();
            let sent = self.send_batch(batch).await;
            let failed = sent.iter().filter(|(_, sent)| is_unavailable(sent));
            stopped.extend(failed.clone().map(|(at, _)| groups[at].clone()));
            // All of a request fail when nobody answers: the next one would only take its time too.
            lost = failed.count() == sent.len();
            answers.extend(sent);
        }
        answers
    }

    async fn send_batch(&self, batch: Vec<Numbered>) -> Vec<Answer> {
        let places: Vec<usize> = batch.iter().map(|(at, _)| *at).collect();
        let entries = batch.into_iter().enumerate().map(|(n, (_, message))| self.entry(n, message));
        let request = self.client.send_message_batch().queue_url(&self.url);
        let answer = request.set_entries(Some(entries.collect())).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let refused = error.code().is_some_and(is_refusal);
                // What the request did to all of its messages is said for each.
                let error = chain(&error);
                let answer = || {
                    if refused {
                        return QueueError::Refused("SQS refuses the request that it came with");
                    }
                    QueueError::Unavailable(error.clone().into())
                };
                return places.into_iter().map(|at| (at, Err(answer()))).collect();
            }
        };
        let sent = answer.successful.into_iter().map(|sent| (sent.id, Ok(sent.message_id)));
        let failed = answer.failed.into_iter().map(|failed| (failed.id.clone(), Err(of(&failed))));
        let mut answers: HashMap<String, _> = sent.chain(failed).collect();
        let mut answer = |n: usize| {
            let silent = || Err(QueueError::Unavailable("SQS said nothing about it".into()));
            answers.remove(&n.to_string()).unwrap_or_else(silent)
        };
        places.into_iter().enumerate().map(|(n, at)| (at, answer(n))).collect()
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

/// In order, as many in each as one request takes.
fn batches(messages: impl Iterator<Item = Numbered>) -> Vec<Vec<Numbered>> {
    let mut batches: Vec<Vec<Numbered>> = Vec::new();
    let mut room = 0;
    for (at, message) in messages {
        let size = size(&message);
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && size <= room => {
                room -= size;
                batch.push((at, message));
            }
            Some(_) | None => {
                room = BATCH_SIZE.saturating_sub(size);
                batches.push(vec![(at, message)]);
            }
        }
    }
    batches
}

/// As SQS counts: names, types and values of the attributes too.
fn size(message: &Message) -> usize {
    let attribute = |(name, value): (&String, &String)| name.len() + "String".len() + value.len();
    message.body.len() + message.attributes.iter().map(attribute).sum::<usize>()
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

fn is_unavailable(sent: &Result<String, QueueError>) -> bool {
    match sent {
        Err(QueueError::Unavailable(_)) => true,
        Ok(_) | Err(QueueError::Refused(_)) => false,
    }
}

fn behind() -> QueueError {
    QueueError::Unavailable("one before it was not sent".into())
}

/// A name that was never used.
fn fresh() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has a source of randomness");
    Uuid::new_v8(bytes).to_string()
}
