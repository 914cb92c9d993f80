//! What one request changed, and what became of all that it told.

use std::collections::BTreeSet;

use serde_json::json;
use ssf::{
    directory::{Actor, Change, Group, ResourceId},
    event::EventType,
    operator::Fate,
    queue::Message,
};

use super::{House, MemberStep, request, texts};

/// The members of whom it is told that their groups changed.
fn moved(change: &Change) -> BTreeSet<ResourceId> {
    let events = change.events.iter();
    let claims = events.filter(|event| event.event_type == EventType::TOKEN_CLAIMS_CHANGE);
    claims.map(|event| event.member.expect("a group has no claims")).collect()
}

async fn people(house: &House, count: usize) -> Vec<ResourceId> {
    let mut people = Vec::new();
    for n in 0..count {
        people.push(house.person(&format!("p{n}")).await.id);
    }
    people
}

#[tokio::test]
async fn what_members_are_told_is_among_what_their_group_told() {
    let house = House::new();
    // More than one transaction holds, so that they come and go in parts.
    let all = people(&house, 50).await;
    let few = house.directory.cause(Actor::Operator);
    let members = request(vec![MemberStep::Add(texts(&all[..2]))]);
    let make = |group: &mut Group| {
        "Staff".clone_into(&mut group.display_name);
        Ok(())
    };
    let group = house.directory.group_create(&few, &members, make).await.unwrap().id;
    let many = house.directory.cause(Actor::Operator);
    let members = request(vec![MemberStep::Replace(texts(&all[2..]))]);
    house.directory.group_change(group, None, &many, &members, |_| Ok(())).await.unwrap();
    let end = house.directory.cause(Actor::Operator);
    house.directory.group_delete(group, None, &end).await.unwrap();
    for (cause, wanted) in [(few, &all[..2]), (many, &all[..]), (end, &all[2..])] {
        let changes = house.directory.txn(&cause.txn).await.unwrap();
        let [change] = changes.as_slice() else { panic!("{changes:?}") };
        assert_eq!((change.id, moved(change)), (group, wanted.iter().copied().collect()));
    }
    // Each is told under the name that is noted.
    let told: BTreeSet<_> =
        house.told().await.iter().map(|(_, message)| message["id"].to_string()).collect();
    let history = house.directory.history(group).await.unwrap();
    assert_eq!(history.len(), 3);
    for change in history {
        for change in house.directory.txn(&change.txn).await.unwrap() {
            for event in change.events {
                assert!(told.contains(&json!(event.id).to_string()), "{event:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_among_the_dead_letters_does_not_wait() {
    let house = House::new();
    let ada = house.person("ada").await.id;
    let cause = house.directory.cause(Actor::Operator);
    let change = |user: &mut ssf::directory::User| {
        user.attributes.title = Some("Countess".to_owned());
        Ok(())
    };
    house.directory.user_change(ada, None, &cause, change).await.unwrap();
    let us = &house.world.transmitter;
    let fates = async || -> Vec<Fate> {
        let shown = us.txn_show(&cause.txn).await.unwrap();
        shown.events.into_iter().map(|event| event.fate).collect()
    };
    let waiting = fates().await;
    assert!(waiting.len() > 1 && waiting.iter().all(|fate| *fate == Fate::Waiting), "{waiting:?}");
    let first = house.directory.txn(&cause.txn).await.unwrap()[0].events[0].id.clone();
    let dead = Message {
        body: json!({ "id": first, "events": {} }).to_string(),
        attributes: [("reason".to_owned(), "events: is empty".to_owned())].into(),
        ..Message::default()
    };
    for sent in us.parts().dead_letters.send(vec![dead]).await {
        sent.unwrap();
    }
    let found = fates().await;
    assert_eq!(found[0], Fate::Refused { reason: "events: is empty".to_owned() });
    assert_eq!(found[1..], waiting[1..]);
}
