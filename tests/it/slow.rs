//! A table that takes its time: what must be done within a function's time is.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ssf::{
    Parts, Transmitter,
    clock::{Clock, ManualClock},
    delivery::PollRequest,
    stream::StreamId,
    table::{Item, Key, Page, Query, Table, TableError, Version, Write},
};
use tests::{
    World,
    world::{poll_stream, session_revoked},
};

/// Each call takes a while.
#[derive(Debug)]
struct SlowTable {
    inner: Arc<dyn Table>,
    clock: Arc<ManualClock>,
    each: Duration,
}

impl SlowTable {
    /// The transmitter of `world`, on such a table.
    fn under(world: &World, each: Duration) -> Transmitter {
        let parts = world.transmitter.parts().clone();
        let inner = parts.table.clone();
        let table = Arc::new(Self { inner, clock: world.clock.clone(), each });
        Transmitter::new(Parts { table, ..parts })
    }

    fn wait(&self) {
        self.clock.advance(self.each);
    }
}

#[async_trait]
impl Table for SlowTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.wait();
        self.inner.get(key).await
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, TableError> {
        self.wait();
        self.inner.batch_get(keys).await
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        self.wait();
        self.inner.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Version, TableError>> {
        self.wait();
        self.inner.write(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Version>, TableError> {
        self.wait();
        self.inner.transact(writes).await
    }

    async fn remove_expired(&self, limit: usize) -> Result<usize, TableError> {
        self.inner.remove_expired(limit).await
    }
}

#[tokio::test]
async fn a_sweep_that_takes_long_leaves_the_rest_to_the_next_one() {
    let world = World::new();
    for number in 0..20 {
        world
            .create(&world.receiver(&format!("r{number}")), poll_stream(&["session-revoked"]))
            .await;
    }
    // Ten of them take most of a minute.
    let slow = SlowTable::under(&world, Duration::from_secs(4));
    let mut swept = 0;
    for _ in 0..3 {
        let began = world.clock.now();
        swept += slow.sweep().await.unwrap().streams;
        let took: Duration = world.clock.now().duration_since(began).try_into().unwrap();
        assert!(took < Duration::from_mins(1), "{took:?}");
    }
    assert_eq!(swept, 20, "each once");
}

#[tokio::test]
async fn a_long_poll_ends_in_time_though_what_it_settles_takes_long() {
    let world = World::new();
    let alice = world.receiver("alice");
    let stream = world.create(&alice, poll_stream(&["session-revoked"])).await;
    let id = StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap();
    for number in 0..3 {
        world.emit(&session_revoked(&format!("{number}@example.com"))).await;
    }
    world.settle().await;
    let now = PollRequest { return_immediately: true, ..PollRequest::default() };
    let pending = world.transmitter.poll(&alice, &id, now).await.unwrap();
    let ack: Vec<_> = pending.sets.keys().cloned().collect();
    assert_eq!(ack.len(), 3);

    // What is settled takes longer than a poll waits at all.
    let slow = SlowTable::under(&world, Duration::from_secs(10));
    let began = world.clock.now();
    let wish = PollRequest { ack, ..PollRequest::default() };
    let answer = slow.poll(&alice, &id, wish).await.unwrap();
    assert!(answer.sets.is_empty());
    let took: Duration = world.clock.now().duration_since(began).try_into().unwrap();
    let calls = Duration::from_secs(10 * 5);
    assert!(took <= calls, "it waited though its time was over: {took:?}");
}
