//! Who the person is (OpenID Connect Core 1.0, 5.3, 5.4).

use std::fmt::Write as _;

use axum::body::Body;
use http::Method;
use insta::assert_snapshot;
use serde_json::json;
use ssf::directory::{Actor, ResourceId, User};

use super::{Scene, text};

const USERINFO: &str = "/oauth/userinfo";

async fn with_attributes(scene: &Scene) {
    let id = ResourceId::parse(&scene.ada.0).unwrap();
    let attributes = json!({
        "userName": "ada", "displayName": "Ada Lovelace", "title": "Countess", "locale": "en-GB",
        "name": { "familyName": "Lovelace", "givenName": "Ada" },
        "emails": [{ "value": "ada@x.example" }], "phoneNumbers": [{ "value": "+4930123" }],
        "addresses": [{ "locality": "London" }],
    });
    let change = |user: &mut User| {
        user.attributes = serde_json::from_value(attributes.clone()).unwrap();
        Ok(())
    };
    scene
        .directory
        .user_change(id, None, &scene.directory.cause(Actor::Operator), change)
        .await
        .unwrap();
}

#[tokio::test]
async fn each_scope_asks_for_its_claims() {
    let scene = Scene::new().await;
    with_attributes(&scene).await;
    let mut lines = String::new();
    for scope in ["openid", "openid profile", "openid email phone", "openid address groups"] {
        let tokens = scene.signed_in(scope).await;
        let answer = scene.world.caller(text(&tokens, "access_token")).get(USERINFO).await;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        let mut about = answer.json();
        about.sort_all_objects();
        lines += &format!("{scope}: {about}\n").replace(&scene.ada.0, "ada");
    }
    assert_snapshot!(lines, @r#"
    openid: {"sub":"ada"}
    openid profile: {"family_name":"Lovelace","given_name":"Ada","locale":"en-GB","name":"Ada Lovelace","preferred_username":"ada","sub":"ada","updated_at":1767225600}
    openid email phone: {"email":"ada@x.example","phone_number":"+4930123","sub":"ada"}
    openid address groups: {"address":{"locality":"London"},"groups":[],"sub":"ada"}
    "#);
}

#[tokio::test]
async fn the_token_is_in_the_header_or_in_the_form_and_must_be_good() {
    let scene = Scene::new().await;
    let tokens = scene.signed_in("openid").await;
    let token = text(&tokens, "access_token");
    let (anyone, caller) = (scene.world.anyone(), scene.world.caller(token));
    let in_form = [("access_token", token)];
    assert_eq!(anyone.form(USERINFO, &in_form).await.status, 200);
    assert_eq!(caller.send(Method::POST, USERINFO, &[], Body::empty()).await.status, 200);
    assert_eq!(caller.form(USERINFO, &[]).await.status, 200);
    let mut lines = String::new();
    let email = scene.signed_in("email").await;
    let own = scene.world.signed_in("alice", "ssf.read").await;
    for (what, answer) in [
        ("both", caller.form(USERINFO, &in_form).await),
        ("none", anyone.get(USERINFO).await),
        ("none in the form", anyone.form(USERINFO, &[]).await),
        ("in the query", anyone.get(&format!("{USERINFO}?access_token={token}")).await),
        ("made up", scene.world.caller("x").get(USERINFO).await),
        ("without openid", scene.world.caller(text(&email, "access_token")).get(USERINFO).await),
        ("a client's own", own.get(USERINFO).await),
    ] {
        let challenge = answer.headers.get("www-authenticate").map(|value| value.to_str().unwrap());
        writeln!(lines, "{what}: {} | {}", answer.brief(), challenge.unwrap_or("-")).unwrap();
    }
    assert_snapshot!(lines, @r#"
    both: 400 access_token is there twice | -
    none: 401 an access token must be in the Authorization header, as Bearer | Bearer realm="ssf", resource_metadata="https://tocsin.example/.well-known/oauth-protected-resource"
    none in the form: 401 an access token must be in the Authorization header, as Bearer | Bearer realm="ssf", resource_metadata="https://tocsin.example/.well-known/oauth-protected-resource"
    in the query: 401 an access token must be in the Authorization header, as Bearer | Bearer realm="ssf", resource_metadata="https://tocsin.example/.well-known/oauth-protected-resource"
    made up: 401 the access token is missing, malformed, expired, revoked or not ours | Bearer realm="ssf", error="invalid_token", resource_metadata="https://tocsin.example/.well-known/oauth-protected-resource"
    without openid: 403 the access token lacks the scope openid | Bearer realm="ssf", error="insufficient_scope", scope="openid", resource_metadata="https://tocsin.example/.well-known/oauth-protected-resource"
    a client's own: 401 the access token is missing, malformed, expired, revoked or not ours | Bearer realm="ssf", error="invalid_token", resource_metadata="https://tocsin.example/.well-known/oauth-protected-resource"
    "#);
}
