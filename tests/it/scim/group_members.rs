//! Groups that have more members than an answer holds.

use http::Method;
use serde_json::{Value, json};
use ssf::{
    directory::{Actor, Directory, User},
    scim::ErrorKind,
};

use super::{Provisioning, client, refusal, send};

/// More than a group in a list is shown with.
const MANY: usize = 1_003;

async fn people(p: &Provisioning) -> Vec<String> {
    let directory = Directory::of(&p.world.transmitter);
    let mut people = Vec::new();
    for n in 0..MANY {
        let cause = directory.cause(Actor::Operator);
        let make = |user: &mut User| {
            user.attributes.user_name = format!("p{n}");
            Ok(())
        };
        people.push(directory.user_create(&cause, make).await.unwrap().id.to_string());
    }
    people
}

/// The ids of the members on all pages, page by page.
async fn walk(p: &Provisioning, place: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = p.caller.get(&format!("{place}&count=200&cursor={cursor}")).await;
        assert_eq!(page.status, 200, "{page}");
        let page = page.json();
        assert_eq!(page["totalResults"], MANY, "{page}");
        let members = page["Resources"].as_array().unwrap().iter();
        pages
            .push(members.map(|one| one["member"]["value"].as_str().unwrap().to_owned()).collect());
        match page.get("nextCursor") {
            Some(Value::String(next)) => next.clone_into(&mut cursor),
            _ => return pages,
        }
    }
}

#[tokio::test]
async fn a_large_group_says_how_many_members_it_has_and_where() {
    let p = Provisioning::new().await;
    let all = people(&p).await;
    let members: Vec<_> = all.iter().map(String::as_str).collect();
    let group = p.group("All", &members).await;
    let listed = p.get("/Groups").await["Resources"][0].clone();
    assert!(listed.get("members").is_none());
    assert_eq!(listed["membersMetadata"]["memberCount"], MANY);
    let place = listed["membersMetadata"]["$ref"].as_str().unwrap();
    let place = place.strip_prefix("https://tocsin.example").unwrap();
    let pages = walk(&p, place).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [200, 200, 200, 200, 200, 3]);
    assert_eq!(pages.concat(), all, "in the order in which they joined");
    // By itself, and in a small group, the members are where they always are.
    let whole = p.get(&format!("/Groups/{group}")).await;
    assert_eq!(whole["members"].as_array().unwrap().len(), MANY);
    assert!(whole.get("membersMetadata").is_none());
    let without = p.get("/Groups?excludedAttributes=members").await;
    assert!(without["Resources"][0].get("membersMetadata").is_none(), "who does not ask");
}

#[tokio::test]
async fn one_member_is_found_and_nothing_is_answered_wrongly() {
    let p = Provisioning::new().await;
    let (ada, eve) = (p.person("ada").await, p.person("eve").await);
    let group = p.group("Staff", &[&ada]).await;
    let place = |filter: &str| {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        format!("/scim/v2/GroupMembers?filter={filter}")
    };
    let both = |user: &str| format!("group.value eq \"{group}\" and member.value eq \"{user}\"");
    let found = p.caller.get(&place(&both(&ada))).await.json();
    assert_eq!(found["totalResults"], 1);
    let one = &found["Resources"][0];
    assert_eq!(one["group"]["value"], group.as_str());
    let at = one["meta"]["location"].as_str().unwrap().strip_prefix("https://tocsin.example");
    assert_eq!(&p.caller.get(at.unwrap()).await.json(), one);
    assert_eq!(p.caller.get(&place(&both(&eve))).await.json()["totalResults"], 0);
    assert_eq!(p.caller.get(&format!("/scim/v2/GroupMembers/{group}.{eve}")).await.status, 404);
    let refused = [
        ("", "tooMany"),
        ("member.value eq \"x\"", "none"),
        ("group.value co \"x\"", "invalidFilter"),
        ("group.display eq \"Staff\"", "invalidFilter"),
        ("group.value eq", "invalidFilter"),
    ];
    for (filter, kind) in refused {
        let (status, found) = refusal(&p.caller.get(&place(filter)).await);
        assert_eq!(
            (status, found.as_deref().unwrap_or("none")),
            (if kind == "none" { 404 } else { 400 }, kind),
            "{filter}"
        );
    }
    // A cursor is its client's, and of its group.
    let first = place(&format!("group.value eq \"{group}\""));
    let entra = client(&p.world, "entra", |_| {}).await;
    p.patch(
        &format!("/Groups/{group}"),
        json!([{ "op": "add", "path": "members", "value": [{ "value": eve }] }]),
    )
    .await;
    let cursor = p.caller.get(&format!("{first}&count=1")).await.json()["nextCursor"].clone();
    let next = format!("{first}&cursor={}", cursor.as_str().unwrap());
    assert_eq!(p.caller.get(&next).await.json()["Resources"][0]["member"]["value"], eve.as_str());
    let invalid = ErrorKind::InvalidCursor.scim_type().map(str::to_owned);
    assert_eq!(refusal(&entra.get(&next).await), (400, invalid));
    let answer =
        send(&p.caller, Method::POST, "/scim/v2/GroupMembers", "application/json", "{}").await;
    assert_eq!(refusal(&answer).0, 405, "who is in a group is changed at the group");
}
