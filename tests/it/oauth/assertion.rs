//! Clients that sign instead of having a secret: `private_key_jwt`.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::client::ClientKeys;
use tests::{Answer, World};

use super::{Outsider, but, line};

async fn present(world: &World, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ];
    world.anyone().form("/oauth/token", &form).await
}

async fn register(world: &World, keys: Value) {
    let keys: ClientKeys = serde_json::from_value(keys).unwrap();
    assert_eq!(
        world.register("alice", |wish| wish.keys = Some(keys)).await,
        "",
        "it has no secret"
    );
}

fn claims(world: &World, jti: u32) -> Value {
    json!({
        "iss": "alice",
        "sub": "alice",
        "aud": "https://tocsin.example/oauth/token",
        "iat": world.seconds(),
        "exp": world.seconds() + 300,
        "jti": jti.to_string(),
    })
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let world = World::new();
    let client = Outsider::new().await;
    register(&world, json!({ "jwks": client.jwks() })).await;
    let assertion = client.token(&client.header(), &claims(&world, 1)).await;
    assert_eq!(present(&world, &assertion).await.status, 200);
    let again = present(&world, &assertion).await;
    assert_snapshot!(line(&again), @"401 invalid_client: the client could not be authenticated");
    let other = but(&claims(&world, 2), &json!({ "aud": ["x", "https://tocsin.example"] }));
    let assertion = client.token(&client.header(), &other).await;
    assert_eq!(present(&world, &assertion).await.status, 200);
}

#[tokio::test]
async fn an_assertion_must_be_for_us_from_the_client_and_short_lived() {
    let world = World::new();
    let (client, stranger) = (Outsider::new().await, Outsider::new().await);
    register(&world, json!({ "jwks": client.jwks() })).await;
    world.register("bob", |_| {}).await;
    let (good, now) = (claims(&world, 1), world.seconds());
    let changes = [
        json!({ "iss": "bob" }),
        json!({ "sub": "bob" }),
        json!({ "iss": "bob", "sub": "bob" }),
        json!({ "iss": "nobody", "sub": "nobody" }),
        json!({ "aud": "https://other.example/oauth/token" }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "exp": now }),
        json!({ "exp": now + 3661 }),
        json!({ "exp": null }),
        json!({ "nbf": now + 120 }),
        json!({ "jti": null }),
        json!({ "jti": "" }),
    ];
    for change in changes {
        let assertion = client.token(&client.header(), &but(&good, &change)).await;
        assert_eq!(present(&world, &assertion).await.status, 401, "{change}");
    }
    let headers = [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "RS256" }),
        json!({ "kid": "other" }),
        json!({ "crit": ["exp"] }),
    ];
    for change in headers {
        let assertion = client.token(&but(&client.header(), &change), &good).await;
        assert_eq!(present(&world, &assertion).await.status, 401, "{change}");
    }
    let forged = stranger.token(&client.header(), &good).await;
    assert_eq!(present(&world, &forged).await.status, 401);
    // All of that used up nothing, and a key that is alone need not be named.
    let header = but(&client.header(), &json!({ "kid": null }));
    assert_eq!(present(&world, &client.token(&header, &good).await).await.status, 200);
}

#[tokio::test]
async fn keys_at_a_url_are_read_when_needed_and_not_more_than_once_a_minute() {
    let world = World::new();
    let (old, new) = (Outsider::new().await, Outsider::new().await);
    register(&world, json!({ "jwks_uri": "https://alice.example/jwks" })).await;
    world.http.page("https://alice.example/jwks", old.jwks().to_string());
    let mut jti = 0;
    let mut present = async |client: &Outsider| {
        jti += 1;
        let assertion = client.token(&client.header(), &claims(&world, jti)).await;
        present(&world, &assertion).await.status.as_u16()
    };
    assert_eq!(present(&old).await, 200);
    assert_eq!(present(&old).await, 200);
    assert_eq!(world.http.fetches(), 1);
    world.http.page("https://alice.example/jwks", new.jwks().to_string());
    assert_eq!(present(&new).await, 401);
    assert_eq!(world.http.fetches(), 1, "a minute is not over");
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(present(&new).await, 200);
    assert_eq!(present(&old).await, 401);
    assert_eq!(world.http.fetches(), 2);
}
