//! Takes events in from the queues, a batch at a time.

use std::error::Error as StdError;

use ssf::{
    Transmitter,
    delivery::{Accepted, Door},
    queue::Received,
};

/// Takes in `batch` from `door`. Returns the ids of the messages that must come again: AWS Lambda's
/// partial batch response. All others are done and can be deleted.
pub async fn handle(transmitter: &Transmitter, door: Door, batch: &[Received]) -> Vec<String> {
    let answers = transmitter.accept(door, batch).await;
    let mut failed = Vec::new();
    for (message, answer) in batch.iter().zip(answers) {
        match answer {
            Accepted::Issued(_) | Accepted::Refused(_) => {}
            Accepted::Failed(error) => {
                tracing::error!(
                    message.id,
                    error = &error as &dyn StdError,
                    "event could not be taken in; it comes again"
                );
                failed.push(message.id.clone());
            }
        }
    }
    failed
}
