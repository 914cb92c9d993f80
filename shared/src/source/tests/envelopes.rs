//! Envelopes of SNS and EventBridge, around each other, around our own messages, and of nobody.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::fixture::fixtures;
use crate::source::{Opened, Reason, Source, Sources, open};

fn all_on() -> Sources {
    Sources::default().all_on()
}

fn opened(envelope: &Value) -> Result<Opened, String> {
    open(envelope.to_string().as_bytes(), &all_on()).map_err(|invalid| invalid.to_string())
}

fn event_message() -> Value {
    json!({
        "sub_id": { "format": "email", "email": "jane@example.com" },
        "events": { "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {} },
    })
}

fn on_bus(detail: &Value) -> Value {
    json!({
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "Session ended",
        "source": "com.example.hr",
        "account": "123456789012",
        "time": "2026-11-28T08:59:02Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": detail,
    })
}

fn notified(message: &Value) -> Value {
    json!({
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:events",
        "Message": message.to_string(),
        "Timestamp": "2026-11-28T08:59:02.000Z",
        "SignatureVersion": "1",
    })
}

fn message(message: &Value, id: Option<&str>, within: &str) -> Opened {
    let mut message = message.clone();
    if let Some(id) = id {
        message["id"] = json!(id);
    }
    Opened::Message { message, within: within.to_owned() }
}

#[test]
fn an_event_message_is_taken_out_of_its_envelopes_and_called_as_the_inner_one_is() {
    let ours = event_message();
    let (bus, topic) =
        ("7bf73129-1428-4cd3-a780-95db273d1602", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324");
    assert_eq!(opened(&ours), Ok(message(&ours, None, "")));
    assert_eq!(opened(&on_bus(&ours)), Ok(message(&ours, Some(bus), "detail")));
    assert_eq!(opened(&notified(&ours)), Ok(message(&ours, Some(topic), "Message")));
    assert_eq!(opened(&notified(&on_bus(&ours))), Ok(message(&ours, Some(bus), "Message.detail")));
    assert_eq!(
        opened(&on_bus(&notified(&ours))),
        Ok(message(&ours, Some(topic), "detail.Message"))
    );
    let mut named = ours;
    named["id"] = json!("the sender's");
    assert_eq!(opened(&on_bus(&named)), Ok(message(&named, None, "detail")));
}

#[test]
fn an_envelope_around_nothing_of_use_is_refused_with_the_reason() {
    let nothing = json!({ "user": "jane" });
    for (envelope, reason) in [
        (
            on_bus(&nothing),
            "source: is of no source that is known here, and detail is not an event message",
        ),
        (
            notified(&on_bus(&nothing)),
            "Message.source: is of no source that is known here, and detail is not an event message",
        ),
        (notified(&json!("text")), "."),
        (
            json!({ "Type": "SubscriptionConfirmation", "TopicArn": "arn", "Token": "t" }),
            "Type: is not Notification: SNS asks to confirm a subscription, or its end",
        ),
        (json!({ "Type": "Notification", "TopicArn": "arn" }), "MessageId: is missing"),
        (
            json!({ "Type": "Notification", "TopicArn": "arn", "MessageId": "1", "Message": {} }),
            "Message: must be a string",
        ),
        (json!({ "detail-type": "x", "source": "y", "id": 7 }), "id: must be a string"),
        (
            notified(&notified(&notified(&notified(&nothing)))),
            "Message.Message.Message: is within more envelopes than three",
        ),
    ] {
        match opened(&envelope) {
            Err(found) => assert_eq!(found, reason, "{envelope}"),
            // What is no object is not an envelope, and then not an event either.
            Ok(Opened::Message { .. }) => assert_eq!(reason, "."),
            Ok(other) => panic!("{envelope}: {other:?}"),
        }
    }
}

#[test]
fn a_record_is_the_same_however_it_comes() {
    for fixture in fixtures() {
        for case in &fixture.cases {
            let direct = open(case.text().as_bytes(), &case.sources());
            let sent = open(notified(&case.envelope).to_string().as_bytes(), &case.sources());
            match (direct, sent) {
                (
                    Ok(Opened::Told { messages: direct, dropped, .. }),
                    Ok(Opened::Told { messages: sent, dropped: also, .. }),
                ) => {
                    assert_eq!(dropped, also);
                    // A record that has no envelope of a bus is called as the notification is.
                    let nameless = |mut message: Value| {
                        message.as_object_mut().unwrap().remove("id");
                        message.as_object_mut().unwrap().remove("txn");
                        message
                    };
                    let nameless =
                        |all: Vec<Value>| -> Vec<_> { all.into_iter().map(nameless).collect() };
                    assert_eq!(nameless(direct), nameless(sent), "{}", case.name());
                }
                (Err(_), Err(_)) => {}
                (direct, sent) => panic!("{}: {direct:?} {sent:?}", case.name()),
            }
        }
    }
}

#[test]
fn a_record_without_a_bus_may_be_on_one_that_the_operator_made() {
    for (source, name) in [
        (Source::Keycloak, "keycloak"),
        (Source::Entra, "entra.example"),
        (Source::CognitoRisk, "cognito-risk"),
    ] {
        let fixture = fixtures().into_iter().find(|fixture| fixture.source == source).unwrap();
        let case = fixture.cases.iter().find(|case| case.expect("told").is_array()).unwrap();
        let mut envelope = on_bus(&case.envelope);
        envelope["source"] = json!(name);
        let Ok(Opened::Told { messages, .. }) =
            open(envelope.to_string().as_bytes(), &case.sources())
        else {
            panic!("{source} is not known on a bus");
        };
        assert_eq!(messages[0]["id"], format!("{source}:7bf73129-1428-4cd3-a780-95db273d1602.0"));
    }
}

#[test]
fn records_that_come_together_are_told_one_by_one() {
    let fixture = fixtures().into_iter().find(|fixture| fixture.source == Source::Entra).unwrap();
    let of = |row: &str| &fixture.cases.iter().find(|case| case.row() == row).unwrap().envelope;
    let mut second = of("Enable account").clone();
    second["properties"]["id"] = json!("Directory_2");
    let all = json!({ "records": [of("Disable account"), of("Update user"), second] });
    let Ok(Opened::Told { messages, dropped, .. }) = opened(&all) else { panic!() };
    assert_eq!(dropped, [Reason::CannotTell]);
    let ids: Vec<_> = messages.iter().map(|message| message["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        [
            "entra:Directory_00000000_EXAMPLE.0",
            "entra:Directory_00000000_EXAMPLE.1",
            "entra:Directory_2.0"
        ]
    );
    let mut broken = of("Disable account").clone();
    broken["properties"]["activityDateTime"] = json!("soon");
    let refused = opened(&json!({ "records": [of("Enable account"), broken] })).unwrap_err();
    assert_eq!(
        refused,
        "records[1].properties.activityDateTime: is not a time as RFC 3339 writes it"
    );
}

#[test]
fn log_events_of_cloudwatch_hold_their_records_as_texts() {
    let fixture =
        fixtures().into_iter().find(|fixture| fixture.source == Source::CognitoRisk).unwrap();
    let log_event = |number: usize, case: &super::Case| json!({ "id": number.to_string(), "timestamp": 1, "message": case.text() });
    let events: Vec<_> =
        fixture.cases.iter().enumerate().map(|(number, case)| log_event(number, case)).collect();
    let logs = json!({ "messageType": "DATA_MESSAGE", "logGroup": "g", "logEvents": events });
    let Ok(Opened::Told { messages, dropped, .. }) = opened(&logs) else { panic!() };
    assert_eq!((messages.len(), dropped.len()), (6, 3));
}

#[test]
fn an_envelope_of_a_source_that_is_not_on_waits_for_the_operator() {
    let okta = fixtures().into_iter().find(|fixture| fixture.source == Source::Okta).unwrap();
    let none = Sources::new(&BTreeSet::new(), &BTreeMap::new()).unwrap();
    let refused = open(okta.cases[0].text().as_bytes(), &none).unwrap_err();
    assert_eq!(refused.to_string(), "source: is okta, which is not on: see the setting sources");
}
