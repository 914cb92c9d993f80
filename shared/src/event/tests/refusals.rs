//! What cannot be an event, and what is said about it.

use serde_json::{Value, json};

use super::{NOW, OURS, message, parse};
use crate::event::{EventType, MAX_EVENT_BYTES};

#[track_caller]
fn refused(message: &Value, error: &str) {
    assert_eq!(parse(message).unwrap_err().to_string(), error, "{message}");
}

#[test]
fn a_message_that_cannot_be_an_event_is_refused_by_name() {
    let good = message(EventType::ACCOUNT_PURGED.as_str(), &json!({}));
    assert!(parse(&good).is_ok());
    let with = |member: &str, value: Value| {
        let mut message = good.clone();
        message[member] = value;
        message
    };
    let name = "must be a string of 1 to 256 characters, none a control character";
    for (member, value, reason) in [
        ("iss", json!("https://idp.example.com"), "is set by the transmitter"),
        ("aud", json!("https://rp.example.com"), "is set by the transmitter"),
        ("iat", json!(NOW), "is set by the transmitter"),
        ("jti", json!("1"), "is set by the transmitter"),
        ("sub", json!("ann"), "must not be part of a SET"),
        ("exp", json!(NOW), "must not be part of a SET"),
        ("subject", json!({}), "is not one of sub_id, events, txn, toe, id and stream_id"),
        ("sub_id", json!("ann@example.com"), "must be a JSON object"),
        ("events", json!([]), "must be a JSON object"),
        ("events", json!({}), "must hold exactly one event"),
        ("events", json!({ "a:1": {}, "a:2": {} }), "must hold exactly one event"),
        ("id", json!(""), name),
        ("id", json!(7), name),
        ("id", json!("é".repeat(257)), name),
        ("txn", json!("a\nb"), name),
        ("toe", json!("2026-01-01"), "must be a number of seconds since 1970"),
        ("toe", json!(1_615_304_991_000_i64), "must be in seconds, not milliseconds"),
        ("toe", json!(NOW + 301), "must not be in the future, by more than 5 minutes"),
        ("toe", json!(-1), "must not be before 1970"),
        ("stream_id", json!("a b"), "is not the id of a stream"),
        ("stream_id", json!(1), "is not the id of a stream"),
    ] {
        refused(&with(member, value), &format!("{member}: {reason}"));
    }
    assert!(parse(&with("id", json!("é".repeat(256)))).is_ok());
    assert!(parse(&with("toe", json!(NOW + 300))).is_ok());
    refused(&json!([]), ".: must be a JSON object");
    refused(&json!({ "events": {} }), "sub_id: is missing");
    refused(&json!({ "sub_id": { "format": "opaque", "id": "1" } }), "events: is missing");
    refused(
        &with("sub_id", json!({ "format": "email", "email": "ann" })),
        "sub_id.email: is not an e-mail address, local@domain",
    );
    refused(
        &with("id", json!("x".repeat(MAX_EVENT_BYTES))),
        ".: must not be longer than 262144 bytes (256 KiB)",
    );
}

#[test]
fn types_that_upstream_systems_must_not_send_are_refused() {
    for (event_type, error) in [
        (
            EventType::SESSIONS_REVOKED,
            "events.sessions-revoked: is deprecated; send \
             https://schemas.openid.net/secevent/caep/event-type/session-revoked",
        ),
        (EventType::VERIFICATION, "events.verification: is made by the transmitter alone"),
        (EventType::STREAM_UPDATED, "events.stream-updated: is made by the transmitter alone"),
        (
            EventType::new("https://example.com/other"),
            "events.https://example.com/other: \
             is neither a type of CAEP, RISC or SCIM nor allowed by the operator",
        ),
    ] {
        refused(&message(event_type.as_str(), &json!({})), error);
    }
    refused(
        &message(EventType::OPT_IN.as_str(), &Value::Null),
        "events.opt-in: must be a JSON object",
    );
    refused(&message(OURS, &json!([])), &format!("events.{OURS}: must be a JSON object"));
}

#[test]
fn members_that_all_caep_types_share_are_checked() {
    let form = r#"must be an object of texts by language, such as {"en": "Policy violation"}"#;
    let texts = "must be a string that is not empty";
    for (member, value, error) in [
        ("event_timestamp", json!("1615304991"), "must be a number of seconds since 1970"),
        ("event_timestamp", json!(1_615_304_991_000_i64), "must be in seconds, not milliseconds"),
        ("event_timestamp", json!(NOW + 301), "must not be in the future, by more than 5 minutes"),
        ("initiating_entity", json!("robot"), "must be admin, user, policy or system"),
        ("reason_admin", json!("Logged out"), form),
        ("reason_user", json!(1), form),
        ("reason_admin", json!({}), "must hold a text in at least one language"),
    ] {
        for event_type in &EventType::supported()[..8] {
            let at = format!("events.{}.{member}", event_type.short_name());
            refused(
                &message(event_type.as_str(), &json!({ member: value })),
                &format!("{at}: {error}"),
            );
        }
    }
    for (reasons, at) in
        [(json!({ "en": "" }), "reason_admin.en"), (json!({ "en": ["x"] }), "reason_admin.en")]
    {
        refused(
            &message(EventType::SESSION_REVOKED.as_str(), &json!({ "reason_admin": reasons })),
            &format!("events.session-revoked.{at}: {texts}"),
        );
    }
    refused(
        &message(EventType::SESSION_REVOKED.as_str(), &json!({ "reason_user": { "en_US": "x" } })),
        "events.session-revoked.reason_user.en_US: is not a BCP 47 language tag",
    );
}

#[test]
fn members_of_one_type_are_checked() {
    let level = "must be LOW, MEDIUM or HIGH";
    let status = "must be compliant or not-compliant";
    let change = json!({ "credential_type": "password", "change_type": "update" });
    let assurance = json!({ "namespace": "NIST-AAL", "current_level": "nist-aal2" });
    let compliance = json!({ "previous_status": "compliant", "current_status": "not-compliant" });
    let risk = json!({ "principal": "USER", "current_level": "LOW" });
    let [none, claims, texts] =
        ["is missing", "must be an object with at least one claim", "must be an array of strings"];
    let (name, text) = ("must be a string that is not empty", "must be a string");
    for (event_type, payload, member, value, reason) in [
        (EventType::TOKEN_CLAIMS_CHANGE, &json!({}), "claims", None, none),
        (EventType::TOKEN_CLAIMS_CHANGE, &json!({}), "claims", Some(json!({})), claims),
        (EventType::TOKEN_CLAIMS_CHANGE, &json!({}), "claims", Some(json!("role")), claims),
        (EventType::CREDENTIAL_CHANGE, &change, "credential_type", None, none),
        (EventType::CREDENTIAL_CHANGE, &change, "credential_type", Some(json!("")), name),
        (EventType::CREDENTIAL_CHANGE, &change, "change_type", None, none),
        (
            EventType::CREDENTIAL_CHANGE,
            &change,
            "change_type",
            Some(json!("rotate")),
            "must be create, revoke, update or delete",
        ),
        (EventType::CREDENTIAL_CHANGE, &change, "friendly_name", Some(json!(1)), text),
        (EventType::CREDENTIAL_CHANGE, &change, "x509_issuer", Some(json!({})), text),
        (EventType::CREDENTIAL_CHANGE, &change, "x509_serial", Some(json!(17)), text),
        (EventType::CREDENTIAL_CHANGE, &change, "fido2_aaguid", Some(json!(false)), text),
        (EventType::ASSURANCE_LEVEL_CHANGE, &assurance, "namespace", None, none),
        (EventType::ASSURANCE_LEVEL_CHANGE, &assurance, "current_level", None, none),
        (EventType::ASSURANCE_LEVEL_CHANGE, &assurance, "previous_level", Some(json!(1)), name),
        (
            EventType::ASSURANCE_LEVEL_CHANGE,
            &assurance,
            "change_direction",
            Some(json!("up")),
            "must be increase or decrease",
        ),
        (EventType::DEVICE_COMPLIANCE_CHANGE, &compliance, "previous_status", None, none),
        (EventType::DEVICE_COMPLIANCE_CHANGE, &compliance, "current_status", None, none),
        (
            EventType::DEVICE_COMPLIANCE_CHANGE,
            &compliance,
            "current_status",
            Some(json!("unknown")),
            status,
        ),
        (EventType::SESSION_ESTABLISHED, &json!({}), "amr", Some(json!("otp")), texts),
        (EventType::SESSION_ESTABLISHED, &json!({}), "amr", Some(json!(["otp", 1])), texts),
        (EventType::SESSION_ESTABLISHED, &json!({}), "acr", Some(json!(2)), text),
        (EventType::SESSION_PRESENTED, &json!({}), "ext_id", Some(json!(12345)), text),
        (EventType::RISK_LEVEL_CHANGE, &risk, "principal", None, none),
        (EventType::RISK_LEVEL_CHANGE, &risk, "current_level", None, none),
        (EventType::RISK_LEVEL_CHANGE, &risk, "current_level", Some(json!("low")), level),
        (EventType::RISK_LEVEL_CHANGE, &risk, "previous_level", Some(json!(1)), level),
        (EventType::RISK_LEVEL_CHANGE, &risk, "risk_reason", Some(json!(1)), text),
        (
            EventType::ACCOUNT_DISABLED,
            &json!({}),
            "reason",
            Some(json!("fraud")),
            "must be hijacking or bulk-account",
        ),
        (EventType::IDENTIFIER_CHANGED, &json!({}), "new-value", Some(json!(1)), text),
        (EventType::CREDENTIAL_COMPROMISE, &json!({}), "credential_type", None, none),
        (
            EventType::ACCOUNT_PURGED,
            &json!({}),
            "event_timestamp",
            Some(json!(1_615_304_991_000_i64)),
            "must be in seconds, not milliseconds",
        ),
    ] {
        let mut payload = payload.clone();
        match value {
            Some(value) => payload[member] = value,
            None => drop(payload.as_object_mut().unwrap().remove(member)),
        }
        let error = format!("events.{}.{member}: {reason}", event_type.short_name());
        refused(&message(event_type.as_str(), &payload), &error);
    }
}

#[test]
fn a_subject_inside_the_event_must_be_that_of_the_message() {
    let inside = |event_type: &str, email: &str| {
        message(event_type, &json!({ "subject": { "format": "email", "email": email } }))
    };
    let disabled = EventType::ACCOUNT_DISABLED.to_string();
    let event = parse(&inside(&disabled, "ann@example.com")).unwrap();
    assert_eq!(event.payload["subject"]["email"], "ann@example.com");
    refused(
        &inside(&disabled, "joe@example.com"),
        "events.account-disabled.subject: must be the same as sub_id",
    );
    refused(
        &inside(&disabled, "joe"),
        "events.account-disabled.subject.email: is not an e-mail address, local@domain",
    );
    refused(
        &inside(OURS, "ann@example.com"),
        &format!("events.{OURS}.subject: must not be there for types outside CAEP and RISC"),
    );
}

#[test]
fn an_identifier_that_changed_is_an_email_address_or_a_phone_number() {
    for event_type in [EventType::IDENTIFIER_CHANGED, EventType::IDENTIFIER_RECYCLED] {
        for sub_id in [
            json!({ "format": "opaque", "id": "1" }),
            json!({ "format": "complex", "user": { "format": "email", "email": "a@b.example" } }),
        ] {
            let mut message = message(event_type.as_str(), &json!({}));
            message["sub_id"] = sub_id;
            let name = event_type.short_name();
            refused(&message, &format!("sub_id.format: must be email or phone_number for {name}"));
        }
    }
}
