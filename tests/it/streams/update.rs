//! Updating and replacing streams ([SSF 1.0, 8.1.1.3 and 8.1.1.4]).

use futures_util::future::join_all;
use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};
use tests::{
    Answer, World,
    world::{caep, endpoint, poll_stream, push_stream},
};

use super::{STREAMS, alice, changed, read, table, with};

/// 62, 63, 66.
#[tokio::test]
async fn a_patch_changes_what_it_names_and_answers_all() {
    let (_world, alice, stream) = alice().await;
    let answer = alice.patch(STREAMS, with(&stream, json!({ "description": "second" }))).await;
    assert_snapshot!(answer, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {
      "aud": "https://alice.example",
      "delivery": {
        "endpoint_url": "https://alice.example/events",
        "method": "urn:ietf:rfc:8935"
      },
      "description": "second",
      "events_delivered": [
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
        "https://schemas.openid.net/secevent/caep/event-type/credential-change"
      ],
      "events_requested": [
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
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
      "iss": "https://tocsin.example",
      "min_verification_interval": 30,
      "stream_id": "00000000000000000000000000000002"
    }
    "#);
    assert_eq!(answer.json(), changed(&stream, json!({ "description": "second" })));
    assert_eq!(read(&alice, &stream).await, answer.json());

    let wish = json!({ "events_requested": [caep("session-revoked"), "https://example.com/new"] });
    let answer = alice.patch(STREAMS, with(&stream, wish.clone())).await;
    let delivered = json!({ "events_delivered": [caep("session-revoked")] });
    let wanted = changed(&changed(&stream, json!({ "description": "second" })), delivered);
    let wanted = changed(&wanted, wish);
    assert_eq!(answer.json(), wanted);

    let delivery = json!({ "method": "urn:ietf:rfc:8935", "endpoint_url": endpoint("new") });
    let answer = alice.patch(STREAMS, with(&stream, json!({ "delivery": delivery }))).await;
    assert_eq!(answer.json(), changed(&wanted, json!({ "delivery": delivery })));

    let nothing = alice.patch(STREAMS, with(&stream, json!({}))).await;
    assert_eq!((nothing.status.as_u16(), nothing.json()), (200, answer.json()));
}

/// RFC 7396 has it so, and receivers expect it.
#[tokio::test]
async fn a_null_in_a_patch_removes() {
    let (_world, alice, stream) = alice().await;
    let nulls = json!({ "description": null, "events_requested": null, "delivery": null });
    let answer = alice.patch(STREAMS, with(&stream, nulls)).await;
    assert_eq!(answer.status, 200);
    let id = stream["stream_id"].as_str().unwrap();
    let poll = format!("https://tocsin.example/ssf/poll/{id}");
    let mut wanted = changed(
        &stream,
        json!({
            "events_delivered": [],
            "delivery": { "method": "urn:ietf:rfc:8936", "endpoint_url": poll },
        }),
    );
    wanted
        .as_object_mut()
        .unwrap()
        .retain(|name, _| !["description", "events_requested"].contains(&name.as_str()));
    assert_eq!(answer.json(), wanted);
}

/// 68.
#[tokio::test]
async fn a_put_removes_what_it_does_not_name() {
    let (_world, alice, stream) = alice().await;
    let answer = alice.put(STREAMS, with(&stream, json!({}))).await;
    assert_snapshot!(answer, @r#"
    200 OK
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
    assert_eq!(read(&alice, &stream).await, answer.json());
    let whole = json!({
        "events_requested": stream["events_requested"],
        "delivery": stream["delivery"],
        "description": "first",
    });
    let answer = alice.put(STREAMS, with(&stream, whole)).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, stream));
}

/// 38, 64: all that was read can be sent back; what differs is refused by name.
#[tokio::test]
async fn members_of_the_transmitter_may_be_repeated_and_not_changed() {
    let (_world, alice, stream) = alice().await;
    for method in [Method::PATCH, Method::PUT] {
        let answer = super::send(&alice, method.clone(), &stream.to_string()).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, stream.clone()));
        // Another way to write the same.
        let same = json!({
            "aud": ["https://alice.example"],
            "events_delivered": [caep("session-revoked"), caep("credential-change")],
        });
        let body = changed(&stream, same);
        assert_eq!(super::send(&alice, method.clone(), &body.to_string()).await.status, 200);
        let others = [
            json!({ "iss": "https://evil.example" }),
            json!({ "iss": "https://tocsin.example/" }),
            json!({ "iss": ["https://tocsin.example"] }),
            json!({ "iss": null }),
            json!({ "aud": "https://bob.example" }),
            json!({ "aud": ["https://alice.example", "https://bob.example"] }),
            json!({ "aud": [] }),
            json!({ "aud": null }),
            json!({ "events_supported": [caep("session-revoked")] }),
            json!({ "events_delivered": [caep("session-revoked")] }),
            json!({ "events_delivered": caep("session-revoked") }),
            json!({ "min_verification_interval": 1 }),
            json!({ "min_verification_interval": "30" }),
            json!({ "inactivity_timeout": 3600 }),
        ];
        for other in others {
            let body = with(&stream, changed(&other, json!({ "description": "changed" })));
            let answer = super::send(&alice, method.clone(), &body.to_string()).await;
            let member = other.as_object().unwrap().keys().next().unwrap();
            assert_eq!(
                answer.brief(),
                format!(
                    "400 {member} is supplied by the transmitter and differs from the current value"
                ),
                "{other}"
            );
            assert_eq!(answer.json()["member"], member.as_str());
        }
        assert_eq!(read(&alice, &stream).await, stream, "a refused update changes nothing");
    }
}

/// 65.
#[tokio::test]
async fn events_delivered_is_compared_with_what_it_was_before() {
    let (_world, alice, stream) = alice().await;
    for method in [Method::PATCH, Method::PUT] {
        let old = read(&alice, &stream).await["events_delivered"].clone();
        let new = json!([caep("risk-level-change")]);
        let body = |delivered: &Value, requested: &Value| {
            let wish = json!({ "events_delivered": delivered, "events_requested": requested });
            with(&stream, wish).to_string()
        };
        let refused = super::send(&alice, method.clone(), &body(&new, &new)).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["member"]),
            (400, &json!("events_delivered"))
        );
        let taken = super::send(&alice, method.clone(), &body(&old, &new)).await;
        assert_eq!((taken.status.as_u16(), &taken.json()["events_delivered"]), (200, &new));
        super::send(&alice, method, &body(&new, &old)).await;
    }
}

/// 61, 67, and what else cannot be read; the same for both.
#[tokio::test]
async fn an_update_that_cannot_be_read_is_refused_by_member() {
    let (_world, alice, stream) = alice().await;
    let bodies = [
        json!({ "description": "no id" }),
        json!({ "stream_id": 1 }),
        json!({ "stream_id": null }),
        json!({ "stream_id": "a".repeat(257) }),
        json!([]),
        with(&stream, json!({ "description": ["a"] })),
        with(&stream, json!({ "events_requested": { "a": 1 } })),
        with(&stream, json!({ "delivery": { "endpoint_url": endpoint("a") } })),
        with(&stream, json!({ "delivery": { "method": "urn:ietf:rfc:8935" } })),
        with(&stream, json!({ "delivery": { "method": "smoke signals" } })),
    ];
    let patched = table(&alice, Method::PATCH, &bodies).await;
    assert_snapshot!(patched.replace(&"a".repeat(257), "aaa…"), @r#"
    {"description":"no id"}
        400 stream_id is missing
    {"stream_id":1}
        400 stream_id is integer, expected a string
    {"stream_id":null}
        400 stream_id is null, expected a string
    {"stream_id":"aaa…"}
        400 stream_id is longer than 256 bytes
    []
        400 the body must be an object
    {"description":["a"],"stream_id":"00000000000000000000000000000002"}
        400 description is array, expected a string
    {"events_requested":{"a":1},"stream_id":"00000000000000000000000000000002"}
        400 events_requested is object, expected an array
    {"delivery":{"endpoint_url":"https://a.example/events"},"stream_id":"00000000000000000000000000000002"}
        400 delivery.method is missing
    {"delivery":{"method":"urn:ietf:rfc:8935"},"stream_id":"00000000000000000000000000000002"}
        400 delivery.endpoint_url is missing
    {"delivery":{"method":"smoke signals"},"stream_id":"00000000000000000000000000000002"}
        400 delivery.method is not a supported delivery method
    "#);
    assert_eq!(table(&alice, Method::PUT, &bodies).await, patched);
    assert_eq!(read(&alice, &stream).await, stream);
}

/// No update is lost, of whichever part of a stream, however many there are at once.
#[tokio::test]
async fn updates_at_the_same_time_all_count() {
    let world = World::with(|config| config.requests_per_second = 0);
    let secret = world
        .register("alice", |wish| {
            wish.default_subjects = Some(ssf::client::ClientSubjects::None);
        })
        .await;
    let alice = world.caller(world.token("alice", &secret, "ssf.manage").await);
    let stream = alice.post(STREAMS, json!({})).await.json();
    let user = json!({ "format": "email", "email": "jane@example.com" });
    let shapes = ["user", "device", "session", "application", "tenant", "org_unit", "group"];
    let subject = |shape: &str| json!({ "format": "complex", shape: user });
    // Each of these changes the one item that the stream is, and another part of it.
    let adds = shapes.iter().map(async |shape| {
        alice.post("/ssf/subjects/add", with(&stream, json!({ "subject": subject(shape) }))).await
    });
    let describes = (0..20).map(async |number| {
        alice.patch(STREAMS, with(&stream, json!({ "description": number.to_string() }))).await
    });
    let events = async {
        vec![alice.patch(STREAMS, with(&stream, poll_stream(&["session-revoked"]))).await]
    };
    let delivers = async {
        let delivery = push_stream("alice", &[])["delivery"].clone();
        vec![alice.patch(STREAMS, with(&stream, json!({ "delivery": delivery }))).await]
    };
    let answers: [Vec<Answer>; 4] =
        tokio::join!(join_all(adds), join_all(describes), events, delivers).into();
    for answer in answers.iter().flatten() {
        assert_eq!(answer.status, 200, "{answer}");
    }
    let after = read(&alice, &stream).await;
    let said: Vec<_> =
        answers[1].iter().map(|answer| answer.json()["description"].clone()).collect();
    assert!(said.contains(&after["description"]));
    assert_eq!(after["events_delivered"], json!([caep("session-revoked")]));
    assert_eq!(after["delivery"]["endpoint_url"], endpoint("alice"));
    for shape in shapes {
        world
            .emit(&json!({ "sub_id": subject(shape), "events": { caep("session-revoked"): {} } }))
            .await;
        world.settle().await;
        assert_eq!(world.http.take().len(), 1, "{shape}");
    }
}
