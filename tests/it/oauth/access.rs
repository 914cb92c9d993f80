//! Who may call the management API and the poll endpoints.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::client::ClientId;
use tests::{Answer, Caller, World, world::poll_stream};

use super::Outsider;

/// Every operation that asks who is there, and the scope that it needs.
fn operations(stream_id: &str) -> Vec<(Method, String, Value, &'static str)> {
    let by_id = |path: &str| format!("{path}?stream_id={stream_id}");
    let path = str::to_owned;
    let subject = json!({ "format": "email", "email": "a@b.example" });
    let about_subject = json!({ "stream_id": stream_id, "subject": subject });
    let stream = json!({ "stream_id": stream_id });
    let status = json!({ "stream_id": stream_id, "status": "enabled" });
    let poll = json!({ "returnImmediately": true });
    let poll_path = format!("/ssf/poll/{stream_id}");
    let (read, manage) = ("ssf.read", "ssf.manage");
    vec![
        (Method::GET, path("/ssf/streams"), Value::Null, read),
        (Method::GET, by_id("/ssf/streams"), Value::Null, read),
        (Method::GET, by_id("/ssf/status"), Value::Null, read),
        (Method::POST, path("/ssf/streams"), json!({}), manage),
        (Method::PATCH, path("/ssf/streams"), stream.clone(), manage),
        (Method::PUT, path("/ssf/streams"), stream.clone(), manage),
        (Method::POST, path("/ssf/status"), status, manage),
        (Method::POST, path("/ssf/subjects/add"), about_subject.clone(), manage),
        (Method::POST, path("/ssf/subjects/remove"), about_subject, manage),
        (Method::POST, path("/ssf/verification"), stream, manage),
        (Method::POST, poll_path, poll, "ssf.manage.poll"),
        (Method::DELETE, by_id("/ssf/streams"), Value::Null, manage),
    ]
}

async fn call(caller: &Caller, method: &Method, path: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json")];
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    caller.send(method.clone(), path, &headers, body).await
}

async fn stream_of(caller: &Caller) -> String {
    let answer = caller.post("/ssf/streams", poll_stream(&["session-revoked"])).await;
    answer.json()["stream_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_a_good_token_in_the_header_nothing_is_done_or_told() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let id = stream_of(&alice).await;
    let missing = world.anyone().get("/ssf/streams").await;
    assert_snapshot!(missing, @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Bearer realm="ssf", resource_metadata="https://tocsin.example/.well-known/oauth-protected-resource"

    {
      "detail": "an access token must be in the Authorization header, as Bearer",
      "status": 401,
      "title": "A valid access token is needed",
      "type": "urn:tocsin:problem:unauthenticated"
    }
    "#);
    let bad = world.caller("bad").get("/ssf/streams").await;
    assert_snapshot!(bad, @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Bearer realm="ssf", error="invalid_token", resource_metadata="https://tocsin.example/.well-known/oauth-protected-resource"

    {
      "detail": "the access token is missing, malformed, expired, revoked or not ours",
      "status": 401,
      "title": "A valid access token is needed",
      "type": "urn:tocsin:problem:unauthenticated"
    }
    "#);
    for (method, path, body, _) in operations(&id) {
        let answer = call(&world.anyone(), &method, &path, &body).await;
        assert_eq!(answer.to_string(), missing.to_string(), "{method} {path}");
        let answer = call(&world.caller("bad"), &method, &path, &body).await;
        assert_eq!(answer.to_string(), bad.to_string(), "{method} {path}");
        let separator = if path.contains('?') { '&' } else { '?' };
        let in_query = format!("{path}{separator}access_token={}", alice.token);
        let answer = call(&world.anyone(), &method, &in_query, &body).await;
        assert_eq!(answer.status, 401, "{method} {in_query}");
    }
    assert_eq!(alice.get(&format!("/ssf/streams?stream_id={id}")).await.status, 200);
}

#[tokio::test]
async fn each_scope_opens_what_it_names_and_no_more() {
    let world = World::new();
    let owner = world.signed_in("alice", "ssf.manage").await;
    let id = stream_of(&owner).await;
    let us = &world.transmitter;
    let client = ClientId("alice".into());
    for scope in ["ssf.read", "ssf.manage.poll", "ssf.manage"] {
        let registered = ssf::client::Scope::ALL.to_vec();
        let other = world.register(&format!("with-{scope}"), |wish| wish.scope = registered).await;
        let stranger = world.caller(world.token(&format!("with-{scope}"), &other, scope).await);
        for (method, path, body, needed) in operations(&id) {
            let allowed = scope == needed || scope == "ssf.manage";
            let answer = call(&stranger, &method, &path, &body).await;
            let elsewhere = path.contains(&id) || body["stream_id"] == id;
            let status = answer.status;
            let fits = match (allowed, elsewhere) {
                (false, _) => status == 403,
                (true, true) => status == 404,
                (true, false) => status.is_success(),
            };
            assert!(fits, "{scope}: {method} {path}: {answer}");
        }
    }
    let (_, secret) = us.static_token_create(&client, Some(vec![])).await.unwrap();
    for (method, path, body, _) in operations(&id) {
        let answer = call(&world.caller(secret.expose()), &method, &path, &body).await;
        assert_eq!(answer.status, 403, "no scope: {method} {path}");
    }
    let reader = world.signed_in("reader", "ssf.read").await;
    assert_snapshot!(reader.post("/ssf/streams", json!({})).await, @r#"
    403 Forbidden
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Bearer realm="ssf", error="insufficient_scope", scope="ssf.manage", resource_metadata="https://tocsin.example/.well-known/oauth-protected-resource"

    {
      "detail": "the access token lacks the scope ssf.manage",
      "status": 403,
      "title": "The access token does not allow this",
      "type": "urn:tocsin:problem:forbidden"
    }
    "#);
}

#[tokio::test]
async fn a_token_with_the_scope_does_it() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let id = stream_of(&alice).await;
    for (method, path, body, _) in operations(&id) {
        let answer = call(&alice, &method, &path, &body).await;
        assert!(answer.status.is_success(), "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn who_is_judged_before_what() {
    let world = World::new();
    let reader = world.signed_in("reader", "ssf.read").await;
    let manager = world.signed_in("manager", "ssf.manage").await;
    let json = [("content-type", "application/json")];
    let post = async |caller: &Caller| {
        caller.send(Method::POST, "/ssf/status", &json, "{".into()).await.status.as_u16()
    };
    assert_eq!(post(&world.anyone()).await, 401);
    assert_eq!(post(&reader).await, 403);
    assert_eq!(post(&manager).await, 400);
}

#[tokio::test]
async fn tokens_that_are_not_good_are_401_whatever_is_wrong() {
    let world = World::new();
    let (us, anyone) = (&world.transmitter, Outsider::new().await);
    let secret = world.register("alice", |_| {}).await;
    let bob = world.register("bob", |_| {}).await;
    let token = world.token("alice", &secret, "ssf.read").await;
    let other = world.token("bob", &bob, "ssf.read").await;
    assert_eq!(status(&world, &token).await, 200);
    let (head, tail) = token.split_at(token.len() - 8);
    // What we sign is no access token, whatever it says.
    let now = world.seconds();
    let claims = json!({
        "iss": "https://tocsin.example", "aud": "https://tocsin.example", "sub": "alice",
        "client_id": "alice", "iat": now, "exp": now + 3600, "scope": "ssf.read",
        "jti": "alice.00000000000000000000000000000001",
    });
    let signed =
        async |typ: &str| us.keys().sign(typ, claims.to_string().as_bytes()).await.unwrap();
    let made_up = |head: &str, from: &str| {
        let secret = from.rsplit('.').next().unwrap();
        let text = format!("{head}.{}", &secret[..43]);
        let check = URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()));
        format!("{text}{}", &check[..6])
    };
    let name = token.rsplit_once('.').unwrap().0;
    assert_eq!(made_up(name, &token), token, "this is how tokens are made");
    let bad = [
        String::new(),
        "a.b.c".into(),
        "tocsin_".into(),
        format!("{token}x"),
        format!("{head}{}", tail.chars().rev().collect::<String>()),
        made_up(name, &other),
        made_up(&name.replace("_c.", "_u."), &token),
        made_up("tocsin_c.YWxpY2U.00000000000000000000000000000099", &token),
        made_up("tocsin_c.YWxpY2U.x", &token),
        made_up("tocsin_c.YWxpY2U", &token),
        made_up("tocsin_c.4pi6.00000000000000000000000000000001", &token),
        signed("at+jwt").await,
        signed("JWT").await,
        signed("secevent+jwt").await,
        anyone.token(&anyone.header(), &claims).await,
        anyone.token(&json!({ "typ": "at+jwt", "alg": "none" }), &claims).await,
    ];
    for token in &bad {
        assert_eq!(status(&world, token).await, 401, "{token}");
    }
    world.clock.advance(Duration::from_hours(1) - Duration::from_secs(1));
    assert_eq!(status(&world, &token).await, 200);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(status(&world, &token).await, 401);
}

async fn status(world: &World, token: &str) -> u16 {
    let headers = [("authorization", format!("Bearer {token}"))];
    let headers = [(headers[0].0, headers[0].1.as_str())];
    let caller = world.anyone();
    caller.send(Method::GET, "/ssf/streams", &headers, Body::empty()).await.status.as_u16()
}

#[tokio::test]
async fn the_scheme_may_be_written_anyhow_and_must_be_there_once() {
    let world = World::new();
    let token = world.signed_in("alice", "ssf.read").await.token;
    let anyone = world.anyone();
    let get = async |values: &[&str]| {
        let headers: Vec<_> = values.iter().map(|value| ("authorization", *value)).collect();
        anyone.send(Method::GET, "/ssf/streams", &headers, Body::empty()).await.status.as_u16()
    };
    let (good, lower) = (format!("Bearer {token}"), format!("bearer  {token}"));
    assert_eq!(get(&[&good]).await, 200);
    assert_eq!(get(&[&lower]).await, 200);
    assert_eq!(get(&[&token]).await, 401);
    assert_eq!(get(&["Bearer "]).await, 401);
    assert_eq!(get(&[&format!("DPoP {token}")]).await, 401);
    assert_eq!(get(&[&good, &good]).await, 401);
}

#[tokio::test]
async fn a_request_is_authenticated_by_one_read() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.read").await;
    world.table.take();
    world.transmitter.authenticate(&alice.token).await.unwrap();
    assert_eq!(world.table.take().calls(), 1);
    world.transmitter.authenticate(&format!("{}x", alice.token)).await.unwrap_err();
    assert_eq!(world.table.take().calls(), 0, "forged tokens cost nothing");
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_when_to_come_again() {
    let world = World::with(|config| config.requests_per_second = 2);
    let alice = world.signed_in("alice", "ssf.read").await;
    let bob = world.signed_in("bob", "ssf.read").await;
    for _ in 0..4 {
        assert_eq!(alice.get("/ssf/streams").await.status, 200);
    }
    assert_snapshot!(alice.get("/ssf/streams").await, @r#"
    429 Too Many Requests
    cache-control: no-store
    content-type: application/problem+json
    retry-after: 1

    {
      "detail": "too many requests; try again in 1 s",
      "status": 429,
      "title": "Too many requests",
      "type": "urn:tocsin:problem:too-many-requests"
    }
    "#);
    assert_eq!(bob.get("/ssf/streams").await.status, 200);
    world.clock.advance(Duration::from_millis(500));
    assert_eq!(alice.get("/ssf/streams").await.status, 200);
}
