//! The people of the directory: what they let applications have ends with what happens to them.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::{
    Error,
    client::Secret,
    directory::{Actor, Directory, PasswordHash, ResourceId, User},
    sign_in::{Owner, Owners, SubjectId},
    table::{Condition, Content, Key, Write},
};

use super::{Scene, id, why};

const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

/// A scene whose people are those of the directory, of whom there is one.
pub(super) async fn with_directory() -> (Scene, Directory, ResourceId) {
    let mut scene = Scene::new().await;
    let directory = Directory::of(&scene.world.transmitter);
    scene.sign_in = directory.sign_in();
    let cause = directory.cause(Actor::Operator);
    let make = |user: &mut User| {
        "ada".clone_into(&mut user.attributes.user_name);
        user.set_password(Some(password("correct horse battery")?));
        Ok(())
    };
    let ada = directory.user_create(&cause, make).await.unwrap().id;
    for client in ["notes", "maps"] {
        scene.consent(&ada.to_string(), client).await;
    }
    (scene, directory, ada)
}

fn password(text: &str) -> Result<PasswordHash, Error> {
    Ok(PasswordHash::of(&Secret::new(text))?)
}

pub(super) async fn change(directory: &Directory, id: ResourceId, change: impl Fn(&mut User)) {
    let cause = directory.cause(Actor::Operator);
    let change = |user: &mut User| {
        change(user);
        Ok(())
    };
    directory.user_change(id, None, &cause, change).await.unwrap();
}

#[tokio::test]
async fn who_is_locked_out_has_nothing_open_and_comes_back_to_nothing() {
    let (scene, directory, ada) = with_directory().await;
    let name = ada.to_string();
    let now = || scene.world.transmitter.parts().clock.now();
    let tokens = scene.tokens(&name, "notes").await;
    let pending = scene.code(&name, "notes").await.unwrap();
    assert!(scene.is_good(&tokens).await);
    // A date that is to come locks then, by the clock alone.
    let soon = now() + Duration::from_mins(1);
    change(&directory, ada, |user| user.lock_date = Some(soon)).await;
    assert!(scene.is_good(&tokens).await);
    scene.world.clock.advance(Duration::from_mins(1));
    assert!(!scene.is_good(&tokens).await);
    assert_snapshot!(why(scene.exchange("notes", &pending).await), @"the person is locked out");
    assert_snapshot!(why(scene.code(&name, "notes").await), @"the person is locked out");

    scene.world.clock.advance(Duration::from_secs(1));
    change(&directory, ada, |user| user.lock_date = None).await;
    assert!(!scene.is_good(&tokens).await);
    assert_snapshot!(why(scene.exchange("notes", &pending).await), @"what the person had open was ended");
    let refresh = tokens.refresh_token.unwrap();
    assert_snapshot!(why(scene.refresh("notes", &refresh).await), @"what the person had open was ended");
    let later = scene.tokens(&name, "notes").await;
    assert!(scene.is_good(&later).await);
    // What has nothing to do with it changes nothing.
    change(&directory, ada, |user| user.attributes.title = Some("Countess".to_owned())).await;
    assert!(scene.is_good(&later).await);
}

#[tokio::test]
async fn a_new_password_ends_what_was_open() {
    let (scene, directory, ada) = with_directory().await;
    let name = ada.to_string();
    let tokens = scene.tokens(&name, "notes").await;
    scene.world.clock.advance(Duration::from_secs(1));
    let new = password("another horse battery").unwrap();
    change(&directory, ada, |user| user.set_password(Some(new.clone()))).await;
    assert!(!scene.is_good(&tokens).await);
    assert!(scene.refresh("notes", &tokens.refresh_token.unwrap()).await.is_err());
    let later = scene.tokens(&name, "notes").await;
    assert!(scene.is_good(&later).await);
}

#[tokio::test]
async fn of_a_deleted_person_nothing_is_left() {
    let (scene, directory, ada) = with_directory().await;
    let name = ada.to_string();
    let tokens = scene.tokens(&name, "notes").await;
    // More than is removed in one part.
    for _ in 0..60 {
        scene.code(&name, "maps").await.unwrap();
    }
    directory.user_delete(ada, None, &directory.cause(Actor::Operator)).await.unwrap();
    assert_snapshot!(
        why(scene.sign_in.person_token(tokens.access_token.expose()).await),
        @"there is no such code or token"
    );
    let of_ada = [format!("PERSON_FAMILY#{name}"), format!("CONSENT#{name}")];
    assert_eq!(scene.rows(&of_ada.each_ref().map(String::as_str)).await, 0);
    assert_eq!(scene.rows(&["CLIENT_FAMILY#notes", "CLIENT_FAMILY#maps"]).await, 0);
    assert_eq!(scene.rows(&["CLIENT_CONSENT#notes"]).await, 1, "jane's");
}

#[tokio::test]
async fn what_a_deletion_that_was_interrupted_left_goes_with_the_sweep() {
    let (scene, directory, ada) = with_directory().await;
    let subject = SubjectId::from(ada);
    let parts = scene.world.transmitter.parts();
    scene.tokens(&subject.0, "notes").await;
    scene.code(&subject.0, "maps").await.unwrap();
    // The person is gone, and there is the job; whoever was to do it has died.
    let at = parts.clock.now();
    let job = json!({
        "work": "user_deleted", "id": ada, "actor": "operator", "txn": "t", "at": at,
    });
    let part = u8::from_str_radix(&subject.0[34..], 16).unwrap() % 4;
    let key = Key::new(format!("JOB#{part:02}"), format!("deleted#{ada}"));
    let writes = vec![
        Write::delete(directory.key(&subject), Condition::Any),
        Write::put(key.clone(), Condition::Any, Content::json(&job)),
    ];
    parts.table.transact(writes).await.unwrap();
    scene.world.sweep().await;
    assert_eq!(parts.table.get(&key).await.unwrap(), None, "the job is done");
    let of_ada = [format!("PERSON_FAMILY#{ada}"), format!("CONSENT#{ada}")];
    assert_eq!(scene.rows(&of_ada.each_ref().map(String::as_str)).await, 0);
    assert_eq!(scene.rows(&["CLIENT_FAMILY#notes", "CLIENT_FAMILY#maps"]).await, 0);
}

#[tokio::test]
async fn what_ends_is_told_once_about_the_person_at_the_application() {
    let (scene, directory, ada) = with_directory().await;
    let sign_in = &scene.sign_in;
    let (subject, notes) = (SubjectId::from(ada), id("notes"));
    let etag = directory.user(ada).await.unwrap().revision;
    // What was told when the person was made.
    told(&scene).await;
    let by_system = directory.cause(Actor::System);
    let by_person = directory.cause(Actor::Person);
    let first = scene.tokens(&subject.0, "notes").await.refresh_token.unwrap();
    let also = directory.also(&by_system);
    sign_in.refresh(&notes, first.expose(), None, &also).await.unwrap();
    scene.world.clock.advance(Duration::from_secs(10));
    for _ in 0..2 {
        sign_in.refresh(&notes, first.expose(), None, &also).await.unwrap_err();
        let also = directory.also(&by_person);
        sign_in.consent_grant(&subject, &notes, &super::GRANTED, &also).await.unwrap();
        sign_in.consent_revoke(&subject, &notes, &also).await.unwrap();
    }
    assert_eq!(told(&scene).await, Vec::<Value>::new(), "it is still in the outbox");
    directory.hand_over_of(&subject).await;
    let events = told(&scene).await;
    let why = |event: &Value| event["events"][SESSION_REVOKED]["reason_admin"]["en"].clone();
    let reasons: Vec<_> = events.iter().map(why).collect();
    assert_eq!(reasons, ["refresh token reuse", "consent revoked", "consent revoked"]);
    let wanted = json!({
        "format": "complex",
        "user": { "format": "iss_sub", "iss": "https://tocsin.example", "sub": ada },
        "application": { "format": "opaque", "id": "notes" },
    });
    let by: Vec<_> = events
        .iter()
        .map(|event| {
            assert_eq!(event["sub_id"], wanted);
            event["events"][SESSION_REVOKED]["initiating_entity"].as_str().unwrap()
        })
        .collect();
    assert_eq!(by, ["system", "user", "user"]);
    assert_eq!(events[0]["txn"].as_str(), Some(by_system.txn.as_str()));
    assert_eq!(directory.user(ada).await.unwrap().revision, etag, "the person is the same");
}

/// The events that came to the door since the last look.
pub(super) async fn told(scene: &Scene) -> Vec<Value> {
    let queue = &scene.world.transmitter.parts().ingest_fifo;
    let mut events = Vec::new();
    loop {
        let batch = queue.receive(10, Duration::from_mins(2)).await.unwrap();
        if batch.is_empty() {
            return events;
        }
        events.extend(
            batch.iter().map(|message| serde_json::from_str::<Value>(&message.body).unwrap()),
        );
        queue.delete(batch.into_iter().map(|message| message.receipt).collect()).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_is_not_named_as_people_are_is_not_there() {
    let (scene, directory, _) = with_directory().await;
    for name in ["", "ada", "#", "00000000-0000-7000-8000-000000000000"] {
        let subject = SubjectId(name.to_owned());
        let row =
            scene.world.transmitter.parts().table.get(&directory.key(&subject)).await.unwrap();
        let now = scene.world.transmitter.parts().clock.now();
        assert_eq!(directory.judge(row.as_ref(), now).unwrap(), Owner::Gone, "{name}");
    }
}

/// Of two changes side by side that which began first may be the later one.
#[tokio::test]
async fn an_unlock_that_began_before_the_lock_revives_nothing_of_before() {
    let (scene, directory, ada) = with_directory().await;
    let name = ada.to_string();
    let clock = &scene.world.clock;
    let set = |date| {
        move |user: &mut User| {
            user.lock_date = date;
            Ok(())
        }
    };
    let unlock = directory.cause(Actor::Operator);
    clock.advance(Duration::from_secs(1));
    let tokens = scene.tokens(&name, "notes").await;
    let pending = scene.code(&name, "notes").await.unwrap();
    clock.advance(Duration::from_secs(1));
    let lock = directory.cause(Actor::Operator);
    clock.advance(Duration::from_secs(1));
    // What is issued while the lock is decided on is issued before it.
    let late = scene.tokens(&name, "notes").await;
    directory.user_change(ada, None, &lock, set(Some(lock.at))).await.unwrap();
    assert!(!scene.is_good(&tokens).await && !scene.is_good(&late).await);
    directory.user_change(ada, None, &unlock, set(None)).await.unwrap();
    assert!(!scene.is_good(&tokens).await, "it was issued before the lock");
    assert!(!scene.is_good(&late).await, "it was issued before the lock");
    assert_snapshot!(why(scene.exchange("notes", &pending).await), @"what the person had open was ended");
    let after = scene.tokens(&name, "notes").await;
    assert!(scene.is_good(&after).await);
}

#[tokio::test]
async fn a_change_that_began_before_the_lock_does_not_tell_that_it_is_over() {
    let (scene, directory, ada) = with_directory().await;
    told(&scene).await;
    let rename = directory.cause(Actor::Operator);
    scene.world.clock.advance(Duration::from_secs(1));
    let now = scene.world.transmitter.parts().clock.now();
    change(&directory, ada, |user| user.lock_date = Some(now)).await;
    told(&scene).await;
    let title = |user: &mut User| {
        user.attributes.title = Some("Countess".to_owned());
        Ok(())
    };
    let renamed = directory.user_change(ada, None, &rename, title).await.unwrap().now;
    assert_eq!(renamed.last_modified, now, "time does not go back");
    scene.world.sweep().await;
    let kinds: Vec<_> = told(&scene).await.iter().map(kind).collect();
    assert_eq!(kinds, ["patch:notice", "patch:full"]);
}

/// The end of the type of an event.
fn kind(event: &Value) -> String {
    let kind = event["events"].as_object().unwrap().keys().next().unwrap();
    kind.rsplit(['/', ':'])
        .take(2)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
        .join(":")
}
