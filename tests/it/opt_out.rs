//! Accounts that take no part in the exchange of RISC events ([RISC 1.0, 2.8]; requirement 174).

use serde_json::{Value, json};
use ssf::{
    delivery::Door,
    table::{Key, Table as _},
};
use tests::{
    World,
    world::{caep, event_of, push_stream, session_revoked},
};

fn risc(name: &str) -> String {
    format!("https://schemas.openid.net/secevent/risc/event-type/{name}")
}

fn about(user: &str, uri: &str) -> Value {
    json!({ "sub_id": { "format": "email", "email": user }, "events": { uri: {} } })
}

const TYPES: [&str; 6] = [
    "account-disabled",
    "account-enabled",
    "opt-in",
    "opt-out-cancelled",
    "opt-out-effective",
    "opt-out-initiated",
];

async fn world() -> World {
    let world = World::new();
    let mut body = push_stream("alice", &["session-revoked"]);
    for name in TYPES {
        body["events_requested"].as_array_mut().unwrap().push(json!(risc(name)));
    }
    world.create(&world.receiver("alice"), body).await;
    world
}

/// What is told when these are sent one after the other about `user`.
async fn told(world: &World, user: &str, names: &[&str]) -> Vec<String> {
    for name in names {
        world.clock.advance(std::time::Duration::from_millis(1));
        world.emit(&about(user, &risc(name))).await;
    }
    world.settle().await;
    world.http.take().iter().map(|pushed| event_of(&pushed.claims()).0).collect()
}

#[tokio::test]
async fn nothing_is_told_of_an_account_that_opted_out_until_it_opts_in_again() {
    let world = world().await;
    let jane = "jane@example.com";
    let in_order = |mut names: Vec<String>| {
        names.sort_unstable();
        names
    };
    // Until the end of its notice the account takes part, so that a hijacker cannot hide.
    let steps = ["account-disabled", "opt-out-initiated", "account-enabled"];
    assert_eq!(
        in_order(told(&world, jane, &steps).await),
        in_order(steps.map(String::from).into())
    );
    let steps = ["opt-out-cancelled", "account-disabled"];
    assert_eq!(
        in_order(told(&world, jane, &steps).await),
        in_order(steps.map(String::from).into())
    );
    let steps = ["opt-out-initiated", "opt-out-effective", "account-enabled", "account-disabled"];
    assert_eq!(told(&world, jane, &steps).await, steps[..2]);
    assert_eq!(told(&world, jane, &["account-enabled"]).await, [""; 0]);
    assert_eq!(told(&world, "john@example.com", &["account-enabled"]).await, ["account-enabled"]);
    assert_eq!(
        told(&world, jane, &["opt-in", "account-enabled"]).await,
        ["opt-in", "account-enabled"]
    );
}

/// It is RISC's exchange that the account left.
#[tokio::test]
async fn events_of_other_families_go_on() {
    let world = world().await;
    told(&world, "jane@example.com", &["opt-out-effective"]).await;
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    assert_eq!(world.http.take().len(), 1);
}

/// An event that comes again, or late, does not take back what was said after it.
#[tokio::test]
async fn the_last_word_counts_whatever_comes_late() {
    let world = world().await;
    let jane = "jane@example.com";
    world.emit(&about(jane, &risc("opt-out-effective"))).await;
    let ingest = &world.transmitter.parts().ingest;
    let late = ingest.receive(1, std::time::Duration::from_secs(10)).await.unwrap();
    assert_eq!(told(&world, jane, &["opt-in"]).await, ["opt-in"]);
    // It was in hand for too long, and comes again.
    ingest.postpone(&late[0].receipt, std::time::Duration::ZERO).await.unwrap();
    world.settle().await;
    assert_eq!(world.http.take().len(), 1, "it is told, as any event");
    assert_eq!(told(&world, jane, &["account-enabled"]).await, ["account-enabled"]);
}

/// All batches would write the same item, and so get into each other's way.
#[tokio::test]
async fn that_somebody_has_opted_out_is_noted_once() {
    let world = world().await;
    let noted = async || world.table.get(&Key::new("OPT_OUTS", "ANY")).await.unwrap();
    told(&world, "jane@example.com", &["opt-in"]).await;
    assert_eq!(noted().await, None, "nobody has opted out yet");
    told(&world, "jane@example.com", &["opt-out-effective"]).await;
    let first = noted().await.unwrap();
    told(&world, "john@example.com", &["opt-out-effective"]).await;
    assert_eq!(noted().await, Some(first));
    assert_eq!(world.table.take().transaction_items, 3, "those of the stream that was created");
}

/// Nobody pays for what nobody uses.
#[tokio::test]
async fn it_costs_one_read_of_a_batch_until_somebody_opts_out() {
    let world = world().await;
    let reads = async |uri: &str| {
        for number in 0..10 {
            world.emit(&about(&format!("user-{number}@example.com"), uri)).await;
        }
        world.table.take();
        assert_eq!(world.ingest(Door::Standard).await, 10);
        world.table.take().reads()
    };
    reads(&caep("session-revoked")).await;
    let caep_reads = reads(&caep("session-revoked")).await;
    let risc_reads = reads(&risc("account-disabled")).await;
    assert_eq!(risc_reads, caep_reads + 1);
    told(&world, "user-1@example.com", &["opt-in"]).await;
    assert_eq!(reads(&risc("account-disabled")).await, risc_reads, "nobody has opted out yet");
    told(&world, "user-1@example.com", &["opt-out-effective"]).await;
    assert_eq!(reads(&risc("account-disabled")).await, risc_reads + 10);
    assert_eq!(reads(&caep("session-revoked")).await, caep_reads);
}
