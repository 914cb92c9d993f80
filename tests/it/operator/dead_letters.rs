//! Messages that could not be events, and what became of the others.

use std::time::Duration;

use serde_json::{Value, json};
use ssf::{
    Transmitter,
    delivery::Door,
    operator::{Emitted, EventFilter, Fate, IssuedTo},
    queue::Message,
    set::{EventId, Jti, TokenStatus},
};
use tests::{
    World,
    world::{VISIBILITY, session_revoked, status},
};

use super::{polled_by, pushed_to, rejected};

/// Puts `count` messages on the standard door that are no events.
async fn with_dead(world: &World, count: usize) {
    for number in 0..count {
        world.emit(&json!({ "number": number })).await;
        world.clock.advance(Duration::from_secs(1));
    }
    world.settle().await;
}

async fn bodies(world: &World) -> Vec<String> {
    let letters = world.transmitter.dead_letter_list(1000).await.unwrap();
    assert_eq!(letters.total, letters.items.len() as u64);
    letters.items.into_iter().map(|letter| letter.body).collect()
}

async fn send(world: &World, event: &Value) -> String {
    let message = Message { body: event.to_string(), ..Message::default() };
    world.transmitter.parts().ingest.send(vec![message]).await.remove(0).unwrap()
}

#[tokio::test]
async fn dead_letters_are_listed_the_oldest_first_as_often_as_one_likes() {
    let world = World::new();
    with_dead(&world, 25).await;
    let wanted: Vec<_> = (0..25).map(|number| json!({ "number": number }).to_string()).collect();
    for _ in 0..3 {
        assert_eq!(bodies(&world).await, wanted);
    }
    let some = world.transmitter.dead_letter_list(3).await.unwrap();
    assert_eq!((some.items.len(), some.total), (3, 25));
    let letter = &some.items[0];
    assert_eq!(letter.door.as_deref(), Some("standard"));
    assert_eq!(
        letter.reason.as_deref(),
        Some("number: is not one of sub_id, events, txn, toe, id and stream_id")
    );
    assert_eq!(world.transmitter.dead_letter_show(&letter.id).await.unwrap(), *letter);
    assert!(!format!("{letter:?}").contains("number\\\""), "{letter:?}");
}

#[tokio::test]
async fn a_dead_letter_is_dropped_and_the_others_stay() {
    let world = World::new();
    with_dead(&world, 3).await;
    let letters = world.transmitter.dead_letter_list(10).await.unwrap().items;
    world.transmitter.dead_letter_drop(&letters[1].id).await.unwrap();
    assert_eq!(bodies(&world).await, [letters[0].body.clone(), letters[2].body.clone()]);
    let gone = world.transmitter.dead_letter_drop(&letters[1].id).await.unwrap_err();
    assert_eq!(gone.to_string(), format!("there is no dead letter {}", letters[1].id));
    assert_eq!(world.transmitter.dead_letter_drop_all().await.unwrap(), 2);
    assert_eq!(bodies(&world).await, [] as [String; 0]);
}

#[tokio::test]
async fn a_dead_letter_sent_again_goes_through_its_door_and_its_group() {
    let world = World::new();
    world.emit_fifo("jane", &json!({})).await;
    world.emit(&json!({})).await;
    world.settle().await;
    assert_eq!(world.transmitter.dead_letter_redrive_all().await.unwrap(), 2);
    assert_eq!(bodies(&world).await, [] as [String; 0]);
    let parts = world.transmitter.parts();
    let fifo = parts.ingest_fifo.receive(10, VISIBILITY).await.unwrap();
    assert_eq!(fifo[0].group.as_deref(), Some("jane"));
    assert_eq!((fifo.len(), parts.ingest.depth().await.unwrap()), (1, 1));
}

#[tokio::test]
async fn dead_letters_of_one_group_are_sent_again_in_its_order() {
    let world = World::new();
    let parts = world.transmitter.parts();
    // A queue of dead letters keeps no order on AWS: as if it gave the last one first.
    for place in ["3", "1", "2"] {
        let attributes = [("door", "fifo"), ("group", "jane"), ("sequence", place)];
        let letter = Message {
            body: place.to_owned(),
            attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            ..Message::default()
        };
        parts.dead_letters.send(vec![letter]).await.remove(0).unwrap();
    }
    assert_eq!(world.transmitter.dead_letter_redrive_all().await.unwrap(), 3);
    assert_eq!(bodies(&world).await, [] as [String; 0]);
    let sent = parts.ingest_fifo.receive(10, VISIBILITY).await.unwrap();
    assert_eq!(sent.iter().map(|message| &*message.body).collect::<Vec<_>>(), ["1", "2", "3"]);
    parts
        .ingest_fifo
        .delete(sent.into_iter().map(|message| message.receipt).collect())
        .await
        .unwrap();
    // Those that a group's messages become are as well in its order.
    for number in 1..=3 {
        world.emit_fifo("jane", &json!({ "number": number })).await;
    }
    world.settle().await;
    assert_eq!(world.transmitter.dead_letter_redrive_all().await.unwrap(), 3);
    let sent = parts.ingest_fifo.receive(10, VISIBILITY).await.unwrap();
    let numbers = sent.iter().map(|message| &*message.body).collect::<Vec<_>>();
    assert_eq!(numbers, [r#"{"number":1}"#, r#"{"number":2}"#, r#"{"number":3}"#]);
}

#[tokio::test]
async fn what_is_refused_again_comes_back_and_keeps_its_name() {
    let world = World::new();
    let message_id = send(&world, &json!({})).await;
    world.settle().await;
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(world.transmitter.dead_letter_redrive_all().await.unwrap(), 1);
        world.settle().await;
        let letters = world.transmitter.dead_letter_list(10).await.unwrap().items;
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].message_id.as_deref(), Some(&*message_id));
    }
}

#[tokio::test]
async fn a_message_that_failed_halfway_issues_nothing_twice_when_sent_again() {
    let world = World::new();
    pushed_to(&world, "alice").await;
    let event = session_revoked("jane@example.com");
    let message_id = send(&world, &event).await;
    world.settle().await;
    // As if it had failed for another stream, for too long.
    let body = event.to_string();
    let own = world.transmitter.own_attributes("local", Some(&message_id), &body).await.unwrap();
    let letter = Message {
        body,
        attributes: [("door", "standard"), ("reason", "failed")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .chain(own)
            .collect(),
        ..Message::default()
    };
    world.transmitter.parts().dead_letters.send(vec![letter]).await.remove(0).unwrap();
    world.transmitter.dead_letter_redrive_all().await.unwrap();
    world.settle().await;
    assert_eq!(world.http.take().len(), 1);
}

#[tokio::test]
async fn the_fate_of_each_message_is_told() {
    let world = World::new();
    let alice = pushed_to(&world, "alice").await;
    let bob = polled_by(&world, "bob").await;
    let mut named = session_revoked("jane@example.com");
    named["id"] = json!("7");
    let mut unwanted = session_revoked("jane@example.com");
    unwanted["stream_id"] = json!("nobody");
    let mut emitted = Vec::new();
    for event in [&named, &session_revoked("john@example.com"), &json!({}), &unwanted] {
        let event_id = event["id"].as_str().map(str::to_owned);
        emitted.push(Emitted {
            message_id: send(&world, event).await,
            event_id,
            sender: Transmitter::emit_sender(None),
        });
    }
    let fates = async || world.transmitter.fates(&emitted).await.unwrap();
    assert_eq!(fates().await, vec![Fate::Waiting; 4]);

    world.ingest(Door::Standard).await;
    world.http.once("alice", Ok(rejected()));
    world.http.always("alice", status(503));
    world.push().await;
    let fates = fates().await;
    let became = |fate: &Fate| -> Vec<_> {
        let Fate::Issued { streams } = fate else { panic!("{fate:?}") };
        let became = |to: &IssuedTo| (to.stream_id.clone(), to.status, to.error.is_some());
        streams.iter().map(became).collect()
    };
    let pushed: Vec<_> = fates[..2].iter().map(|fate| became(fate)[0].clone()).collect();
    let statuses: Vec<_> = pushed.iter().map(|(_, status, error)| (*status, *error)).collect();
    assert!(statuses.contains(&(TokenStatus::Failed, true)), "{statuses:?}");
    assert!(statuses.contains(&(TokenStatus::New, true)), "{statuses:?}");
    assert_eq!(pushed[0].0, alice);
    assert_eq!(became(&fates[0])[1], (bob, TokenStatus::New, false));
    assert_eq!(fates[2], Fate::Refused { reason: "sub_id: is missing".to_owned() });
    assert_eq!(fates[3], Fate::Issued { streams: vec![] });
}

#[tokio::test]
async fn what_a_queue_gave_up_by_itself_is_the_same_event_when_it_is_sent_again() {
    let world = World::new();
    let stream = polled_by(&world, "alice").await;
    let letter =
        Message { body: session_revoked("jane@example.com").to_string(), ..Message::default() };
    let sent = world.transmitter.parts().dead_letters.send(vec![letter]).await.remove(0);
    let id = sent.unwrap();
    world.transmitter.dead_letter_redrive(&id).await.unwrap();
    world.settle().await;
    let listed = world.transmitter.event_list(&EventFilter::default(), None, 10).await.unwrap();
    let jtis: Vec<_> = listed.items.into_iter().map(|event| event.jti).collect();
    assert_eq!(jtis, [Jti::of(&EventId::of_message(&id), &stream)]);
}
