//! What sources say on a bus ends as SETs at a receiver.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::world::{caep, event_of};

use crate::deployed::{Deployed, on_the_stack, wait_until};

/// A bus of the operator's stands for that of a partner, which only a partner can make.
pub(crate) const OKTA_BUS: &str = "okta-example";

/// Puts an event on a bus, as the source does.
fn put(deployed: &Deployed, bus: &str, source: &str, detail_type: &str, detail: &Value) {
    let entry = json!({
        "EventBusName": bus,
        "Source": source,
        "DetailType": detail_type,
        "Detail": detail.to_string(),
    });
    let answer = deployed.boto3.call("events", "put_events", &json!({ "Entries": [entry] }));
    assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
}

fn call(name: &str) -> Value {
    json!({
        "eventTime": "2025-11-28T08:59:01Z",
        "eventSource": "cognito-idp.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "requestParameters": { "userPoolId": "us-east-1_EXAMPLE1" },
        "additionalEventData": { "sub": "8f0b3a52-30a1-70bd-1f6b-2e3a5b3f9c11" },
    })
}

fn finding() -> Value {
    json!({
        "accountId": "123456789012",
        "partition": "aws",
        "id": "1ab92989eaf0e742df4a014d5example",
        "type": "Discovery:IAMUser/AnomalousBehavior",
        "resource": {
            "resourceType": "AccessKey",
            "accessKeyDetails": { "userType": "IAMUser", "userName": "jane" },
        },
        "severity": 8,
        "updatedAt": "2025-11-28T08:59:01.817Z",
    })
}

fn suspended() -> Value {
    json!({
        "uuid": "5b90a94a-d7ba-11ea-834a-85c24a1b2121",
        "published": "2025-11-28T08:59:01.116Z",
        "eventType": "user.lifecycle.suspend",
        "actor": { "id": "00uadmin", "type": "User", "alternateId": "admin@example.com" },
        "outcome": { "result": "SUCCESS" },
        "target": [{ "id": "00ujane", "type": "User", "alternateId": "jane@example.com" }],
        "transaction": { "id": "XxTransactionExample" },
    })
}

#[test]
fn what_three_sources_say_on_a_bus_is_pushed() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("hears-sources").await;
        let types = ["session-revoked", "risk-level-change"];
        let stream = receiver.push_stream(&types).await;
        let risc = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
        let wanted: Vec<_> = types.map(caep).into_iter().chain([risc.to_owned()]).collect();
        let body = json!({ "stream_id": stream, "events_requested": wanted });
        receiver.ask(Method::PATCH, "/ssf/streams", Some(&body), StatusCode::OK).await;
        let calls = "AWS API Call via CloudTrail";
        put(deployed, "default", "aws.cognito-idp", calls, &call("AdminDisableUser"));
        // No rule lets this through: nothing is told of it.
        put(deployed, "default", "aws.cognito-idp", calls, &call("AdminGetUser"));
        put(deployed, "default", "aws.guardduty", "GuardDuty Finding", &finding());
        let okta = "aws.partner/okta.com/example/tocsin";
        put(deployed, OKTA_BUS, okta, "SystemLog", &suspended());

        let sets = deployed.pushed("hears-sources", 4).await;
        let told = |claims: &Value| {
            let about = &claims["sub_id"];
            let name = about["sub"].as_str().or(about["uri"].as_str()).unwrap_or_default();
            format!("{} {name}", event_of(claims).0)
        };
        let mut all: Vec<_> = sets.iter().map(told).collect();
        all.sort_unstable();
        assert_eq!(
            all,
            [
                "account-disabled 00ujane",
                "account-disabled 8f0b3a52-30a1-70bd-1f6b-2e3a5b3f9c11",
                "risk-level-change arn:aws:iam::123456789012:user/jane",
                "session-revoked 8f0b3a52-30a1-70bd-1f6b-2e3a5b3f9c11",
            ]
        );
        wait_until("what came to be written down", async || {
            let listed = deployed.tool(&["source", "list"]);
            let listed = listed.as_array().expect("a list");
            ["cognito", "guardduty", "okta"]
                .iter()
                .all(|name| listed.iter().any(|one| one["source"] == *name && one["on"] == true))
                && listed.iter().any(|one| one["envelopes"].as_u64() > Some(0))
        })
        .await;
        deployed.is_done("IngestQueueUrl").await;
        deployed.is_done("RuleDeadLetterQueueUrl").await;
    });
}
