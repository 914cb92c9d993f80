//! The people of the directory: what they let applications have ends with what happens to them.

use std::{sync::Arc, time::Duration};

use insta::assert_snapshot;
use ssf::{
    Error,
    client::Secret,
    directory::{Actor, Directory, PasswordHash, ResourceId, User},
    sign_in::{Owner, Owners, SignIn, SubjectId},
};

use super::{Scene, why};

/// A scene whose people are those of the directory, of whom there is one.
async fn with_directory() -> (Scene, Directory, ResourceId) {
    let mut scene = Scene::new().await;
    let directory = Directory::of(&scene.world.transmitter);
    scene.sign_in = SignIn::of(&scene.world.transmitter, Arc::new(directory.clone()));
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

async fn change(directory: &Directory, id: ResourceId, change: impl Fn(&mut User)) {
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
