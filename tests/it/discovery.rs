//! What anybody may read: metadata and keys.

use insta::assert_snapshot;
use serde_json::Value;
use ssf::{
    config::{Issuer, TrustedIssuer},
    set::Algorithm,
    stream::DefaultSubjects,
};
use tests::World;

#[tokio::test]
async fn the_metadata_has_every_member_of_ssf_7_1() {
    let world = World::new();
    assert_snapshot!(world.anyone().get("/.well-known/ssf-configuration").await, @r#"
    200 OK
    cache-control: public, max-age=3600
    content-type: application/json

    {
      "add_subject_endpoint": "https://tocsin.example/ssf/subjects/add",
      "authorization_schemes": [
        {
          "spec_urn": "urn:ietf:rfc:6749"
        },
        {
          "spec_urn": "urn:ietf:rfc:6750"
        }
      ],
      "configuration_endpoint": "https://tocsin.example/ssf/streams",
      "default_subjects": "ALL",
      "delivery_methods_supported": [
        "urn:ietf:rfc:8935",
        "urn:ietf:rfc:8936",
        "https://schemas.openid.net/secevent/risc/delivery-method/push",
        "https://schemas.openid.net/secevent/risc/delivery-method/poll"
      ],
      "issuer": "https://tocsin.example",
      "jwks_uri": "https://tocsin.example/jwks.json",
      "remove_subject_endpoint": "https://tocsin.example/ssf/subjects/remove",
      "spec_version": "1_0",
      "status_endpoint": "https://tocsin.example/ssf/status",
      "verification_endpoint": "https://tocsin.example/ssf/verification"
    }
    "#);
}

#[tokio::test]
async fn the_authorization_server_says_what_rfc_8414_and_openid_connect_ask_for() {
    let anyone = World::new().anyone();
    let answer = anyone.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(
        (answer.status.as_u16(), answer.headers["cache-control"].to_str().unwrap()),
        (200, "public, max-age=3600")
    );
    let openid = anyone.get("/.well-known/openid-configuration").await;
    assert_eq!(openid.json(), answer.json(), "it is the same document at two places");
    let mut body = answer.json();
    body.sort_all_objects();
    let members = body.as_object().unwrap().iter();
    let lines: Vec<_> = members.map(|(name, value)| format!("{name}: {value}")).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    acr_values_supported: ["nist-aal1","nist-aal2"]
    authorization_endpoint: "https://tocsin.example/oauth/authorize"
    authorization_response_iss_parameter_supported: true
    backchannel_logout_session_supported: true
    backchannel_logout_supported: true
    claim_types_supported: ["normal"]
    claims_parameter_supported: false
    claims_supported: ["iss","sub","aud","exp","iat","auth_time","nonce","acr","amr","sid","at_hash","name","family_name","given_name","middle_name","nickname","preferred_username","profile","picture","locale","zoneinfo","updated_at","email","phone_number","address","groups"]
    code_challenge_methods_supported: ["S256"]
    end_session_endpoint: "https://tocsin.example/oauth/end_session"
    grant_types_supported: ["authorization_code","refresh_token","client_credentials"]
    id_token_signing_alg_values_supported: ["RS256"]
    introspection_endpoint: "https://tocsin.example/oauth/introspect"
    introspection_endpoint_auth_methods_supported: ["client_secret_basic","client_secret_post","private_key_jwt"]
    introspection_endpoint_auth_signing_alg_values_supported: ["RS256","PS256","ES256","ES384","EdDSA"]
    issuer: "https://tocsin.example"
    jwks_uri: "https://tocsin.example/jwks.json"
    prompt_values_supported: ["none","login","consent","select_account"]
    request_parameter_supported: false
    request_uri_parameter_supported: false
    response_modes_supported: ["query"]
    response_types_supported: ["code"]
    revocation_endpoint: "https://tocsin.example/oauth/revoke"
    revocation_endpoint_auth_methods_supported: ["client_secret_basic","client_secret_post","private_key_jwt","none"]
    revocation_endpoint_auth_signing_alg_values_supported: ["RS256","PS256","ES256","ES384","EdDSA"]
    scopes_supported: ["ssf.read","ssf.manage","ssf.manage.poll","scim","scim.read","scim.me","openid","profile","email","phone","address","groups","offline_access"]
    subject_types_supported: ["public"]
    token_endpoint: "https://tocsin.example/oauth/token"
    token_endpoint_auth_methods_supported: ["client_secret_basic","client_secret_post","private_key_jwt","none"]
    token_endpoint_auth_signing_alg_values_supported: ["RS256","PS256","ES256","ES384","EdDSA"]
    userinfo_endpoint: "https://tocsin.example/oauth/userinfo"
    "#);
}

#[tokio::test]
async fn the_api_says_where_its_tokens_come_from() {
    let world = World::with(|config| {
        config.trusted_issuers.push(TrustedIssuer {
            issuer: "https://login.example".into(),
            audience: "ssf".into(),
            jwks_url: "https://login.example/jwks".parse().unwrap(),
            client_claim: "azp".into(),
        });
    });
    assert_snapshot!(world.anyone().get("/.well-known/oauth-protected-resource").await, @r#"
    200 OK
    cache-control: public, max-age=3600
    content-type: application/json

    {
      "authorization_servers": [
        "https://tocsin.example",
        "https://login.example"
      ],
      "bearer_methods_supported": [
        "header"
      ],
      "resource": "https://tocsin.example",
      "scopes_supported": [
        "ssf.read",
        "ssf.manage",
        "ssf.manage.poll",
        "scim",
        "scim.read"
      ]
    }
    "#);
}

#[tokio::test]
async fn an_issuer_with_a_path_is_found_both_ways_and_has_all_below_it() {
    let world = World::with(|config| {
        config.issuer = Issuer::parse("https://tocsin.example/t/1/").unwrap();
        config.default_subjects = DefaultSubjects::None;
    });
    let anyone = world.anyone();
    let inserted = anyone.get("/.well-known/ssf-configuration/t/1").await;
    assert_eq!(inserted.json()["issuer"], "https://tocsin.example/t/1/");
    assert_eq!(inserted.json()["default_subjects"], "NONE");
    let appended = anyone.get("/t/1/.well-known/ssf-configuration").await;
    assert_eq!(appended.json(), inserted.json());
    for (name, url) in inserted.json().as_object().unwrap() {
        let Some(path) = url.as_str().and_then(|url| url.strip_prefix("https://tocsin.example"))
        else {
            continue;
        };
        if name != "issuer" {
            assert!(path.starts_with("/t/1/"), "{path}");
            assert_ne!(anyone.get(path).await.status, 404, "{path}");
        }
    }
    for place in ["oauth-authorization-server", "oauth-protected-resource"] {
        assert_eq!(anyone.get(&format!("/.well-known/{place}/t/1")).await.status, 200, "{place}");
    }
    for path in ["/.well-known/ssf-configuration", "/jwks.json", "/ssf/streams", "/t/1", "/t/12"] {
        assert_eq!(anyone.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn no_document_has_an_empty_array() {
    fn check(value: &Value) {
        match value {
            Value::Array(values) => {
                assert!(!values.is_empty());
                values.iter().for_each(check);
            }
            Value::Object(members) => members.values().for_each(check),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let world = World::new();
    for name in ["ssf-configuration", "oauth-authorization-server", "oauth-protected-resource"] {
        check(&world.anyone().get(&format!("/.well-known/{name}")).await.json());
    }
}

#[tokio::test]
async fn receivers_find_the_configuration_by_its_older_name_too() {
    for (below, path) in [
        ("", "/.well-known/sse-configuration"),
        ("/t/1", "/.well-known/sse-configuration/t/1"),
        ("/t/1", "/t/1/.well-known/sse-configuration"),
    ] {
        let issuer = Issuer::parse(format!("https://tocsin.example{below}")).unwrap();
        let anyone = World::with(|config| config.issuer = issuer).anyone();
        let now = anyone.get(&path.replace("sse-", "ssf-")).await;
        assert_eq!(now.status, 200);
        assert_eq!(anyone.get(path).await.to_string(), now.to_string(), "{path}");
    }
}

#[tokio::test]
async fn the_issuer_is_never_taken_from_the_request() {
    let world = World::new();
    let headers = [("host", "evil.example"), ("x-forwarded-host", "evil.example")];
    let path = "/.well-known/ssf-configuration";
    let answer = world.anyone().send(http::Method::GET, path, &headers, "".into()).await;
    assert_eq!(answer.json(), world.anyone().get(path).await.json());
}

#[tokio::test]
async fn the_jwks_has_the_signing_key_and_only_public_members() {
    let world = World::new();
    assert_snapshot!(world.anyone().get("/jwks.json").await, @r#"
    200 OK
    cache-control: public, max-age=300
    content-type: application/json

    {
      "keys": [
        {
          "alg": "RS256",
          "e": "AQAB",
          "kid": "VPyBq1JNHdq77AW8qVORC8KyvrARZBJ65GgzuPso9to",
          "kty": "RSA",
          "n": "yF_hy60UVlUy-NR_QCIcgL9-wBYD-cXBCm9rmAzGjPE1cANmIVtvRXNUgYV9cefWl9R3ZPiPPxkUOjHRS-Nefv0spB4fVrveSUBgK4_QoCB0GC72TDAKdfvJfnXPuI3CYb-mqougq-rUCWH_0VRmM3VwkH2sbhkgqfeqjZGe9sE43KlIAxRFFUQDeo0smUL-lPeO-WRhYujhBQpgBDavu4F6Qudh1uqsKqlALHH_5PrmgSn5JB-d8h5qdndgy-Eq2XVnji7cA9-kpMmW0N8Dl9bRmF51Fi6PbGMTh2Y8OLvqOKEaPAp1tsLicXdaWptXLIbFWuaTdelbVpSc1E0IIQ",
          "use": "sig"
        }
      ]
    }
    "#);
    let signing = world.transmitter.keys().signing_key().await.unwrap();
    assert_eq!(world.anyone().get("/jwks.json").await.json()["keys"][0]["kid"], signing.kid);
}

#[tokio::test]
async fn es256_is_there_on_request() {
    let world = World::with(|config| config.algorithm = Algorithm::ES256);
    assert_snapshot!(world.anyone().get("/jwks.json").await, @r#"
    200 OK
    cache-control: public, max-age=300
    content-type: application/json

    {
      "keys": [
        {
          "alg": "ES256",
          "crv": "P-256",
          "kid": "ezsc_-QmlIMDxdlAO0W92dx1MXgHz1V3w0sX3SQx6W8",
          "kty": "EC",
          "use": "sig",
          "x": "oqKzxW4WQtqpfbva0zEsGCzjHR9vjiC9yfK6Epk3S_w",
          "y": "hiR3GO81KZIRTuip4gnh1EgU2pTTeUfvJEaw6R3y0zk"
        }
      ]
    }
    "#);
}
