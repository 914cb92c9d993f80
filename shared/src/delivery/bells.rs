//! Ringing for the push workers, and waking the long polls.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    Error, Transmitter,
    delivery::PushTask,
    queue::{Message, QueueError},
    stream::{Stream, StreamId},
};

/// A lane of a stream for which there is something to do.
#[derive(Clone, Debug)]
pub(crate) struct Bell {
    pub(crate) stream_id: StreamId,
    pub(crate) lane: u8,
    pub(crate) round: u32,
    pub(crate) not_before: Option<Timestamp>,
}

impl Bell {
    /// For `lane` of `stream`, now.
    pub(crate) fn of(stream: &Stream, lane: u8) -> Self {
        Self { stream_id: stream.id.clone(), lane, round: stream.round, not_before: None }
    }

    /// The message; `fresh` has never been used.
    fn message(self, fresh: Uuid) -> Message {
        let Self { stream_id, lane, round, not_before } = self;
        let group = match not_before {
            None => format!("{stream_id}#{lane}#{round}"),
            // It waits by itself, and for itself.
            Some(_) => format!("{stream_id}#{lane}#{fresh}"),
        };
        let task = PushTask::V1 { stream_id, lane, round, not_before };
        Message {
            body: serde_json::to_string(&task).expect("a task has only string keys"),
            group: Some(group),
            // No two bells are the same: one must not be dropped for one that was answered.
            deduplication: Some(fresh.to_string()),
            ..Message::default()
        }
    }
}

impl Transmitter {
    /// Rings; the answers are in the order of `bells`.
    pub(crate) async fn ring(&self, bells: Vec<Bell>) -> Vec<Result<(), QueueError>> {
        if bells.is_empty() {
            return Vec::new();
        }
        let parts = self.parts();
        let messages = bells.into_iter().map(|bell| bell.message(parts.ids.fresh())).collect();
        parts.push.send(messages).await.into_iter().map(|sent| sent.map(drop)).collect()
    }

    /// Rings for all lanes of `stream`, if it is pushed.
    pub(crate) async fn ring_all(&self, stream: &Stream) -> Result<(), Error> {
        if stream.delivery.is_push() {
            let bells = stream.all_lanes().map(|lane| Bell::of(stream, lane)).collect();
            for rung in self.ring(bells).await {
                rung?;
            }
        }
        Ok(())
    }
}

/// The long polls that wait in this process.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    waiting: Mutex<HashMap<StreamId, Arc<Notify>>>,
    ended: AtomicBool,
}

impl Wakes {
    /// From now on nobody waits.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        for notify in self.lock().values() {
            notify.notify_waiters();
        }
    }

    /// Whether waiting is over.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Wakes whoever waits for something to happen to `stream`.
    pub(crate) fn wake(&self, stream: &StreamId) {
        if let Some(notify) = self.lock().get(stream) {
            notify.notify_waiters();
        }
    }

    /// Something to wait on. Ask for it (`notified().enable()`) before looking whether there is
    /// something to wait for.
    pub(crate) fn of(&self, stream: &StreamId) -> Arc<Notify> {
        let mut waiting = self.lock();
        // Those that nobody else holds are not waited on any more.
        if waiting.len() > 1000 {
            waiting.retain(|_, notify| Arc::strong_count(notify) > 1);
        }
        Arc::clone(waiting.entry(stream.clone()).or_default())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<StreamId, Arc<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
