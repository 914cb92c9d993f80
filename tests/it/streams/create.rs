//! Creating streams ([SSF 1.0, 8.1.1.1]).

use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};
use tests::{
    World,
    world::{caep, endpoint, poll_stream, push_stream, session_revoked},
};

use super::{STREAMS, one, send, table};

/// 34–37, 39, 41, 43, 44, 50, 52, 56.
#[tokio::test]
async fn a_stream_that_asks_for_nothing_is_polled_and_delivers_nothing() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    assert_snapshot!(alice.post(STREAMS, json!({})).await, @r#"
    201 Created
    cache-control: no-store
    content-type: application/json

    {
      "aud": "https://alice.example",
      "delivery": {
        "endpoint_url": "https://tocsin.example/ssf/poll/00000000000000000000000000000002",
        "method": "urn:ietf:rfc:8936"
      },
      "events_delivered": [],
      "events_supported": [
        "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change",
        "https://schemas.openid.net/secevent/caep/event-type/credential-change",
        "https://schemas.openid.net/secevent/caep/event-type/device-compliance-change",
        "https://schemas.openid.net/secevent/caep/event-type/risk-level-change",
        "https://schemas.openid.net/secevent/caep/event-type/session-established",
        "https://schemas.openid.net/secevent/caep/event-type/session-presented",
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
        "https://schemas.openid.net/secevent/caep/event-type/token-claims-change",
        "https://schemas.openid.net/secevent/risc/event-type/account-credential-change-required",
        "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
        "https://schemas.openid.net/secevent/risc/event-type/account-enabled",
        "https://schemas.openid.net/secevent/risc/event-type/account-purged",
        "https://schemas.openid.net/secevent/risc/event-type/credential-compromise",
        "https://schemas.openid.net/secevent/risc/event-type/identifier-changed",
        "https://schemas.openid.net/secevent/risc/event-type/identifier-recycled",
        "https://schemas.openid.net/secevent/risc/event-type/opt-in",
        "https://schemas.openid.net/secevent/risc/event-type/opt-out-cancelled",
        "https://schemas.openid.net/secevent/risc/event-type/opt-out-effective",
        "https://schemas.openid.net/secevent/risc/event-type/opt-out-initiated",
        "https://schemas.openid.net/secevent/risc/event-type/recovery-activated",
        "https://schemas.openid.net/secevent/risc/event-type/recovery-information-changed",
        "urn:ietf:params:scim:event:feed:add",
        "urn:ietf:params:scim:event:feed:remove",
        "urn:ietf:params:scim:event:misc:asyncresp",
        "urn:ietf:params:scim:event:prov:activate",
        "urn:ietf:params:scim:event:prov:create:full",
        "urn:ietf:params:scim:event:prov:create:notice",
        "urn:ietf:params:scim:event:prov:deactivate",
        "urn:ietf:params:scim:event:prov:delete",
        "urn:ietf:params:scim:event:prov:patch:full",
        "urn:ietf:params:scim:event:prov:patch:notice",
        "urn:ietf:params:scim:event:prov:put:full",
        "urn:ietf:params:scim:event:prov:put:notice"
      ],
      "iss": "https://tocsin.example",
      "min_verification_interval": 30,
      "stream_id": "00000000000000000000000000000002"
    }
    "#);
}

/// 40, 41, 43, 46, 49: what was sent is echoed as it was, unknown types are not delivered, and the
/// authorization header is not shown to anybody.
#[tokio::test]
async fn a_push_stream_has_what_it_asks_for() {
    let world =
        World::with(|config| config.inactivity_timeout = Some(std::time::Duration::from_hours(1)));
    let alice = world.signed_in("alice", "ssf.manage").await;
    let body = json!({
        "events_requested": [
            caep("session-revoked"), "https://example.com/unknown", "not a URI",
            caep("credential-change"), caep("session-revoked"),
        ],
        "delivery": {
            "method": "urn:ietf:rfc:8935",
            "endpoint_url": "https://Alice.example:443/a/../b?c=%7e",
            "authorization_header": "Bearer secret",
        },
        "description": "Grüße 👋",
        "anything": ["else", {"is": "passed over"}],
    });
    assert_snapshot!(alice.post(STREAMS, body).await, @r#"
    201 Created
    cache-control: no-store
    content-type: application/json

    {
      "aud": "https://alice.example",
      "delivery": {
        "endpoint_url": "https://Alice.example:443/a/../b?c=%7e",
        "method": "urn:ietf:rfc:8935"
      },
      "description": "Grüße 👋",
      "events_delivered": [
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
        "https://schemas.openid.net/secevent/caep/event-type/credential-change"
      ],
      "events_requested": [
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
        "https://example.com/unknown",
        "not a URI",
        "https://schemas.openid.net/secevent/caep/event-type/credential-change"
      ],
      "events_supported": [
        "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change",
        "https://schemas.openid.net/secevent/caep/event-type/credential-change",
        "https://schemas.openid.net/secevent/caep/event-type/device-compliance-change",
        "https://schemas.openid.net/secevent/caep/event-type/risk-level-change",
        "https://schemas.openid.net/secevent/caep/event-type/session-established",
        "https://schemas.openid.net/secevent/caep/event-type/session-presented",
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
        "https://schemas.openid.net/secevent/caep/event-type/token-claims-change",
        "https://schemas.openid.net/secevent/risc/event-type/account-credential-change-required",
        "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
        "https://schemas.openid.net/secevent/risc/event-type/account-enabled",
        "https://schemas.openid.net/secevent/risc/event-type/account-purged",
        "https://schemas.openid.net/secevent/risc/event-type/credential-compromise",
        "https://schemas.openid.net/secevent/risc/event-type/identifier-changed",
        "https://schemas.openid.net/secevent/risc/event-type/identifier-recycled",
        "https://schemas.openid.net/secevent/risc/event-type/opt-in",
        "https://schemas.openid.net/secevent/risc/event-type/opt-out-cancelled",
        "https://schemas.openid.net/secevent/risc/event-type/opt-out-effective",
        "https://schemas.openid.net/secevent/risc/event-type/opt-out-initiated",
        "https://schemas.openid.net/secevent/risc/event-type/recovery-activated",
        "https://schemas.openid.net/secevent/risc/event-type/recovery-information-changed",
        "urn:ietf:params:scim:event:feed:add",
        "urn:ietf:params:scim:event:feed:remove",
        "urn:ietf:params:scim:event:misc:asyncresp",
        "urn:ietf:params:scim:event:prov:activate",
        "urn:ietf:params:scim:event:prov:create:full",
        "urn:ietf:params:scim:event:prov:create:notice",
        "urn:ietf:params:scim:event:prov:deactivate",
        "urn:ietf:params:scim:event:prov:delete",
        "urn:ietf:params:scim:event:prov:patch:full",
        "urn:ietf:params:scim:event:prov:patch:notice",
        "urn:ietf:params:scim:event:prov:put:full",
        "urn:ietf:params:scim:event:prov:put:notice"
      ],
      "inactivity_timeout": 3600,
      "iss": "https://tocsin.example",
      "min_verification_interval": 30,
      "stream_id": "00000000000000000000000000000002"
    }
    "#);
}

/// 37, 38: what a receiver says of `iss` and `aud` when it creates a stream has no effect.
#[tokio::test]
async fn several_audiences_are_an_array() {
    let world = World::new();
    let secret = world
        .register("alice", |wish| wish.audience = vec!["https://a.example".into(), "b".into()])
        .await;
    let alice = world.caller(world.token("alice", &secret, "ssf.manage").await);
    let body = json!({ "iss": "https://evil.example", "aud": "https://bob.example" });
    let stream = alice.post(STREAMS, body).await;
    assert_eq!(stream.status, 201);
    assert_eq!(stream.json()["aud"], json!(["https://a.example", "b"]));
    assert_eq!(stream.json()["iss"], "https://tocsin.example");
    assert_eq!(stream.json()["format"], Value::Null);
}

/// 16: the answer has the name that was asked for.
#[tokio::test]
async fn both_families_of_delivery_uris_are_taken_and_echoed() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    for method in [
        "urn:ietf:rfc:8935",
        "urn:ietf:rfc:8936",
        "https://schemas.openid.net/secevent/risc/delivery-method/push",
        "https://schemas.openid.net/secevent/risc/delivery-method/poll",
    ] {
        let delivery = json!({ "method": method, "endpoint_url": endpoint("alice") });
        let answer = alice.post(STREAMS, json!({ "delivery": delivery })).await;
        assert_eq!(answer.status, 201, "{answer}");
        let id = answer.stream_id();
        assert_eq!(answer.json()["delivery"]["method"], method);
        // 54: a poll endpoint is ours to name.
        let is_push = method.ends_with("push") || method.ends_with("8935");
        let endpoint_url = if is_push {
            endpoint("alice")
        } else {
            format!("https://tocsin.example/ssf/poll/{id}")
        };
        assert_eq!(answer.json()["delivery"]["endpoint_url"], endpoint_url);
        assert_eq!(alice.get(&one(&id)).await.json(), answer.json());
    }
}

/// 51, 55: never the old id again.
#[tokio::test]
async fn a_receiver_has_as_many_streams_as_it_may() {
    let world = World::new();
    let secret = world.register("alice", |wish| wish.max_streams = 2).await;
    let alice = world.caller(world.token("alice", &secret, "ssf.manage").await);
    let first = alice.post(STREAMS, json!({})).await;
    let second = alice.post(STREAMS, json!({})).await;
    assert_ne!(first.stream_id(), second.stream_id());
    assert_ne!(first.json()["delivery"]["endpoint_url"], second.json()["delivery"]["endpoint_url"]);
    assert_snapshot!(alice.post(STREAMS, json!({})).await, @r#"
    409 Conflict
    cache-control: no-store
    content-type: application/problem+json

    {
      "detail": "the receiver already has 2 streams, as many as it may have",
      "status": 409,
      "title": "This does not fit the state of things",
      "type": "urn:tocsin:problem:conflict"
    }
    "#);
    assert_eq!(alice.get(STREAMS).await.json(), json!([first.json(), second.json()]));
    alice.delete(&one(&first.stream_id())).await;
    let third = alice.post(STREAMS, json!({})).await;
    assert_eq!(third.status, 201);
    assert_ne!(third.stream_id(), first.stream_id());
}

/// Else a receiver that has enough could make every event slower.
#[tokio::test]
async fn a_stream_that_is_refused_leaves_nothing_behind() {
    let world = World::new();
    let secret = world.register("alice", |wish| wish.max_streams = 1).await;
    let alice = world.caller(world.token("alice", &secret, "ssf.manage").await);
    let body = poll_stream(&["session-revoked"]);
    alice.post(STREAMS, body.clone()).await;
    let reads = async || {
        world.emit(&session_revoked("jane@example.com")).await;
        world.table.take();
        world.settle().await;
        world.table.take().reads()
    };
    reads().await;
    let before = reads().await;
    for _ in 0..20 {
        assert_eq!(alice.post(STREAMS, body.clone()).await.status, 409);
    }
    assert_eq!(reads().await, before);
}

/// The limit holds when they all ask at once.
#[tokio::test]
async fn creations_at_the_same_time_are_counted() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let creations = (0..30).map(|_| alice.post(STREAMS, json!({})));
    let answers = futures_util::future::join_all(creations).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 10);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 20);
    assert_eq!(alice.get(STREAMS).await.json().as_array().unwrap().len(), 10);
}

/// 33.
#[tokio::test]
async fn creating_can_be_forbidden_by_itself() {
    let world = World::new();
    let secret = world.register("alice", |wish| wish.may_create = false).await;
    let alice = world.caller(world.token("alice", &secret, "ssf.manage").await);
    assert_snapshot!(alice.post(STREAMS, json!({})).await, @r#"
    403 Forbidden
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Bearer realm="ssf", error="insufficient_scope", resource_metadata="https://tocsin.example/.well-known/oauth-protected-resource"

    {
      "detail": "the client may not create streams",
      "status": 403,
      "title": "The access token does not allow this",
      "type": "urn:tocsin:problem:forbidden"
    }
    "#);
    assert_eq!(alice.get(STREAMS).await.status, 200);
}

/// 53, 57: the member that is wrong is named.
#[tokio::test]
async fn what_cannot_be_a_stream_is_refused_by_member() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let push = |members: Value| {
        let mut delivery = json!({ "method": "urn:ietf:rfc:8935" });
        delivery.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!({ "delivery": delivery })
    };
    assert_snapshot!(table(&alice, Method::POST, &[
        json!([]),
        json!("{}"),
        json!(null),
        json!({ "events_requested": "https://example.com/type" }),
        json!({ "events_requested": [1] }),
        json!({ "events_requested": [""] }),
        json!({ "description": 1 }),
        json!({ "delivery": "urn:ietf:rfc:8936" }),
        json!({ "delivery": ["urn:ietf:rfc:8936", null, null] }),
        json!({ "delivery": {} }),
        json!({ "delivery": { "method": 8936 } }),
        json!({ "delivery": { "method": "urn:ietf:rfc:8937" } }),
        push(json!({})),
        push(json!({ "endpoint_url": 1 })),
        push(json!({ "endpoint_url": "" })),
        push(json!({ "endpoint_url": "alice.example" })),
        push(json!({ "endpoint_url": "http://alice.example/" })),
        push(json!({ "endpoint_url": "https://alice:secret@alice.example/" })),
        push(json!({ "endpoint_url": "https://alice.example/#fragment" })),
        push(json!({ "endpoint_url": "https://127.0.0.1/" })),
        push(json!({ "endpoint_url": "https://[::ffff:10.0.0.1]/" })),
        push(json!({ "endpoint_url": "https://169.254.169.254/" })),
        push(json!({ "endpoint_url": "https://localhost/" })),
        push(json!({ "endpoint_url": endpoint("a"), "authorization_header": 1 })),
        push(json!({ "endpoint_url": endpoint("a"), "authorization_header": "" })),
        push(json!({ "endpoint_url": endpoint("a"), "authorization_header": "a\r\nb: c" })),
        push(json!({ "endpoint_url": endpoint("a"), "authorization_header": " a" })),
    ]).await, @r#"
    []
        400 the body must be an object
    "{}"
        400 the body must be an object
    null
        400 the body must be an object
    {"events_requested":"https://example.com/type"}
        400 events_requested is string, expected an array
    {"events_requested":[1]}
        400 events_requested[0] is integer, expected a string
    {"events_requested":[""]}
        400 events_requested has an element that is empty or longer than 512 bytes
    {"description":1}
        400 description is integer, expected a string
    {"delivery":"urn:ietf:rfc:8936"}
        400 delivery is string, expected an object
    {"delivery":["urn:ietf:rfc:8936",null,null]}
        400 delivery is array, expected an object
    {"delivery":{}}
        400 delivery.method is missing
    {"delivery":{"method":8936}}
        400 delivery.method is integer, expected a string
    {"delivery":{"method":"urn:ietf:rfc:8937"}}
        400 delivery.method is not a supported delivery method
    {"delivery":{"method":"urn:ietf:rfc:8935"}}
        400 delivery.endpoint_url is missing
    {"delivery":{"endpoint_url":1,"method":"urn:ietf:rfc:8935"}}
        400 delivery.endpoint_url is integer, expected a string
    {"delivery":{"endpoint_url":"","method":"urn:ietf:rfc:8935"}}
        400 delivery.endpoint_url is not an absolute URL
    {"delivery":{"endpoint_url":"alice.example","method":"urn:ietf:rfc:8935"}}
        400 delivery.endpoint_url is not an absolute URL
    {"delivery":{"endpoint_url":"http://alice.example/","method":"urn:ietf:rfc:8935"}}
        400 delivery.endpoint_url must be an https URL
    {"delivery":{"endpoint_url":"https://alice:secret@alice.example/","method":"urn:ietf:rfc:8935"}}
        400 delivery.endpoint_url must not hold credentials; use authorization_header
    {"delivery":{"endpoint_url":"https://alice.example/#fragment","method":"urn:ietf:rfc:8935"}}
        400 delivery.endpoint_url must not have a fragment
    {"delivery":{"endpoint_url":"https://127.0.0.1/","method":"urn:ietf:rfc:8935"}}
        400 delivery.endpoint_url leads to an address that is not allowed: loopback
    {"delivery":{"endpoint_url":"https://[::ffff:10.0.0.1]/","method":"urn:ietf:rfc:8935"}}
        400 delivery.endpoint_url leads to an address that is not allowed: IPv4-mapped
    {"delivery":{"endpoint_url":"https://169.254.169.254/","method":"urn:ietf:rfc:8935"}}
        400 delivery.endpoint_url leads to an address that is not allowed: metadata
    {"delivery":{"endpoint_url":"https://localhost/","method":"urn:ietf:rfc:8935"}}
        400 delivery.endpoint_url names a host that only a local network knows
    {"delivery":{"authorization_header":1,"endpoint_url":"https://a.example/events","method":"urn:ietf:rfc:8935"}}
        400 delivery.authorization_header is integer, expected a string
    {"delivery":{"authorization_header":"","endpoint_url":"https://a.example/events","method":"urn:ietf:rfc:8935"}}
        400 delivery.authorization_header must have 1 to 4,096 bytes
    {"delivery":{"authorization_header":"a\r\nb: c","endpoint_url":"https://a.example/events","method":"urn:ietf:rfc:8935"}}
        400 delivery.authorization_header cannot be the value of an HTTP header
    {"delivery":{"authorization_header":" a","endpoint_url":"https://a.example/events","method":"urn:ietf:rfc:8935"}}
        400 delivery.authorization_header cannot be the value of an HTTP header
    "#);
    assert_eq!(alice.get(STREAMS).await.json(), json!([]));
}

/// 57: what is too long is refused by name too, and what is just not is taken.
#[tokio::test]
async fn each_member_has_a_size() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let push = |url: usize, header: usize| {
        let url = format!("https://alice.example/{}", "a".repeat(url - 22));
        let header = "a".repeat(header);
        json!({ "delivery": {
            "method": "urn:ietf:rfc:8935", "endpoint_url": url, "authorization_header": header,
        } })
    };
    let events = |count: usize, len: usize| {
        let uri = |number| format!("{number:0>len$}");
        json!({ "events_requested": (0..count).map(uri).collect::<Vec<_>>() })
    };
    let description = |len: usize| json!({ "description": "a".repeat(len) });
    for (fits, does_not, member) in [
        (push(2048, 4096), push(2049, 4096), "delivery.endpoint_url"),
        (push(2048, 4096), push(2048, 4097), "delivery.authorization_header"),
        (events(128, 3), events(129, 3), "events_requested"),
        (events(1, 512), events(1, 513), "events_requested"),
        (description(1024), description(1025), "description"),
    ] {
        assert_eq!(alice.post(STREAMS, fits).await.status, 201, "{member}");
        let refused = alice.post(STREAMS, does_not).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["member"]), (400, &json!(member)));
    }
}

/// 57: whatever is sent to be JSON.
#[tokio::test]
async fn what_is_not_one_json_object_is_refused() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(40), "]".repeat(40));
    let bodies = ["", "{", "{}{}", "{'a':1}", r#"{"a":1,"a":2}"#, "\u{feff}{}", &deep];
    let mut answers = Vec::new();
    for body in bodies {
        answers.push(send(&alice, Method::POST, body).await.brief());
    }
    assert_snapshot!(answers.join("\n"), @r"
    400 the body is not JSON at line 1, column 0
    400 the body is not JSON at line 1, column 1
    400 the body is not JSON at line 1, column 3
    400 the body is not JSON at line 1, column 2
    400 a is there twice
    400 the body is not JSON at line 1, column 1
    400 a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0] is nested too deeply
    ");
    assert_eq!(alice.get(STREAMS).await.json(), json!([]));
}

/// A stream that is there for its receiver is there for events: whatever comes later is delivered.
#[tokio::test]
async fn a_stream_delivers_from_when_it_was_created() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    world.emit(&session_revoked("before@example.com")).await;
    world.settle().await;
    alice.post(STREAMS, push_stream("alice", &["session-revoked"])).await;
    world.emit(&session_revoked("after@example.com")).await;
    world.settle().await;
    let pushed = world.http.take();
    assert_eq!(pushed.len(), 1);
    assert_eq!(pushed[0].claims()["sub_id"]["email"], "after@example.com");
}
