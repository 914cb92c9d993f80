//! What a client may be registered as (RFC 7591, 2), and how that is changed.

use std::time::Duration;

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};
use ssf::client::{
    AuthMethod, Client, ClientId, ClientKeys, ClientSubjects, GrantType, NewClient, RedirectUri,
    ResponseType, Scope,
};
use tests::{World, world::poll_stream};

use super::Outsider;

fn id(text: &str) -> ClientId {
    ClientId(text.to_owned())
}

fn uris(texts: &[&str]) -> Vec<RedirectUri> {
    texts.iter().map(|text| RedirectUri::parse(text).unwrap()).collect()
}

fn logout_at(wish: &mut NewClient, uri: &str) {
    wish.application.backchannel_logout_uri = Some(uri.parse().unwrap());
}

/// An application that people sign in to.
fn notes() -> NewClient {
    let mut wish = NewClient::new("Notes", vec![]);
    wish.client_id = ClientId::parse("notes");
    wish.scope = vec![Scope::OpenId, Scope::Email];
    wish.application.redirect_uris = uris(&["https://notes.example/cb", "http://127.0.0.1/cb"]);
    wish
}

#[tokio::test]
async fn an_application_has_the_members_of_rfc_7591_and_defaults_that_fit_each_other() {
    let world = World::new();
    let mut wish = notes();
    wish.application.post_logout_redirect_uris = uris(&["https://notes.example/"]);
    logout_at(&mut wish, "https://notes.example/logout?tenant=1");
    wish.application.backchannel_logout_session_required = true;
    wish.information.contacts = vec!["ops@notes.example".into()];
    wish.information.logo_uri = Some("https://notes.example/logo.png".parse().unwrap());
    let (client, secret) = world.transmitter.client_create(wish).await.unwrap();
    assert!(secret.is_some());
    assert_json_snapshot!(client, @r#"
    {
      "client_id": "notes",
      "client_name": "Notes",
      "logo_uri": "https://notes.example/logo.png",
      "contacts": [
        "ops@notes.example"
      ],
      "token_endpoint_auth_method": "client_secret_basic",
      "grant_types": [
        "authorization_code",
        "refresh_token"
      ],
      "response_types": [
        "code"
      ],
      "redirect_uris": [
        "https://notes.example/cb",
        "http://127.0.0.1/cb"
      ],
      "post_logout_redirect_uris": [
        "https://notes.example/"
      ],
      "backchannel_logout_uri": "https://notes.example/logout?tenant=1",
      "backchannel_logout_session_required": true,
      "scope": [
        "openid",
        "email"
      ],
      "audience": [],
      "profile": "standard",
      "subject_in_event": false,
      "max_streams": 10,
      "may_create": true,
      "verify_certificates": true,
      "disabled": false,
      "created": "2026-01-01T00:00:00Z",
      "last_modified": "2026-01-01T00:00:00Z"
    }
    "#);
    assert_eq!(world.transmitter.client_show(&id("notes")).await.unwrap(), client);
    assert_eq!(client.token_audience(), [id("notes")]);
    assert!(client.redirects_to("https://notes.example/cb"));
    assert!(client.redirects_to("http://127.0.0.1:49152/cb"));
    assert!(!client.redirects_to("https://notes.example/cb/"));

    // One that hears of people, too, needs tokens of its own.
    let mut wish = notes();
    wish.client_id = None;
    wish.scope.push(Scope::Manage);
    wish.audience = vec!["notes".into()];
    let (client, _) = world.transmitter.client_create(wish).await.unwrap();
    assert!(client.has_grant(GrantType::ClientCredentials));
}

#[tokio::test]
async fn what_cannot_be_registered_is_told_by_member_and_reason() {
    type Change = fn(&mut NewClient);
    let world = World::new();
    let cases: [Change; 22] = [
        |wish| wish.grant_types = Some(vec![]),
        |wish| wish.grant_types = Some(vec![GrantType::RefreshToken]),
        |wish| wish.grant_types = Some(vec![GrantType::ClientCredentials]),
        |wish| wish.response_types = Some(vec![]),
        |wish| {
            wish.grant_types = Some(vec![GrantType::ClientCredentials]);
            wish.response_types = Some(vec![ResponseType::Code]);
        },
        |wish| {
            wish.application.redirect_uris.clear();
            wish.grant_types = Some(vec![GrantType::AuthorizationCode]);
        },
        |wish| wish.application.token_audience = vec![ClientId(String::new())],
        |wish| {
            wish.auth_method = Some(AuthMethod::None);
            wish.grant_types = Some(GrantType::ALL.to_vec());
        },
        |wish| wish.auth_method = Some(AuthMethod::PrivateKeyJwt),
        |wish| wish.application.backchannel_logout_session_required = true,
        |wish| logout_at(wish, "http://notes.example/logout"),
        |wish| logout_at(wish, "http://127.0.0.1/logout"),
        |wish| logout_at(wish, "https://notes.example/logout#x"),
        |wish| logout_at(wish, "https://user@notes.example/logout"),
        |wish| logout_at(wish, "https://169.254.169.254/logout"),
        |wish| {
            logout_at(wish, "https://notes.example/logout");
            wish.application.redirect_uris.clear();
            wish.scope = vec![Scope::Scim];
        },
        |wish| {
            wish.auth_method = Some(AuthMethod::None);
            wish.client_secret_expires_at = Some(jiff::Timestamp::UNIX_EPOCH);
        },
        |wish| wish.information.contacts = vec![" ".into()],
        |wish| wish.information.description = Some(String::new()),
        |wish| wish.information.tos_uri = Some("data:text/html,x".parse().unwrap()),
        |wish| wish.scope.push(Scope::Read),
        |wish| {
            let uri = RedirectUri::parse("https://notes.example/").unwrap();
            wish.application.redirect_uris = vec![uri; 51];
        },
    ];
    let mut lines = String::new();
    for change in cases {
        let mut wish = notes();
        change(&mut wish);
        let refused = world.transmitter.client_create(wish).await.unwrap_err();
        lines += &refused.to_string();
        lines += "\n";
    }
    assert_snapshot!(lines, @"
    grant_types: must have a value
    grant_types: refresh_token needs authorization_code
    redirect_uris: are of no use without authorization_code
    response_types: must be code with authorization_code, and only with it
    response_types: must be code with authorization_code, and only with it
    redirect_uris: must have a value with authorization_code
    token_audience: must name clients by their ids
    grant_types: a public client has no credentials for client_credentials
    token_endpoint_auth_method: must be private_key_jwt with keys, and only then
    backchannel_logout_session_required: is of no use without backchannel_logout_uri
    backchannel_logout_uri: must be an https URL
    backchannel_logout_uri: must be an https URL
    backchannel_logout_uri: must not have a fragment
    backchannel_logout_uri: must not hold credentials
    backchannel_logout_uri: leads to an address that is not allowed: metadata
    backchannel_logout_uri: is of no use without authorization_code
    client_secret_expires_at: is of no use without a secret
    contacts: must have 1 to 1,024 characters
    description: must have 1 to 1,024 characters
    tos_uri: must be an https or http URL
    audience: must have a value, and none that is empty
    redirect_uris: must not have more than 50 values
    ");
    assert_eq!(world.transmitter.client_list().await.unwrap(), Vec::<Client>::new());
}

#[tokio::test]
async fn a_public_client_has_no_secret_and_gets_none() {
    let world = World::new();
    let us = &world.transmitter;
    let mut wish = notes();
    wish.auth_method = Some(AuthMethod::None);
    let (client, secret) = us.client_create(wish).await.unwrap();
    assert!(client.is_public());
    assert_eq!(secret, None);
    let refused = us.client_rotate_secret(&id("notes")).await.unwrap_err().to_string();
    assert_snapshot!(refused, @"the client notes is public and has no secret");
    // One without a secret is known, and may not have tokens of its own.
    for (secret, status) in [("", 400), ("x", 401)] {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "notes"),
            ("client_secret", secret),
        ];
        assert_eq!(world.anyone().form("/oauth/token", &form).await.status, status);
    }
}

#[tokio::test]
async fn a_client_is_changed_and_what_is_not_named_stays() {
    let world = World::new();
    let us = &world.transmitter;
    let alice = world.signed_in("alice", "ssf.read ssf.manage").await;
    us.client_disable(&id("alice")).await.unwrap();
    let before = us.client_show(&id("alice")).await.unwrap();
    world.clock.advance(Duration::from_secs(5));
    let change = |wish: &mut NewClient| {
        wish.client_id = Some(id("mallory"));
        wish.audience = vec!["x".into()];
        wish.scope = vec![Scope::Read];
        wish.max_streams = 1;
    };
    let (after, secret) = us.client_update(&id("alice"), change).await.unwrap();
    let wanted = Client {
        audience: vec!["x".into()],
        scope: vec![Scope::Read],
        max_streams: 1,
        last_modified: before.created + jiff::SignedDuration::from_secs(5),
        ..before
    };
    assert_eq!(after, wanted);
    assert_eq!(secret, None, "it keeps the one that it has");
    us.client_enable(&id("alice")).await.unwrap();
    // A token has no more than its client.
    assert_eq!(alice.get("/ssf/streams").await.status, 200);
    assert_eq!(alice.post("/ssf/streams", poll_stream(&[])).await.status, 403);

    let refused = us.client_update(&id("alice"), |wish| wish.max_streams = 0).await.unwrap_err();
    assert_snapshot!(refused, @"max_streams: must be at least 1");
    assert_eq!(us.client_show(&id("alice")).await.unwrap().max_streams, 1);
    let unknown = us.client_update(&id("bob"), |_| {}).await.unwrap_err();
    assert_snapshot!(unknown, @"there is no client bob");
}

#[tokio::test]
async fn a_secret_ends_where_keys_begin_and_comes_back_without_them() {
    let world = World::new();
    let us = &world.transmitter;
    let secret = world.register("alice", |_| {}).await;
    let status = async |secret: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "alice"),
            ("client_secret", secret),
        ];
        world.anyone().form("/oauth/token", &form).await.status.as_u16()
    };
    let keys: ClientKeys =
        serde_json::from_value(json!({ "jwks": Outsider::new().await.jwks() })).unwrap();
    let with_keys = |wish: &mut NewClient| {
        (wish.keys, wish.auth_method) = (Some(keys.clone()), None);
    };
    let (client, none) = us.client_update(&id("alice"), with_keys).await.unwrap();
    assert_eq!(client.token_endpoint_auth_method, AuthMethod::PrivateKeyJwt);
    assert_eq!((none, status(&secret).await), (None, 401));
    let without = |wish: &mut NewClient| (wish.keys, wish.auth_method) = (None, None);
    let (_, again) = us.client_update(&id("alice"), without).await.unwrap();
    assert_eq!(status(&secret).await, 401, "the old one stays dead");
    assert_eq!(status(again.unwrap().expose()).await, 200);
}

#[tokio::test]
async fn a_static_token_may_be_for_the_directory_alone() {
    let world = World::new();
    let us = &world.transmitter;
    world.register("entra", |wish| (wish.scope, wish.audience) = (vec![Scope::Scim], vec![])).await;
    let (token, secret) = us.static_token_create(&id("entra"), None).await.unwrap();
    assert_eq!(token.scope, [Scope::Scim]);
    let entra = us.authenticate(secret.expose()).await.unwrap();
    assert!(entra.require(Scope::Scim).is_ok() && entra.require(Scope::ScimRead).is_ok());
    let caller = world.caller(secret.expose());
    assert_eq!(caller.get("/ssf/streams").await.status, 403);
    assert_eq!(caller.post("/ssf/streams", json!({})).await.status, 403);
    // And who manages streams has no right to the directory.
    let alice = world.signed_in("alice", "ssf.manage").await;
    let alice = us.authenticate(&alice.token).await.unwrap();
    assert!(alice.require(Scope::Scim).is_err() && alice.require(Scope::ScimRead).is_err());
}

#[tokio::test]
async fn streams_that_consent_feeds_start_with_nobody() {
    let world = World::new();
    let change = |wish: &mut NewClient| wish.default_subjects = Some(ClientSubjects::Consent);
    let secret = world.register("alice", change).await;
    let alice = world.caller(world.token("alice", &secret, "ssf.manage").await);
    assert_eq!(alice.post("/ssf/streams", poll_stream(&["session-revoked"])).await.status, 201);
    let stream: Value = alice.get("/ssf/streams").await.json()[0].clone();
    world.emit(&tests::world::session_revoked("jane@example.com")).await;
    world.settle().await;
    let path = format!("/ssf/poll/{}", stream["stream_id"].as_str().unwrap());
    let sets = alice.post(&path, json!({ "returnImmediately": true })).await.json();
    assert_eq!(sets["sets"], json!({}));
}
