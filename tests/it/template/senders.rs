//! Who may send to the queues.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::Template;

use super::{resource, texts, with};

/// Who is spoken of in the statement `sid` of a queue's policy, what that one may do (or may not),
/// and under which condition the statement is there.
fn statement_of(sid: &str) -> (Value, &'static [&'static str], &'static str) {
    let service = |name: &str| json!({ "Service": format!("{name}.amazonaws.com") });
    match sid {
        "EventBridge" => (service("events"), &["sqs:SendMessage"], "TakesFromEventBridge"),
        "Rules" => (service("events"), &["sqs:SendMessage"], "HasRules"),
        "NotWithoutTls" => {
            let all = &[
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ];
            (json!("*"), all, "TakesOnlyTls")
        }
        "Sns" => (service("sns"), &["sqs:SendMessage"], "TakesFromSns"),
        "UpstreamAccounts" => {
            let accounts = json!({ "Fn::Split": [",", { "Ref": "UpstreamAccountIds" }] });
            let send = &["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"];
            (json!({ "AWS": accounts }), send, "HasUpstreamAccounts")
        }
        other => panic!("nothing is known of {other} here"),
    }
}

#[test]
fn a_queue_takes_from_others_what_was_asked_for_and_gives_them_nothing() {
    let template = Template::read();
    let mut found = BTreeSet::new();
    for (name, policy) in template.resources("AWS::SQS::QueuePolicy") {
        let queue = resource(&policy["Queues"][0]);
        assert_eq!(policy["Queues"], json!([{ "Ref": queue }]), "{name}");
        let mut statements = Vec::new();
        with(policy, "Effect", &mut statements);
        for statement in statements {
            let sid = statement["Sid"].as_str().unwrap();
            let (who, actions, condition) = statement_of(sid);
            assert_eq!(statement["Principal"], who, "{name}, {sid}");
            assert_eq!(texts(&statement["Action"]), actions, "{name}, {sid}");
            assert_eq!(statement["Resource"], json!({ "Fn::GetAtt": format!("{queue}.Arn") }));
            let only = statement["Condition"].to_string();
            if sid == "NotWithoutTls" {
                let plain = r#"{"Bool":{"aws:SecureTransport":"false"}}"#;
                assert_eq!((&statement["Effect"], &*only), (&json!("Deny"), plain), "{name}");
            } else {
                assert_eq!(statement["Effect"], "Allow", "{name}, {sid}");
                // A service works for everybody: what others ask of it is not for us.
                let for_us = only.contains("aws:Source") && only.contains("AWS::AccountId");
                let by_rules = statement["Condition"]["ArnEquals"]["aws:SourceArn"].is_array();
                assert!(
                    for_us || sid == "UpstreamAccounts" || (sid == "Rules" && by_rules),
                    "{name}, {sid}"
                );
            }
            let chosen = json!({ "Fn::If": [condition, statement, { "Ref": "AWS::NoValue" }] });
            let listed = policy["PolicyDocument"]["Statement"].as_array().unwrap();
            let whole = template.at(&format!("/Resources/{name}")).get("Condition");
            let asked_for = listed.contains(&chosen) || whole == Some(&json!(condition));
            assert!(asked_for, "{name} has {sid} although nobody asked for it");
            found.insert(format!("{queue} {sid}"));
        }
    }
    let queues = template.resources("AWS::SQS::Queue");
    let tls = queues.iter().map(|(queue, _)| format!("{queue} NotWithoutTls"));
    let senders = ["EventBridge", "Sns", "UpstreamAccounts"];
    let doors = ["IngestQueue", "IngestFifoQueue"];
    let others = doors.iter().flat_map(|door| senders.map(|sid| format!("{door} {sid}")));
    let by_rules = ["IngestQueue Rules", "RuleDeadLetterQueue Rules"].map(str::to_owned);
    assert_eq!(found, tls.chain(others).chain(by_rules).collect());
}
