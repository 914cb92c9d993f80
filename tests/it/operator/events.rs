//! SETs, listed, shown, tried again and dropped.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use ssf::{
    Error,
    clock::Clock,
    delivery::PollRequest,
    event::EventType,
    operator::{EventFilter, EventSummary, Retried},
    set::{Jti, SetError, TokenStatus},
    stream::{Reason, Status, StreamId},
};
use tests::{
    World,
    world::{Pushed, caep, poll_stream, session_revoked, status},
};

use super::{create, polled_by, pushed_to, rejected};

fn of(status: TokenStatus) -> EventFilter {
    EventFilter { status: Some(status), ..EventFilter::default() }
}

async fn listed(world: &World, filter: &EventFilter) -> Vec<EventSummary> {
    let listed = world.transmitter.event_list(filter, None, 100).await.unwrap();
    assert!(!listed.more);
    listed.items
}

/// A push stream of `name`, to which `failing` events were sent that it refused.
async fn with_failed(world: &World, name: &str, failing: usize) -> (StreamId, Vec<Pushed>) {
    let id = pushed_to(world, name).await;
    world.http.always(name, Ok(rejected()));
    for user in 0..failing {
        let mut event = session_revoked(&format!("user{user}@example.com"));
        event["stream_id"] = json!(id);
        world.emit(&event).await;
        world.settle().await;
        world.clock.advance(Duration::from_secs(1));
    }
    world.http.always(name, status(202));
    (id, world.http.take())
}

#[tokio::test]
async fn events_are_listed_the_newest_first_by_stream_status_type_and_time() {
    let world = World::new();
    let (alice, _) = with_failed(&world, "alice", 2).await;
    let types = ["session-revoked", "credential-change"];
    let bob = create(&world, &world.receiver("bob"), poll_stream(&types)).await;
    let noon = world.clock.now();
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    world.clock.advance(Duration::from_secs(1));
    world
        .emit(&json!({
            "sub_id": { "format": "email", "email": "jane@example.com" },
            "events": { caep("credential-change"): {
                "credential_type": "password", "change_type": "update",
            } },
        }))
        .await;
    world.settle().await;

    let all = listed(&world, &EventFilter::default()).await;
    let seen = |events: &[EventSummary]| -> Vec<_> {
        let names = |event: &EventSummary| {
            let stream = if event.stream_id == alice { "alice" } else { "bob" };
            (stream, event.event_type.short_name().to_owned(), event.status)
        };
        events.iter().map(names).collect()
    };
    let wanted = [
        ("bob", "credential-change".to_owned(), TokenStatus::New),
        ("alice", "session-revoked".to_owned(), TokenStatus::Sent),
        ("bob", "session-revoked".to_owned(), TokenStatus::New),
        ("alice", "session-revoked".to_owned(), TokenStatus::Failed),
        ("alice", "session-revoked".to_owned(), TokenStatus::Failed),
    ];
    let mut got = seen(&all);
    // Two of the same moment have no order.
    got[1..3].sort_unstable_by_key(|(stream, ..)| *stream);
    assert_eq!(got, wanted);
    assert!(all.is_sorted_by(|newer, older| newer.created >= older.created));

    let filters = [
        (EventFilter { stream: Some(bob), ..EventFilter::default() }, vec![0, 2]),
        (of(TokenStatus::New), vec![0, 2]),
        (of(TokenStatus::Sent), vec![1]),
        (of(TokenStatus::Failed), vec![3, 4]),
        (
            EventFilter {
                event_type: Some(EventType::CREDENTIAL_CHANGE),
                ..EventFilter::default()
            },
            vec![0],
        ),
        (EventFilter { until: Some(noon), ..EventFilter::default() }, vec![3, 4]),
        (EventFilter { since: Some(noon), ..of(TokenStatus::Failed) }, vec![]),
    ];
    for (filter, at) in filters {
        let wanted: Vec<_> = at.into_iter().map(|at| wanted[at].clone()).collect();
        assert_eq!(seen(&listed(&world, &filter).await), wanted, "{filter:?}");
    }
}

#[tokio::test]
async fn parts_of_a_list_make_the_whole_and_nothing_twice() {
    let world = World::new();
    with_failed(&world, "alice", 7).await;
    for filter in [EventFilter::default(), of(TokenStatus::Failed)] {
        let all = listed(&world, &filter).await;
        assert_eq!(all.len(), 7);
        let mut parts: Vec<EventSummary> = Vec::new();
        loop {
            let after = parts.last().map(|event| &event.jti);
            let part = world.transmitter.event_list(&filter, after, 3).await.unwrap();
            assert!(part.items.len() <= 3);
            parts.extend(part.items);
            if !part.more {
                break;
            }
        }
        assert_eq!(parts, all);
    }
}

#[tokio::test]
async fn an_event_is_shown_with_what_it_says_found_with_and_without_its_stream() {
    let world = World::new();
    let (id, pushed) = with_failed(&world, "alice", 1).await;
    polled_by(&world, "bob").await;
    let jti = Jti::new(pushed[0].claims()["jti"].as_str().unwrap());
    for stream in [None, Some(&id)] {
        let record = world.transmitter.event_show(&jti, stream).await.unwrap();
        assert_eq!(record.claims, Some(pushed[0].claims()));
        assert_eq!(record.set.as_str(), pushed[0].set);
        assert_eq!(record.summary.error.as_ref().unwrap().err, "invalid_request");
        assert!(!format!("{record:?}").contains("example.com"), "subjects are not for logs");
    }
    let nobody = world.transmitter.event_show(&Jti::new("nobody"), None).await;
    assert_eq!(nobody.unwrap_err().to_string(), "there is no event nobody");
}

#[tokio::test]
async fn a_failed_event_is_sent_again_with_the_same_bytes() {
    let world = World::new();
    let (id, before) = with_failed(&world, "alice", 3).await;
    let jti = Jti::new(before[1].claims()["jti"].as_str().unwrap());
    let error = world.transmitter.event_show(&jti, None).await.unwrap().summary.error;
    assert_eq!(error.unwrap().description, "no such user");
    let retried = world.transmitter.event_retry(&jti, None).await.unwrap();
    assert_eq!((retried.status, retried.error), (TokenStatus::New, None));
    world.settle().await;
    let sets = |pushed: &[Pushed]| -> Vec<String> {
        pushed.iter().map(|pushed| pushed.set.clone()).collect()
    };
    assert_eq!(sets(&world.http.take()), [before[1].set.clone()]);
    assert_eq!(listed(&world, &of(TokenStatus::Failed)).await.len(), 2);

    let sent = world.transmitter.event_retry(&jti, Some(&id)).await.unwrap_err();
    assert_eq!(
        sent.to_string(),
        format!("the event {jti} has not failed and does not wait: it was delivered")
    );

    let all = EventFilter { stream: Some(id), ..EventFilter::default() };
    let retried = world.transmitter.event_retry_all(&all).await.unwrap();
    assert_eq!(retried, Retried { retried: 2, passed_over: 0 });
    world.settle().await;
    let mut again = sets(&world.http.take());
    again.sort_unstable();
    let mut wanted = [before[0].set.clone(), before[2].set.clone()];
    wanted.sort_unstable();
    assert_eq!(again, wanted);
}

#[tokio::test]
async fn what_a_polling_receiver_found_no_good_comes_again_with_the_same_bytes() {
    let world = World::new();
    let alice = world.receiver("alice");
    let id = polled_by(&world, "alice").await;
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    let poll = async |set_errs| {
        let request = PollRequest { return_immediately: true, set_errs, ..PollRequest::default() };
        world.transmitter.poll(&alice, &id, request).await.unwrap().sets
    };
    let first = poll(BTreeMap::new()).await;
    let jti = first.keys().next().unwrap();
    let error = SetError { err: "invalid_request".into(), description: "no sub_id".into() };
    assert!(poll(BTreeMap::from([(jti.clone(), error.clone())])).await.is_empty());
    let failed = listed(&world, &of(TokenStatus::Failed)).await;
    assert_eq!(failed[0].error, Some(error));
    world.transmitter.event_retry(jti, Some(&id)).await.unwrap();
    assert_eq!(poll(BTreeMap::new()).await, first);
}

#[tokio::test]
async fn what_a_stream_would_not_let_pass_stays_failed() {
    let world = World::new();
    let (id, before) = with_failed(&world, "alice", 1).await;
    let jti = Jti::new(before[0].claims()["jti"].as_str().unwrap());
    let reason = || Reason::try_from("by hand".to_owned()).unwrap();
    let set = |status| world.transmitter.stream_set_status(&id, status, reason());
    for (status, text) in [
        (Status::Disabled, "is disabled"),
        (Status::Enabled, "was disabled after the event was issued"),
    ] {
        set(status).await.unwrap();
        let refused = world.transmitter.event_retry(&jti, None).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(_)));
        assert!(refused.to_string().ends_with(text), "{refused}");
    }
    let retried = world.transmitter.event_retry_all(&EventFilter::default()).await.unwrap();
    assert_eq!(retried, Retried { retried: 0, passed_over: 1 });
    assert_eq!(listed(&world, &of(TokenStatus::Failed)).await.len(), 1);
}

#[tokio::test]
async fn a_failed_event_is_dropped_and_no_other() {
    let world = World::new();
    let (_, before) = with_failed(&world, "alice", 3).await;
    let jti = Jti::new(before[0].claims()["jti"].as_str().unwrap());
    world.transmitter.event_drop(&jti, None).await.unwrap();
    assert!(matches!(
        world.transmitter.event_drop(&jti, None).await,
        Err(Error::NotFound { kind: "event", .. })
    ));
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    let dropped = world.transmitter.event_drop_all(&EventFilter::default()).await.unwrap();
    assert_eq!(dropped, 2);
    let left = listed(&world, &EventFilter::default()).await;
    assert_eq!(left.iter().map(|event| event.status).collect::<Vec<_>>(), [TokenStatus::Sent]);
}

/// SETs about jane that wait, for alice did not take the first: their names, in order.
async fn with_waiting(world: &World, answer: u16) -> (StreamId, Vec<Jti>) {
    let id = pushed_to(world, "alice").await;
    world.http.always("alice", status(answer));
    for _ in 0..3 {
        world.emit(&session_revoked("jane@example.com")).await;
        world.pass(Duration::from_secs(1)).await;
    }
    world.pass(Duration::from_hours(1)).await;
    world.http.take();
    let mut waiting = listed(world, &of(TokenStatus::New)).await;
    assert_eq!(waiting.len(), 3);
    waiting.reverse();
    (id, waiting.into_iter().map(|event| event.jti).collect())
}

fn names(pushed: &[Pushed]) -> Vec<Jti> {
    pushed.iter().map(|pushed| Jti::new(pushed.claims()["jti"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn an_event_that_waits_is_dropped_and_those_behind_it_go_on() {
    let world = World::new();
    let (_, waiting) = with_waiting(&world, 500).await;
    world.http.always("alice", status(202));
    world.transmitter.event_drop(&waiting[0], None).await.unwrap();
    // Whatever the receiver was thought to be, it is looked at within minutes.
    world.pass(Duration::from_mins(5)).await;
    assert_eq!(names(&world.http.take()), waiting[1..]);
    let shown = world.transmitter.event_show(&waiting[0], None).await;
    assert!(matches!(shown, Err(Error::NotFound { kind: "event", .. })));
}

#[tokio::test]
async fn an_event_that_waits_is_tried_again_at_once_with_those_behind_it() {
    let world = World::new();
    let (id, waiting) = with_waiting(&world, 500).await;
    world.http.always("alice", status(202));
    let retried = world.transmitter.event_retry(&waiting[0], Some(&id)).await.unwrap();
    assert_eq!((retried.attempts, retried.error), (0, None));
    world.settle().await;
    assert_eq!(names(&world.http.take()), waiting);
}

#[tokio::test]
async fn all_that_wait_are_tried_again_or_dropped_only_if_that_is_said() {
    let world = World::new();
    let (id, waiting) = with_waiting(&world, 500).await;
    let failed = EventFilter { stream: Some(id), ..EventFilter::default() };
    let wait = EventFilter { status: Some(TokenStatus::New), ..failed.clone() };
    let sent = EventFilter { status: Some(TokenStatus::Sent), ..failed.clone() };
    let none = Retried { retried: 0, passed_over: 0 };
    assert_eq!(world.transmitter.event_retry_all(&failed).await.unwrap(), none);
    assert_eq!(world.transmitter.event_drop_all(&failed).await.unwrap(), 0);
    assert!(matches!(world.transmitter.event_drop_all(&sent).await, Err(Error::Refused(_))));
    let retried = world.transmitter.event_retry_all(&wait).await.unwrap();
    assert_eq!(retried, Retried { retried: 3, passed_over: 0 });
    world.settle().await;
    assert_eq!(names(&world.http.take()), waiting[..1], "tried at once, in order");
    assert_eq!(world.transmitter.event_drop_all(&wait).await.unwrap(), 3);
    assert_eq!(listed(&world, &EventFilter::default()).await, []);
}
