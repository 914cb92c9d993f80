//! The seams of one process, with faults in them.
//!
//! Each call through a seam first lets others go on, so that two processes can meet between any two
//! calls. A call that is to fail does all, some or none of its work before.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use ssf::{
    client::Secret,
    delivery::{ChosenBy, HttpPush, Push, PushAnswer, PushError},
    queue::{Message, Queue, QueueError, Received, RequestSize, send_in_order},
    seal::{Seal, SealError, Sealed},
    set::{Algorithm, PublicKey, SignError, Signer},
    table::{BoxError, Item, Key, Page, Query, Table, TableError, Version, Write},
};
use url::Url;

use super::plan::{Done, Fault, FaultKind};

/// Where faults are armed, and seen to have happened.
#[derive(Debug, Default)]
pub(super) struct Switch {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    armed: Option<Fault>,
    struck: bool,
    crashed: bool,
}

impl Switch {
    /// The next call but `fault.at` fails.
    pub(super) fn arm(&self, fault: Option<Fault>) {
        *self.lock() = State { armed: fault, ..State::default() };
    }

    /// Whether the fault has happened.
    pub(super) fn has_struck(&self) -> bool {
        self.lock().struck
    }

    /// Whether the process is gone.
    pub(super) fn has_crashed(&self) -> bool {
        self.lock().crashed
    }

    /// What becomes of the call that is made now; `None`: nothing special.
    async fn meet(&self) -> Option<Fault> {
        others_go_on().await;
        self.meet_at_once().await
    }

    /// The same, without a turn for others first.
    async fn meet_at_once(&self) -> Option<Fault> {
        while self.has_crashed() {
            others_go_on().await;
        }
        let mut state = self.lock();
        let fault = state.armed.as_mut()?;
        if fault.at > 0 {
            fault.at -= 1;
            return None;
        }
        state.struck = true;
        state.armed.take()
    }

    /// The end of a call that fails: none, if the process is gone.
    async fn fail(&self, fault: Fault) {
        if fault.kind == FaultKind::Crash {
            self.lock().crashed = true;
            std::future::pending::<()>().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the turn; the next one begins here. Whoever waits for several calls at once asks only those
/// again that say so.
async fn others_go_on() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A seam with faults in it.
pub(super) struct Shaky<T: ?Sized> {
    pub(super) inner: Arc<T>,
    pub(super) switch: Arc<Switch>,
}

impl<T: ?Sized> fmt::Debug for Shaky<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shaky").finish_non_exhaustive()
    }
}

fn cause() -> BoxError {
    "the simulation says so".into()
}

/// What the table says of a write.
fn refusal(fault: Fault) -> TableError {
    match fault.kind {
        FaultKind::Busy => TableError::Busy(cause()),
        FaultKind::Full => TableError::Full,
        FaultKind::Crash | FaultKind::Unavailable => TableError::Unavailable(cause()),
    }
}

/// What the table says of a read: there is room for those.
fn refusal_of_read(fault: Fault) -> TableError {
    match fault.kind {
        FaultKind::Busy => TableError::Busy(cause()),
        FaultKind::Crash | FaultKind::Full | FaultKind::Unavailable => {
            TableError::Unavailable(cause())
        }
    }
}

/// Who is told that the partition was busy, or full, knows that the write was not done.
fn of_write(fault: Fault) -> Fault {
    let is_known = matches!(fault.kind, FaultKind::Busy | FaultKind::Full);
    let done = if is_known && fault.done == Done::All { Done::Nothing } else { fault.done };
    Fault { done, ..fault }
}

/// Whether the thing at this place is done although the call fails.
fn is_done(done: Done, at: usize) -> bool {
    match done {
        Done::All => true,
        Done::Even => at.is_multiple_of(2),
        Done::Nothing => false,
        Done::Odd => !at.is_multiple_of(2),
    }
}

/// The answers of a call that did some of its work: those of what was done, and failures. Where all
/// was done, nobody hears of it.
fn answers<T, E>(
    fault: Fault,
    count: usize,
    done: Vec<Result<T, E>>,
    failed: impl Fn() -> E,
) -> Vec<Result<T, E>> {
    let mut done = done.into_iter();
    let answer = |at| match fault.done {
        Done::Even | Done::Odd if is_done(fault.done, at) => {
            done.next().unwrap_or_else(|| Err(failed()))
        }
        Done::All | Done::Even | Done::Nothing | Done::Odd => Err(failed()),
    };
    (0..count).map(answer).collect()
}

fn some<T>(fault: Fault, things: Vec<T>) -> Vec<T> {
    let things = things.into_iter().enumerate();
    things.filter(|(at, _)| is_done(fault.done, *at)).map(|(_, thing)| thing).collect()
}

/// `$call`, unless a fault strikes: then `$done` first, then `$error`.
macro_rules! shaky {
    ($self:ident, $call:expr, $done:expr, $error:expr) => {
        shaky!($self, $self.switch.meet(), $call, $done, $error)
    };
    ($self:ident, $meet:expr, $call:expr, $done:expr, $error:expr) => {
        match $meet.await {
            None => $call.await,
            Some(fault) => {
                if fault.done == Done::All {
                    let _ = $done.await;
                }
                $self.switch.fail(fault).await;
                Err($error(cause()))
            }
        }
    };
    ($self:ident, $call:expr, $error:expr) => {
        shaky!($self, $call, std::future::ready(()), $error)
    };
}

#[async_trait]
impl Table for Shaky<dyn Table> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        let Some(fault) = self.switch.meet().await else { return self.inner.get(key).await };
        self.switch.fail(fault).await;
        Err(refusal_of_read(fault))
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, TableError> {
        let Some(fault) = self.switch.meet().await else { return self.inner.batch_get(keys).await };
        self.switch.fail(fault).await;
        Err(refusal_of_read(fault))
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        let Some(fault) = self.switch.meet().await else { return self.inner.query(query).await };
        self.switch.fail(fault).await;
        Err(refusal_of_read(fault))
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Version, TableError>> {
        let Some(fault) = self.switch.meet().await else { return self.inner.write(writes).await };
        let fault = of_write(fault);
        let count = writes.len();
        let done = self.inner.write(some(fault, writes)).await;
        self.switch.fail(fault).await;
        answers(fault, count, done, || refusal(fault))
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Version>, TableError> {
        let Some(fault) = self.switch.meet().await else {
            return self.inner.transact(writes).await;
        };
        let fault = of_write(fault);
        if fault.done == Done::All {
            let _ = self.inner.transact(writes).await;
        }
        self.switch.fail(fault).await;
        Err(refusal(fault))
    }

    async fn remove_expired(&self, limit: usize) -> Result<usize, TableError> {
        shaky!(
            self,
            self.inner.remove_expired(limit),
            self.inner.remove_expired(limit),
            TableError::Unavailable
        )
    }
}

/// As much as SQS takes in one request.
const REQUEST: RequestSize = RequestSize { messages: 10, bytes: 256 * 1024 };

impl Shaky<dyn Queue> {
    /// One request: of one that fails each message may have been taken, or not, as at SQS.
    async fn send_request(
        &self,
        messages: Vec<Message>,
    ) -> Result<Vec<Result<String, QueueError>>, QueueError> {
        let Some(fault) = self.switch.meet().await else {
            return Ok(self.inner.send(messages).await);
        };
        let count = messages.len();
        let done = self.inner.send(some(fault, messages)).await;
        self.switch.fail(fault).await;
        match fault.done {
            Done::All | Done::Nothing => Err(QueueError::Unavailable(cause())),
            Done::Even | Done::Odd => {
                Ok(answers(fault, count, done, || QueueError::Unavailable(cause())))
            }
        }
    }
}

#[async_trait]
impl Queue for Shaky<dyn Queue> {
    async fn send(&self, messages: Vec<Message>) -> Vec<Result<String, QueueError>> {
        send_in_order(messages, REQUEST, |request| self.send_request(request)).await
    }

    async fn receive(&self, max: usize, visibility: Duration) -> Result<Vec<Received>, QueueError> {
        shaky!(
            self,
            self.inner.receive(max, visibility),
            self.inner.receive(max, visibility),
            QueueError::Unavailable
        )
    }

    async fn wait(&self, at_most: Duration) {
        self.inner.wait(at_most).await;
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueError> {
        let Some(fault) = self.switch.meet().await else {
            return self.inner.delete(receipts).await;
        };
        self.inner.delete(some(fault, receipts)).await?;
        self.switch.fail(fault).await;
        Err(QueueError::Unavailable(cause()))
    }

    async fn postpone(&self, receipt: &str, visibility: Duration) -> Result<(), QueueError> {
        shaky!(
            self,
            self.inner.postpone(receipt, visibility),
            self.inner.postpone(receipt, visibility),
            QueueError::Unavailable
        )
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        self.inner.depth().await
    }
}

#[async_trait]
impl Signer for Shaky<dyn Signer> {
    async fn first(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        shaky!(
            self,
            self.inner.first(algorithm),
            self.inner.first(algorithm),
            SignError::Unavailable
        )
    }

    async fn generate(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        shaky!(
            self,
            self.inner.generate(algorithm),
            self.inner.generate(algorithm),
            SignError::Unavailable
        )
    }

    async fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
        shaky!(self, self.inner.sign(key, message), SignError::Unavailable)
    }

    async fn destroy(&self, key: &PublicKey) -> Result<(), SignError> {
        shaky!(self, self.inner.destroy(key), self.inner.destroy(key), SignError::Unavailable)
    }
}

#[async_trait]
impl Seal for Shaky<dyn Seal> {
    async fn seal(&self, secret: &Secret, context: &str) -> Result<Sealed, SealError> {
        shaky!(self, self.inner.seal(secret, context), SealError::Unavailable)
    }

    async fn open(&self, sealed: &Sealed, context: &str) -> Result<Secret, SealError> {
        shaky!(self, self.inner.open(sealed, context), SealError::Unavailable)
    }
}

#[async_trait]
impl HttpPush for Shaky<dyn HttpPush> {
    async fn push(&self, push: &Push<'_>) -> Result<PushAnswer, PushError> {
        let broken = |_: BoxError| PushError::Broken("the connection was reset".to_owned());
        // A request goes out at once: while others go on, the clock may jump by many seconds.
        let meet = self.switch.meet_at_once();
        shaky!(self, meet, self.inner.push(push), self.inner.push(push), broken)
    }

    async fn fetch(&self, url: &Url, chosen_by: ChosenBy) -> Result<Vec<u8>, PushError> {
        self.inner.fetch(url, chosen_by).await
    }
}
