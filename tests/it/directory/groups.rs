//! Groups and who is in them.

use std::time::Duration;

use serde_json::json;
use ssf::{
    Error,
    directory::{Actor, MemberRequest, MemberStep, ResourceId, Unknown},
    scim::{ErrorKind, ResourceType},
};

use super::{House, kind_of, request, texts};

async fn people(house: &House, count: usize) -> Vec<ResourceId> {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(house.person(&format!("user{n}")).await.id);
    }
    ids
}

async fn members(house: &House, group: ResourceId) -> Vec<ResourceId> {
    let group = house.directory.group(group).await.unwrap();
    let members = house.directory.members_of(&group, 100_000).await.unwrap();
    assert_eq!(group.member_count, members.len() as u64);
    members
}

#[tokio::test]
async fn a_group_and_its_people_see_one_fact() {
    let house = House::new();
    let ids = people(&house, 3).await;
    let staff = house.group("Staff", &ids[..2]).await;
    assert_eq!(members(&house, staff.id).await, ids[..2]);
    house.world.clock.advance(Duration::from_secs(1));
    house.members(staff.id, vec![MemberStep::Add(texts(&ids[2..]))]).await;
    house.members(staff.id, vec![MemberStep::Remove(texts(&ids[..1]))]).await;
    assert_eq!(members(&house, staff.id).await, ids[1..], "in the order in which they joined");
    for (id, groups) in [(ids[0], 0), (ids[1], 1), (ids[2], 1)] {
        assert_eq!(house.directory.groups_of(id).await.unwrap().len(), groups);
    }
    let ada = house.directory.user(ids[2]).await.unwrap();
    assert_eq!(ada.revision, 1, "joining is no change of the person");
}

#[tokio::test]
async fn joining_and_leaving_tell_the_group_once_and_each_person() {
    let house = House::new();
    let ids = people(&house, 2).await;
    let staff = house.group("Staff", &ids).await;
    let types = |told: &[(String, serde_json::Value)]| {
        told.iter().map(|(kind, _)| kind.clone()).collect::<Vec<_>>()
    };
    house.told().await;
    house.members(staff.id, vec![MemberStep::Remove(texts(&ids[..1]))]).await;
    let told = house.told().await;
    assert_eq!(types(&told), ["prov:patch:notice", "prov:patch:full", "token-claims-change"]);
    let notice = &told[0].1["events"]["urn:ietf:params:scim:event:prov:patch:notice"];
    assert_eq!(notice["attributes"], json!(["members"]));
    let full = &told[1].1["events"]["urn:ietf:params:scim:event:prov:patch:full"];
    let left = json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", ids[0]) }]);
    assert_eq!(full["data"]["Operations"], left);
    let claims = told[2].1["events"].as_object().unwrap().values().next().unwrap();
    assert_eq!(claims["claims"], json!({ "groups": [] }));

    // Who is there already, or is not there, changes nothing.
    let again = house
        .members(
            staff.id,
            vec![MemberStep::Add(texts(&ids[1..])), MemberStep::Remove(texts(&ids[..1]))],
        )
        .await;
    assert!(!again.changed);
    assert!(house.told().await.is_empty());
}

#[tokio::test]
async fn the_steps_of_a_change_are_done_in_order() {
    let house = House::new();
    let ids = people(&house, 3).await;
    let staff = house.group("Staff", &ids[..1]).await;
    let steps = vec![
        MemberStep::Replace(texts(&ids[1..2])),
        MemberStep::Add(texts(&ids[2..])),
        MemberStep::Remove(texts(&ids[1..2])),
    ];
    house.members(staff.id, steps).await;
    assert_eq!(members(&house, staff.id).await, ids[2..]);
    house.members(staff.id, vec![MemberStep::Replace(vec![])]).await;
    assert_eq!(members(&house, staff.id).await, []);
}

#[tokio::test]
async fn somebody_whom_nobody_knows_is_left_out_or_refused() {
    let house = House::new();
    let ids = people(&house, 2).await;
    house.delete(ids[1]).await;
    let staff = house.group("Staff", &[]).await;
    let mut named = texts(&ids);
    named.push("fake-member-id".to_owned());
    house.members(staff.id, vec![MemberStep::Add(named.clone())]).await;
    assert_eq!(members(&house, staff.id).await, ids[..1], "the rest is done");
    let cause = house.directory.cause(Actor::Operator);
    let strict =
        MemberRequest { unknown: Unknown::Reject, ..request(vec![MemberStep::Add(named)]) };
    let refused = house.directory.group_change(staff.id, None, &cause, &strict, |_| Ok(())).await;
    assert_eq!(kind_of(refused), ErrorKind::InvalidValue);
}

#[tokio::test]
async fn a_groups_name_is_one_whatever_its_case() {
    let house = House::new();
    house.group("Staff", &[]).await;
    assert_eq!(kind_of(house.try_group("STAFF", &[]).await), ErrorKind::Uniqueness);
    assert_eq!(house.directory.how_many(ResourceType::Group).await.unwrap(), 1);
}

#[tokio::test]
async fn a_deleted_group_lets_everybody_go_and_tells_them() {
    let house = House::new();
    let ids = people(&house, 50).await;
    let staff = house.group("Staff", &ids).await;
    house.told().await;
    let cause = house.directory.cause(Actor::Operator);
    house.directory.group_delete(staff.id, None, &cause).await.unwrap();
    assert!(matches!(house.directory.group(staff.id).await, Err(Error::NotFound { .. })));
    for id in &ids {
        assert!(house.directory.groups_of(*id).await.unwrap().is_empty());
    }
    let told = house.told_types().await;
    assert_eq!(told.iter().filter(|kind| *kind == "prov:delete").count(), 1);
    assert_eq!(told.iter().filter(|kind| *kind == "token-claims-change").count(), 50);
    house.group("staff", &[]).await;
}

#[tokio::test]
async fn a_change_of_many_is_seen_at_once_and_told_to_each_once() {
    let house = House::new();
    let ids = people(&house, 300).await;
    let staff = house.group("Staff", &ids[..10]).await;
    house.told().await;
    let changed = house.members(staff.id, vec![MemberStep::Replace(texts(&ids[5..]))]).await;
    assert_eq!(changed.now.member_count, 295);
    assert_eq!(changed.now.revision, 2, "one change");
    let now = members(&house, staff.id).await;
    assert_eq!(now.len(), 295);
    assert_eq!(now[..5], ids[5..10], "those who were there come first");
    let told = house.told_types().await;
    assert_eq!(told.iter().filter(|kind| *kind == "prov:patch:notice").count(), 1);
    assert_eq!(told.iter().filter(|kind| *kind == "token-claims-change").count(), 295);
    for (place, id) in ids.iter().enumerate() {
        let is_in = !house.directory.groups_of(*id).await.unwrap().is_empty();
        assert_eq!(is_in, place >= 5, "{place}");
    }
    // And the next change of many finds the way free.
    house.members(staff.id, vec![MemberStep::Replace(vec![])]).await;
    assert_eq!(members(&house, staff.id).await, []);
}

#[tokio::test]
async fn members_who_are_added_at_once_by_two_are_both_in() {
    let house = House::new();
    let ids = people(&house, 8).await;
    let staff = house.group("Staff", &[]).await;
    let add = |id: ResourceId| house.members(staff.id, vec![MemberStep::Add(texts(&[id]))]);
    futures_util::future::join_all(ids.iter().map(|id| add(*id))).await;
    let mut now = members(&house, staff.id).await;
    now.sort();
    assert_eq!(now, ids);
}

#[tokio::test]
async fn one_more_member_costs_the_same_whatever_the_size() {
    let house = House::new();
    let ids = people(&house, 200).await;
    let cost = async |before: usize, group: &str, newcomer: usize| {
        let group = house.group(group, &ids[..before]).await;
        house.world.table.take();
        house.members(group.id, vec![MemberStep::Add(texts(&[ids[newcomer]]))]).await;
        house.world.table.take()
    };
    let (few, many) = (cost(10, "few", 198).await, cost(150, "many", 199).await);
    assert!(few.calls() < 10, "{few:?}");
    assert_eq!(few, many);
}
