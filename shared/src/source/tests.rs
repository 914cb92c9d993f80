//! Each row of each mapping, by envelopes as the documents show them.
//!
//! A file of `fixtures/` has one envelope of a source, where its shape is from, and cases: what is
//! other in the envelope (RFC 7396), and what becomes of it.

mod broken;
mod envelopes;
mod fixture;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::fixture::{Case, Fixture, fixtures, now};
use super::{
    Opened, Source, SourceSettings, Sources, auth0, cognito, entra, identity_center, keycloak,
    okta, open,
};
use crate::event::{EventRules, SecurityEvent};

#[test]
fn each_envelope_becomes_what_its_row_says() {
    for fixture in fixtures() {
        for case in &fixture.cases {
            let at = format!("{} {}", fixture.source, case.name());
            match open(case.text().as_bytes(), &case.sources()) {
                Ok(Opened::Told { source, messages, dropped }) => {
                    assert_eq!(source, fixture.source, "{at}");
                    let reasons: Vec<_> = dropped.iter().map(|reason| reason.name()).collect();
                    let wanted: Vec<_> = case.expect("dropped").as_str().into_iter().collect();
                    assert_eq!(reasons, wanted, "{at}");
                    check_told(&fixture, case, &messages, &at);
                }
                Ok(other) => panic!("{at}: {other:?}"),
                Err(invalid) => {
                    assert_eq!(json!(invalid.to_string()), *case.expect("invalid"), "{at}");
                }
            }
        }
    }
}

/// That these are the events that the case names, and that each can be one.
fn check_told(fixture: &Fixture, case: &Case, messages: &[Value], at: &str) {
    let no_types = BTreeSet::new();
    let rules = EventRules { private_types: &no_types, now: now() };
    let events: Vec<_> = messages
        .iter()
        .map(|message| SecurityEvent::read(message.clone(), &rules).expect(at))
        .collect();
    let types: Vec<_> = events.iter().map(|event| event.event_type.short_name()).collect();
    assert_eq!(json!(types), *case.expect_or("told", &json!([])), "{at}");
    let ids: BTreeSet<_> = events.iter().filter_map(|event| event.id.as_deref()).collect();
    assert_eq!(ids.len(), events.len(), "{at}: each has a name of its own");
    for event in &events {
        assert_eq!(event.subject.to_value(), case.subject(), "{at}");
        assert_eq!(event.toe, Some(fixture.at), "{at}");
        assert_eq!(event.payload["event_timestamp"], json!(fixture.at), "{at}");
        if let Some(txn) = &fixture.txn {
            assert_eq!(event.txn.as_ref(), Some(txn), "{at}");
        }
        assert_eq!(event.txn, events[0].txn, "{at}: one cause");
        if let Some(by) = case.expect("by").as_str()
            && let Some(initiator) = event.payload.get("initiating_entity")
        {
            assert_eq!(initiator, by, "{at}");
        }
        if let Value::Object(members) = case.expect("members") {
            for (name, value) in members {
                assert_eq!(event.payload.get(name), Some(value), "{at}: {name}");
            }
        }
        if let Some(reason) = event.payload.get("reason_admin") {
            let text = reason["en"].as_str().unwrap_or_default();
            assert!(text.starts_with(fixture.source.title()), "{at}: {text}");
        }
    }
}

/// Each row has an envelope, so that a row without one, or a name with a slip, is found.
#[test]
fn each_row_of_each_table_has_an_envelope() {
    let names = |rows: &[super::tell::Row]| rows.iter().map(|row| row.name).collect::<Vec<_>>();
    let tables = [
        (Source::Auth0, names(&auth0::ROWS)),
        (Source::Cognito, names(&cognito::ROWS)),
        (Source::Entra, names(&entra::AUDITS)),
        (Source::IdentityCenter, names(&identity_center::ROWS)),
        (Source::Keycloak, names(&keycloak::USER_EVENTS)),
        (Source::Keycloak, names(&keycloak::ADMIN_EVENTS)),
        (Source::Okta, okta::names().collect()),
    ];
    for (source, rows) in tables {
        let fixture = fixtures().into_iter().find(|fixture| fixture.source == source);
        let fixture = fixture.expect("each source has fixtures");
        let shown: BTreeSet<_> = fixture.cases.iter().map(Case::row).collect();
        for row in rows {
            assert!(shown.contains(row), "{source}: no envelope for {row}");
        }
    }
    let sources: BTreeSet<_> = fixtures().iter().map(|fixture| fixture.source).collect();
    assert_eq!(sources, Source::ALL.into_iter().collect());
}

#[test]
fn names_are_those_of_the_settings() {
    for source in Source::ALL {
        assert_eq!(json!(source), source.name());
        assert_eq!(source.name().parse(), Ok(source));
    }
    assert!("scim".parse::<Source>().unwrap_err().contains("identity-center"));
}

#[test]
fn a_mapping_can_be_pointed_to_types_that_stand_alone() {
    let settings = |events: Value| -> BTreeMap<Source, SourceSettings> {
        serde_json::from_value(json!({ "okta": { "events": events } })).unwrap()
    };
    let on = BTreeSet::from([Source::Okta]);
    let good = settings(json!({ "user.account.lock": ["account-disabled", "session-revoked"] }));
    assert!(Sources::new(&on, &good).is_ok());
    let bad = settings(json!({ "user.account.lock": ["credential-change"] }));
    let refused = Sources::new(&on, &bad).unwrap_err().to_string();
    assert!(
        refused
            .starts_with("source_settings.okta.events.user.account.lock: must hold no other than"),
        "{refused}"
    );
    let unknown = json!({ "okta": { "isuer": "https://example.com" } });
    assert!(serde_json::from_value::<BTreeMap<Source, SourceSettings>>(unknown).is_err());
}
