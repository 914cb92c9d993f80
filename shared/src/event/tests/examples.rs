//! Events as the standards show them.

use serde_json::{Value, json};

use super::{OURS, message, parse};
use crate::{event::EventType, stream::StreamId};

/// A message is read, and nothing is lost of it.
#[track_caller]
fn read_back(sub_id: &Value, event_type: &EventType, payload: &Value) {
    let message = json!({
        "id": "24c63fb56e5a2d77a6b512616ca9fa24",
        "txn": "8675309",
        "toe": 1_615_304_990.5,
        "stream_id": "f67e39a0a4d34d56b3aa1bc4cff0069f",
        "sub_id": sub_id,
        "events": { event_type.as_str(): payload },
    });
    let event = parse(&message).unwrap();
    assert_eq!(event.id.as_deref(), Some("24c63fb56e5a2d77a6b512616ca9fa24"));
    assert_eq!(event.txn.as_deref(), Some("8675309"));
    assert_eq!(event.toe, Some(1_615_304_990));
    assert_eq!(event.stream_id, StreamId::parse("f67e39a0a4d34d56b3aa1bc4cff0069f"));
    assert_eq!(event.subject.to_value(), *sub_id);
    assert_eq!(event.event_type, *event_type);
    assert_eq!(Value::Object(event.payload), *payload);
}

#[test]
fn the_examples_of_caep_about_sessions_and_tokens_are_read() {
    // [CAEP 1.0, 3.1.2], the second and the third; the first has no reason_admin: see below.
    let tenant = json!({ "format": "opaque", "id": "123456789" });
    let iss_sub = |sub: &str| json!({ "format": "iss_sub", "iss": "https://idp.example.com/123456789/", "sub": sub });
    let session = json!({ "format": "opaque", "id": "dMTlD|1600802906337.16|16008.16" });
    let user = iss_sub("99beb27c-c1c2-4955-882a-e0dc4996fcbc");
    read_back(
        &json!({ "format": "complex", "session": session, "user": user, "tenant": tenant }),
        &EventType::SESSION_REVOKED,
        &json!({
            "initiating_entity": "policy",
            "reason_admin": { "en": "Landspeed Policy Violation: C076E82F" },
            "reason_user": {
                "en": "Access attempt from multiple regions.",
                "es-410": "Intento de acceso desde varias regiones.",
            },
            "event_timestamp": 1_615_304_991,
        }),
    );
    let (user, device) =
        (iss_sub("jane.smith@example.com"), iss_sub("e9297990-14d2-42ec-a4a9-4036db86509a"));
    read_back(
        &json!({ "format": "complex", "user": user, "device": device, "tenant": tenant }),
        &EventType::SESSION_REVOKED,
        &json!({
            "initiating_entity": "policy",
            "reason_admin": { "en": "Policy Violation: C076E822" },
            "reason_user": {
                "en": "This device is no longer compliant.",
                "it": "Questo dispositivo non è più conforme.",
            },
            "event_timestamp": 1_615_304_991,
        }),
    );
    // [CAEP 1.0, 3.2.2]
    read_back(
        &json!({
            "format": "jwt_id",
            "iss": "https://idp.example.com/987654321/",
            "jti": "f61t6e20zdo3px56gepu8rzlsp4c1dpc0fx7",
        }),
        &EventType::TOKEN_CLAIMS_CHANGE,
        &json!({
            "event_timestamp": 1_615_304_991,
            "initiating_entity": "policy",
            "reason_admin": { "en": "User left trusted network: CorpNet3" },
            "reason_user": {
                "en": "You're no longer connected to a trusted network.",
                "it": "Non sei più connesso a una rete attendibile.",
            },
            "claims": { "trusted_network": false },
        }),
    );
    read_back(
        &json!({
            "format": "saml_assertion_id",
            "issuer": "https://idp.example.com/987654321/",
            "assertion_id": "_a75adf55-01d7-dbd8372ebdfc",
        }),
        &EventType::TOKEN_CLAIMS_CHANGE,
        &json!({
            "event_timestamp": 1_615_304_991,
            "claims": {
                "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/role": "ro-admin",
            },
        }),
    );
    // [CAEP 1.0, 3.6.2 and 3.7.2]
    let email = json!({ "format": "email", "email": "someuser@somedomain.com" });
    read_back(
        &email,
        &EventType::SESSION_ESTABLISHED,
        &json!({
            "fp_ua": "abb0b6e7da81a42233f8f2b1a8ddb1b9a4c81611",
            "acr": "AAL2",
            "amr": ["otp"],
            "event_timestamp": 1_615_304_991,
        }),
    );
    read_back(
        &email,
        &EventType::SESSION_PRESENTED,
        &json!({
            "fp_ua": "abb0b6e7da81a42233f8f2b1a8ddb1b9a4c81611",
            "ext_id": "12345",
            "event_timestamp": 1_615_304_991,
        }),
    );
}

#[test]
fn the_examples_of_caep_about_changes_are_read() {
    let jane = json!({
        "format": "iss_sub",
        "iss": "https://idp.example.com/3456789/",
        "sub": "jane.smith@example.com",
    });
    // [CAEP 1.0, 3.3.2]
    read_back(
        &jane,
        &EventType::CREDENTIAL_CHANGE,
        &json!({
            "credential_type": "fido2-roaming",
            "change_type": "create",
            "fido2_aaguid": "accced6a-63f5-490a-9eea-e59bc1896cfc",
            "friendly_name": "Jane's USB authenticator",
            "initiating_entity": "user",
            "reason_admin": { "en": "User self-enrollment" },
            "event_timestamp": 1_615_304_991,
        }),
    );
    // [CAEP 1.0, 3.4.2]
    read_back(
        &jane,
        &EventType::ASSURANCE_LEVEL_CHANGE,
        &json!({
            "namespace": "NIST-AAL",
            "current_level": "nist-aal2",
            "previous_level": "nist-aal1",
            "change_direction": "increase",
            "initiating_entity": "user",
            "event_timestamp": 1_615_304_991,
        }),
    );
    read_back(
        &jane,
        &EventType::ASSURANCE_LEVEL_CHANGE,
        &json!({
            "namespace": "Retinal Scan",
            "current_level": "hi-res-scan",
            "initiating_entity": "user",
            "event_timestamp": 1_615_304_991,
        }),
    );
    // [CAEP 1.0, 3.5.2]
    read_back(
        &json!({
            "format": "complex",
            "device": {
                "format": "iss_sub",
                "iss": "https://idp.example.com/123456789/",
                "sub": "e9297990-14d2-42ec-a4a9-4036db86509a",
            },
            "tenant": { "format": "opaque", "id": "123456789" },
        }),
        &EventType::DEVICE_COMPLIANCE_CHANGE,
        &json!({
            "current_status": "not-compliant",
            "previous_status": "compliant",
            "initiating_entity": "policy",
            "reason_admin": { "en": "Location Policy Violation: C076E8A3" },
            "reason_user": { "en": "Device is no longer in a trusted location." },
            "event_timestamp": 1_615_304_991,
        }),
    );
    // [CAEP 1.0, 3.8.2]
    read_back(
        &jane,
        &EventType::RISK_LEVEL_CHANGE,
        &json!({
            "current_level": "LOW",
            "previous_level": "HIGH",
            "event_timestamp": 1_615_304_991,
            "principal": "USER",
            "risk_reason": "PASSWORD_FOUND_IN_DATA_BREACH",
        }),
    );
}

#[test]
fn the_examples_of_risc_and_of_the_framework_are_read() {
    let user = json!({
        "format": "iss_sub",
        "iss": "https://idp.example.com/",
        "sub": "7375626A656374",
    });
    // [RISC 1.0, 2.1, 2.3, 2.5, 2.6 and 2.7]
    read_back(&user, &EventType::ACCOUNT_CREDENTIAL_CHANGE_REQUIRED, &json!({}));
    read_back(&user, &EventType::ACCOUNT_DISABLED, &json!({ "reason": "hijacking" }));
    read_back(
        &json!({ "format": "email", "email": "john.doe@example.com" }),
        &EventType::IDENTIFIER_CHANGED,
        &json!({ "new-value": "john.roe@example.com" }),
    );
    let foo = json!({ "format": "email", "email": "foo@example.com" });
    read_back(&foo, &EventType::IDENTIFIER_RECYCLED, &json!({}));
    read_back(&user, &EventType::CREDENTIAL_COMPROMISE, &json!({ "credential_type": "password" }));
    // [SSF 1.0, 5]
    read_back(&foo, &EventType::ACCOUNT_ENABLED, &json!({}));
    read_back(
        &json!({ "format": "phone_number", "phone_number": "+1 206 555 0123" }),
        &EventType::ACCOUNT_DISABLED,
        &json!({ "reason": "hijacking" }),
    );
    read_back(
        &json!({ "format": "catalog_item", "catalog_id": "c0384/winter/2354122" }),
        &EventType::TOKEN_CLAIMS_CHANGE,
        &json!({ "event_timestamp": 1_600_975_810, "claims": { "role": "ro-admin" } }),
    );
}

#[test]
fn the_other_types_are_read_and_members_that_nobody_defined_are_kept() {
    let phone = json!({ "format": "phone", "phone_number": "+12065550100" });
    for event_type in [
        EventType::ACCOUNT_PURGED,
        EventType::IDENTIFIER_CHANGED,
        EventType::IDENTIFIER_RECYCLED,
        EventType::OPT_IN,
        EventType::OPT_OUT_INITIATED,
        EventType::OPT_OUT_CANCELLED,
        EventType::OPT_OUT_EFFECTIVE,
        EventType::RECOVERY_ACTIVATED,
        EventType::RECOVERY_INFORMATION_CHANGED,
        EventType::new(OURS),
    ] {
        read_back(&phone, &event_type, &json!({ "ours": { "deep": [null, 1.5, "x"] } }));
    }
}

#[test]
fn the_two_types_of_the_interoperability_profile_always_say_why() {
    let [revoked, changed] =
        [EventType::SESSION_REVOKED, EventType::CREDENTIAL_CHANGE].map(|known| known.to_string());
    let change = json!({ "credential_type": "password", "change_type": "update" });
    // [CAEP 1.0, 3.1.2], the first example
    let event = parse(&message(&revoked, &json!({ "event_timestamp": 1_615_304_991 }))).unwrap();
    assert_eq!(event.payload["reason_admin"], json!({ "en": "Session revoked" }));
    let event = parse(&message(&changed, &change)).unwrap();
    assert_eq!(event.payload["reason_admin"], json!({ "en": "Credential changed" }));

    let own = json!({ "reason_admin": { "de": "Abgemeldet" } });
    let event = parse(&message(&revoked, &own)).unwrap();
    assert_eq!(event.payload["reason_admin"], json!({ "de": "Abgemeldet" }));

    let presented = message(EventType::SESSION_PRESENTED.as_str(), &json!({}));
    assert!(parse(&presented).unwrap().payload.is_empty());
}

#[test]
fn a_member_that_is_null_is_left_out() {
    let mut sent = message(
        EventType::SESSION_REVOKED.as_str(),
        &json!({ "event_timestamp": null, "reason_user": null, "initiating_entity": "admin" }),
    );
    for member in ["id", "txn", "toe", "stream_id"] {
        sent[member] = Value::Null;
    }
    let event = parse(&sent).unwrap();
    assert_eq!((event.id, event.txn, event.toe, event.stream_id), (None, None, None, None));
    let members: Vec<_> = event.payload.keys().map(String::as_str).collect();
    assert_eq!(members, ["initiating_entity", "reason_admin"], "and those that we add");
    for member in ["sub_id", "events"] {
        let mut sent = sent.clone();
        sent[member] = Value::Null;
        assert_eq!(parse(&sent).unwrap_err().to_string(), format!("{member}: is missing"));
    }
    // What an operator's own type means by it, only its receivers know.
    let ours = parse(&message(OURS, &json!({ "left": null }))).unwrap();
    assert_eq!(Value::Object(ours.payload), json!({ "left": null }));
}
