//! Push-based delivery (RFC 8935): answers the bells of the push queue.

use std::{collections::HashMap, error::Error as StdError, time::Duration};

use ssf::{
    Transmitter,
    delivery::{PushTask, PushVerdict},
    queue::Received,
};

/// A message is out of sight for at most 12 hours after it was received; SQS's limit.
const LONGEST_REST: Duration = Duration::from_hours(12);

/// Answers the bells in `batch`. Returns the ids of the messages that must come again: those that
/// failed at once, those that were put off when their time has come.
pub async fn handle(transmitter: &Transmitter, batch: &[Received]) -> Vec<String> {
    let mut again = Vec::new();
    // The bells of one group ring for one lane: what the first one finds, all find.
    let mut verdicts: HashMap<Option<&str>, PushVerdict> = HashMap::new();
    for message in batch {
        let group = message.group.as_deref();
        let verdict = match verdicts.get(&group) {
            Some(verdict) => *verdict,
            None => answer(transmitter, message).await,
        };
        verdicts.insert(group, verdict);
        if let PushVerdict::Again(delay) = verdict {
            let delay = delay.min(LONGEST_REST);
            if let Err(error) = transmitter.parts().push.postpone(&message.receipt, delay).await {
                // It comes again when its time out of sight is over.
                let error = &error as &dyn StdError;
                tracing::warn!(message.id, error, "a bell could not be put off");
            }
            again.push(message.id.clone());
        }
    }
    again
}

async fn answer(transmitter: &Transmitter, message: &Received) -> PushVerdict {
    let task: PushTask = match serde_json::from_str(&message.body) {
        Ok(task) => task,
        Err(error) => {
            // What is pending stands in the table, and the sweep rings for it.
            let error = &error as &dyn StdError;
            tracing::error!(message.id, error, "a bell cannot be read; it is dropped");
            return PushVerdict::Done;
        }
    };
    transmitter.push(&task).await.unwrap_or_else(|error| {
        let error = &error as &dyn StdError;
        tracing::error!(message.id, error, "a lane could not be served; it is tried again");
        PushVerdict::Again(Duration::from_secs(1))
    })
}
