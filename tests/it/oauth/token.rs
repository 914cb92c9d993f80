//! The endpoints of the authorization server.

use std::time::Duration;

use axum::body::Body;
use base64::engine::{Engine, general_purpose::STANDARD};
use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::{
    client::{ClientId, RedirectUri, Scope},
    table::Key,
};
use tests::{Caller, World};

use super::line;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

async fn by_basic(caller: &Caller, id: &str, secret: &str, form: &[(&str, &str)]) -> tests::Answer {
    let authorization = basic(id, secret);
    caller.form_with("/oauth/token", &[("authorization", &authorization)], form).await
}

#[tokio::test]
async fn a_token_says_nothing_by_itself_and_is_good_for_an_hour() {
    let world = World::new();
    let secret = world.register("alice", |_| {}).await;
    let answer = by_basic(&world.anyone(), "alice", &secret, &[GRANT]).await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_snapshot!(answer.to_string().replace(&token, "the token"), @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    pragma: no-cache

    {
      "access_token": "the token",
      "expires_in": 3600,
      "scope": "ssf.read ssf.manage",
      "token_type": "Bearer"
    }
    "#);
    // What looks for secrets in places where they must not be knows it by how it begins.
    assert!(token.starts_with("tocsin_c."), "{token}");
    // Whoever reads the table has no token.
    let key = Key::new("TOKEN#alice", "alice.00000000000000000000000000000001");
    let row = world.transmitter.parts().table.get(&key).await.unwrap().unwrap().body;
    let (_, secret) = token.rsplit_once('.').unwrap();
    assert!(!row.contains(&secret[..43]), "{row}");
    let mut keys: Vec<_> =
        serde_json::from_str::<Value>(&row).unwrap().as_object().unwrap().keys().cloned().collect();
    keys.sort();
    assert_eq!(
        keys,
        ["issue_date", "last_modified", "lifetime", "scope", "secret", "token_id", "type"]
    );
}

#[tokio::test]
async fn a_token_costs_two_reads_and_one_write_and_no_signature() {
    let world = World::new();
    let secret = world.register("alice", |_| {}).await;
    world.table.take();
    world.signer.take();
    world.token("alice", &secret, "ssf.read").await;
    let table = world.table.take();
    // The write checks, too, that the client is there.
    assert_eq!((table.gets, table.transactions, table.transaction_items), (2, 1, 2));
    assert_eq!(table.calls(), 3);
    assert_eq!(world.signer.take(), 0);
}

#[tokio::test]
async fn basic_and_form_are_the_same_and_basic_is_decoded() {
    let world = World::new();
    let anyone = world.anyone();
    let secret = world.register("a~b", |_| {}).await;
    assert_eq!(by_basic(&anyone, "a~b", &secret, &[GRANT]).await.status, 200);
    assert_eq!(by_basic(&anyone, "a%7Eb", &secret, &[GRANT]).await.status, 200);
    let again = [GRANT, ("client_id", "a~b")];
    assert_eq!(by_basic(&anyone, "a~b", &secret, &again).await.status, 200);
    let form = [GRANT, ("client_id", "a~b"), ("client_secret", &secret)];
    assert_eq!(anyone.form("/oauth/token", &form).await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_rfc_6749() {
    let world = World::new();
    let anyone = world.anyone();
    let secret = world.register("alice", |_| {}).await;
    let other = world.register("bob", |_| {}).await;
    let (id, good) = (("client_id", "alice"), ("client_secret", secret.as_str()));
    let assertion = ("client_assertion", "a.b.c");
    let cases: &[&[(&str, &str)]] = &[
        &[GRANT],
        &[GRANT, id],
        &[GRANT, id, ("client_secret", "wrong")],
        &[GRANT, id, ("client_secret", &other)],
        &[GRANT, ("client_id", "nobody"), good],
        &[GRANT, ("client_id", "no body"), good],
        &[GRANT, good],
        &[id, good],
        &[("grant_type", ""), id, good],
        &[("grant_type", "authorization_code"), id, good],
        &[GRANT, id, good, ("scope", "ssf.manage.poll")],
        &[GRANT, id, good, ("scope", "openid")],
        &[GRANT, GRANT, id, good],
        &[GRANT, id, good, assertion],
        &[GRANT, id, assertion],
        &[GRANT, id, assertion, ("client_assertion_type", "saml")],
    ];
    let mut lines = String::new();
    for case in cases {
        lines += &line(&anyone.form("/oauth/token", case).await);
        lines += "\n";
    }
    assert_snapshot!(lines, @"
    401 invalid_client: the client could not be authenticated
    401 invalid_client: the client could not be authenticated
    401 invalid_client: the client could not be authenticated
    401 invalid_client: the client could not be authenticated
    401 invalid_client: the client could not be authenticated
    401 invalid_client: the client could not be authenticated
    400 invalid_request: client_id is missing
    400 invalid_request: grant_type is missing
    400 invalid_request: grant_type is missing
    400 invalid_request: code is missing
    400 invalid_scope: the client may have none of these scopes
    400 invalid_scope: the client may have none of these scopes
    400 invalid_request: grant_type: is there twice
    400 invalid_request: the client authenticates in more than one way
    400 invalid_request: client_assertion_type is not the one of RFC 7523
    400 invalid_request: client_assertion_type is not the one of RFC 7523
    ");
    assert_snapshot!(by_basic(&anyone, "alice", &other, &[GRANT]).await, @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/json
    pragma: no-cache
    www-authenticate: Basic realm="ssf", charset="UTF-8"

    {
      "error": "invalid_client",
      "error_description": "the client could not be authenticated"
    }
    "#);
    let two = by_basic(&anyone, "alice", &secret, &[GRANT, good]).await;
    assert_snapshot!(line(&two), @"400 invalid_request: the client authenticates in more than one way");
    let two = by_basic(&anyone, "alice", &secret, &[GRANT, ("client_id", "bob")]).await;
    assert_snapshot!(line(&two), @"400 invalid_request: client_id is not the one in the Authorization header");
    for header in ["Basic", "Basic !", "Basic YWxpY2U=", "Bearer x"] {
        let answer = anyone.form_with("/oauth/token", &[("authorization", header)], &[GRANT]).await;
        assert_eq!(answer.status, 401, "{header}");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    }
    // Who did not try that is not asked to: a browser would ask a person for a password.
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        let form = [GRANT, ("client_id", "alice"), ("client_secret", "wrong"), ("token", "x")];
        let answer = anyone.form(path, &form).await;
        assert_eq!(answer.status, 401, "{path}");
        assert!(!answer.headers.contains_key("www-authenticate"), "{path}");
    }
}

#[tokio::test]
async fn only_forms_are_read_and_only_by_post() {
    let world = World::new();
    let anyone = world.anyone();
    let json = anyone.post("/oauth/token", json!({ "grant_type": "client_credentials" })).await;
    assert_snapshot!(line(&json), @"400 invalid_request: the body must be application/x-www-form-urlencoded");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let large = Body::from(vec![b'a'; 256 * 1024 + 1]);
    let large = anyone.send(Method::POST, "/oauth/token", &headers, large).await;
    assert_snapshot!(line(&large), @"413 invalid_request: the body is over 262144 bytes");
    let get = anyone.get("/oauth/token?grant_type=client_credentials").await;
    assert_eq!((get.status.as_u16(), &get.headers["allow"]), (405, &"POST".parse().unwrap()));
}

#[tokio::test]
async fn scopes_are_what_is_asked_for_and_registered_in_the_order_asked() {
    let world = World::new();
    let secret = world.register("alice", |wish| wish.scope = Scope::ALL.to_vec()).await;
    let cases = [
        // What only a person can give is not for a client by itself.
        ("", "ssf.read ssf.manage ssf.manage.poll scim scim.read"),
        ("scim.read openid scim", "scim.read scim"),
        ("ssf.manage ssf.read", "ssf.manage ssf.read"),
        ("openid ssf.read x", "ssf.read"),
        ("ssf.read ssf.read", "ssf.read"),
    ];
    for (asked, granted) in cases {
        let form = [GRANT, ("scope", asked)];
        let answer = by_basic(&world.anyone(), "alice", &secret, &form).await;
        assert_eq!(answer.json()["scope"], granted, "{asked}");
    }
}

#[tokio::test]
async fn a_client_may_be_called_anything_that_can_be_printed() {
    let world = World::new();
    let anyone = world.anyone();
    let ids = ["a#b", "a+b", "50%", "api://x?y=z&a=b", "https://a.example:8443/#", "{}|^`\"<>\\"];
    for id in ids {
        let secret = world.register(id, |_| {}).await;
        let raw = by_basic(&anyone, id, &secret, &[GRANT]).await;
        assert_eq!(raw.status, 200, "{id}");
        let encoded: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        let answer = by_basic(&anyone, &encoded, &secret, &[GRANT]).await;
        let form = [GRANT, ("client_id", id), ("client_secret", &secret)];
        assert_eq!(anyone.form("/oauth/token", &form).await.status, 200, "{id}");
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let b64token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        assert!(token.bytes().all(b64token), "RFC 6750, 2.1, has other characters than {token}");
        assert_eq!(world.caller(&token).get("/ssf/streams").await.status, 200, "{id}");
        world.transmitter.token_revoke(&token).await.unwrap();
        assert_eq!(world.caller(&token).get("/ssf/streams").await.status, 401, "{id}");
    }
    let clients = world.transmitter.client_list().await.unwrap();
    assert_eq!(clients.len(), ids.len());
    // Nothing of one is anything of another, whatever its name looks like in a key.
    world.register("a", |_| {}).await;
    world.transmitter.client_delete(&ClientId("a".into())).await.unwrap();
    assert_eq!(world.transmitter.token_list(&ClientId("a#b".into())).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_client_gets_tokens_only_in_the_ways_that_it_is_registered_for() {
    let world = World::new();
    let secret = world
        .register("app", |wish| {
            let uri = RedirectUri::parse("https://app.example/cb").unwrap();
            wish.application.redirect_uris = vec![uri];
            wish.scope = vec![Scope::OpenId];
        })
        .await;
    let answer = by_basic(&world.anyone(), "app", &secret, &[GRANT]).await;
    assert_snapshot!(line(&answer), @"400 unauthorized_client: the client may not use this grant type");
}

#[tokio::test]
async fn a_secret_can_be_over_replaced_and_refused_to_the_disabled() {
    let world = World::new();
    let (us, anyone) = (&world.transmitter, world.anyone());
    let id = ClientId("alice".into());
    let end = "2026-01-01T00:01:00Z".parse().unwrap();
    let first = world.register("alice", |wish| wish.client_secret_expires_at = Some(end)).await;
    let status = async |secret: &str| by_basic(&anyone, "alice", secret, &[GRANT]).await.status;
    assert_eq!(status(&first).await, 200);
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(status(&first).await, 401);
    let second = us.client_rotate_secret(&id).await.unwrap();
    assert_eq!(status(&first).await, 401);
    assert_eq!(status(second.expose()).await, 200);
    us.client_disable(&id).await.unwrap();
    assert_eq!(status(second.expose()).await, 401);
    us.client_enable(&id).await.unwrap();
    assert_eq!(status(second.expose()).await, 200);
}

#[tokio::test]
async fn attempts_are_counted_by_the_claimed_client() {
    let world = World::with(|config| config.requests_per_second = 1);
    let secret = world.register("alice", |_| {}).await;
    let alice = world.caller(world.token("alice", &secret, "ssf.read").await);
    let anyone = world.anyone();
    assert_eq!(by_basic(&anyone, "alice", "wrong", &[GRANT]).await.status, 401);
    let too_soon = by_basic(&anyone, "alice", &secret, &[GRANT]).await;
    assert_eq!(too_soon.status, 429);
    assert_eq!(too_soon.headers["retry-after"], "1");
    assert_eq!(alice.get("/ssf/streams").await.status, 200, "its requests are counted apart");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(by_basic(&anyone, "alice", &secret, &[GRANT]).await.status, 200);
}

async fn about_token(
    caller: &Caller,
    path: &str,
    id: &str,
    secret: &str,
    token: &str,
) -> tests::Answer {
    let authorization = basic(id, secret);
    caller.form_with(path, &[("authorization", &authorization)], &[("token", token)]).await
}

#[tokio::test]
async fn a_client_learns_all_about_its_own_good_tokens_and_nothing_of_others() {
    let world = World::new();
    let anyone = world.anyone();
    let (alice, bob) = (world.register("alice", |_| {}).await, world.register("bob", |_| {}).await);
    let token = world.token("alice", &alice, "ssf.read").await;
    let ask = async |id: &str, secret: &str, token: &str| {
        about_token(&anyone, "/oauth/introspect", id, secret, token).await
    };
    assert_snapshot!(ask("alice", &alice, &token).await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {
      "active": true,
      "aud": "https://tocsin.example",
      "client_id": "alice",
      "exp": 1767229200,
      "iat": 1767225600,
      "iss": "https://tocsin.example",
      "jti": "alice.00000000000000000000000000000001",
      "scope": "ssf.read",
      "sub": "alice",
      "token_type": "Bearer"
    }
    "#);
    let inactive = [
        ask("bob", &bob, &token).await,
        ask("alice", &alice, "garbage").await,
        ask("alice", &alice, &format!("{token}x")).await,
    ];
    for answer in inactive {
        assert_eq!(answer.json(), json!({ "active": false }));
    }
    assert_eq!(ask("bob", &alice, &token).await.status, 401);
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(ask("alice", &alice, &token).await.json(), json!({ "active": false }));
    let answer = about_token(&anyone, "/oauth/introspect", "alice", &alice, "").await;
    assert_snapshot!(line(&answer), @"400 invalid_request: token is missing");
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_and_only_its_client_revokes_it() {
    let world = World::new();
    let anyone = world.anyone();
    let (alice, bob) = (world.register("alice", |_| {}).await, world.register("bob", |_| {}).await);
    let token = world.token("alice", &alice, "ssf.read").await;
    let other = world.token("alice", &alice, "ssf.read").await;
    let status = async |token: &str| world.caller(token).get("/ssf/streams").await.status;
    let revoke = async |id: &str, secret: &str, token: &str| {
        about_token(&anyone, "/oauth/revoke", id, secret, token).await.status
    };
    assert_eq!(revoke("bob", &bob, &token).await, 200);
    assert_eq!(revoke("alice", &alice, "garbage").await, 200);
    assert_eq!(revoke("alice", "wrong", &token).await, 401);
    assert_eq!(status(&token).await, 200);
    assert_eq!(revoke("alice", &alice, &token).await, 200);
    assert_eq!(status(&token).await, 401);
    assert_eq!(revoke("alice", &alice, &token).await, 200);
    assert_eq!(status(&other).await, 200);
}
