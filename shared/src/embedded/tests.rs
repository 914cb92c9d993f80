//! What is asked of the embedded parts costs the same however much they hold, counted in steps of
//! SQLite's virtual machine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use super::{Database, OpenError, QueueKind, SqliteQueue, schema, session::Session};
use crate::{
    clock::{ManualClock, SystemClock},
    queue::{Message, Queue},
    table::{Condition, Content, Key, Query, Table, Write},
};

/// A database in memory that counts its steps.
struct Counted {
    database: Database,
    clock: Arc<ManualClock>,
    steps: Arc<AtomicU64>,
}

impl Counted {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let steps = Arc::new(AtomicU64::new(0));
        let mut connection = schema::in_memory().unwrap();
        let counter = Arc::clone(&steps);
        let count = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            false
        };
        connection.progress_handler(1, Some(count)).unwrap();
        let session = Session::new(connection, clock.clone()).unwrap();
        Self { database: Database::of(session, clock.clone()), clock, steps }
    }

    /// How many steps `future` takes.
    async fn steps(&self, future: impl Future<Output = ()>) -> u64 {
        let before = self.steps.load(Ordering::Relaxed);
        future.await;
        self.steps.load(Ordering::Relaxed) - before
    }
}

/// Expects that what costs so much where little is kept costs hardly more where much is.
fn assert_flat(little: &[(&str, u64)], much: &[(&str, u64)]) {
    assert_eq!(little.len(), much.len());
    for ((name, few), (_, many)) in little.iter().zip(much) {
        assert!(*many <= few + few / 5, "{name}: {few} steps become {many}");
    }
}

async fn costs_of_a_table(items: u32) -> Vec<(&'static str, u64)> {
    let counted = Counted::new();
    let table = counted.database.table();
    let write = |n: u32, condition| {
        let content = Content {
            body: "x".to_owned(),
            order: Some(format!("L#{n:08}")),
            expires: n.is_multiple_of(2).then_some(Timestamp::MAX),
        };
        Write::put(Key::new("a", format!("S#{n:08}")), condition, content)
    };
    table.write((0..items).map(|n| write(n, Condition::Absent)).collect()).await;
    let get = async |sk: &str| drop(table.get(&Key::new("a", sk)).await.unwrap());
    let page = async |query: Query| drop(table.query(query.limit(10)).await.unwrap());
    let put = async |n, condition| assert!(table.write(vec![write(n, condition)]).await[0].is_ok());
    let sorted = || Query::sorted("a", "S#");
    vec![
        ("get", counted.steps(get("S#00000001")).await),
        ("get nothing", counted.steps(get("S#99999999")).await),
        ("first page", counted.steps(page(sorted())).await),
        ("middle page", counted.steps(page(sorted().after("S#00000050"))).await),
        ("last page", counted.steps(page(sorted().backwards())).await),
        ("ordered page", counted.steps(page(Query::ordered("a", "L#"))).await),
        ("put", counted.steps(put(99_999_999, Condition::Absent)).await),
        ("put over", counted.steps(put(1, Condition::Any)).await),
        ("remove", counted.steps(async { assert!(table.remove_expired(10).await.is_ok()) }).await),
    ]
}

#[tokio::test]
async fn a_table_costs_the_same_however_much_it_keeps() {
    assert_flat(&costs_of_a_table(100).await, &costs_of_a_table(10_000).await);
}

/// With so many messages in a blocked group, in hand, and waiting.
async fn costs_of_queues(messages: usize) -> Vec<(&'static str, u64)> {
    let counted = Counted::new();
    let fifo = counted.database.queue("fifo", QueueKind::Fifo);
    let standard = counted.database.queue("standard", QueueKind::Standard);
    let in_group = |group: usize, deduplication: Option<String>| Message {
        body: "x".to_owned(),
        group: Some(group.to_string()),
        deduplication,
        ..Message::default()
    };
    let plain = Message { body: "x".to_owned(), ..Message::default() };
    fifo.send(vec![in_group(0, None); messages]).await;
    receive(&fifo, 1).await;
    fifo.send((1..=messages).map(|n| in_group(n, Some(n.to_string()))).collect()).await;
    receive(&fifo, messages / 2).await;
    standard.send(vec![plain.clone(); messages]).await;
    receive(&standard, messages / 2).await;
    counted.clock.advance(Duration::from_mins(1));

    let mut costs = Vec::new();
    for (queue, message) in [(fifo, in_group(0, Some("new".to_owned()))), (standard, plain)] {
        let mut held = Vec::new();
        costs.extend([
            ("send", counted.steps(async { drop(queue.send(vec![message]).await) }).await),
            ("receive", counted.steps(async { held = receive(&queue, 10).await }).await),
            ("wait", counted.steps(queue.wait(Duration::ZERO)).await),
            (
                "postpone",
                counted.steps(async { queue.postpone(&held[0], HOLD).await.unwrap() }).await,
            ),
            ("delete", counted.steps(async { queue.delete(held).await.unwrap() }).await),
            ("depth", counted.steps(async { assert!(queue.depth().await.is_ok()) }).await),
        ]);
    }
    costs
}

const HOLD: Duration = Duration::from_hours(1);

async fn receive(queue: &SqliteQueue, max: usize) -> Vec<String> {
    let received = queue.receive(max, HOLD).await.unwrap();
    received.into_iter().map(|message| message.receipt).collect()
}

#[tokio::test]
async fn queues_cost_the_same_however_much_waits() {
    assert_flat(&costs_of_queues(100).await, &costs_of_queues(10_000).await);
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let connection = schema::open(folder.path()).unwrap();
    connection.pragma_update(None, "user_version", 2).unwrap();
    let refused = Database::open(folder.path(), Arc::new(SystemClock)).unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 2 }), "{refused}");
}
