//! Access tokens of other authorization servers.

use std::time::Duration;

use serde_json::{Value, json};
use ssf::{
    client::{ClientId, Scope},
    config::{Config, TrustedIssuer},
};
use tests::World;

use super::{Outsider, but};

const JWKS: &str = "https://login.example/jwks";

fn trust(config: &mut Config) {
    config.trusted_issuers.push(TrustedIssuer {
        issuer: "https://login.example".into(),
        audience: "https://api.example".into(),
        jwks_url: JWKS.parse().unwrap(),
        client_claim: "azp".into(),
    });
}

async fn world_and_issuer() -> (World, Outsider) {
    let (world, issuer) = (World::with(trust), Outsider::new().await);
    world.http.page(JWKS, issuer.jwks().to_string());
    world.register("alice", |wish| wish.scope = vec![Scope::Read, Scope::Manage]).await;
    (world, issuer)
}

fn claims(world: &World) -> Value {
    json!({
        "iss": "https://login.example",
        "aud": "https://api.example",
        "azp": "alice",
        "scope": "openid ssf.read",
        "iat": world.seconds(),
        "exp": world.seconds() + 300,
    })
}

async fn status(world: &World, token: &str) -> u16 {
    world.caller(token).get("/ssf/streams").await.status.as_u16()
}

#[tokio::test]
async fn a_token_of_a_trusted_issuer_is_as_good_as_ours() {
    let (world, issuer) = world_and_issuer().await;
    let cases = [
        (json!({}), 200),
        (json!({ "aud": ["x", "https://api.example"] }), 200),
        (json!({ "scope": ["ssf.read"] }), 200),
        (json!({ "scope": null, "scp": ["ssf.manage"] }), 200),
        (json!({ "scope": "https://api.example/ssf.read" }), 200),
        (json!({ "nbf": world.seconds() + 60 }), 200),
        (json!({ "scope": "https://other.example/ssf.read" }), 403),
        (json!({ "scope": "openid" }), 403),
        (json!({ "scope": null }), 403),
        (json!({ "scope": "ssf.manage.poll" }), 403),
        (json!({ "azp": "bob" }), 401),
        (json!({ "azp": null, "client_id": "alice" }), 401),
        (json!({ "aud": "x" }), 401),
        (json!({ "aud": null }), 401),
        (json!({ "iss": "https://other.example" }), 401),
        (json!({ "exp": world.seconds() }), 401),
        (json!({ "exp": null }), 401),
        (json!({ "exp": "soon" }), 401),
        (json!({ "nbf": world.seconds() + 61 }), 401),
        (json!({ "iat": world.seconds() + 61 }), 401),
    ];
    for (change, wanted) in cases {
        let token = issuer.token(&issuer.header(), &but(&claims(&world), &change)).await;
        assert_eq!(status(&world, &token).await, wanted, "{change}");
    }
    world.transmitter.client_disable(&ClientId("alice".into())).await.unwrap();
    let token = issuer.token(&issuer.header(), &claims(&world)).await;
    assert_eq!(status(&world, &token).await, 401);
}

#[tokio::test]
async fn an_outside_issuer_cannot_give_more_than_the_operator_registered() {
    let (world, issuer) = world_and_issuer().await;
    world.register("reader", |wish| wish.scope = vec![Scope::Read]).await;
    let change = json!({ "azp": "reader", "scope": "ssf.read ssf.manage" });
    let token = issuer.token(&issuer.header(), &but(&claims(&world), &change)).await;
    let reader = world.caller(token);
    assert_eq!(reader.get("/ssf/streams").await.status, 200);
    assert_eq!(reader.post("/ssf/streams", json!({})).await.status, 403);
}

#[tokio::test]
async fn the_signature_must_be_the_issuers_and_the_token_an_access_token() {
    let (world, issuer) = world_and_issuer().await;
    let headers = [
        (json!({}), 200),
        (json!({ "typ": null }), 200),
        (json!({ "typ": "application/at+JWT" }), 200),
        (json!({ "typ": "secevent+jwt" }), 401),
        (json!({ "typ": "logout+jwt" }), 401),
        (json!({ "alg": "none" }), 401),
        (json!({ "alg": "HS256" }), 401),
        (json!({ "kid": "unknown" }), 401),
    ];
    for (change, wanted) in headers {
        let token = issuer.token(&but(&issuer.header(), &change), &claims(&world)).await;
        assert_eq!(status(&world, &token).await, wanted, "{change}");
    }
    let stranger = Outsider::new().await;
    let forged = stranger.token(&issuer.header(), &claims(&world)).await;
    assert_eq!(status(&world, &forged).await, 401);
    // Nor can an outside issuer make tokens in our name.
    let ours = but(&claims(&world), &json!({ "iss": "https://tocsin.example" }));
    let header = but(&issuer.header(), &json!({ "typ": "at+jwt" }));
    assert_eq!(status(&world, &issuer.token(&header, &ours).await).await, 401);
}

#[tokio::test]
async fn a_rotated_key_is_found_and_made_up_ones_do_not_make_us_ask() {
    let (world, old) = world_and_issuer().await;
    let new = Outsider::new().await;
    let (first, second) = (
        old.token(&old.header(), &but(&claims(&world), &json!({ "exp": 9_999_999_999_u64 }))).await,
        new.token(&new.header(), &but(&claims(&world), &json!({ "exp": 9_999_999_999_u64 }))).await,
    );
    assert_eq!(status(&world, &first).await, 200);
    for _ in 0..10 {
        assert_eq!(status(&world, &second).await, 401);
    }
    assert_eq!(world.http.fetches(), 1);
    world.http.page(JWKS, json!({ "keys": [old.key.jwk(), new.key.jwk()] }).to_string());
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(status(&world, &second).await, 200);
    assert_eq!(world.http.fetches(), 2);
}

#[tokio::test]
async fn keys_outlive_an_outage_of_the_issuer_by_a_day() {
    let (world, issuer) = world_and_issuer().await;
    let claims = but(&claims(&world), &json!({ "exp": 9_999_999_999_u64 }));
    let token = issuer.token(&issuer.header(), &claims).await;
    assert_eq!(status(&world, &token).await, 200);
    world.http.no_pages();
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(status(&world, &token).await, 200);
    assert_eq!(status(&world, &token).await, 200);
    assert_eq!(world.http.fetches(), 2, "a failure is remembered for a minute");
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(status(&world, &token).await, 401);
    world.http.page(JWKS, issuer.jwks().to_string());
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(status(&world, &token).await, 200);
}
