//! Ringing for the push workers, and waking the long polls.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    Error, Transmitter, clock,
    delivery::{BellTask, PushTask},
    queue::{Message, QueueError},
    stream::{Stream, StreamId},
};

/// A lane of a stream for which there is something to do.
#[derive(Clone, Debug)]
pub(crate) struct Bell {
    pub(crate) stream_id: StreamId,
    pub(crate) lane: u8,
    pub(crate) round: u32,
    pub(crate) when: When,
}

/// When a bell rings.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Now,
    /// Now, for what was put off until then.
    Due(Timestamp),
    /// Then: it is put off at `now`.
    PutOff {
        until: Timestamp,
        now: Timestamp,
    },
}

/// A bell that is put off for longer than this is not put off twice: for so long (five minutes, in
/// SQS) a queue drops what has the name of a message that it had.
const SHORT: Duration = Duration::from_secs(10);

impl Bell {
    /// For `lane` of `stream`, now.
    pub(crate) fn of(stream: &Stream, lane: u8) -> Self {
        Self { stream_id: stream.id.clone(), lane, round: stream.round, when: When::Now }
    }

    /// The message; `fresh` has never been used.
    ///
    /// The bells of a lane that ring at once are one group, and no two are the same: one must not be
    /// dropped for one that was answered. Those that are put off until the same moment are a group
    /// of their own, so that nobody waits behind them, and there need not be two: whoever walks
    /// through a lane in which something is not due yet asks for one.
    fn message(self, fresh: Uuid) -> Message {
        let Self { stream_id, lane, round, when } = self;
        let (group, deduplication) = match when {
            When::Now | When::Due(_) => (format!("{stream_id}#{lane}#{round}"), fresh.to_string()),
            When::PutOff { until, now } => {
                let group = format!("{stream_id}#{lane}#{round}#{}", until.as_microsecond());
                let is_short = clock::since(now, until) < SHORT;
                // Short of the moment, the one that was put off until then may just have rung.
                let part = if is_short { format!("#{}", now.as_second()) } else { String::new() };
                let name = format!("{group}{part}");
                (group, name)
            }
        };
        let (not_before, due) = match when {
            When::Now => (None, None),
            When::Due(due) => (None, Some(due)),
            When::PutOff { until, .. } => (Some(until), None),
        };
        let task = PushTask::V1(BellTask { stream_id, lane, round, not_before, due });
        Message {
            body: serde_json::to_string(&task).expect("a task has only string keys"),
            group: Some(group),
            deduplication: Some(deduplication),
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
