//! Push-based delivery (RFC 8935): answers the bells of the push queue, and tells applications that
//! sessions have ended (OpenID Connect Back-Channel Logout 1.0).

use futures_util::future::join_all;
use ssf::{
    Transmitter,
    delivery::{PushTask, PushVerdict, backoff},
    error::chain,
    queue::{MAX_VISIBILITY, Received},
};

/// Answers the bells in `batch`, those of different groups side by side, so that one receiver that
/// is slow does not hold up the others. Returns the ids of the messages that must come again: those
/// that failed at once, those that were put off when their time has come.
pub async fn handle(transmitter: &Transmitter, batch: &[Received]) -> Vec<String> {
    let mut groups: Vec<Vec<&Received>> = Vec::new();
    for message in batch {
        let group = groups.iter_mut().find(|group| group[0].group == message.group);
        match group.filter(|_| message.group.is_some()) {
            Some(group) => group.push(message),
            None => groups.push(vec![message]),
        }
    }
    let again = groups.iter().map(|group| answer_group(transmitter, group));
    join_all(again).await.concat()
}

/// The bells of one group ring for one lane: what the first one finds, all find. So it alone comes
/// again, and the others, which would find the same once more, are done.
async fn answer_group(transmitter: &Transmitter, group: &[&Received]) -> Vec<String> {
    let message = group[0];
    let PushVerdict::Again(delay) = answer(transmitter, message).await else {
        return Vec::new();
    };
    let delay = delay.min(MAX_VISIBILITY);
    if let Err(error) = transmitter.parts().push.postpone(&message.receipt, delay).await {
        // It comes again when its time out of sight is over.
        let error = chain(&error);
        tracing::warn!(message.id, error, "a bell could not be put off");
    }
    vec![message.id.clone()]
}

async fn answer(transmitter: &Transmitter, message: &Received) -> PushVerdict {
    let task: PushTask = match serde_json::from_str(&message.body) {
        Ok(task) => task,
        Err(error) => {
            // What is pending stands in the table, and the sweep rings for it.
            let error = chain(&error);
            tracing::error!(message.id, error, "a bell cannot be read; it is dropped");
            return PushVerdict::Done;
        }
    };
    let answered = match &task {
        PushTask::V1(bell) => transmitter.push(bell).await,
        PushTask::Logout(logout) => transmitter.log_out(logout, message.receives).await,
    };
    answered.unwrap_or_else(|error| {
        let error = chain(&error);
        tracing::error!(message.id, error, "a bell could not be answered; it is tried again");
        PushVerdict::Again(backoff::rest(message.receives))
    })
}
