//! Two operators side by side, between any two calls of the table.

use futures_util::FutureExt;
use serde_json::json;
use ssf::client::{ClientId, NewClient};

use super::{
    house::{House, Outcome, at_once, receiver},
    plan::Settings,
};

/// Whoever gives a right and is slow does not give it back when another has taken it away.
#[test]
fn streams_have_whole_resources_as_long_as_their_client_may() {
    let mut house = House::new(&Settings::PLAIN);
    let owner = receiver(0);
    let mut wish = NewClient::new("alice".to_owned(), owner.audience.clone());
    wish.client_id = Some(owner.id.clone());
    at_once(house.plain.client_create(wish)).unwrap();
    let full = "urn:ietf:params:scim:event:prov:create:full";
    let wish = serde_json::from_value(json!({ "events_requested": [full] })).unwrap();
    at_once(house.plain.create_stream(&owner, wish)).unwrap();
    let set = |t: &ssf::Transmitter, id: &ClientId, full: bool| {
        let (t, id) = (t.clone(), id.clone());
        let change = move |wish: &mut NewClient| wish.scim.full = full;
        async move { t.client_update(&id, change).await.map(drop) }.boxed_local()
    };
    // First the one takes some turns, then the other, then whoever is left.
    for (first, then) in (1..16).flat_map(|first| (0..16).map(move |then| (first, then))) {
        let turns = ((1_u64 << then) - 1) << first;
        at_once(set(&house.plain, &owner.id, first % 2 == 0)).unwrap();
        let both =
            [(0, true), (1, false)].map(|(at, full)| set(house.process(at), &owner.id, full));
        for outcome in house.run(0, both.into(), None, turns) {
            assert!(matches!(outcome, Outcome::Done(())), "{outcome:?}");
        }
        let client = at_once(house.plain.client_show(&owner.id)).unwrap();
        let streams = at_once(house.plain.list_streams(&owner)).unwrap();
        let stream = serde_json::to_value(&streams[0]).unwrap();
        let has = stream["events_delivered"].as_array().unwrap().contains(&json!(full));
        assert_eq!(has, client.scim.full, "{turns:x}");
    }
}
