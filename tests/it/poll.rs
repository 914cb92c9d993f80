//! Poll-based delivery (RFC 8936); the numbers are those of the requirements.

use std::{
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use futures_util::poll;
use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::{
    clock::Clock as _,
    config::Config,
    delivery::{Door, PollRequest},
    operator::EventFilter,
    set::TokenStatus,
    stream::StreamId,
    table::{Key, Table as _},
};
use tests::{
    Answer, Caller, World,
    world::{claims, poll_stream, session_revoked},
};

/// A receiver with one stream that it polls.
struct Alice {
    world: World,
    caller: Caller,
    id: StreamId,
    path: String,
}

impl Alice {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(settings: impl FnOnce(&mut Config)) -> Self {
        let world = World::with(settings);
        let caller = world.signed_in("alice", "ssf.manage").await;
        Self::of(world, caller).await
    }

    /// With a token that outlives days.
    async fn for_good() -> Self {
        let world = World::new();
        let caller = world.signed_in_for_good("alice").await;
        Self::of(world, caller).await
    }

    async fn of(world: World, caller: Caller) -> Self {
        let stream = caller.post("/ssf/streams", poll_stream(&["session-revoked"])).await;
        let url = stream.json()["delivery"]["endpoint_url"].as_str().unwrap().to_owned();
        let path = url.strip_prefix("https://tocsin.example").unwrap().to_owned();
        let id = StreamId::parse(stream.stream_id()).unwrap();
        Self { world, caller, id, path }
    }

    /// One event after the other, by which `txn` they are known again.
    async fn emit(&self, txns: std::ops::Range<usize>) {
        for txn in txns {
            let mut event = session_revoked("jane@example.com");
            event["txn"] = json!(txn.to_string());
            self.world.emit_fifo("jane", &event).await;
        }
        self.world.settle().await;
    }

    async fn poll(&self, body: Value) -> Answer {
        let answer = self.caller.post(&self.path, body).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer
    }

    /// A poll that does not wait.
    async fn now(&self, mut body: Value) -> Polled {
        body["returnImmediately"] = json!(true);
        Polled::of(&self.poll(body).await)
    }
}

/// What a poll gave, in the order in which it stands in the answer.
#[derive(Debug)]
struct Polled {
    jtis: Vec<String>,
    txns: Vec<usize>,
    text: String,
    more: Option<bool>,
}

impl Polled {
    fn of(answer: &Answer) -> Self {
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        let body = answer.json();
        let mut sets: Vec<_> = body["sets"].as_object().unwrap().iter().collect();
        sets.sort_by_key(|(jti, _)| text.find(jti.as_str()));
        let txn = |set: &Value| claims(set.as_str().unwrap())["txn"].as_str()?.parse().ok();
        for (jti, set) in &sets {
            // 142
            assert_eq!(claims(set.as_str().unwrap())["jti"], jti.as_str());
        }
        Self {
            jtis: sets.iter().map(|(jti, _)| (*jti).clone()).collect(),
            txns: sets.iter().filter_map(|(_, set)| txn(set)).collect(),
            more: body.get("moreAvailable").map(|more| more.as_bool().unwrap()),
            text,
        }
    }
}

/// 141, 143, 147, 150.
#[tokio::test]
async fn a_poll_of_nothing_is_an_empty_object() {
    let alice = Alice::new().await;
    assert_snapshot!(alice.poll(json!({ "returnImmediately": true })).await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {
      "sets": {}
    }
    "#);
    alice.emit(0..1).await;
    assert_eq!(Polled::of(&alice.poll(json!({})).await).txns, [0]);
}

/// 144, 145: exactly, and in order.
#[tokio::test]
async fn as_many_sets_come_as_are_asked_for_and_whether_there_are_more_is_said() {
    let alice = Alice::with(|config| config.poll_sets = 6).await;
    alice.emit(0..5).await;
    for (wanted, txns, more) in [
        (json!({ "maxEvents": 0 }), 0..0, Some(true)),
        (json!({ "maxEvents": 1 }), 0..1, Some(true)),
        (json!({ "maxEvents": 4 }), 0..4, Some(true)),
        (json!({ "maxEvents": 5 }), 0..5, None),
        (json!({ "maxEvents": 4_000_000_000_000_000_000_u64 }), 0..5, None),
        (json!({}), 0..5, None),
    ] {
        let polled = alice.now(wanted.clone()).await;
        assert_eq!((polled.txns, polled.more), (txns.collect(), more), "{wanted}");
    }
    // More than we give at once.
    alice.emit(5..7).await;
    let polled = alice.now(json!({ "maxEvents": 100 })).await;
    assert_eq!((polled.txns, polled.more), ((0..6).collect(), Some(true)));
    let polled = alice.now(json!({ "ack": polled.jtis })).await;
    assert_eq!((polled.txns, polled.more), (vec![6], None));
    let polled = alice.now(json!({ "ack": polled.jtis, "maxEvents": 0 })).await;
    assert_eq!((polled.txns.len(), polled.more), (0, None));
}

/// `maxEvents: 0` is for those who only acknowledge; they do not wait.
#[tokio::test]
async fn a_poll_that_wants_nothing_does_not_wait_for_it() {
    let alice = Alice::new().await;
    assert_eq!(alice.poll(json!({ "maxEvents": 0 })).await.json(), json!({ "sets": {} }));
}

/// 148: byte for byte, until acknowledged.
#[tokio::test]
async fn what_is_not_acknowledged_comes_again_as_it_was() {
    let alice = Alice::new().await;
    alice.emit(0..3).await;
    let first = alice.now(json!({})).await;
    alice.world.clock.advance(Duration::from_mins(10));
    alice.world.transmitter.keys().rotate(true).await.unwrap();
    assert_eq!(alice.now(json!({})).await.text, first.text);
    let rest = alice.now(json!({ "ack": [first.jtis[1], "never given", ""] })).await;
    assert_eq!(rest.txns, [0, 2]);
    // To say it again, and of what another stream has, is harmless.
    let bob = alice.world.signed_in("bob", "ssf.manage").await;
    let bobs = bob.post("/ssf/streams", poll_stream(&[])).await.stream_id();
    let bobs = format!("/ssf/poll/{bobs}");
    let all = json!({ "ack": first.jtis, "returnImmediately": true });
    assert_eq!(bob.post(&bobs, all).await.json(), json!({ "sets": {} }));
    assert_eq!(alice.now(json!({ "ack": [first.jtis[1]] })).await.txns, [0, 2]);
    assert_eq!(alice.now(json!({ "ack": rest.jtis })).await.txns, [0; 0]);
}

/// 149: a SET that is no good does not come again, and its stream's operator can see why.
#[tokio::test]
async fn errors_settle_sets_and_are_kept() {
    let alice = Alice::new().await;
    alice.emit(0..3).await;
    let jtis = alice.now(json!({})).await.jtis;
    let errors = json!({
        jtis[0].as_str(): { "err": "invalid_request", "description": "Grüße ".repeat(1000) },
        jtis[1].as_str(): { "err": "invalid_state" },
        "never given": { "err": "x", "description": "y" },
    });
    let polled = alice.now(json!({ "setErrs": errors, "ack": [jtis[2]] })).await;
    assert_eq!((polled.txns.len(), polled.more), (0, None));
    let failed = EventFilter { status: Some(TokenStatus::Failed), ..EventFilter::default() };
    let failed = alice.world.transmitter.event_list(&failed, None, 10).await.unwrap().items;
    let mut errors: Vec<_> = failed
        .into_iter()
        .map(|event| event.error.map(|error| (error.err, error.description.len())).unwrap())
        .collect();
    errors.sort_unstable();
    assert_eq!(errors, [("invalid_request".to_owned(), 500), ("invalid_state".to_owned(), 0)]);
}

/// A receiver whose key set is old says so of every SET; with the new one it takes them all.
#[tokio::test]
async fn what_is_said_of_us_is_offered_again_later_and_later() {
    let alice = Alice::new().await;
    alice.emit(0..2).await;
    alice.world.clock.advance(Duration::from_secs(1));
    let mut bobs = session_revoked("bob@example.com");
    bobs["txn"] = json!("2");
    alice.world.emit(&bobs).await;
    alice.world.settle().await;
    let first = alice.now(json!({})).await;
    assert_eq!(first.txns, [0, 1, 2]);
    for (code, wait) in [("invalid_key", 2), ("authentication_failed", 6), ("invalid_audience", 18)]
    {
        let error = json!({ first.jtis[0].as_str(): { "err": code, "description": "no" } });
        // Those behind it of the same subject wait for it; others do not.
        assert_eq!(alice.now(json!({ "setErrs": error })).await.txns, [2], "{code}");
        // To say it again changes nothing.
        assert_eq!(alice.now(json!({ "setErrs": error })).await.txns, [2], "{code}");
        alice.world.clock.advance(Duration::from_secs(wait - 1) / 2);
        assert_eq!(alice.now(json!({})).await.txns, [2], "{code}");
        alice.world.clock.advance(Duration::from_secs(wait));
        assert_eq!(alice.now(json!({})).await.text, first.text, "{code}");
    }
    let stream = alice.world.transmitter.stream_show(&alice.id).await.unwrap();
    let trouble = stream.summary.trouble.unwrap();
    assert_eq!((trouble.error.err.as_str(), trouble.sets), ("invalid_audience", 1));
    assert_eq!(alice.now(json!({ "ack": first.jtis })).await.txns, [0; 0]);
    let stream = alice.world.transmitter.stream_show(&alice.id).await.unwrap();
    assert_eq!((stream.summary.failed, stream.summary.trouble), (0, None));
}

/// After a day the operator has to see to it; what is behind it goes on.
#[tokio::test]
async fn what_is_said_of_us_for_a_day_is_failed() {
    let alice = Alice::for_good().await;
    alice.emit(0..2).await;
    let jtis = alice.now(json!({})).await.jtis;
    let error = json!({ jtis[0].as_str(): { "err": "invalid_issuer" } });
    for _ in 0..8 {
        assert_eq!(alice.now(json!({ "setErrs": error })).await.txns, [0; 0]);
        alice.world.clock.advance(Duration::from_hours(3));
        assert_eq!(alice.now(json!({})).await.txns, [0, 1]);
    }
    assert_eq!(alice.now(json!({ "setErrs": error })).await.txns, [1]);
    let failed = alice.world.transmitter.stream_show(&alice.id).await.unwrap().summary.failed;
    assert_eq!(failed, 1);
}

/// A poll that waits does not read a thousand SETs every second that are not due.
#[tokio::test]
async fn a_poll_that_waits_reads_what_is_not_due_once() {
    let alice = Alice::with(|config| config.poll_wait = Duration::from_secs(20)).await;
    alice.emit(0..30).await;
    let jtis = alice.now(json!({})).await.jtis;
    let errors: Value = jtis
        .iter()
        .map(|jti| (jti.clone(), json!({ "err": "access_denied" })))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for wait in [3, 10, 30, 100] {
        assert_eq!(alice.now(json!({ "setErrs": errors })).await.txns, [0; 0]);
        alice.world.clock.advance(Duration::from_secs(wait));
    }
    assert_eq!(alice.now(json!({ "setErrs": errors })).await.txns, [0; 0]);
    alice.world.table.take();
    let mut waiting = pin!(alice.poll(json!({})));
    until_it_waits(&alice.world, &mut waiting).await;
    let first = alice.world.table.take().query_items;
    alice.world.clock.advance(Duration::from_secs(1));
    until_it_waits(&alice.world, &mut waiting).await;
    let second = alice.world.table.take().query_items;
    assert!(first >= 30 && second < 5, "{first} and then {second}");
    // Something about somebody else comes at once.
    let mut bobs = session_revoked("bob@example.com");
    bobs["txn"] = json!("30");
    alice.world.emit(&bobs).await;
    alice.world.settle().await;
    assert_eq!(Polled::of(&soon(&alice.world, &mut waiting).await).txns, [30]);
}

/// Both were said: it is an error.
#[tokio::test]
async fn a_set_that_is_acknowledged_and_in_error_is_in_error() {
    let alice = Alice::new().await;
    alice.emit(0..1).await;
    let jtis = alice.now(json!({})).await.jtis;
    let errors = json!({ jtis[0].as_str(): { "err": "invalid_request" } });
    alice.now(json!({ "ack": jtis, "setErrs": errors })).await;
    let stream = alice.world.transmitter.stream_show(&alice.id).await.unwrap();
    assert_eq!(stream.summary.failed, 1);
}

/// 151: the member that is wrong is named, and nothing is settled.
#[tokio::test]
async fn a_member_that_is_null_is_left_out() {
    let alice = Alice::new().await;
    alice.emit(0..1).await;
    let null =
        json!({ "maxEvents": null, "returnImmediately": null, "ack": null, "setErrs": null });
    let answer = alice.caller.post(&alice.path, null).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.json()["sets"].as_object().unwrap().len(), 1, "{answer}");
}

#[tokio::test]
async fn a_poll_that_cannot_be_read_is_refused_by_member() {
    let alice = Alice::new().await;
    alice.emit(0..1).await;
    let jti = alice.now(json!({})).await.jtis.pop().unwrap();
    let mut answers = Vec::new();
    for body in [
        json!([]),
        json!({ "maxEvents": -1 }),
        json!({ "maxEvents": 1.5 }),
        json!({ "maxEvents": "1" }),
        json!({ "maxEvents": true }),
        json!({ "returnImmediately": "true", "ack": [jti] }),
        json!({ "returnImmediately": 1 }),
        json!({ "ack": jti }),
        json!({ "ack": { jti.as_str(): true } }),
        json!({ "ack": [1] }),
        json!({ "ack": vec![""; 2001] }),
        json!({ "setErrs": [jti] }),
        json!({ "setErrs": { jti.as_str(): "bad" } }),
        json!({ "setErrs": { "a": { "description": "no code" } } }),
        json!({ "setErrs": { "a": { "err": 1, "description": "" } } }),
    ] {
        answers.push(alice.caller.post(&alice.path, body).await.brief());
    }
    for text in ["", "maxEvents=1", r#"{"ack":[],"ack":[]}"#] {
        let headers = [("content-type", "application/json")];
        let answer =
            alice.caller.send(http::Method::POST, &alice.path, &headers, text.into()).await;
        answers.push(answer.brief());
    }
    assert_snapshot!(answers.join("\n").replace(&jti, "<jti>"), @r"
    400 the body must be an object
    400 maxEvents is integer, expected a whole number from 0 on
    400 maxEvents is floating point, expected a whole number from 0 on
    400 maxEvents is string, expected a whole number from 0 on
    400 maxEvents is boolean, expected a whole number from 0 on
    400 returnImmediately is string, expected a boolean
    400 returnImmediately is integer, expected a boolean
    400 ack is string, expected an array
    400 ack is object, expected an array
    400 ack[0] is integer, expected a string
    400 ack settles more than 2000 SETs at once
    400 setErrs is array, expected an object
    400 setErrs.<jti> is string, expected an object
    400 setErrs.a.err is missing
    400 setErrs.a.err is integer, expected a string
    400 the body is not JSON at line 1, column 0
    400 the body is not JSON at line 1, column 1
    400 ack is there twice
    ");
    assert_eq!(alice.now(json!({})).await.jtis, [jti]);
}

/// Drives `waiting` until it has looked for SETs and waits for some.
async fn until_it_waits(world: &World, waiting: &mut Pin<&mut impl Future<Output = Answer>>) {
    world.table.take();
    for _ in 0..1_000 {
        assert!(poll!(waiting.as_mut()).is_pending());
        let looked = world.table.counts().queries > 0;
        // The table answers in the order of the questions: when it answers this, it has answered
        // those before.
        world.table.get(&Key::new("any", "key")).await.unwrap();
        if looked {
            assert!(poll!(waiting.as_mut()).is_pending());
            return;
        }
    }
    panic!("it does not look");
}

/// The answer to what waited: it must come without anything else happening.
async fn soon(world: &World, waiting: &mut Pin<&mut impl Future<Output = Answer>>) -> Answer {
    for _ in 0..1_000 {
        if let Poll::Ready(answer) = poll!(waiting.as_mut()) {
            return answer;
        }
        world.table.get(&Key::new("any", "key")).await.unwrap();
    }
    panic!("it still waits");
}

/// 146: no time passes between the event and the answer.
#[tokio::test]
async fn a_poll_that_waits_is_woken_by_a_new_event() {
    let alice = Alice::new().await;
    for body in [json!({}), json!({ "returnImmediately": false, "maxEvents": 3 })] {
        let mut waiting = pin!(alice.poll(body));
        until_it_waits(&alice.world, &mut waiting).await;
        let now = alice.world.clock.now();
        alice.emit(0..1).await;
        let polled = Polled::of(&soon(&alice.world, &mut waiting).await);
        assert_eq!((polled.txns, alice.world.clock.now()), (vec![0], now));
        alice.now(json!({ "ack": polled.jtis })).await;
    }
}

/// 143, 146: and it is no error when none comes.
#[tokio::test]
async fn a_poll_that_waits_in_vain_is_answered_in_time() {
    let alice = Alice::with(|config| config.poll_wait = Duration::from_secs(20)).await;
    let mut waiting = pin!(alice.poll(json!({})));
    for _ in 0..20 {
        until_it_waits(&alice.world, &mut waiting).await;
        alice.world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(soon(&alice.world, &mut waiting).await.json(), json!({ "sets": {} }));
}

/// What is acknowledged by a poll that waits is settled before it waits.
#[tokio::test]
async fn a_poll_settles_before_it_waits() {
    let alice = Alice::new().await;
    alice.emit(0..1).await;
    let jtis = alice.now(json!({})).await.jtis;
    {
        let mut waiting = pin!(alice.poll(json!({ "ack": jtis })));
        until_it_waits(&alice.world, &mut waiting).await;
        // The receiver is gone.
    }
    assert_eq!(alice.now(json!({})).await.txns, [0; 0]);
}

/// On AWS, and wherever there is more than one process, the event comes in elsewhere.
#[tokio::test]
async fn a_poll_that_waits_sees_within_a_second_what_another_process_took_in() {
    let alice = Alice::new().await;
    let elsewhere = alice.world.another_process();
    let receiver = alice.world.receiver("alice");
    let mut waiting = pin!(async {
        let polled = elsewhere.poll(&receiver, &alice.id, PollRequest::default()).await;
        Answer {
            status: http::StatusCode::OK,
            headers: http::HeaderMap::new(),
            body: serde_json::to_vec(&polled.unwrap()).unwrap().into(),
        }
    });
    until_it_waits(&alice.world, &mut waiting).await;
    alice.world.emit(&session_revoked("jane@example.com")).await;
    assert_eq!(alice.world.ingest(Door::Standard).await, 1);
    alice.world.clock.advance(Duration::from_secs(1));
    assert_eq!(Polled::of(&soon(&alice.world, &mut waiting).await).jtis.len(), 1);
}

/// 71: whoever waits for a stream learns that it is over.
#[tokio::test]
async fn a_poll_that_waits_ends_when_the_stream_is_deleted() {
    let alice = Alice::new().await;
    let mut waiting = pin!(alice.caller.post(&alice.path, json!({})));
    until_it_waits(&alice.world, &mut waiting).await;
    let path = format!("/ssf/streams?stream_id={}", alice.id);
    assert_eq!(alice.caller.delete(&path).await.status, 204);
    let answer = soon(&alice.world, &mut waiting).await;
    assert_eq!(answer.brief(), format!("404 there is no stream {}", alice.id));
    assert_eq!(alice.caller.post(&alice.path, json!({})).await.status, 404);
}

/// Or that it is pushed from now on.
#[tokio::test]
async fn a_poll_that_waits_ends_when_the_stream_is_pushed() {
    let alice = Alice::new().await;
    alice.world.clock.advance(Duration::from_secs(1));
    let mut waiting = pin!(alice.caller.post(&alice.path, json!({})));
    until_it_waits(&alice.world, &mut waiting).await;
    let delivery = json!({ "method": "urn:ietf:rfc:8935", "endpoint_url": "https://a.example/" });
    let wish = json!({ "stream_id": alice.id, "delivery": delivery });
    assert_eq!(alice.caller.patch("/ssf/streams", wish).await.status, 200);
    assert_eq!(
        soon(&alice.world, &mut waiting).await.brief(),
        "409 the stream is delivered by push"
    );
}

/// 82: a stream that is paused meanwhile gives nothing, and one that is enabled does so at once.
#[tokio::test]
async fn a_poll_that_waits_follows_the_status() {
    let alice = Alice::new().await;
    let set = async |status: &str| {
        let wish = json!({ "stream_id": alice.id, "status": status });
        assert_eq!(alice.caller.post("/ssf/status", wish).await.status, 200);
    };
    set("paused").await;
    let mut waiting = pin!(alice.poll(json!({})));
    until_it_waits(&alice.world, &mut waiting).await;
    alice.emit(0..1).await;
    until_it_waits(&alice.world, &mut waiting).await;
    set("enabled").await;
    assert_eq!(Polled::of(&soon(&alice.world, &mut waiting).await).txns, [0]);
}
