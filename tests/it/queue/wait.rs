//! When those who wait for a message are woken.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use futures_util::{future::join, poll};
use jiff::Timestamp;
use ssf::{
    clock::{Clock, SystemClock},
    embedded::{Database, QueueKind},
    queue::Queue,
};
use tokio::sync::Notify;

use super::{HOLD, Home, Timed, delete, in_group, in_memory, message, on_disk, receive, send};

const HOUR: Duration = Duration::from_hours(1);

/// Waits at `queue`, lets `event` happen, and expects to be woken by it although the clock of the
/// test stands still.
async fn is_woken(queue: &dyn Queue, event: impl Future<Output = ()>) {
    let mut waiting = pin!(queue.wait(HOUR));
    assert!(poll!(&mut waiting).is_pending());
    event.await;
    in_time(waiting).await;
}

/// A test that hangs would not say where.
async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("nobody was woken")
}

#[tokio::test]
async fn who_waits_is_woken_when_something_becomes_visible() {
    for Timed { home, clock } in [in_memory(), on_disk()] {
        let Home { standard, fifo, _folder } = home;
        is_woken(&*standard, send(&*standard, [message("1")])).await;
        in_time(standard.wait(HOUR)).await;
        let held = receive(&*standard, 1).await;
        is_woken(&*standard, async { clock.advance(HOLD) }).await;
        let held_again = receive(&*standard, 1).await;
        assert_eq!(held[0].id, held_again[0].id);
        is_woken(&*standard, async {
            standard.postpone(&held_again[0].receipt, Duration::ZERO).await.unwrap();
        })
        .await;

        is_woken(&*fifo, send(&*fifo, [in_group("a", "1"), in_group("a", "2")])).await;
        let held = receive(&*fifo, 1).await;
        is_woken(&*fifo, delete(&*fifo, &held[0])).await;
    }
}

#[tokio::test]
async fn who_waits_in_vain_waits_as_long_as_told_and_no_longer() {
    let Timed { home: Home { standard, fifo, .. }, clock } = in_memory();
    let mut waiting = pin!(standard.wait(Duration::from_secs(20)));
    assert!(poll!(&mut waiting).is_pending());
    send(&*fifo, [in_group("a", "elsewhere")]).await;
    clock.advance(Duration::from_secs(19));
    assert!(poll!(&mut waiting).is_pending());
    clock.advance(Duration::from_secs(1));
    assert!(poll!(&mut waiting).is_ready());
    assert!(poll!(pin!(standard.wait(Duration::ZERO))).is_ready());
}

#[tokio::test]
async fn a_message_behind_a_held_one_wakes_nobody() {
    let Timed { home: Home { fifo, .. }, .. } = in_memory();
    send(&*fifo, [in_group("a", "1")]).await;
    receive(&*fifo, 1).await;
    let mut waiting = pin!(fifo.wait(HOUR));
    assert!(poll!(&mut waiting).is_pending());
    send(&*fifo, [in_group("a", "2")]).await;
    assert!(poll!(&mut waiting).is_pending());
}

/// The machine's clock, which says when somebody sleeps by it.
#[derive(Debug, Default)]
struct Watched {
    asleep: Notify,
}

#[async_trait::async_trait]
impl Clock for Watched {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.asleep.notify_one();
        SystemClock.sleep(duration).await;
    }
}

#[tokio::test]
async fn who_waits_is_woken_by_a_message_from_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Watched::default());
    let open = || {
        let database = Database::open(folder.path(), clock.clone()).unwrap();
        database.queue("ingest", QueueKind::Standard)
    };
    let (here, there) = (open(), open());
    let event = async {
        clock.asleep.notified().await;
        send(&there, [message("1")]).await;
    };
    in_time(join(here.wait(HOUR), event)).await;
    assert_eq!(receive(&here, 10).await.len(), 1);
    assert!(receive(&there, 10).await.is_empty());
}
