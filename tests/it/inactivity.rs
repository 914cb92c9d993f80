//! What is done on a schedule: inactivity ([SSF 1.0, 8.1.1]), what got stuck, what is over; the
//! numbers are those of the requirements.

use std::time::Duration;

use serde_json::{Value, json};
use ssf::{
    delivery::Swept,
    operator::EventFilter,
    set::TokenStatus,
    stream::{Status, StreamId},
    table::{Condition, Content, Key, Query, Table as _, Write, class},
};
use tests::{
    Answer, Caller, World,
    world::{claims, event_of, poll_stream, push_stream, session_revoked, status},
};

const TIMEOUT: Duration = Duration::from_hours(1);

/// A receiver whose stream is paused when it does not show for an hour.
struct Alice {
    world: World,
    caller: Caller,
    id: StreamId,
}

impl Alice {
    async fn new(stream: Value) -> Self {
        let world = World::with(|config| {
            config.inactivity_timeout = Some(TIMEOUT);
            config.min_verification_interval = Duration::ZERO;
        });
        let caller = world.signed_in_for_good("alice").await;
        let id = caller.post("/ssf/streams", stream).await.stream_id();
        Self { world, caller, id: StreamId::parse(id).unwrap() }
    }

    async fn pushed() -> Self {
        Self::new(push_stream("alice", &["session-revoked"])).await
    }

    /// What one run does some time later.
    async fn sweep_after(&self, time: Duration) -> Swept {
        self.world.clock.advance(time);
        let swept = self.world.sweep().await;
        self.world.settle().await;
        swept
    }

    /// The status, unseen by the stream.
    async fn status(&self) -> Status {
        self.world.transmitter.stream_show(&self.id).await.unwrap().summary.status
    }

    async fn set(&self, status: &str) -> Answer {
        let wish = json!({ "stream_id": self.id, "status": status });
        self.caller.post("/ssf/status", wish).await
    }

    fn told(&self) -> Vec<(String, Value)> {
        self.world.http.take().iter().map(|pushed| event_of(&pushed.claims())).collect()
    }
}

/// 46–48, 86.
#[tokio::test]
async fn a_stream_whose_receiver_does_not_show_is_paused_and_says_so() {
    let alice = Alice::pushed().await;
    assert_eq!(alice.sweep_after(TIMEOUT).await, Swept { streams: 1, ..Swept::default() });
    assert_eq!((alice.status().await, alice.told().len()), (Status::Enabled, 0));
    let swept = alice.sweep_after(Duration::from_secs(1)).await;
    assert_eq!(swept, Swept { streams: 1, paused: 1, ..Swept::default() });
    let reason = "the receiver has not shown for too long";
    let told = json!({ "status": "paused", "reason": reason });
    assert_eq!(alice.told(), [("stream-updated".to_owned(), told)]);
    let path = format!("/ssf/status?stream_id={}", alice.id);
    let wanted = json!({ "stream_id": alice.id, "status": "paused", "reason": reason });
    assert_eq!(alice.caller.get(&path).await.json(), wanted);
    // It stays so, and holds what comes, until the receiver shows.
    alice.world.emit(&session_revoked("jane@example.com")).await;
    assert_eq!(alice.sweep_after(10 * TIMEOUT).await.paused, 0);
    assert_eq!(alice.told(), []);
    assert_eq!(alice.set("enabled").await.status, 200);
    alice.world.settle().await;
    assert_eq!(alice.told().len(), 1);
    assert_eq!(alice.sweep_after(TIMEOUT).await.paused, 0, "the time begins anew");
    assert_eq!(alice.sweep_after(Duration::from_secs(1)).await.paused, 1);
}

/// 47: whatever names the stream is a sign of life; also when it is refused for another reason.
#[tokio::test]
async fn each_call_about_the_stream_begins_the_time_anew() {
    let alice = Alice::pushed().await;
    let body = |members: Value| {
        let mut body = json!({ "stream_id": alice.id });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        body
    };
    let subject = json!({ "subject": { "format": "email", "email": "jane@example.com" } });
    let stream = push_stream("alice", &["session-revoked"]);
    for call in 0..8 {
        assert_eq!(alice.sweep_after(Duration::from_mins(59)).await.paused, 0, "{call}");
        let caller = &alice.caller;
        let answer = match call {
            0 => caller.get(&format!("/ssf/streams?stream_id={}", alice.id)).await,
            1 => caller.patch("/ssf/streams", body(json!({}))).await,
            2 => caller.put("/ssf/streams", body(stream.clone())).await,
            3 => caller.get(&format!("/ssf/status?stream_id={}", alice.id)).await,
            4 => alice.set("enabled").await,
            5 => caller.post("/ssf/subjects/add", body(subject.clone())).await,
            6 => caller.post("/ssf/subjects/remove", body(subject.clone())).await,
            _ => caller.post("/ssf/verification", body(json!({}))).await,
        };
        assert!(answer.status.is_success(), "{answer}");
    }
    assert_eq!(alice.sweep_after(TIMEOUT).await.paused, 0);
    assert_eq!(alice.sweep_after(Duration::from_secs(1)).await.paused, 1);
}

/// 47: for a stream that is polled, a poll is.
#[tokio::test]
async fn polls_keep_a_stream_alive() {
    let alice = Alice::new(poll_stream(&["session-revoked"])).await;
    let path = format!("/ssf/poll/{}", alice.id);
    let poll = async || alice.caller.post(&path, json!({ "returnImmediately": true })).await.json();
    for _ in 0..3 {
        assert_eq!(alice.sweep_after(Duration::from_mins(59)).await.paused, 0);
        assert_eq!(poll().await, json!({ "sets": {} }));
    }
    assert_eq!(alice.sweep_after(TIMEOUT + Duration::from_secs(1)).await.paused, 1);
    let sets = poll().await["sets"].as_object().unwrap().clone();
    let told: Vec<_> =
        sets.values().map(|set| event_of(&claims(set.as_str().unwrap())).0).collect();
    assert_eq!(told, ["stream-updated"]);
}

/// A receiver that is busy costs few writes.
#[tokio::test]
async fn signs_of_life_are_noted_now_and_then() {
    let alice = Alice::new(poll_stream(&[])).await;
    let path = format!("/ssf/poll/{}", alice.id);
    alice.caller.post(&path, json!({ "returnImmediately": true })).await;
    alice.world.table.take();
    for _ in 0..60 {
        alice.world.clock.advance(Duration::from_secs(30));
        alice.caller.post(&path, json!({ "returnImmediately": true })).await;
    }
    let changes = alice.world.table.take().changes();
    // In half an hour every three minutes, and for the token once a minute at most.
    assert!((10..=40).contains(&changes), "{changes}");
}

#[tokio::test]
async fn without_a_timeout_nothing_is_paused() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    alice.post("/ssf/streams", push_stream("alice", &["session-revoked"])).await;
    world.clock.advance(Duration::from_hours(24 * 365));
    assert_eq!(world.sweep().await.paused, 0);
}

/// Takes all bells away, as a crash between storing and ringing would.
async fn lose_the_bells(world: &World) {
    let queue = &world.transmitter.parts().push;
    loop {
        let bells = queue.receive(10, Duration::from_mins(1)).await.unwrap();
        if bells.is_empty() {
            return;
        }
        queue.delete(bells.into_iter().map(|bell| bell.receipt).collect()).await.unwrap();
    }
}

/// Nothing is lost: what is stored and was not rung for is found.
#[tokio::test]
async fn what_got_stuck_is_rung_for_again() {
    let alice = Alice::pushed().await;
    for user in ["a@example.com", "b@example.com", "c@example.com"] {
        alice.world.emit(&session_revoked(user)).await;
    }
    while alice.world.ingest(ssf::delivery::Door::Standard).await > 0 {}
    lose_the_bells(&alice.world).await;
    assert_eq!(alice.sweep_after(Duration::from_mins(5)).await.rung, 0, "it may be on its way");
    assert_eq!(alice.told().len(), 0);
    assert!(alice.sweep_after(Duration::from_secs(1)).await.rung > 0);
    assert_eq!(alice.told().len(), 3);
    assert_eq!(alice.sweep_after(Duration::from_mins(10)).await.rung, 0);
}

/// What waits for its next try is not stuck.
#[tokio::test]
async fn what_is_put_off_is_left_alone() {
    let alice = Alice::pushed().await;
    alice.world.http.always("alice", status(503));
    alice.world.emit(&session_revoked("jane@example.com")).await;
    alice.world.settle().await;
    for _ in 0..6 {
        assert_eq!(alice.sweep_after(Duration::from_mins(4)).await.rung, 0);
    }
}

/// Only what was sent goes.
#[tokio::test]
async fn records_of_what_was_sent_are_kept_for_the_retention_time() {
    use TokenStatus::{Failed, New, Sent};
    let world = World::with(|config| config.event_retention = Duration::from_hours(24));
    let alice = world.signed_in_for_good("alice").await;
    let stream = alice.post("/ssf/streams", push_stream("alice", &["session-revoked"])).await;
    world.http.once("alice", status(202));
    let rejected = ssf::delivery::PushAnswer {
        status: 400,
        retry_after: None,
        content_type: Some("application/json".to_owned()),
        body: br#"{"err":"invalid_request","description":"unknown"}"#.to_vec(),
    };
    world.http.once("alice", Ok(rejected));
    for user in ["sent@example.com", "failed@example.com"] {
        world.emit(&session_revoked(user)).await;
        world.settle().await;
    }
    let wish = json!({ "stream_id": stream.stream_id(), "status": "paused" });
    alice.post("/ssf/status", wish).await;
    world.emit(&session_revoked("held@example.com")).await;
    world.settle().await;
    let kept = async || {
        let all = world.transmitter.event_list(&EventFilter::default(), None, 10).await.unwrap();
        let mut kept: Vec<_> = all.items.iter().map(|event| event.status).collect();
        kept.sort_unstable_by_key(|status| format!("{status:?}"));
        kept
    };
    assert_eq!(kept().await, [Failed, New, Sent]);
    world.clock.advance(Duration::from_secs(24 * 3600 - 1));
    assert_eq!(world.sweep().await.expired, 0);
    assert_eq!(kept().await, [Failed, New, Sent]);
    world.clock.advance(Duration::from_secs(1));
    assert!(world.sweep().await.expired > 0);
    assert_eq!(kept().await, [Failed, New]);
    world.clock.advance(Duration::from_hours(24 * 1000));
    world.sweep().await;
    assert_eq!(kept().await, [Failed, New]);
}

/// How many rows there are of a stream.
async fn rows(world: &World, id: &StreamId) -> usize {
    let mut rows = 0;
    let classes = [class::SET, class::STREAM, class::STREAM_ACTIVITY, class::STREAM_SUBJECT];
    for partition in classes.map(|class| class.of(id)) {
        rows += world.table.query(Query::sorted(partition, "")).await.unwrap().items.len();
    }
    let listed = Query::sorted(class::STREAMS.partition(), id.as_str());
    rows + world.table.query(listed).await.unwrap().items.len()
}

/// 71: nothing stays, whatever it had.
#[tokio::test]
async fn what_is_left_of_a_deleted_stream_is_removed() {
    let alice = Alice::pushed().await;
    let user = |number: u32| json!({ "format": "email", "email": format!("{number}@example.com") });
    for number in 0..30 {
        let body = json!({ "stream_id": alice.id, "subject": user(number) });
        assert_eq!(alice.caller.post("/ssf/subjects/remove", body).await.status, 204);
    }
    alice.world.emit(&session_revoked("jane@example.com")).await;
    alice.world.settle().await;
    assert!(rows(&alice.world, &alice.id).await > 30);
    let path = format!("/ssf/streams?stream_id={}", alice.id);
    assert_eq!(alice.caller.delete(&path).await.status, 204);
    assert_eq!(alice.sweep_after(Duration::ZERO).await.removed, 1);
    assert_eq!(rows(&alice.world, &alice.id).await, 0);
    let subject: ssf::subject::Subject = serde_json::from_value(user(0)).unwrap();
    let partition = class::SUBJECT.of(subject.digest());
    assert_eq!(alice.world.table.query(Query::sorted(partition, "")).await.unwrap().items, []);
    assert_eq!(alice.sweep_after(Duration::ZERO).await, Swept::default());
}

/// A goodbye that the receiver does not take is waited for, though not for ever.
#[tokio::test]
async fn a_deleted_stream_stays_until_it_has_said_goodbye() {
    let alice = Alice::pushed().await;
    alice.world.http.always("alice", status(503));
    let over = Status::DisabledDeleted;
    alice.world.transmitter.set_status_ourselves(&alice.id, over, "over").await.unwrap();
    assert_eq!(alice.sweep_after(Duration::from_hours(1)).await.removed, 0);
    alice.world.http.take();
    alice.world.http.always("alice", status(202));
    assert_eq!(alice.sweep_after(Duration::from_hours(3)).await.removed, 0);
    assert_eq!(alice.told().len(), 1);
    assert_eq!(alice.sweep_after(Duration::ZERO).await.removed, 1);

    let alice = Alice::pushed().await;
    alice.world.http.always("alice", status(503));
    alice.world.transmitter.set_status_ourselves(&alice.id, over, "over").await.unwrap();
    assert_eq!(alice.sweep_after(Duration::from_hours(24)).await.removed, 0);
    assert_eq!(alice.sweep_after(Duration::from_secs(1)).await.removed, 1);
    assert_eq!(rows(&alice.world, &alice.id).await, 0);
}

/// One run looks at so many, the next goes on behind them, and in the end all begins again.
#[tokio::test]
async fn a_run_is_bounded_and_the_next_goes_on() {
    let alice = Alice::pushed().await;
    let listed = |number: u32| {
        let key = Key::new(class::STREAMS.partition(), format!("{number:032}"));
        Write::put(key, Condition::Any, Content { body: "{}".to_owned(), ..Content::default() })
    };
    // Streams that are only listed any more; the real one comes first.
    alice.world.table.write((1_000..2_200).map(listed).collect()).await;
    alice.world.clock.advance(2 * TIMEOUT);
    let mut runs = Vec::new();
    for _ in 0..4 {
        let swept = alice.world.sweep().await;
        runs.push((swept.streams, swept.paused));
    }
    assert_eq!(runs, [(500, 1), (500, 0), (201, 0), (1, 0)]);
}
