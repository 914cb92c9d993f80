//! What events say of themselves.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{json::Invalid, stream::StreamId, subject::Subject};

mod examples;
mod refusals;
mod scim;

/// Later than all examples, earlier than "the future" below.
const NOW: i64 = 1_700_000_000;

const OURS: &str = "https://example.com/event-type/badge-lost";

fn parse(message: &Value) -> Result<SecurityEvent, Invalid> {
    let private_types = BTreeSet::from([EventType::new(OURS)]);
    let now = Timestamp::from_second(NOW).unwrap();
    let rules = EventRules { private_types: &private_types, now };
    SecurityEvent::parse(message.to_string().as_bytes(), &rules)
}

fn message(event_type: &str, payload: &Value) -> Value {
    json!({
        "sub_id": { "format": "email", "email": "ann@example.com" },
        "events": { event_type: payload },
    })
}

#[test]
fn our_own_events_are_about_the_stream() {
    let id = StreamId::parse("f67e39a0a4d34d56b3aa1bc4cff0069f").unwrap();
    let asked = Verification { state: Some("VGhpcyBpcyBhbiBleGFtcGxlIHN0YXRlIHZhbHVlLgo=".into()) };
    let updated = StreamUpdated { status: "paused".into(), reason: Some("License expired".into()) };
    for (event, event_type, payload) in [
        (
            asked.on(&id),
            EventType::VERIFICATION,
            json!({ "state": "VGhpcyBpcyBhbiBleGFtcGxlIHN0YXRlIHZhbHVlLgo=" }),
        ),
        (Verification::default().on(&id), EventType::VERIFICATION, json!({})),
        (
            updated.on(&id),
            EventType::STREAM_UPDATED,
            json!({ "status": "paused", "reason": "License expired" }),
        ),
    ] {
        assert_eq!(event.subject, Subject::stream(&id));
        assert_eq!(event.stream_id.as_ref(), Some(&id));
        assert_eq!(event.event_type, event_type);
        assert_eq!(Value::Object(event.payload), payload);
    }
}

#[test]
fn what_is_shown_of_an_event_does_not_tell_whom_it_is_about() {
    let event =
        parse(&message(EventType::OPT_IN.as_str(), &json!({ "secret": "s3cr3t" }))).unwrap();
    let shown = format!("{event:?}");
    assert!(shown.contains("opt-in") && shown.contains("email"), "{shown}");
    assert!(!shown.contains("ann@") && !shown.contains("s3cr3t"), "{shown}");
}

#[test]
fn types_have_families_and_short_names() {
    for (event_type, family, name) in [
        (EventType::RISK_LEVEL_CHANGE, Family::Caep, "risk-level-change"),
        (
            EventType::ACCOUNT_CREDENTIAL_CHANGE_REQUIRED,
            Family::Risc,
            "account-credential-change-required",
        ),
        (EventType::RECOVERY_INFORMATION_CHANGED, Family::Risc, "recovery-information-changed"),
        (EventType::SESSIONS_REVOKED, Family::Risc, "sessions-revoked"),
        (EventType::SCIM_CREATE_NOTICE, Family::Scim, "prov:create:notice"),
        (EventType::SCIM_ASYNC_RESPONSE, Family::Scim, "misc:asyncresp"),
        (EventType::VERIFICATION, Family::Ssf, "verification"),
        (EventType::STREAM_UPDATED, Family::Ssf, "stream-updated"),
        (EventType::new(OURS), Family::Private, OURS),
    ] {
        assert_eq!((event_type.family(), event_type.short_name()), (family, name));
        assert_eq!(event_type.is_standard(), family != Family::Private);
    }
    assert_eq!(
        EventType::new("https://schemas.openid.net/secevent/caep/event-type/session-revoked"),
        EventType::SESSION_REVOKED,
    );
    assert_eq!(EventType::supported().len(), 33);
}
