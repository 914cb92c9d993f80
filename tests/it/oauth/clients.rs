//! What an operator does with clients and their tokens.

use std::time::Duration;

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::json;
use ssf::{
    client::{ClientId, ClientKeys, NewClient, Profile, Scope},
    stream::{Status, StreamId},
};
use tests::{
    World,
    world::{event_of, poll_stream, push_stream, session_revoked},
};

fn id(text: &str) -> ClientId {
    ClientId(text.to_owned())
}

#[tokio::test]
async fn a_client_is_registered_with_the_defaults_and_its_secret_is_shown_once() {
    let world = World::new();
    let wish = NewClient::new("Alice's", vec!["https://alice.example".into()]);
    let (client, secret) = world.transmitter.client_create(wish).await.unwrap();
    assert_json_snapshot!(client, @r#"
    {
      "client_id": "00000000000000000000000000000001",
      "client_name": "Alice's",
      "token_endpoint_auth_method": "client_secret_basic",
      "grant_types": [
        "client_credentials"
      ],
      "scope": [
        "ssf.read",
        "ssf.manage"
      ],
      "audience": [
        "https://alice.example"
      ],
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
    let secret = secret.unwrap();
    assert_eq!(secret.expose().len(), 43);
    let shown = format!("{:?}", world.transmitter.client_list().await.unwrap());
    assert!(!shown.contains(secret.expose()));
    // Nor is it in the table.
    let key = ssf::table::Key::new(format!("CLIENT#{}", client.client_id), "CLIENT");
    let item = world.transmitter.parts().table.get(&key).await.unwrap().unwrap();
    assert!(!item.body.contains(secret.expose()));
}

#[tokio::test]
async fn a_client_that_cannot_work_is_not_registered() {
    let world = World::new();
    let create = async |change: &dyn Fn(&mut NewClient)| {
        let mut wish = NewClient::new("a", vec!["b".into()]);
        change(&mut wish);
        world.transmitter.client_create(wish).await.unwrap_err().to_string()
    };
    let keys = |keys: serde_json::Value| -> ClientKeys { serde_json::from_value(keys).unwrap() };
    let secret_key = json!({ "jwks": { "keys": [{ "kty": "oct", "k": "AAAA" }, { "kty": "x" }] } });
    let lines = [
        create(&|wish| wish.client_name = String::new()).await,
        create(&|wish| wish.audience = vec![]).await,
        create(&|wish| wish.audience = vec![String::new()]).await,
        create(&|wish| wish.scope = vec![]).await,
        create(&|wish| wish.max_streams = 0).await,
        create(&|wish| wish.client_id = Some(id("a b"))).await,
        create(&|wish| wish.keys = Some(keys(json!({ "jwks_uri": "http://a.example" })))).await,
        create(&|wish| wish.keys = Some(keys(secret_key.clone()))).await,
    ];
    assert_snapshot!(lines.join("\n"), @"
    client_name: must have 1 to 256 characters
    audience: must have a value, and none that is empty
    audience: must have a value, and none that is empty
    scope: must have a value
    max_streams: must be at least 1
    client_id: must be 1 to 255 printable ASCII characters without spaces
    jwks_uri: must be an https URL
    jwks.keys: must have a public RSA, EC or Ed25519 key
    ");
    world.register("taken", |_| {}).await;
    assert_snapshot!(create(&|wish| wish.client_id = Some(id("taken"))).await, @"there is a client taken already");
    assert_eq!(world.transmitter.client_list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_operator_set_is_what_the_receiver_is() {
    let world = World::new();
    let secret = world
        .register("alice", |wish| {
            wish.audience = vec!["x".into(), "y".into()];
            wish.profile = Profile::Legacy;
            wish.subject_in_event = true;
            wish.max_streams = 1;
            wish.may_create = false;
            wish.verify_certificates = false;
            wish.scim.full = true;
            wish.default_subjects = Some(ssf::client::ClientSubjects::None);
        })
        .await;
    let token = world.token("alice", &secret, "ssf.read").await;
    let receiver = world.transmitter.authenticate(&token).await.unwrap();
    let receiver = ssf::client::Receiver { version: None, ..receiver };
    insta::assert_debug_snapshot!(receiver, @r#"
    Receiver {
        id: ClientId(
            "alice",
        ),
        audience: [
            "x",
            "y",
        ],
        scopes: {
            Read,
        },
        may_create: false,
        default_subjects: None,
        by_consent: false,
        profile: Legacy,
        subject_in_event: true,
        max_streams: 1,
        verify_certificates: false,
        scim: ScimOptions {
            may_set_passwords: false,
            full: true,
            group_patch: Auto,
            unknown_members: Skip,
            reprovision: Conflict,
            wipe_guard: None,
        },
        version: None,
    }
    "#);
}

#[tokio::test]
async fn clients_are_listed_over_pages() {
    let world = World::new();
    for number in 0..205 {
        world.register(&format!("{number:03}"), |_| {}).await;
    }
    let clients = world.transmitter.client_list().await.unwrap();
    assert_eq!(clients.len(), 205);
    assert!(clients.is_sorted_by_key(|client| client.client_id.clone()));
}

#[tokio::test]
async fn a_disabled_client_is_nobody_until_it_is_enabled() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.read").await;
    world.clock.advance(Duration::from_secs(5));
    let client = world.transmitter.client_disable(&id("alice")).await.unwrap();
    assert_eq!((client.last_modified - client.created).get_seconds(), 5);
    assert_eq!(alice.get("/ssf/streams").await.status, 401);
    world.transmitter.client_enable(&id("alice")).await.unwrap();
    assert_eq!(alice.get("/ssf/streams").await.status, 200);
}

#[tokio::test]
async fn a_deleted_client_takes_its_tokens_and_its_streams_along() {
    let world = World::new();
    let us = &world.transmitter;
    let alice = world.signed_in("alice", "ssf.manage").await;
    let bob = world.signed_in("bob", "ssf.manage").await;
    for caller in [&alice, &bob] {
        assert_eq!(caller.post("/ssf/streams", poll_stream(&[])).await.status, 201);
    }
    let (_, token) = us.static_token_create(&id("alice"), None).await.unwrap();
    us.client_delete(&id("alice")).await.unwrap();
    for token in [&alice.token, token.expose()] {
        assert_eq!(world.caller(token).get("/ssf/streams").await.status, 401);
    }
    assert_eq!(us.streams_of(&id("alice")).await.unwrap().len(), 0);
    assert_eq!(us.client_list().await.unwrap().len(), 1);
    assert_eq!(bob.get("/ssf/streams").await.json().as_array().unwrap().len(), 1);
    let gone = us.client_delete(&id("alice")).await.unwrap_err();
    assert_eq!(gone.to_string(), "there is no client alice");
    // A new client of that name has nothing of the old one.
    let again = world.signed_in("alice", "ssf.manage").await;
    assert_eq!(again.get("/ssf/streams").await.json(), json!([]));
    assert_eq!(us.token_list(&id("alice")).await.unwrap().len(), 1);
    assert_eq!(world.caller(&alice.token).get("/ssf/streams").await.status, 401);
}

#[tokio::test]
async fn a_static_token_is_good_until_revoked_and_its_use_is_seen() {
    let world = World::new();
    let us = &world.transmitter;
    world.register("alice", |_| {}).await;
    let (token, secret) = us.static_token_create(&id("alice"), None).await.unwrap();
    assert_json_snapshot!(token, @r#"
    {
      "token_id": "alice.00000000000000000000000000000001",
      "type": "static",
      "scope": [
        "ssf.read",
        "ssf.manage"
      ],
      "issue_date": "2026-01-01T00:00:00Z",
      "last_modified": "2026-01-01T00:00:00Z"
    }
    "#);
    let alice = world.caller(secret.expose());
    world.clock.advance(Duration::from_hours(24 * 400));
    assert_eq!(alice.get("/ssf/streams").await.status, 200);
    world.clock.advance(Duration::from_secs(59));
    world.table.take();
    assert_eq!(alice.get("/ssf/streams").await.status, 200);
    assert_eq!(world.table.take().changes(), 0, "noted to the minute");
    let last_used = async || us.token_list(&id("alice")).await.unwrap()[0].last_used.unwrap();
    assert_eq!(last_used().await.to_string(), "2027-02-05T00:00:00Z");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(alice.get("/ssf/streams").await.status, 200);
    assert_eq!(last_used().await.to_string(), "2027-02-05T00:01:00Z");

    let wrong = world.caller(format!("{}x", secret.expose()));
    assert_eq!(wrong.get("/ssf/streams").await.status, 401);
    let revoked = us.token_revoke(&token.token_id.to_string()).await.unwrap();
    assert_eq!(revoked.revoked_at.unwrap(), last_used().await);
    assert_eq!(alice.get("/ssf/streams").await.status, 401);
}

#[tokio::test]
async fn a_static_token_may_have_less_than_is_registered() {
    let world = World::new();
    let us = &world.transmitter;
    world.register("alice", |_| {}).await;
    let read = Some(vec![Scope::Read]);
    let (_, secret) = us.static_token_create(&id("alice"), read).await.unwrap();
    let alice = world.caller(secret.expose());
    assert_eq!(alice.get("/ssf/streams").await.status, 200);
    assert_eq!(alice.post("/ssf/streams", json!({})).await.status, 403);
}

#[tokio::test]
async fn an_operator_revokes_a_token_by_itself_or_by_its_id() {
    let world = World::new();
    let us = &world.transmitter;
    let secret = world.register("alice", |_| {}).await;
    let first = world.token("alice", &secret, "ssf.read").await;
    let second = world.token("alice", &secret, "ssf.read").await;
    assert_eq!(us.token_list(&id("alice")).await.unwrap().len(), 2);
    us.token_revoke(&first).await.unwrap();
    assert_eq!(world.caller(&first).get("/ssf/streams").await.status, 401);
    assert_eq!(world.caller(&second).get("/ssf/streams").await.status, 200);
    let tokens = us.token_list(&id("alice")).await.unwrap();
    let still_good = tokens.iter().find(|token| token.revoked_at.is_none()).unwrap();
    us.token_revoke(&still_good.token_id.to_string()).await.unwrap();
    assert_eq!(world.caller(&second).get("/ssf/streams").await.status, 401);
    let unknown = us.token_revoke("garbage").await.unwrap_err().to_string();
    assert_snapshot!(unknown, @"there is no token like this that is still good");
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(us.token_list(&id("alice")).await.unwrap(), [], "what is over is forgotten");
}

/// Nobody hears anything more on account of a client that is disabled; nothing is lost.
#[tokio::test]
async fn the_streams_of_a_disabled_client_hold_their_events() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let stream = alice.post("/ssf/streams", push_stream("alice", &["session-revoked"])).await;
    let stream = StreamId::parse(stream.stream_id()).unwrap();
    let told = async || {
        world.settle().await;
        let pushed = world.http.take();
        pushed.iter().map(|pushed| event_of(&pushed.claims())).collect::<Vec<_>>()
    };
    world.transmitter.client_disable(&id("alice")).await.unwrap();
    world.emit(&session_revoked("jane@example.com")).await;
    let news = told().await;
    assert_eq!(news.len(), 1, "{news:?}");
    assert_eq!((news[0].0.as_str(), &news[0].1["status"]), ("stream-updated", &json!("paused")));
    let shown = world.transmitter.stream_show(&stream).await.unwrap().summary;
    assert_eq!((shown.status, shown.pending), (Status::Paused, 1));
    world.sweep().await;
    assert_eq!(told().await, []);

    world.transmitter.client_enable(&id("alice")).await.unwrap();
    let mut types: Vec<_> = told().await.into_iter().map(|(event, _)| event).collect();
    types.sort();
    assert_eq!(types, ["session-revoked", "stream-updated"]);
    assert_eq!(told().await, []);
}

/// A request that was authenticated just before.
#[tokio::test]
async fn nothing_is_made_for_a_client_that_is_not_there_any_more() {
    let world = World::new();
    for gone in [false, true] {
        let secret = world.register("alice", |_| {}).await;
        let token = world.token("alice", &secret, "ssf.manage").await;
        let receiver = world.transmitter.authenticate(&token).await.unwrap();
        let client = world.transmitter.client_show(&id("alice")).await.unwrap();
        if gone {
            world.transmitter.client_delete(&id("alice")).await.unwrap();
        } else {
            world.transmitter.client_disable(&id("alice")).await.unwrap();
        }
        let wish = serde_json::from_value(push_stream("alice", &[])).unwrap();
        let refused = world.transmitter.create_stream(&receiver, wish).await;
        assert!(matches!(refused, Err(ssf::Error::Unauthenticated)), "{refused:?}");
        assert_eq!(world.transmitter.streams_of(&id("alice")).await.unwrap(), []);
        assert!(world.transmitter.grant(&client, None).await.is_err());
        if !gone {
            world.transmitter.client_delete(&id("alice")).await.unwrap();
        }
    }
}
