//! The queues' home in SQS, as the local AWS has it.

use std::sync::Arc;

use aws_sdk_sqs::Client;
use ssf_aws::{Clients, SqsQueue};
use tests::{
    Emulator,
    emulator::{create_queue, fresh_account},
};

use super::Home;

/// Queues that nobody else has.
pub(super) async fn home() -> Home {
    let client = Clients::new(&Emulator::shared().sdk_config(&fresh_account())).sqs;
    Home {
        standard: Arc::new(queue(&client, "standard").await),
        fifo: Arc::new(queue(&client, "queue.fifo").await),
        _folder: None,
    }
}

async fn queue(client: &Client, name: &str) -> SqsQueue {
    SqsQueue::new(client.clone(), create_queue(client, name).await)
}
