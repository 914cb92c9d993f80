//! The queues' home in SQS, as the local AWS has it.

use std::sync::Arc;

use aws_sdk_sqs::{Client, types::QueueAttributeName::FifoQueue};
use ssf_aws::{Clients, SqsQueue};
use tests::{Emulator, emulator::fresh_account};

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
    let request = client.create_queue().queue_name(name);
    let fifo = name.ends_with("fifo").then(|| [(FifoQueue, "true".to_owned())].into());
    let made = request.set_attributes(fifo).send().await.unwrap();
    SqsQueue::new(client.clone(), made.queue_url().unwrap())
}
