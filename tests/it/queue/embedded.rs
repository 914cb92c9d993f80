//! What is true of the embedded queues beyond the contract.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use jiff::Timestamp;
use ssf::{
    clock::{Clock, SystemClock},
    embedded::{Database, QueueKind, SqliteQueue},
};

use super::{Home, Timed, bodies, in_group, in_memory, message, receive, send};

fn open(folder: &Path, kind: QueueKind) -> SqliteQueue {
    Database::open(folder, Arc::new(SystemClock)).unwrap().queue("queue", kind)
}

#[tokio::test]
async fn two_processes_receive_each_message_once() {
    let folder = tempfile::tempdir().unwrap();
    let queues = [(); 2].map(|()| open(folder.path(), QueueKind::Standard));
    join_all(queues.iter().map(|queue| send(queue, (0..100).map(|n| message(&n.to_string())))))
        .await;
    let received = join_all(queues.iter().flat_map(|queue| [queue; 3]).map(async |queue| {
        let mut received = Vec::new();
        loop {
            let batch = receive(queue, 7).await;
            if batch.is_empty() {
                return received;
            }
            received.extend(batch.into_iter().map(|message| message.id));
        }
    }))
    .await
    .concat();
    assert_eq!(received.len(), 200);
    assert_eq!(received.into_iter().collect::<HashSet<_>>().len(), 200);
}

#[tokio::test]
async fn what_is_held_stays_held_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path(), QueueKind::Fifo);
    send(&queue, ["a1", "a2", "b1"].map(|body| in_group(&body[..1], body))).await;
    let held = receive(&queue, 1).await;
    assert_eq!(bodies(&held), ["a1"]);
    drop(queue);
    let queue = open(folder.path(), QueueKind::Fifo);
    assert_eq!(bodies(&receive(&queue, 10).await), ["b1"]);
    super::delete(&queue, &held[0]).await;
    assert_eq!(bodies(&receive(&queue, 10).await), ["a2"]);
}

#[tokio::test]
async fn ids_differ_from_file_to_file() {
    let mut ids = HashSet::new();
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let queue = open(folder.path(), QueueKind::Standard);
        send(&queue, [message("1")]).await;
        ids.insert(receive(&queue, 1).await[0].id.clone());
    }
    assert_eq!(ids.len(), 3);
}

/// A clock that somebody sets.
#[derive(Debug)]
struct Set(Mutex<Timestamp>);

#[async_trait::async_trait]
impl Clock for Set {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn the_time_of_sending_does_not_go_back_when_the_clock_does() {
    let time = |second| Timestamp::from_second(second).unwrap();
    let clock = Arc::new(Set(Mutex::new(time(1000))));
    let queue = Database::in_memory(clock.clone()).queue("queue", QueueKind::Fifo);
    for second in [1000, 990, 995, 1001] {
        *clock.0.lock().unwrap() = time(second);
        send(&queue, [in_group("a", &second.to_string())]).await;
    }
    let sent_at: Vec<_> = receive(&queue, 10).await.iter().map(|message| message.sent_at).collect();
    assert_eq!(sent_at, [1000, 1000, 1000, 1001].map(time));
}

#[tokio::test]
async fn in_memory_no_future_pends() {
    let Timed { home: Home { fifo, .. }, .. } = in_memory();
    for n in 0..1000 {
        let answers = fifo.send(vec![in_group("a", &n.to_string())]).now_or_never().unwrap();
        assert!(answers[0].is_ok());
        let held = fifo.receive(1, Duration::ZERO).now_or_never().unwrap().unwrap();
        fifo.delete(vec![held[0].receipt.clone()]).now_or_never().unwrap().unwrap();
    }
}
