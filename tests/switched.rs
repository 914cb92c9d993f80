//! A queue that can be out of order.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ssf::queue::{Message, Queue, QueueError, Received};

/// Takes nothing while it is switched off; all else goes on.
#[derive(Debug)]
pub(crate) struct Switched {
    inner: Arc<dyn Queue>,
    fails: AtomicBool,
}

impl Switched {
    pub(crate) fn new(inner: Arc<dyn Queue>) -> Self {
        Self { inner, fails: AtomicBool::new(false) }
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

#[async_trait]
impl Queue for Switched {
    async fn send(&self, messages: Vec<Message>) -> Vec<Result<String, QueueError>> {
        if self.fails.load(Ordering::SeqCst) {
            let fail = |_| Err(QueueError::Unavailable("it is switched off".into()));
            return messages.into_iter().map(fail).collect();
        }
        self.inner.send(messages).await
    }

    async fn receive(&self, max: usize, visibility: Duration) -> Result<Vec<Received>, QueueError> {
        self.inner.receive(max, visibility).await
    }

    async fn wait(&self, at_most: Duration) {
        self.inner.wait(at_most).await;
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueError> {
        self.inner.delete(receipts).await
    }

    async fn postpone(&self, receipt: &str, visibility: Duration) -> Result<(), QueueError> {
        self.inner.postpone(receipt, visibility).await
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        self.inner.depth().await
    }
}
