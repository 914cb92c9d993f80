//! The token endpoint for people: codes and refresh tokens (RFC 6749, 4.1.3, 5, 6).

use std::{fmt::Write as _, time::Duration};

use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::client::{AuthMethod, ClientId};

use super::{CB, Scene, VERIFIER, line, text};

const CODE: (&str, &str) = ("grant_type", "authorization_code");
const REFRESH: (&str, &str) = ("grant_type", "refresh_token");

#[tokio::test]
async fn a_code_becomes_tokens_that_nobody_keeps() {
    let scene = Scene::new().await;
    let code = scene.code("notes", "openid email offline_access").await;
    let answer = scene.exchange(&code).await;
    let mut shown = answer.to_string();
    for name in ["access_token", "id_token", "refresh_token"] {
        shown = shown.replace(text(&answer.json(), name), name);
    }
    assert_snapshot!(shown, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    pragma: no-cache

    {
      "access_token": "access_token",
      "expires_in": 300,
      "id_token": "id_token",
      "refresh_token": "refresh_token",
      "scope": "openid email offline_access",
      "token_type": "Bearer"
    }
    "#);
    let refused = scene.exchange("x").await;
    assert_eq!(
        (&refused.headers["pragma"], &refused.headers["cache-control"]),
        (&answer.headers["pragma"], &answer.headers["cache-control"])
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_rfc_6749() {
    let scene = Scene::new().await;
    scene.register("public", |wish| wish.auth_method = Some(AuthMethod::None)).await;
    let code = scene.code("notes", "openid").await;
    let of_public = scene.code("public", "openid").await;
    let other = scene.register("other", |_| {}).await;
    let notes = [("client_id", "notes"), ("client_secret", &*scene.secret)];
    let [id, secret] = notes;
    let good = [("redirect_uri", CB), ("code_verifier", VERIFIER)];
    let [uri, verifier] = good;
    let code = ("code", &*code);
    let cases: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("no code", vec![CODE, id, secret, uri, verifier]),
        ("no verifier", vec![CODE, id, secret, uri, code]),
        ("another verifier", vec![CODE, id, secret, uri, code, ("code_verifier", "x")]),
        (
            "another address",
            vec![CODE, id, secret, code, verifier, ("redirect_uri", "https://notes.example/")],
        ),
        ("no such code", vec![CODE, id, secret, uri, verifier, ("code", "x")]),
        (
            "another client",
            vec![CODE, ("client_id", "other"), ("client_secret", &other), uri, verifier, code],
        ),
        ("a public client's", vec![CODE, id, secret, uri, verifier, ("code", &of_public)]),
        ("code twice", vec![CODE, id, secret, uri, verifier, code, code]),
        ("wrong secret", vec![CODE, id, ("client_secret", "x"), uri, verifier, code]),
        ("no secret", vec![CODE, id, uri, verifier, code]),
        (
            "a secret that is none",
            vec![
                CODE,
                ("client_id", "public"),
                ("client_secret", "x"),
                uri,
                verifier,
                ("code", &of_public),
            ],
        ),
        ("nobody", vec![CODE, ("client_id", "nobody"), uri, verifier, code]),
        ("nobody at all", vec![CODE, uri, verifier, code]),
        ("another grant type", vec![("grant_type", "password"), id, secret]),
        ("no grant type", vec![id, secret, code]),
        ("no refresh token", vec![REFRESH, id, secret]),
        ("no such refresh token", vec![REFRESH, id, secret, ("refresh_token", "x")]),
        ("a code for a refresh token", vec![REFRESH, id, secret, ("refresh_token", code.1)]),
        ("a client's own", vec![("grant_type", "client_credentials"), id, secret]),
        (
            "a public client's own",
            vec![("grant_type", "client_credentials"), ("client_id", "public")],
        ),
    ];
    let mut lines = String::new();
    for (what, form) in cases {
        let answer = scene.world.anyone().form("/oauth/token", &form).await;
        writeln!(lines, "{what}: {}", line(&answer)).unwrap();
    }
    // None of that used them up.
    assert_eq!(scene.exchange(code.1).await.status, 200);
    let public = [CODE, ("client_id", "public"), uri, verifier, ("code", &*of_public)];
    assert_eq!(scene.world.anyone().form("/oauth/token", &public).await.status, 200);
    assert_snapshot!(lines, @"
    no code: 400 invalid_request: code is missing
    no verifier: 400 invalid_grant: the code or refresh token is not good, or not this client's
    another verifier: 400 invalid_grant: the code or refresh token is not good, or not this client's
    another address: 400 invalid_grant: the code or refresh token is not good, or not this client's
    no such code: 400 invalid_grant: the code or refresh token is not good, or not this client's
    another client: 400 invalid_grant: the code or refresh token is not good, or not this client's
    a public client's: 400 invalid_grant: the code or refresh token is not good, or not this client's
    code twice: 400 invalid_request: code: is there twice
    wrong secret: 401 invalid_client: the client could not be authenticated
    no secret: 401 invalid_client: the client could not be authenticated
    a secret that is none: 401 invalid_client: the client could not be authenticated
    nobody: 401 invalid_client: the client could not be authenticated
    nobody at all: 401 invalid_client: the client could not be authenticated
    another grant type: 400 unsupported_grant_type: the grant type must be authorization_code, refresh_token or client_credentials
    no grant type: 400 invalid_request: grant_type is missing
    no refresh token: 400 invalid_request: refresh_token is missing
    no such refresh token: 400 invalid_grant: the code or refresh token is not good, or not this client's
    a code for a refresh token: 400 invalid_grant: the code or refresh token is not good, or not this client's
    a client's own: 400 unauthorized_client: the client may not use this grant type
    a public client's own: 400 unauthorized_client: the client may not use this grant type
    ");
}

#[tokio::test]
async fn a_code_is_good_for_300_seconds_and_so_is_the_token() {
    for (seconds, good) in [(299, true), (300, false), (301, false)] {
        let scene = Scene::new().await;
        let code = scene.code("notes", "openid").await;
        scene.world.clock.advance(Duration::from_secs(seconds));
        let answer = scene.exchange(&code).await;
        if good {
            assert_eq!(answer.status, 200, "{seconds} s: {answer}");
        } else {
            assert!(line(&answer).starts_with("400 invalid_grant"), "{seconds} s: {answer}");
        }
    }
    for (seconds, good) in [(299, true), (300, false), (301, false)] {
        let scene = Scene::new().await;
        let tokens = scene.signed_in("openid").await;
        assert_eq!(tokens["expires_in"], 300);
        scene.world.clock.advance(Duration::from_secs(seconds));
        assert_eq!(scene.is_good(text(&tokens, "access_token")).await, good, "{seconds} s");
    }
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_what_it_gave_and_others_are_told() {
    let scene = Scene::new().await;
    told(&scene).await;
    let code = scene.code("notes", "openid offline_access").await;
    let tokens = scene.exchange(&code).await.json();
    scene.world.clock.advance(Duration::from_secs(30));
    assert!(scene.is_good(text(&tokens, "access_token")).await);
    for _ in 0..2 {
        assert!(line(&scene.exchange(&code).await).starts_with("400 invalid_grant"));
    }
    assert!(!scene.is_good(text(&tokens, "access_token")).await);
    let refreshed = scene.refresh(text(&tokens, "refresh_token")).await;
    assert!(line(&refreshed).starts_with("400 invalid_grant"));
    assert_eq!(told(&scene).await, ["authorization code reuse by system"]);
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_is_forgiven_for_ten_seconds() {
    for (seconds, forgiven) in [(9, true), (10, false), (11, false)] {
        let scene = Scene::new().await;
        told(&scene).await;
        let first = scene.signed_in("openid offline_access").await;
        let second = scene.refresh(text(&first, "refresh_token")).await.json();
        scene.world.clock.advance(Duration::from_secs(seconds));
        let again = scene.refresh(text(&first, "refresh_token")).await;
        if forgiven {
            assert_eq!(text(&again.json(), "refresh_token"), text(&second, "refresh_token"));
            assert_eq!(told(&scene).await, [""; 0]);
        } else {
            assert!(line(&again).starts_with("400 invalid_grant"), "{seconds} s: {again}");
            assert!(!scene.is_good(text(&second, "access_token")).await);
            let refreshed = scene.refresh(text(&second, "refresh_token")).await;
            assert_eq!(refreshed.status, 400, "{seconds} s");
            assert_eq!(told(&scene).await, ["refresh token reuse by system"]);
        }
    }
}

#[tokio::test]
async fn a_refresh_may_ask_for_less_and_never_for_more() {
    let scene = Scene::new().await;
    let first = scene.signed_in("openid email offline_access").await;
    let token = ("refresh_token", text(&first, "refresh_token"));
    let less = scene.ask(&[REFRESH, token, ("scope", "email")]).await.json();
    assert_eq!((text(&less, "scope"), &less["id_token"]), ("email", &Value::Null));
    let token = ("refresh_token", text(&less, "refresh_token"));
    let more = scene.ask(&[REFRESH, token, ("scope", "phone")]).await;
    assert_snapshot!(line(&more), @"400 invalid_scope: the client may have none of these scopes");
    let all = scene.ask(&[REFRESH, token]).await.json();
    assert_eq!(text(&all, "scope"), "openid email offline_access");
    assert!(all["id_token"].is_string());
}

#[tokio::test]
async fn what_was_given_ends_with_what_it_was_given_under() {
    for what in ["consent", "client", "person"] {
        let scene = Scene::new().await;
        let tokens = scene.signed_in("openid offline_access").await;
        let pending = scene.code("notes", "openid").await;
        let notes = ClientId("notes".into());
        let status = match what {
            "consent" => {
                let nothing = &ssf::sign_in::nothing;
                scene.sign_in.consent_revoke(&scene.ada, &notes, nothing).await.unwrap();
                400
            }
            "client" => {
                scene.world.transmitter.client_disable(&notes).await.unwrap();
                401
            }
            _ => {
                let id = ssf::directory::ResourceId::parse(&scene.ada.0).unwrap();
                let now = scene.world.transmitter.parts().clock.now();
                let lock = |user: &mut ssf::directory::User| {
                    user.lock_date = Some(now);
                    Ok(())
                };
                let cause = scene.directory.cause(ssf::directory::Actor::Operator);
                scene.directory.user_change(id, None, &cause, lock).await.unwrap();
                400
            }
        };
        assert!(!scene.is_good(text(&tokens, "access_token")).await, "{what}");
        assert_eq!(scene.refresh(text(&tokens, "refresh_token")).await.status, status, "{what}");
        assert_eq!(scene.exchange(&pending).await.status, status, "{what}");
    }
}

#[tokio::test]
async fn a_token_is_given_back_and_told_of_to_who_has_it_or_whom_it_is_for() {
    let scene = Scene::new().await;
    let api = scene.world.register("api", |_| {}).await;
    let audience = |wish: &mut ssf::client::NewClient| {
        wish.application.token_audience = vec![ClientId("api".into())];
    };
    scene
        .register("public", |wish| {
            wish.auth_method = Some(AuthMethod::None);
            audience(wish);
        })
        .await;
    let code = scene.code("public", "openid offline_access").await;
    let public = ("client_id", "public");
    let form = [CODE, public, ("code", &*code), ("code_verifier", VERIFIER)];
    let tokens = scene.world.anyone().form("/oauth/token", &form).await.json();
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let anyone = scene.world.anyone();
    let ask = async |who: [(&'static str, &str); 2], token: &str| {
        let form = [who[0], who[1], ("token", token)];
        anyone.form("/oauth/introspect", &form).await.json()
    };
    let of_api = [("client_id", "api"), ("client_secret", &*api)];
    let mut about = ask(of_api, access).await;
    about.as_object_mut().unwrap().remove("jti");
    let at = scene.world.seconds();
    assert_eq!(
        about,
        json!({
            "active": true, "aud": ["api"], "client_id": "public", "exp": at + 300, "iat": at,
            "iss": "https://tocsin.example", "scope": "openid offline_access", "sub": scene.ada.0,
            "token_type": "Bearer",
        })
    );
    let nothing = json!({ "active": false });
    assert_eq!(ask(of_api, refresh).await, nothing, "that is between us and the client");
    let of_notes = [("client_id", "notes"), ("client_secret", &*scene.secret)];
    assert_eq!(ask(of_notes, access).await, nothing);
    let refused = anyone.form("/oauth/introspect", &[public, ("token", access)]).await;
    assert_eq!(refused.status, 401, "who cannot prove who it is learns nothing");

    // Somebody else's is not taken back, and one's own is.
    let of_other = [of_notes[0], of_notes[1], ("token", refresh)];
    assert_eq!(anyone.form("/oauth/revoke", &of_other).await.status, 200);
    assert_eq!(ask(of_api, access).await["active"], true);
    assert_eq!(anyone.form("/oauth/revoke", &[public, ("token", refresh)]).await.status, 200);
    assert_eq!(ask(of_api, access).await, nothing);
    let mine = scene.signed_in("openid offline_access").await;
    assert_eq!(ask(of_notes, text(&mine, "refresh_token")).await["active"], true);
}

/// Why sessions ended, and who ended them, of the events that came to the door since the last look.
async fn told(scene: &Scene) -> Vec<String> {
    const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
    let queue = &scene.world.transmitter.parts().ingest_fifo;
    let mut told = Vec::new();
    loop {
        let batch = queue.receive(10, Duration::from_mins(2)).await.unwrap();
        if batch.is_empty() {
            return told;
        }
        for message in &batch {
            let event: Value = serde_json::from_str(&message.body).unwrap();
            if let Some(event) = event["events"].get(REVOKED) {
                let why = text(&event["reason_admin"], "en");
                told.push(format!("{why} by {}", text(event, "initiating_entity")));
            }
        }
        queue.delete(batch.into_iter().map(|message| message.receipt).collect()).await.unwrap();
    }
}
