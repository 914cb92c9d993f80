//! ID tokens (OpenID Connect Core 1.0, 2).

use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::set::Algorithm;
use tests::World;

use super::{Scene, text};

/// The header and the claims of an ID token that one of our keys has signed.
async fn verified(scene: &Scene, token: &str) -> (ssf::set::jws::Header, Value) {
    let header = ssf::set::jws::Header::of(token).unwrap();
    let key = scene.world.transmitter.keys().find(header.kid.as_ref().unwrap()).await.unwrap();
    let claims = key.unwrap().verify(token).expect("the signature is good");
    (header, Value::Object(claims))
}

#[tokio::test]
async fn an_id_token_says_who_signed_in_when_and_how() {
    let scene = Scene::new().await;
    let tokens = scene.signed_in("openid email offline_access").await;
    let (header, claims) = verified(&scene, text(&tokens, "id_token")).await;
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    assert_eq!(format!("{:?}", header.algorithm), "RS256");
    let now = scene.world.seconds();
    let wanted = json!({
        "iss": "https://tocsin.example", "sub": scene.ada.0, "aud": "notes",
        "exp": now + 300, "iat": now, "auth_time": now - 60, "nonce": "n", "amr": ["pwd"],
        "sid": "the-session", "at_hash": claims["at_hash"],
    });
    assert_eq!(claims, wanted);
    assert_eq!(text(&claims, "at_hash").len(), 22);
    // A refreshed one is of the same sign-in, and answers no request.
    let refreshed = scene.refresh(text(&tokens, "refresh_token")).await.json();
    let (_, again) = verified(&scene, text(&refreshed, "id_token")).await;
    assert_eq!((&again["auth_time"], &again["sid"]), (&claims["auth_time"], &claims["sid"]));
    assert_eq!(again["nonce"], Value::Null);
    assert_ne!(again["at_hash"], claims["at_hash"], "it goes with another access token");
}

#[tokio::test]
async fn who_does_not_ask_for_openid_gets_no_id_token_and_costs_no_signature() {
    let scene = Scene::new().await;
    scene.world.signer.take();
    let tokens = scene.signed_in("email").await;
    assert_eq!(tokens["id_token"], Value::Null);
    assert_eq!(scene.world.signer.take(), 0);
    scene.signed_in("openid").await;
    assert_eq!(scene.world.signer.take(), 1);
}

#[tokio::test]
async fn id_tokens_are_signed_as_the_metadata_says() {
    let scene = Scene::new().await;
    let says = async || {
        let answer = scene.world.anyone().get("/.well-known/openid-configuration").await;
        answer.json()["id_token_signing_alg_values_supported"].to_string()
    };
    assert_snapshot!(says().await, @r#"["RS256"]"#);
    scene.world.transmitter.keys().rotate_to(Algorithm::ES256, true).await.unwrap();
    assert_snapshot!(says().await, @r#"["ES256","RS256"]"#);
    let tokens = scene.signed_in("openid").await;
    let (header, _) = verified(&scene, text(&tokens, "id_token")).await;
    assert_eq!(format!("{:?}", header.algorithm), "ES256");
}

#[tokio::test]
async fn a_code_is_not_used_up_while_nothing_can_be_signed() {
    let scene = Scene::on(World::without_key(|_| {})).await;
    let code = scene.code("notes", "openid").await;
    let unsigned = scene.exchange(&code).await;
    assert_eq!(unsigned.status, 503, "{unsigned}");
    scene.world.transmitter.keys().ensure_key().await.unwrap();
    assert_eq!(scene.exchange(&code).await.status, 200);
}
