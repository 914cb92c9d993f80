//! Who takes a consent back is not told of any more, whatever happens on the way.

use ssf::table::{Condition, Content, Item, Write};
use tests::world::poll_stream;

use super::{Change::*, *};

#[tokio::test]
async fn who_takes_a_consent_back_is_not_told_of_any_more() {
    let scene = Scene::new().await;
    scene.apps_with_ada(["notes", "maps"]).await;
    scene.change("notes", Revoke).await;
    scene.house.world.settle().await;
    let pushed = scene.house.world.http.take();
    assert_eq!(pushed.iter().map(kind).collect::<Vec<_>>(), GONE, "maps has nothing to do with it");
    let txns: std::collections::BTreeSet<_> =
        pushed.iter().map(|pushed| pushed.claims()["txn"].to_string()).collect();
    assert_eq!(txns.len(), 1);
    assert_eq!(pushed[0].claims()["sub_id"]["application"]["id"], "notes");
    scene.note("Countess").await;
    assert_eq!(scene.got_by("maps").await, NOTED);
    scene.change("notes", Revoke).await;
    assert_eq!(scene.got().await, BTreeMap::new());

    scene.change("notes", Restore).await;
    assert_eq!(scene.got_by("notes").await, ["feed:add"]);
    scene.note("Lady").await;
    assert_eq!(scene.got().await.len(), 2);
}

/// What waits for a receiver that is away, or was paused, is not delivered afterwards.
#[tokio::test]
async fn what_was_held_is_dropped_with_the_consent() {
    let scene = Scene::new().await;
    let (notes, stream) = scene.app_with_stream("notes").await;
    scene.change("notes", Grant).await;
    scene.got().await;
    let status = async |status: &str| {
        let body = json!({ "stream_id": stream, "status": status });
        assert_eq!(notes.caller.post("/ssf/status", body).await.status, 200);
    };
    status("paused").await;
    scene.note("Countess").await;
    assert_eq!(scene.got().await, BTreeMap::new());
    scene.change("notes", Revoke).await;
    assert_eq!(scene.got().await, BTreeMap::new());
    status("enabled").await;
    assert_eq!(scene.got_by("notes").await, GONE);
}

#[tokio::test]
async fn what_was_not_polled_is_dropped_with_the_consent() {
    let scene = Scene::new().await;
    let notes = scene.app("notes").await;
    let mut body = poll_stream(&[]);
    body["events_requested"] = json!(EventType::supported());
    let stream = notes.caller.post("/ssf/streams", body).await.stream_id();
    scene.change("notes", Grant).await;
    scene.note("Countess").await;
    scene.house.world.settle().await;
    scene.change("notes", Revoke).await;
    scene.house.world.settle().await;
    let now = json!({ "returnImmediately": true });
    let polled = notes.caller.post(&format!("/ssf/poll/{stream}"), now).await;
    let sets = polled.json()["sets"].as_object().unwrap().clone();
    let told: Vec<_> = sets
        .values()
        .map(|set| {
            tests::world::claims(set.as_str().unwrap())["events"]
                .as_object()
                .unwrap()
                .keys()
                .next()
                .unwrap()
                .clone()
        })
        .collect();
    let mut told: Vec<_> =
        told.into_iter().map(|uri| EventType::new(uri).short_name().to_owned()).collect();
    told.sort_unstable();
    // That she came is no news of her, and what she took with her was.
    assert_eq!(told, ["feed:add", "feed:remove", "session-revoked"]);
}

/// Whoever was to hand it over has died: the sweep does it, and doing it twice changes nothing.
#[tokio::test]
async fn what_a_crash_left_in_the_outbox_is_done_once() {
    let scene = Scene::new().await;
    scene.app_with_stream("notes").await;
    scene.commit(scene.ada.id, "notes", Grant).await;
    assert_eq!(scene.got().await, BTreeMap::new());
    let granted = scene.house.outbox().await;
    assert_eq!(granted.len(), 1);
    scene.sweep_later().await;
    assert_eq!(scene.got_by("notes").await, ["feed:add"]);
    scene.commit(scene.ada.id, "notes", Revoke).await;
    let revoked = scene.house.outbox().await;
    // What is committed later is not handed over earlier.
    scene.note("Countess").await;
    assert_eq!(scene.got_by("notes").await, GONE);
    assert_eq!(scene.house.outbox().await.len(), 0);
    // Somebody who read the rows long ago wakes up.
    for stale in [granted, revoked] {
        put_back(&scene, stale).await;
        scene.sweep_later().await;
        assert_eq!(scene.got().await, BTreeMap::new());
        scene.note("Lady").await;
        scene.note("Countess").await;
        assert_eq!(scene.got().await, BTreeMap::new());
    }
}

#[tokio::test]
async fn nothing_that_is_committed_after_it_overtakes_it_while_the_queue_is_away() {
    let scene = Scene::new().await;
    scene.app_with_stream("notes").await;
    scene.change("notes", Grant).await;
    scene.got().await;
    scene.house.world.fail_fifo(true);
    scene.change("notes", Revoke).await;
    scene.note("Countess").await;
    scene.hand_over().await;
    assert_eq!(scene.house.outbox().await.len(), 2);
    scene.house.world.fail_fifo(false);
    scene.sweep_later().await;
    assert_eq!(scene.got_by("notes").await, GONE);
    assert_eq!(scene.house.outbox().await.len(), 0);
}

#[tokio::test]
async fn an_application_that_is_deleted_gets_nothing() {
    let scene = Scene::new().await;
    scene.app_with_stream("notes").await;
    scene.change("notes", Grant).await;
    scene.got().await;
    scene.house.world.transmitter.client_delete(&client("notes")).await.unwrap();
    scene.note("Countess").await;
    assert_eq!(scene.got_by("notes").await, ["stream-updated"], "it is told of its own end");
}

async fn put_back(scene: &Scene, rows: Vec<Item>) {
    let table = &scene.house.world.transmitter.parts().table;
    for Item { key, body, .. } in rows {
        let content = Content { body, ..Content::default() };
        table.write_one(Write::put(key, Condition::Any, content)).await.unwrap();
    }
}
