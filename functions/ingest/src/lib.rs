//! Takes events in from the queues, a batch at a time.

use std::collections::HashMap;

use futures_util::future::join_all;
use ssf::{
    Transmitter,
    delivery::{Accepted, Door, backoff},
    error::chain,
    queue::Received,
};

/// Takes in `batch` from `door`. Returns the ids of the messages that must come again: AWS Lambda's
/// partial batch response. All others are done and can be deleted.
pub async fn handle(transmitter: &Transmitter, door: Door, batch: &[Received]) -> Vec<String> {
    let answers = transmitter.accept(door, batch).await;
    let queue = transmitter.parts().door(door);
    let mut failed = Vec::new();
    let mut resting = Vec::new();
    // Of each group, how long the first one rests that failed.
    let mut rests = HashMap::new();
    for (message, answer) in batch.iter().zip(answers) {
        let time = match answer {
            Accepted::Dropped | Accepted::Issued(_) | Accepted::Refused(_) => continue,
            Accepted::Failed(failure) => {
                tracing::error!(
                    message.id,
                    error = chain(&failure),
                    "event could not be taken in; it comes again"
                );
                let time = backoff::rest(message.receives);
                if let Some(group) = &message.group {
                    rests.insert(group, time);
                }
                time
            }
            // As long as the one that it waits for, or it would hold up that one itself: a group
            // rests for as long as any of its messages is out of sight.
            Accepted::Behind => {
                let first = message.group.as_ref().and_then(|group| rests.get(group));
                first.copied().unwrap_or(backoff::rest(1))
            }
        };
        failed.push(message.id.clone());
        resting.push(queue.postpone(&message.receipt, time));
    }
    for rested in join_all(resting).await {
        if let Err(error) = rested {
            // It comes again when its time out of sight is over.
            tracing::warn!(error = chain(&error), "a message could not be put off");
        }
    }
    failed
}
