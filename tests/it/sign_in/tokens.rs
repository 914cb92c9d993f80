//! Access and refresh tokens of people.

use std::{sync::Arc, time::Duration};

use insta::assert_snapshot;
use ssf::{
    client::{GrantType, Scope},
    sign_in::{Refusal, Revoked, SignIn, nothing},
};

use super::{People, Person, Scene, id, why};

#[tokio::test]
async fn a_refresh_gives_new_tokens_by_one_put() {
    let scene = Scene::new().await;
    let tokens = scene.tokens("jane", "notes").await;
    scene.world.clock.advance(Duration::from_mins(5));
    assert!(!scene.is_good(&tokens).await);
    scene.world.table.take();
    let next = scene.refresh("notes", tokens.refresh_token.as_ref().unwrap()).await.unwrap();
    let used = scene.world.table.take();
    assert_eq!((used.calls() - used.changes(), used.changes()), (2, 1));
    assert!(scene.is_good(&next).await);
    scene.world.table.take();
    assert!(scene.is_good(&next).await);
    assert_eq!(scene.world.table.take().calls(), 2, "the family, then all that it depends on");
    assert_ne!(next.refresh_token, tokens.refresh_token);
}

#[tokio::test]
async fn who_lost_the_answer_gets_the_same_refresh_token_again_for_ten_seconds() {
    let scene = Scene::new().await;
    let first = scene.tokens("jane", "notes").await.refresh_token.unwrap();
    let second = scene.refresh("notes", &first).await.unwrap();
    scene.world.clock.advance(Duration::from_millis(9_999));
    let again = scene.refresh("notes", &first).await.unwrap();
    assert_eq!(again.refresh_token, second.refresh_token);
    assert!(scene.is_good(&second).await && scene.is_good(&again).await);
    scene.world.clock.advance(Duration::from_millis(1));
    let reused = scene.refresh("notes", &first).await.unwrap_err();
    let family = second.family.family_id;
    assert!(matches!(reused, Refusal::Reused { family: of, .. } if of == family), "{reused}");
    assert!(!scene.is_good(&second).await && !scene.is_good(&again).await);
    assert_snapshot!(
        why(scene.refresh("notes", &second.refresh_token.unwrap()).await),
        @"the code or token is over"
    );
    let ended = scene.sign_in.family_end(family, &nothing).await.unwrap().unwrap();
    assert_eq!(ended.revoked_because, Some(Revoked::RefreshReuse));
}

#[tokio::test]
async fn a_made_up_refresh_token_ends_nothing() {
    let scene = Scene::new().await;
    let (one, other) = (scene.tokens("jane", "notes").await, scene.tokens("jane", "notes").await);
    let refresh = one.refresh_token.unwrap();
    assert!(scene.refresh("maps", &refresh).await.is_err(), "it is another client's");
    let garbage = ssf::client::Secret::new(format!("{}x", refresh.expose()));
    assert!(scene.refresh("notes", &garbage).await.is_err());
    assert!(scene.refresh("notes", &refresh).await.is_ok());
    assert!(scene.is_good(&other).await);
}

#[tokio::test]
async fn a_refresh_may_ask_for_less_and_gets_never_more() {
    let scene = Scene::new().await;
    let first = scene.tokens("jane", "notes").await.refresh_token.unwrap();
    let refresh = async |token: &ssf::client::Secret, asked: &str| {
        scene.sign_in.refresh(&id("notes"), token.expose(), Some(asked), &nothing).await
    };
    let less = refresh(&first, "email phone ssf.manage").await.unwrap();
    assert_eq!(less.scope, [Scope::Email]);
    let second = less.refresh_token.unwrap();
    assert_snapshot!(why(refresh(&second, "phone").await), @"none of the scopes can be had");
    let all = refresh(&second, "openid email").await.unwrap();
    assert_eq!(all.scope, [Scope::OpenId, Scope::Email], "less once is not less for ever");
    // What the operator takes from the client is taken from its tokens, too.
    let us = &scene.world.transmitter;
    us.client_update(&id("notes"), |wish| wish.scope = vec![Scope::Email]).await.unwrap();
    let about = scene.sign_in.person_token(all.access_token.expose()).await.unwrap();
    assert_eq!(about.scope, [Scope::Email]);
}

#[tokio::test]
async fn two_processes_that_refresh_at_once_get_the_same_next_token() {
    let scene = Scene::new().await;
    let processes: Vec<SignIn> =
        (0..4).map(|_| SignIn::of(&scene.world.another_process(), Arc::new(People))).collect();
    let first = scene.tokens("jane", "notes").await.refresh_token.unwrap();
    let client = id("notes");
    let refresh =
        |process: usize| processes[process].refresh(&client, first.expose(), None, &nothing);
    let all = tokio::join!(refresh(0), refresh(1), refresh(2), refresh(3));
    let all = [all.0.unwrap(), all.1.unwrap(), all.2.unwrap(), all.3.unwrap()];
    for tokens in &all {
        assert_eq!(tokens.refresh_token, all[0].refresh_token);
        assert!(scene.is_good(tokens).await);
    }
}

#[tokio::test]
async fn a_client_gives_back_what_is_its_own() {
    let scene = Scene::new().await;
    let tokens = scene.tokens("jane", "notes").await;
    let (access, refresh) = (&tokens.access_token, tokens.refresh_token.as_ref().unwrap());
    let give_back = async |client: &str, token: &str| {
        scene.sign_in.token_give_back(&id(client), token, &nothing).await.unwrap();
    };
    for (client, token) in [("maps", access.expose()), ("maps", refresh.expose()), ("notes", "x")] {
        give_back(client, token).await;
    }
    assert!(scene.is_good(&tokens).await);
    give_back("notes", access.expose()).await;
    assert!(!scene.is_good(&tokens).await);
    let next = scene.refresh("notes", refresh).await.unwrap();
    give_back("notes", next.refresh_token.as_ref().unwrap().expose()).await;
    assert!(!scene.is_good(&next).await);
    assert!(scene.refresh("notes", &next.refresh_token.unwrap()).await.is_err());
}

#[tokio::test]
async fn a_token_is_dead_at_once_when_its_person_consent_or_client_is() {
    let scene = Scene::new().await;
    let us = &scene.world.transmitter;
    let (at_notes, at_maps) =
        (scene.tokens("jane", "notes").await, scene.tokens("jane", "maps").await);
    let both = async || (scene.is_good(&at_notes).await, scene.is_good(&at_maps).await);
    assert_eq!(both().await, (true, true));
    us.client_disable(&id("notes")).await.unwrap();
    assert_eq!(both().await, (false, true));
    us.client_enable(&id("notes")).await.unwrap();
    assert_eq!(both().await, (true, true));

    let now = us.parts().clock.now();
    scene.put("jane", &Person { lock_date: Some(now), ends: 0 }).await;
    assert_eq!(both().await, (false, false));
    assert_snapshot!(
        why(scene.refresh("maps", at_maps.refresh_token.as_ref().unwrap()).await),
        @"the person is locked out"
    );
    // Who comes back signs in anew.
    scene.put("jane", &Person { lock_date: None, ends: 1 }).await;
    assert_eq!(both().await, (false, false));
    let later = scene.tokens("jane", "maps").await;
    assert!(scene.is_good(&later).await);
    scene.remove("jane").await;
    assert_snapshot!(
        why(scene.sign_in.person_token(later.access_token.expose()).await),
        @"the person is gone"
    );
}

#[tokio::test]
async fn a_client_without_that_grant_gets_no_refresh_token() {
    let scene = Scene::new().await;
    scene
        .register("short", |wish| wish.grant_types = Some(vec![GrantType::AuthorizationCode]))
        .await;
    scene.consent("jane", "short").await;
    let tokens = scene.tokens("jane", "short").await;
    assert_eq!(tokens.refresh_token, None);
    // And one that had it once cannot use it any more.
    let refresh = scene.tokens("jane", "notes").await.refresh_token.unwrap();
    let change = |wish: &mut ssf::client::NewClient| {
        wish.grant_types = Some(vec![GrantType::AuthorizationCode]);
    };
    scene.world.transmitter.client_update(&id("notes"), change).await.unwrap();
    assert_snapshot!(why(scene.refresh("notes", &refresh).await), @"the client may not use this grant type");
}
