//! Lists: filters, pages, cursors, sorts.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use ssf::{
    client::ClientId,
    directory::{Found, Group, Listed, ResourceId, Search, Start, User},
    scim::{ErrorKind, Filter, ResourceType, list::SortOrder, schema::AttributePath},
};

use super::{House, client, kind_of};

fn search(start: Start, count: usize) -> Search<'static> {
    Search { client: None, filter: None, start, count, sort: None }
}

async fn filtered<T: Listed>(house: &House, filter: &str) -> Found<T> {
    let filter = Filter::parse(filter, T::KIND).unwrap();
    let search = Search { filter: Some(&filter), ..search(Start::Index(1), 100) };
    house.directory.list(&search).await.unwrap()
}

async fn names(house: &House, filter: &str) -> Vec<String> {
    let found = filtered::<User>(house, filter).await;
    assert_eq!(found.total, Some(found.resources.len() as u64));
    found.resources.into_iter().map(|user| user.attributes.user_name).collect()
}

async fn staff(house: &House) -> Vec<User> {
    let mut users = Vec::new();
    for (name, family) in [("ada", "Lovelace"), ("Bob", "Smith"), ("carol", "Jones")] {
        let body = json!({
            "userName": name,
            "name": { "familyName": family },
            "emails": [{ "value": format!("{name}@x.example"), "type": "work" }],
        });
        users.push(house.create(body).await);
        house.world.clock.advance(Duration::from_secs(1));
    }
    users
}

#[tokio::test]
async fn what_clients_ask_every_day_is_found() {
    let house = House::new();
    let users = staff(&house).await;
    let group = house.group("Staff", &[users[0].id, users[1].id]).await;
    let id = users[0].id;
    for (filter, wanted) in [
        (r#"userName eq "ADA""#.to_owned(), vec!["ada"]),
        (r#"userName eq "nobody""#.to_owned(), vec![]),
        (format!(r#"id eq "{id}""#), vec!["ada"]),
        (r#"id eq "not-an-id""#.to_owned(), vec![]),
        (r#"emails[type eq "work"].value eq "BOB@x.example""#.to_owned(), vec!["Bob"]),
        (r#"emails[type eq "home"].value eq "bob@x.example""#.to_owned(), vec![]),
        (r#"userName sw "C""#.to_owned(), vec!["carol"]),
        (r#"userName eq "ada" and active eq true"#.to_owned(), vec!["ada"]),
        (r#"userName eq "ada" and active eq false"#.to_owned(), vec![]),
        (r#"userName eq "ada" or emails eq "bob@x.example""#.to_owned(), vec!["ada", "Bob"]),
        (r#"name.familyName co "o""#.to_owned(), vec!["ada", "carol"]),
        (r#"not (userName eq "ada")"#.to_owned(), vec!["Bob", "carol"]),
        (format!(r#"groups.value eq "{}""#, group.id), vec!["ada", "Bob"]),
        (format!(r#"not (groups.value eq "{}")"#, group.id), vec!["carol"]),
    ] {
        assert_eq!(names(&house, &filter).await, wanted, "{filter}");
    }
}

#[tokio::test]
async fn groups_are_found_by_their_members() {
    let house = House::new();
    let users = staff(&house).await;
    let (ada, bob) = (users[0].id, users[1].id);
    let one = house.group("One", &[ada, bob]).await.id;
    house.group("Two", &[bob]).await;
    house.group("Nobody", &[]).await;
    let names = async |filter: String| {
        let found = filtered::<Group>(&house, &filter).await.resources;
        found.into_iter().map(|group| group.display_name).collect::<Vec<_>>()
    };
    assert_eq!(names(format!(r#"members eq "{ada}""#)).await, ["One"]);
    assert_eq!(names(format!(r#"members[value eq "{bob}"]"#)).await, ["One", "Two"]);
    assert_eq!(names(format!(r#"id eq "{one}" and members eq "{bob}""#)).await, ["One"]);
    assert_eq!(names(format!(r#"not (members eq "{ada}")"#)).await, ["Two", "Nobody"]);
    assert_eq!(names("members pr".to_owned()).await, ["One", "Two"]);
    assert_eq!(names(r#"displayName eq "ONE""#.to_owned()).await, ["One"]);
    let filter = Filter::parse(r#"members.value sw "0""#, ResourceType::Group).unwrap();
    let search = Search { filter: Some(&filter), ..search(Start::Index(1), 10) };
    assert_eq!(kind_of(house.directory.list::<Group>(&search).await), ErrorKind::TooMany);
}

#[tokio::test]
async fn an_external_id_is_found_by_its_own_client_alone() {
    let house = House::new();
    let (okta, entra) = (client("okta"), client("entra"));
    let cause = house.directory.cause(ssf::directory::Actor::Client(okta.clone()));
    let body = super::map(&json!({ "userName": "ada", "externalId": "1" }));
    let make = |user: &mut User| {
        user.take(body.clone(), ssf::directory::Given::Whole, Some(&okta), cause.at)
    };
    house.directory.user_create(&cause, make).await.unwrap();
    let filter = Filter::parse(r#"externalId eq "1""#, ResourceType::User).unwrap();
    let count = async |client: Option<&ClientId>| {
        let search = Search { client, filter: Some(&filter), ..search(Start::Index(1), 10) };
        house.directory.list::<User>(&search).await.unwrap().resources.len()
    };
    assert_eq!((count(Some(&okta)).await, count(Some(&entra)).await, count(None).await), (1, 0, 0));
}

#[tokio::test]
async fn pages_are_counted_from_one() {
    let house = House::new();
    for n in 0..5 {
        house.person(&format!("user{n}")).await;
    }
    let page = async |start, count| {
        let found =
            house.directory.list::<User>(&search(Start::Index(start), count)).await.unwrap();
        assert_eq!(found.total, Some(5));
        let names = found.resources.into_iter().map(|user| user.attributes.user_name);
        names.collect::<Vec<_>>()
    };
    assert_eq!(page(1, 2).await, ["user0", "user1"]);
    assert_eq!(page(3, 2).await, ["user2", "user3"]);
    assert_eq!(page(4, 10).await, ["user3", "user4"], "where nobody walked to");
    assert_eq!(page(6, 10).await, Vec::<String>::new());
    assert_eq!(page(100, 10).await, Vec::<String>::new());
    assert_eq!(page(1, 0).await, Vec::<String>::new());
}

/// Walks over all, while between two pages people come and go; how often each was seen.
async fn walk(house: &House, by_cursor: bool) -> BTreeMap<ResourceId, usize> {
    let mut seen: BTreeMap<ResourceId, usize> = BTreeMap::new();
    let mut gone = 0;
    let mut start = if by_cursor { Start::FirstByCursor } else { Start::Index(1) };
    let mut place = 1;
    loop {
        let found = house.directory.list::<User>(&search(start, 20)).await.unwrap();
        for user in &found.resources {
            *seen.entry(user.id).or_default() += 1;
        }
        place += found.resources.len();
        start = match found.next_cursor {
            Some(cursor) => Start::Cursor(cursor),
            None if !by_cursor && !found.resources.is_empty() => Start::Index(place),
            None => return seen,
        };
        // Those who were seen go, and others come.
        for _ in 0..3 {
            let name = format!("leaver{gone}");
            gone += 1;
            let leaver = filtered::<User>(house, &format!(r#"userName eq "{name}""#)).await;
            if let Some(user) = leaver.resources.first() {
                house.delete(user.id).await;
            }
        }
        if gone < 40 {
            house.person(&format!("newcomer{gone}")).await;
        }
    }
}

#[tokio::test]
async fn who_walks_forward_sees_each_that_stays_exactly_once() {
    for by_cursor in [false, true] {
        let house = House::new();
        let mut stayers = Vec::new();
        for n in 0..200 {
            if n % 5 == 0 {
                house.person(&format!("leaver{}", n / 5)).await;
            } else {
                stayers.push(house.person(&format!("stayer{n}")).await.id);
            }
        }
        let seen = walk(&house, by_cursor).await;
        for id in stayers {
            assert_eq!(seen.get(&id), Some(&1), "by cursor: {by_cursor}");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_walk_alone_and_not_for_ever() {
    let house = House::new();
    staff(&house).await;
    let first = house.directory.list::<User>(&search(Start::FirstByCursor, 1)).await.unwrap();
    assert_eq!(first.total, None);
    let cursor = first.next_cursor.unwrap();
    let go_on = |start: &str, client| {
        let start = Start::Cursor(start.to_owned());
        Search { client, ..search(start, 1) }
    };
    let okta = client("okta");
    let other = house.directory.list::<User>(&go_on(&cursor, Some(&okta))).await;
    assert_eq!(kind_of(other), ErrorKind::InvalidCursor);
    let other = house.directory.list::<Group>(&go_on(&cursor, None)).await;
    assert_eq!(kind_of(other), ErrorKind::InvalidCursor);
    let other = house.directory.list::<User>(&go_on("what", None)).await;
    assert_eq!(kind_of(other), ErrorKind::InvalidCursor);
    let next = house.directory.list::<User>(&go_on(&cursor, None)).await.unwrap();
    assert_eq!(next.resources[0].attributes.user_name, "Bob");
    house.world.clock.advance(ssf::directory::CURSOR_LIVES);
    let late = house.directory.list::<User>(&go_on(&cursor, None)).await;
    assert_eq!(kind_of(late), ErrorKind::ExpiredCursor);
}

#[tokio::test]
async fn a_cursor_walks_over_what_a_filter_leaves_too() {
    let house = House::new();
    let users = staff(&house).await;
    let filter =
        Filter::parse(r#"name.familyName co "o" and emails pr"#, ResourceType::User).unwrap();
    let mut start = Start::FirstByCursor;
    let mut found = Vec::new();
    loop {
        let search = Search { filter: Some(&filter), ..search(start, 1) };
        let page = house.directory.list::<User>(&search).await.unwrap();
        found.extend(page.resources.into_iter().map(|user| user.id));
        match page.next_cursor {
            Some(cursor) => start = Start::Cursor(cursor),
            None => break,
        }
    }
    assert_eq!(found, [users[0].id, users[2].id]);
}

#[tokio::test]
async fn a_list_is_sorted_by_what_is_asked_for() {
    use SortOrder::{Ascending, Descending};
    let house = House::new();
    staff(&house).await;
    house.person("dora").await;
    let sorted = async |by: &str, order: SortOrder, start: Start| {
        let path = AttributePath::resolve(by, ResourceType::User).unwrap();
        let search = Search { sort: Some((path, order)), ..search(start, 2) };
        let found = house.directory.list::<User>(&search).await.unwrap();
        let names: Vec<_> =
            found.resources.into_iter().map(|user| user.attributes.user_name).collect();
        (names.join(" "), found.next_cursor)
    };
    let page = async |by, order, start| sorted(by, order, Start::Index(start)).await.0;
    assert_eq!(page("userName", Ascending, 1).await, "ada Bob");
    assert_eq!(page("userName", Descending, 1).await, "dora carol");
    assert_eq!(page("name.familyName", Ascending, 1).await, "carol ada");
    assert_eq!(page("name.familyName", Ascending, 3).await, "Bob dora", "who has none comes last");
    assert_eq!(page("meta.created", Descending, 1).await, "dora carol");
    // As text, the fraction of a second would come before the whole one.
    house.world.clock.advance(Duration::from_millis(500));
    house.person("eve").await;
    assert_eq!(page("meta.lastModified", Descending, 1).await, "eve dora");
    let (eve, by_time) = sorted("meta.lastModified", Descending, Start::FirstByCursor).await;
    assert_eq!(eve, "eve dora");
    let after = sorted("meta.lastModified", Descending, Start::Cursor(by_time.unwrap())).await;
    assert_eq!(after.0, "carol Bob", "a cursor goes on behind a time, too");
    house.delete(filtered::<User>(&house, r#"userName eq "eve""#).await.resources[0].id).await;
    let (first, cursor) = sorted("name.familyName", Ascending, Start::FirstByCursor).await;
    // The last one of the page goes; the next page begins behind where it was.
    let ada = filtered::<User>(&house, r#"userName eq "ada""#).await.resources.remove(0);
    house.delete(ada.id).await;
    let (second, end) = sorted("name.familyName", Ascending, Start::Cursor(cursor.unwrap())).await;
    assert_eq!((first.as_str(), second.as_str(), end), ("carol ada", "Bob dora", None));
}
