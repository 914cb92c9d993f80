//! What is asked for, where it is read with its client, and what the browser is sent back with.

use std::fmt::Write as _;

use insta::assert_snapshot;
use ssf::{
    client::{AuthMethod, ClientId},
    sign_in::{AuthorizationError, NotAuthorized},
};

use super::{CB, CHALLENGE, Scene, parameter};

fn pairs(change: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", "notes"),
        ("redirect_uri", CB),
        ("scope", "openid"),
        ("state", "s"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in change {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn a_browser_is_sent_only_where_the_application_is_for_sure() {
    let scene = Scene::new().await;
    scene.world.register("machine", |_| {}).await;
    scene.register("gone", |_| {}).await;
    scene.world.transmitter.client_disable(&ClientId("gone".into())).await.unwrap();
    let cases: [&[(&str, &str)]; 12] = [
        &[("client_id", "")],
        &[("client_id", "nobody")],
        &[("client_id", "no body")],
        &[("client_id", "gone")],
        &[("client_id", "machine")],
        &[("redirect_uri", "")],
        &[("redirect_uri", "https://evil.example/cb")],
        &[("redirect_uri", "https://notes.example/cb/")],
        &[("redirect_uri", "https://notes.example/cb?x=1")],
        &[("response_type", "token")],
        &[("scope", "ssf.manage")],
        &[("id_token_hint", "a.b.c")],
    ];
    let mut lines = String::new();
    for case in cases {
        let refused = scene.sign_in.authorization(pairs(case)).await.unwrap_err();
        match refused {
            NotAuthorized::Shown(shown) => writeln!(lines, "{case:?} is shown: {shown}"),
            NotAuthorized::Redirect(to) => writeln!(lines, "{case:?} goes to {to}"),
            NotAuthorized::Other(error) => panic!("{error}"),
        }
        .unwrap();
    }
    let mut twice = pairs(&[]);
    twice.push(("client_id".to_owned(), "notes".to_owned()));
    let refused = scene.sign_in.authorization(twice).await.unwrap_err();
    writeln!(lines, "{refused}").unwrap();
    assert_snapshot!(lines, @r#"
    [("client_id", "")] is shown: client_id is missing
    [("client_id", "nobody")] is shown: client_id names no application
    [("client_id", "no body")] is shown: client_id names no application
    [("client_id", "gone")] is shown: client_id names no application
    [("client_id", "machine")] is shown: redirect_uri is none that the application has registered
    [("redirect_uri", "")] is shown: redirect_uri is missing
    [("redirect_uri", "https://evil.example/cb")] is shown: redirect_uri is none that the application has registered
    [("redirect_uri", "https://notes.example/cb/")] is shown: redirect_uri is none that the application has registered
    [("redirect_uri", "https://notes.example/cb?x=1")] is shown: redirect_uri is none that the application has registered
    [("response_type", "token")] goes to https://notes.example/cb?error=unsupported_response_type&error_description=response_type+must+be+code&state=s&iss=https%3A%2F%2Ftocsin.example
    [("scope", "ssf.manage")] goes to https://notes.example/cb?error=invalid_scope&error_description=the+client+may+have+none+of+these+scopes&state=s&iss=https%3A%2F%2Ftocsin.example
    [("id_token_hint", "a.b.c")] goes to https://notes.example/cb?error=invalid_request&error_description=id_token_hint%3A+is+no+ID+token+from+here&state=s&iss=https%3A%2F%2Ftocsin.example
    client_id is there twice
    "#);
}

#[tokio::test]
async fn the_answer_says_who_answers_and_repeats_the_state() {
    let scene = Scene::new().await;
    let request = scene.request("notes", "openid").await;
    let scope = request.scope.clone();
    let url = scene.sign_in.authorize_issue(&request, scene.seen(), scope).await.unwrap();
    assert!(url.starts_with("https://notes.example/cb?code=tocsin_a."), "{url}");
    assert_eq!(parameter(&url, "state").as_deref(), Some("s"));
    assert_eq!(parameter(&url, "iss").as_deref(), Some("https://tocsin.example"));
    let issuer = &scene.world.transmitter.parts().config.issuer;
    let denied = request.redirect_error(issuer, &AuthorizationError::AccessDenied);
    assert_snapshot!(denied, @"https://notes.example/cb?error=access_denied&error_description=it+was+not+allowed&state=s&iss=https%3A%2F%2Ftocsin.example");
}

#[tokio::test]
async fn what_has_changed_meanwhile_is_told_to_the_application() {
    let scene = Scene::new().await;
    let request = scene.request("notes", "openid").await;
    let scope = request.scope.clone();
    let (jane, notes) = (scene.ada.clone(), ClientId("notes".into()));
    let nothing = &ssf::sign_in::nothing;
    scene.sign_in.consent_revoke(&jane, &notes, nothing).await.unwrap();
    let url = scene.sign_in.authorize_issue(&request, scene.seen(), scope).await.unwrap();
    assert_eq!(parameter(&url, "error").as_deref(), Some("consent_required"));
    assert_eq!(parameter(&url, "code"), None);
}

#[tokio::test]
async fn an_id_token_of_before_says_who_is_wanted_also_when_it_is_over() {
    let scene = Scene::new().await;
    let tokens = scene.signed_in("openid").await;
    let hint = super::text(&tokens, "id_token");
    scene.world.clock.advance(std::time::Duration::from_hours(24));
    let (request, _) =
        scene.sign_in.authorization(pairs(&[("id_token_hint", hint)])).await.unwrap();
    assert_eq!(request.hinted, Some(scene.ada.clone()));
    // Neither an access token is one, nor what somebody else has signed, nor a changed one.
    let (head, rest) = hint.split_once('.').unwrap();
    let changed = format!("{head}.x{rest}");
    for no_hint in [super::text(&tokens, "access_token"), &changed, "x"] {
        let refused = scene.sign_in.authorization(pairs(&[("id_token_hint", no_hint)])).await;
        assert!(matches!(refused, Err(NotAuthorized::Redirect(_))), "{no_hint}");
    }
}

#[tokio::test]
async fn a_public_client_is_asked_for_a_challenge_and_one_with_a_secret_may_be_let_off() {
    let scene = Scene::new().await;
    scene.register("public", |wish| wish.auth_method = Some(AuthMethod::None)).await;
    scene.register("old", |wish| wish.application.pkce_optional = true).await;
    let without = |client| {
        pairs(&[("client_id", client), ("code_challenge", ""), ("code_challenge_method", "")])
    };
    for (client, good) in [("notes", false), ("public", false), ("old", true)] {
        let read = scene.sign_in.authorization(without(client)).await;
        assert_eq!(read.is_ok(), good, "{client}");
    }
}
