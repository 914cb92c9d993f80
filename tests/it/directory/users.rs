//! People: their names, their locks, what becomes of them.

use std::time::Duration;

use serde_json::json;
use ssf::{
    Error,
    client::Secret,
    directory::{Actor, Given, PasswordHash, User},
    scim::{ErrorKind, ResourceType},
    table::Table as _,
};

use super::{House, client, kind_of, map};

#[tokio::test]
async fn a_person_keeps_what_was_sent_and_an_id_for_ever() {
    let house = House::new();
    let made = house.create(json!({
        "userName": "Ada@Example.com", "displayName": "Ada", "emails": [{ "value": "Ada@X.example" }],
    }))
    .await;
    assert_eq!((made.created, made.revision), (made.last_modified, 1));
    house.world.clock.advance(Duration::from_secs(5));
    let changed = house.replace(made.id, json!({ "userName": "Ada@Example.com" })).await.unwrap();
    let now = house.directory.user(made.id).await.unwrap();
    assert!(changed.changed);
    assert_eq!(now.attributes.user_name, "Ada@Example.com", "as it was sent");
    assert_eq!(now.attributes.display_name, None, "what is left out is removed");
    assert_eq!((now.created, now.revision), (made.created, 2));
    assert!(now.last_modified > made.last_modified);

    house.delete(made.id).await;
    assert!(matches!(house.directory.user(made.id).await, Err(Error::NotFound { .. })));
    let again = house.create(json!({ "userName": "ada@example.com" })).await;
    assert_ne!(again.id, made.id, "the name is free, the id is not");
}

#[tokio::test]
async fn a_name_is_one_whatever_its_case_and_its_form() {
    let house = House::new();
    for (one, other) in [("Ada", "ADA"), ("straße", "STRASSE"), ("e\u{301}va", "\u{c9}VA")] {
        let first = house.person(one).await;
        assert_eq!(
            kind_of(house.try_create(json!({ "userName": other })).await),
            ErrorKind::Uniqueness,
            "{one} {other}"
        );
        let second = house.person(&format!("{one}2")).await;
        let taken = house.replace(second.id, json!({ "userName": other })).await;
        assert_eq!(kind_of(taken), ErrorKind::Uniqueness);
        // A person may spell the own name in another way.
        house.replace(first.id, json!({ "userName": other })).await.unwrap();
        assert_eq!(house.directory.user(first.id).await.unwrap().attributes.user_name, other);
    }
    assert_eq!(house.directory.how_many(ResourceType::User).await.unwrap(), 6);
}

#[tokio::test]
async fn of_two_who_take_a_name_at_once_one_gets_it() {
    let house = House::new();
    let ada = || house.try_create(json!({ "userName": "ada" }));
    let results = futures_util::future::join_all((0..8).map(|_| ada())).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results.into_iter().filter(Result::is_err) {
        assert_eq!(kind_of(result), ErrorKind::Uniqueness);
    }
}

#[tokio::test]
async fn a_lock_date_locks_when_it_comes_whoever_looks() {
    let house = House::new();
    let now = house.world.transmitter.parts().clock.now();
    let date = now + Duration::from_hours(1);
    let lock = json!({ "lockDate": date });
    let ada = house
        .create(json!({
            "userName": "ada",
            "urn:tocsin:params:scim:schemas:extension:1.0:User": lock,
        }))
        .await;
    let view = |user: &User, at| user.resource(None, "https://t", at)["active"].clone();
    assert_eq!(view(&ada, date - Duration::from_micros(1)), true);
    assert_eq!(view(&ada, date), false, "at the instant");
    assert!(ada.is_locked(date) && !ada.is_locked(now));
}

#[tokio::test]
async fn a_lock_goes_only_by_who_means_it() {
    let house = House::new();
    let ada = house.person("ada").await;
    let now = house.world.transmitter.parts().clock.now();
    let future = now + Duration::from_mins(1);
    let replaced = |user: &User, body| {
        let mut user = user.clone();
        user.take(map(&body), Given::Whole, None, now).unwrap();
        user.lock_date
    };
    let (mut locked, mut ending) = (ada.clone(), ada.clone());
    locked.lock_date = Some(now);
    ending.lock_date = Some(future);
    assert_eq!(replaced(&locked, json!({ "userName": "ada" })), Some(now), "left out: kept");
    assert_eq!(replaced(&locked, json!({ "userName": "ada", "active": false })), Some(now));
    assert_eq!(replaced(&locked, json!({ "userName": "ada", "active": true })), None);
    assert_eq!(
        replaced(&ending, json!({ "userName": "ada", "active": true })),
        Some(future),
        "who repeats what it read does not take away an end that it does not know of"
    );
    assert_eq!(replaced(&ada, json!({ "userName": "ada", "active": false })), Some(now));

    // A change of some of it says what it means.
    let patched =
        |user: &User, change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
            let mut user = user.clone();
            let mut resource = user.writable(None, now);
            change(&mut resource);
            user.take(resource, Given::Changed, None, now).unwrap();
            user.lock_date
        };
    assert_eq!(patched(&ending, &|_| {}), Some(future));
    assert_eq!(patched(&locked, &|_| {}), Some(now));
    let active = |is: bool| {
        move |resource: &mut serde_json::Map<String, serde_json::Value>| {
            resource.insert("active".into(), is.into());
        }
    };
    assert_eq!(patched(&ending, &active(true)), None, "a lock to come, too");
    assert_eq!(patched(&ending, &active(false)), Some(now));
    assert_eq!(patched(&locked, &active(true)), None);
}

#[tokio::test]
async fn a_password_is_neither_shown_nor_printed() {
    let house = House::new();
    let ada = house.person("ada").await;
    let cause = house.directory.cause(Actor::Operator);
    let hash = PasswordHash::of(&Secret::new("a long enough password")).unwrap();
    let set = |user: &mut User| {
        user.set_password(Some(hash.clone()));
        Ok(())
    };
    let ada = house.directory.user_change(ada.id, None, &cause, set).await.unwrap().now;
    assert!(ada.has_password());
    let shown = serde_json::to_string(&ada.resource(None, "https://t", cause.at)).unwrap();
    assert!(!shown.contains("argon2") && !shown.contains("password"), "{shown}");
    assert!(!format!("{ada:?}").contains("argon2"));
}

#[tokio::test]
async fn what_a_client_calls_a_person_is_its_own_affair() {
    let house = House::new();
    let (okta, entra) = (client("okta"), client("entra"));
    let cause = house.directory.cause(Actor::Client(okta.clone()));
    let body = json!({ "userName": "ada", "externalId": "00u1" });
    let make = |user: &mut User| user.take(map(&body), Given::Whole, Some(&okta), cause.at);
    let ada = house.directory.user_create(&cause, make).await.unwrap();
    let seen_by = |user: &User, client| user.resource(Some(client), "https://t", cause.at);
    assert_eq!(seen_by(&ada, &okta)["externalId"], "00u1");
    assert_eq!(seen_by(&ada, &entra).get("externalId"), None);
    // The other client neither sees nor removes it.
    let body = json!({ "userName": "ada", "externalId": "e-1" });
    let change = |user: &mut User| user.take(map(&body), Given::Whole, Some(&entra), cause.at);
    let ada = house.directory.user_change(ada.id, None, &cause, change).await.unwrap().now;
    assert_eq!(seen_by(&ada, &okta)["externalId"], "00u1");
    assert_eq!(seen_by(&ada, &entra)["externalId"], "e-1");
}

#[tokio::test]
async fn a_change_of_another_version_is_refused() {
    let house = House::new();
    let ada = house.person("ada").await;
    let cause = house.directory.cause(Actor::Operator);
    let stale = house.directory.user_change(ada.id, Some(0), &cause, |_| Ok(())).await;
    assert_eq!(kind_of(stale), ErrorKind::PreconditionFailed);
    let stale = house.directory.user_delete(ada.id, Some(2), &cause).await;
    assert_eq!(kind_of(stale), ErrorKind::PreconditionFailed);
    house.directory.user_delete(ada.id, Some(1), &cause).await.unwrap();
}

#[tokio::test]
async fn a_deleted_person_leaves_all_groups_and_no_rows() {
    let house = House::new();
    let (ada, bob) = (house.person("ada").await, house.person("bob").await);
    let staff = house.group("Staff", &[ada.id, bob.id]).await;
    house.delete(ada.id).await;
    let staff = house.directory.group(staff.id).await.unwrap();
    assert_eq!(staff.member_count, 1);
    assert_eq!(staff.revision, 2);
    let members = house.directory.members_of(&staff, 10).await.unwrap();
    assert_eq!(members, [bob.id]);
    for partition in ["USER#", "MEMBER_OF#"] {
        let query = ssf::table::Query::sorted(format!("{partition}{}", ada.id), "");
        assert!(house.world.table.query(query).await.unwrap().items.is_empty(), "{partition}");
    }
}

#[tokio::test]
async fn a_person_with_too_much_of_something_is_refused() {
    let house = House::new();
    let emails: Vec<_> = (0..21).map(|n| json!({ "value": format!("{n}@x.example") })).collect();
    let cases = [
        (json!({ "userName": "a", "emails": emails }), ErrorKind::InvalidValue),
        (json!({ "userName": " " }), ErrorKind::InvalidValue),
        (json!({ "displayName": "x" }), ErrorKind::InvalidValue),
        (json!({ "userName": "a", "title": "x".repeat(70_000) }), ErrorKind::TooLarge),
    ];
    for (body, kind) in cases {
        assert_eq!(kind_of(house.try_create(body).await), kind);
    }
    assert_eq!(house.directory.how_many(ResourceType::User).await.unwrap(), 0);
}
