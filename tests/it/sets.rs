//! What SETs say ([SSF 1.0, 4], RFC 8417); the numbers are those of the requirements.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::{
    client::{Profile, Receiver},
    config::Issuer,
    event::EventType,
};
use tests::{
    World,
    world::{Pushed, caep, event_of, poll_stream, push_stream, session_revoked},
};

fn risc(name: &str) -> String {
    format!("https://schemas.openid.net/secevent/risc/event-type/{name}")
}

fn jane() -> Value {
    json!({ "format": "email", "email": "jane@example.com" })
}

/// The texts of the header and of the claims.
fn texts(set: &str) -> [String; 2] {
    let mut parts = set.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    [(); 2].map(|()| String::from_utf8(parts.next().unwrap()).unwrap())
}

/// What is pushed because of `event`.
async fn told(world: &World, event: &Value) -> Vec<Pushed> {
    world.emit(event).await;
    world.settle().await;
    world.http.take()
}

/// A push stream for `alice` that gets `types`, by their URIs.
async fn stream(world: &World, alice: &Receiver, types: &[String]) -> Value {
    let mut body = push_stream("alice", &[]);
    body["events_requested"] = json!(types);
    world.create(alice, body).await
}

/// 3, 109, 112, 118–121, 123–128: to the byte. RS256 makes the same signature each time, so that
/// this is the whole SET.
#[tokio::test]
async fn a_set_is_what_the_standards_say_and_nothing_else() {
    let world = World::new();
    stream(&world, &world.receiver("alice"), &[caep("credential-change")]).await;
    let event = json!({
        "sub_id": { "format": "iss_sub", "iss": "https://idp.example", "sub": "jane" },
        "events": { caep("credential-change"): {
            "change_type": "create",
            "credential_type": "fido2-roaming",
            "event_timestamp": 1_767_225_500,
            "fido2_aaguid": "accced6a-63f5-490a-9eea-e59bc1896cfc",
            "friendly_name": "Jane's USB authenticator",
            "initiating_entity": "user",
            "reason_admin": { "en": "User self-enrollment" },
        } },
        "txn": "8675309",
        "toe": 1_767_225_500,
        "id": "enrollment 1",
    });
    let pushed = told(&world, &event).await.pop().unwrap();
    let [header, claims] = texts(&pushed.set);
    assert_snapshot!(header, @r#"{"alg":"RS256","kid":"VPyBq1JNHdq77AW8qVORC8KyvrARZBJ65GgzuPso9to","typ":"secevent+jwt"}"#);
    assert_snapshot!(claims, @r#"{"iss":"https://tocsin.example","jti":"e15d64b2-05fe-8f57-b1e9-7f16a3d77e78","iat":1767225600,"aud":"https://alice.example","txn":"8675309","toe":1767225500,"sub_id":{"format":"iss_sub","iss":"https://idp.example","sub":"jane"},"events":{"https://schemas.openid.net/secevent/caep/event-type/credential-change":{"change_type":"create","credential_type":"fido2-roaming","event_timestamp":1767225500,"fido2_aaguid":"accced6a-63f5-490a-9eea-e59bc1896cfc","friendly_name":"Jane's USB authenticator","initiating_entity":"user","reason_admin":{"en":"User self-enrollment"}}}}"#);
    assert_snapshot!(pushed.set.split('.').next_back().unwrap(), @"GQn0IGNiW-3hNEiV3eDUHzNm6cLGEqv10YUg399hJ_UQHXBq71TKMTn5tGGblZhfVS4iTvB7vem-xG6AKNE9wwvWD5oe0OyXvc3anYvVSLeA9mXdD9k2AYp7WxS_43NTR2-gzHMVxPRzT4h9YWXG946jxnIECSfRqn9PztyhEy5zUmsfqrspFpkRSZV8tl2d_u2DLFzNCmAfPxC9-YeLiNdn0HBW2Ls7-G0N0vEjRvKgpm9Ug--iFkX8HZNdx2RQ4jtML4zSBMDA7_m9NxAC9sYPUhYQcdo41KFkxXIRfBjoHn63Hf9FCoaaWFJGJY_1jkPr3Avc5fIarBN2X8aSTA");
}

/// 1, 3, 36, 120: whatever the issuer is called, a slash at its end too.
#[tokio::test]
async fn the_issuer_is_the_configured_one_to_the_letter() {
    for issuer in
        ["https://tocsin.example/", "https://Tocsin.example:8443/a/b", "https://t.example/ä"]
    {
        let world = World::with(|config| config.issuer = Issuer::parse(issuer).unwrap());
        let stream = stream(&world, &world.receiver("alice"), &[caep("session-revoked")]).await;
        assert_eq!(stream["iss"], issuer);
        let pushed = told(&world, &session_revoked("jane@example.com")).await.pop().unwrap();
        assert_eq!(pushed.claims()["iss"], issuer);
    }
}

/// 15, 129, 130: with what anybody can read.
#[tokio::test]
async fn a_set_is_verified_with_the_published_key_of_2_048_bits() {
    let world = World::new();
    stream(&world, &world.receiver("alice"), &[caep("session-revoked")]).await;
    let pushed = told(&world, &session_revoked("jane@example.com")).await.pop().unwrap();
    let header: Value = serde_json::from_str(&texts(&pushed.set)[0]).unwrap();
    let jwks = world.anyone().get("/jwks.json").await.json();
    let keys: Vec<_> =
        jwks["keys"].as_array().unwrap().iter().filter(|key| key["kid"] == header["kid"]).collect();
    let [key] = keys[..] else { panic!("one key, not {}", keys.len()) };
    let member = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    assert_eq!(member("n").len() * 8, 2048);
    let (signed, signature) = pushed.set.rsplit_once('.').unwrap();
    let (n, e) = (member("n"), member("e"));
    let key = aws_lc_rs::signature::RsaPublicKeyComponents { n: &n, e: &e };
    key.verify(
        &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256,
        signed.as_bytes(),
        &URL_SAFE_NO_PAD.decode(signature).unwrap(),
    )
    .unwrap();
}

/// 37, 121, 122: one audience is a text, several are a list; and each receiver has its own.
#[tokio::test]
async fn the_audience_is_the_receivers() {
    let world = World::new();
    let audience = vec!["https://alice.example".to_owned(), "alice".to_owned()];
    let alice = Receiver { audience, ..world.receiver("alice") };
    stream(&world, &alice, &[caep("session-revoked")]).await;
    let bob = push_stream("bob", &["session-revoked"]);
    world.create(&world.receiver("bob"), bob).await;
    let mut pushed = told(&world, &session_revoked("jane@example.com")).await;
    pushed.sort_by_key(|pushed| pushed.endpoint.clone());
    let audiences: Vec<_> = pushed.iter().map(|pushed| pushed.claims()["aud"].clone()).collect();
    assert_eq!(
        audiences,
        [json!(["https://alice.example", "alice"]), json!("https://bob.example")]
    );
}

/// 123, 125: SETs of one cause share `txn`, those of another do not; no two have the same `jti`.
#[tokio::test]
async fn txn_says_which_sets_have_one_cause() {
    let world = World::new();
    for name in ["alice", "bob"] {
        let body = push_stream(name, &["session-revoked"]);
        world.create(&world.receiver(name), body).await;
    }
    let one = session_revoked("jane@example.com");
    let mut given = one.clone();
    given["txn"] = json!("cause");
    let mut named = one.clone();
    named["id"] = json!("name");
    let mut txns = Vec::new();
    let mut jtis = BTreeSet::new();
    for event in [&one, &one, &named, &given, &given] {
        let pushed = told(&world, event).await;
        let of = |name: &str| pushed.iter().map(|it| it.claims()[name].to_string()).collect();
        let both: BTreeSet<String> = of("txn");
        assert_eq!((pushed.len(), both.len()), (2, 1));
        txns.extend(both);
        jtis.extend(of("jti"));
    }
    assert_eq!(txns[3..], [r#""cause""#, r#""cause""#]);
    assert_eq!(BTreeSet::from_iter(&txns).len(), 4, "{txns:?}");
    assert_eq!(jtis.len(), 10);
}

/// An event that its sender sends twice, by whichever door, is told once.
#[tokio::test]
async fn an_event_with_the_same_id_makes_the_same_set() {
    let world = World::new();
    stream(&world, &world.receiver("alice"), &[caep("session-revoked")]).await;
    let mut event = session_revoked("jane@example.com");
    event["id"] = json!("once");
    world.emit(&event).await;
    world.emit(&event).await;
    assert_eq!(told(&world, &event).await.len(), 1);
    world.clock.advance(std::time::Duration::from_mins(10));
    world.emit_fifo("jane", &event).await;
    assert_eq!(told(&world, &event).await.len(), 0);
}

/// 127, 131, 175: each type, with the members that it needs and no others; those of RFC 9967, too.
#[tokio::test]
async fn each_type_is_one_event_with_an_object() {
    let world = World::new();
    let trusted = world.trusted("alice");
    let types: Vec<String> =
        EventType::supported().iter().map(|event_type| event_type.as_str().to_owned()).collect();
    stream(&world, &trusted, &types).await;
    let payload = |name: &str| match name {
        "urn:ietf:params:scim:event:misc:asyncresp" => json!({ "method": "PUT", "status": "200" }),
        name if name.ends_with(":full") => json!({ "data": { "userName": "jane" } }),
        name if name.ends_with(":notice") => json!({ "attributes": ["userName"] }),
        "token-claims-change" => json!({ "claims": { "role": "admin" } }),
        "credential-change" => json!({ "credential_type": "pin", "change_type": "revoke" }),
        "assurance-level-change" => {
            json!({ "namespace": "NIST-AAL", "current_level": "nist-aal2" })
        }
        "device-compliance-change" => {
            json!({ "previous_status": "compliant", "current_status": "not-compliant" })
        }
        "risk-level-change" => json!({ "principal": "USER", "current_level": "HIGH" }),
        "credential-compromise" => json!({ "credential_type": "password" }),
        _ => json!({}),
    };
    for uri in types {
        let name = uri.rsplit('/').next().unwrap();
        let sent = payload(name);
        let subject = if uri.starts_with("urn:") {
            json!({ "format": "scim", "uri": "/Users/1", "externalId": "jane" })
        } else {
            jane()
        };
        let event = json!({ "sub_id": subject, "events": { uri.as_str(): sent } });
        let pushed = told(&world, &event).await;
        let claims = match &pushed[..] {
            [pushed] => pushed.claims(),
            // The account is out, from the last event but some on.
            _ => panic!("{} SETs of {name}", pushed.len()),
        };
        let (event_type, mut got) = event_of(&claims);
        assert_eq!((event_type.as_str(), &claims["sub_id"]), (name, &subject));
        // 166, 167: a reason is given where the profile demands one.
        let reason = got.as_object_mut().unwrap().remove("reason_admin");
        assert_eq!(reason.is_some(), ["session-revoked", "credential-change"].contains(&name));
        assert_eq!(got, sent);
        for name in ["sub", "exp"] {
            assert_eq!(claims.get(name), None);
        }
        // 174: so that the next type is told, too.
        if name == "opt-out-effective" {
            told(&world, &json!({ "sub_id": jane(), "events": { risc("opt-in"): {} } })).await;
        }
    }
}

/// 109, 110: for receivers that look for it there too, if the operator says so; never where the
/// standard has no such member.
#[tokio::test]
async fn the_subject_can_be_repeated_inside_the_event() {
    let private = EventType::new("https://example.com/event-type/moved");
    let world = World::with(|config| {
        config.private_event_types = BTreeSet::from([private.clone()]);
        config.min_verification_interval = std::time::Duration::ZERO;
    });
    let types = [caep("session-revoked"), risc("account-purged"), private.as_str().to_owned()];
    for (subject_in_event, profile) in
        [(false, Profile::Standard), (true, Profile::Standard), (false, Profile::Legacy)]
    {
        let name = format!("{subject_in_event}-{profile:?}");
        let receiver = Receiver { subject_in_event, profile, ..world.receiver(&name) };
        let stream = stream(&world, &receiver, &types).await;
        let only = |uri: &str| json!({ "sub_id": jane(), "events": { uri: {} }, "stream_id": stream["stream_id"] });
        let repeats = subject_in_event || profile == Profile::Legacy;
        for (uri, may_repeat) in [(&types[0], true), (&types[1], true), (&types[2], false)] {
            let claims = told(&world, &only(uri)).await[0].claims();
            let wanted = (repeats && may_repeat).then(jane);
            assert_eq!(event_of(&claims).1.get("subject"), wanted.as_ref(), "{name} {uri}");
            assert_eq!(claims["sub_id"], jane());
        }
        let verify = serde_json::from_value(json!({ "stream_id": stream["stream_id"] })).unwrap();
        world.transmitter.verify_stream(&receiver, verify).await.unwrap();
        world.settle().await;
        assert_eq!(event_of(&world.http.take()[0].claims()).1, json!({}));
    }
}

/// 109: one that the sender put there stays there, and is no substitute.
#[tokio::test]
async fn a_subject_inside_the_event_does_not_replace_sub_id() {
    let world = World::new();
    stream(&world, &world.receiver("alice"), &[caep("session-revoked")]).await;
    let mut event = session_revoked("jane@example.com");
    event["events"][caep("session-revoked")]["subject"] = jane();
    let claims = told(&world, &event).await[0].claims();
    assert_eq!((&claims["sub_id"], &event_of(&claims).1["subject"]), (&jane(), &jane()));
    event.as_object_mut().unwrap().remove("sub_id");
    assert_eq!(told(&world, &event).await, []);
    assert_eq!(world.dead_letters().await, ["sub_id: is missing"]);
}

/// 126: when it was issued, not when the event happened or was sent.
#[tokio::test]
async fn iat_is_when_the_set_was_made() {
    let world = World::new();
    stream(&world, &world.receiver("alice"), &[caep("session-revoked")]).await;
    let mut event = session_revoked("jane@example.com");
    event["toe"] = json!(world.seconds() - 100);
    world.emit(&event).await;
    world.clock.advance(std::time::Duration::from_millis(61_900));
    world.settle().await;
    let claims = world.http.take()[0].claims();
    assert_eq!(claims["iat"], world.seconds());
    assert_eq!(claims["toe"], world.seconds() - 161);
}

/// 3, 118, 120: by poll it is the same.
#[tokio::test]
async fn a_polled_set_is_like_a_pushed_one() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let id = alice.post("/ssf/streams", poll_stream(&["session-revoked"])).await.stream_id();
    let mut event = session_revoked("jane@example.com");
    event["id"] = json!("polled");
    world.emit(&event).await;
    world.settle().await;
    assert_snapshot!(alice.post(&format!("/ssf/poll/{id}"), json!({})).await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {
      "sets": {
        "e96e4602-7f24-830a-9762-c0a830d386c6": "eyJhbGciOiJSUzI1NiIsImtpZCI6IlZQeUJxMUpOSGRxNzdBVzhxVk9SQzhLeXZyQVJaQko2NUdnenVQc285dG8iLCJ0eXAiOiJzZWNldmVudCtqd3QifQ.eyJpc3MiOiJodHRwczovL3RvY3Npbi5leGFtcGxlIiwianRpIjoiZTk2ZTQ2MDItN2YyNC04MzBhLTk3NjItYzBhODMwZDM4NmM2IiwiaWF0IjoxNzY3MjI1NjAwLCJhdWQiOiJodHRwczovL2FsaWNlLmV4YW1wbGUiLCJ0eG4iOiI0ZjRkNDdmZS1hY2Y1LTg5YzMtOWRhYy0zYjM2ZGU5Mjk3ODAiLCJzdWJfaWQiOnsiZW1haWwiOiJqYW5lQGV4YW1wbGUuY29tIiwiZm9ybWF0IjoiZW1haWwifSwiZXZlbnRzIjp7Imh0dHBzOi8vc2NoZW1hcy5vcGVuaWQubmV0L3NlY2V2ZW50L2NhZXAvZXZlbnQtdHlwZS9zZXNzaW9uLXJldm9rZWQiOnsicmVhc29uX2FkbWluIjp7ImVuIjoiU2Vzc2lvbiByZXZva2VkIn19fX0.sVSOM0OFo-P9jRMvinjkmpLZjq9OGzbzzImzPXnloKrERAjTGuRWuAtnK1RfoVaiT_OZ2ZEmFX5aSfyr_pQe07m32z7eghx5Fcow7JIqUIpK-4XbPtVBep-ETMeoO8pYi7Av_owHIetypIRLo5d5JMDHTKs6mpr9XDLljxFpZm1UYJPqpYVHlHHR31cbbsveDieWwxVCcS_qDUE9Wk50O-dvL8K2hOJKqC8fs-42olES3EuClxRaOC2eiYZR_8ymH29UhMmXZgwz7oa04k9Kxlei5IrK--bYaV6MF2t4nLtWjeaUx_Lr8_RcRENjaYAO5BLKn_HBF0OPhmqak9V5mw"
      }
    }
    "#);
}
