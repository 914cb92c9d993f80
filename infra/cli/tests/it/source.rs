//! What AWS and identity providers tell, as an operator sees it.

use std::fs;

use serde_json::{Value, json};

use crate::{program, tool::Tool};

const TYPES: [&str; 2] = [
    "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
    "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
];

fn envelope(name: &str) -> Value {
    json!({
        "version": "0",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.cognito-idp",
        "account": "123456789012",
        "time": "2025-11-28T08:59:02Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": {
            "eventTime": "2025-11-28T08:59:01Z",
            "eventSource": "cognito-idp.amazonaws.com",
            "eventName": name,
            "awsRegion": "eu-central-1",
            "requestParameters": { "userPoolId": "eu-central-1_EXAMPLE1" },
            "additionalEventData": { "sub": "8f0b3a52-30a1-70bd-1f6b-2e3a5b3f9c11" },
        },
    })
}

#[test]
fn an_envelope_is_tried_without_a_transmitter() {
    let mut named = envelope("AdminDisableUser");
    named["id"] = json!("6f87d04b");
    let said = program::run(&["source", "try", "-"], named.to_string());
    assert_eq!(said.code, 0, "{said:?}");
    for part in ["Amazon Cognito", "account-disabled", "session-revoked", "8f0b3a52"] {
        assert!(said.stdout.contains(part), "{part}: {said:?}");
    }
    let json = program::run(&["source", "try", "-", "--json"], named.to_string()).json();
    assert_eq!(json["source"], "cognito");
    let types: Vec<_> =
        json["events"].as_array().unwrap().iter().map(|event| &event["events"]).collect();
    assert!(types[0].get(TYPES[0]).is_some() && types[1].get(TYPES[1]).is_some(), "{types:?}");

    named["detail"]["eventName"] = json!("AdminUpdateUserAttributes");
    let said = program::run(&["source", "try", "-"], named.to_string());
    assert!(said.code == 0 && said.stdout.contains("cannot-tell"), "{said:?}");

    named["detail"]["eventName"] = json!("AdminDisableUser");
    named["detail"]["additionalEventData"] = json!(null);
    let said = program::run(&["source", "try", "-"], named.to_string());
    assert_eq!(
        (said.code, said.stderr.as_str()),
        (
            1,
            "error: it would be with the dead letters: detail.additionalEventData.sub: is missing\n"
        )
    );
}

#[test]
fn an_envelope_on_the_door_becomes_two_sets_and_is_counted() {
    let tool = Tool::new();
    let settings = tool.data.path().join("sources.json");
    let events = json!({ "cognito": { "events": { "AdminEnableUser": [] } } });
    fs::write(&settings, events.to_string()).unwrap();
    let options = format!("--source cognito okta --source-settings {}", settings.display());
    let serving = tool.serve_with(&options);
    let line = "client create --name Acme --audience https://acme.example --static-token --json";
    let token = tool.run(line).json()["static_token"].as_str().unwrap().to_owned();
    let body = json!({ "events_requested": TYPES }).to_string();
    let (status, _) = serving.request("POST /ssf/streams", &token, &body);
    assert_eq!(status, 201);

    let told =
        tool.run_with("emit --envelope --wait --json -", envelope("AdminDisableUser").to_string());
    let told = told.json();
    assert_eq!(
        (&told["emitted"], told["events"].as_array().unwrap().len()),
        (&json!(1), 2),
        "{told}"
    );
    for event in told["events"].as_array().unwrap() {
        assert_eq!(event["fate"], "issued", "{told}");
        assert_eq!(event["streams"].as_array().unwrap().len(), 1, "{told}");
    }
    for name in ["AdminEnableUser", "AdminAddUserToGroup"] {
        let said = tool.run_with("emit --envelope --wait -", envelope(name).to_string());
        assert_eq!(said.code, 0, "{said:?}");
    }
    let said = tool.run_with("emit --envelope -", "{}");
    assert!(said.code == 1 && said.stderr.contains("is not an envelope"), "{said:?}");

    let listed = tool.run("source list --json").json();
    let of = |name: &str| {
        let listed = listed.as_array().unwrap();
        listed.iter().find(|state| state["source"] == name).unwrap().clone()
    };
    let cognito = of("cognito");
    assert_eq!((&cognito["envelopes"], &cognito["events"]), (&json!(3), &json!(2)), "{cognito}");
    assert_eq!(cognito["dropped"], json!({ "cannot-tell": 1, "switched-off": 1 }));
    assert_eq!((&of("okta")["on"], &of("auth0")["on"]), (&json!(true), &json!(false)));
    let text = tool.run("source list").stdout;
    assert!(text.contains("1 cannot-tell, 1 switched-off"), "{text}");

    // Of a source that is off here, all of it waits for the operator.
    let okta = tool.run_with(
        "source try -",
        r#"{"id":"1","time":1,"realmId":"r","type":"LOGIN","userId":"u"}"#,
    );
    assert!(okta.code == 1 && okta.stderr.contains("source_settings.keycloak.issuer"), "{okta:?}");
}
