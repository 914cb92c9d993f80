//! The rules that bring what sources say to the queue.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use ssf::source::Source;
use tests::Template;

use super::{texts, with};

/// The names that the rule of a source lets through, as the module of that source knows them.
#[test]
fn each_source_has_a_rule_that_lets_through_what_is_told_and_no_more() {
    let template = Template::read();
    let mut found = BTreeSet::new();
    let mut arns = Vec::new();
    for (name, rule) in template.resources("AWS::Events::Rule") {
        let condition = &template.at(&format!("/Resources/{name}"))["Condition"];
        let short = name.strip_suffix("Rule").unwrap();
        assert_eq!(*condition, format!("Has{short}"), "{name}");
        let target = json!([{
            "Id": "ingest",
            "Arn": { "Fn::GetAtt": "IngestQueue.Arn" },
            "DeadLetterConfig": { "Arn": { "Fn::GetAtt": "RuleDeadLetterQueue.Arn" } },
        }]);
        assert_eq!(rule["Targets"], target, "{name}: whole envelopes");
        arns.push(json!({ "Fn::If":
            [condition, { "Fn::GetAtt": format!("{name}.Arn") }, { "Ref": "AWS::NoValue" }] }));
        let of = |source: &Source| source.name().replace('-', "") == short.to_lowercase();
        let source = Source::ALL.into_iter().find(of).unwrap();
        found.insert(source);
        let pattern = &rule["EventPattern"];
        let path = match source {
            Source::Auth0 => "/detail/data/type",
            Source::Cognito | Source::IdentityCenter => "/detail/eventName",
            Source::Okta => "/detail/eventType",
            Source::CognitoRisk | Source::Entra | Source::GuardDuty | Source::Keycloak => continue,
        };
        let names: BTreeSet<_> = texts(pattern.pointer(path).unwrap()).into_iter().collect();
        assert_eq!(names, source.event_names().into_iter().collect(), "{name}");
    }
    assert_eq!(found, Source::ALL.into_iter().collect());
    for policy in ["IngestQueuePolicy", "RuleDeadLetterQueuePolicy"] {
        let mut listed = Vec::new();
        with(template.at(&format!("/Resources/{policy}")), "ArnEquals", &mut listed);
        // Whether an object keeps its order or not.
        let texts = |arns: &[Value]| arns.iter().map(Value::to_string).collect::<BTreeSet<_>>();
        let named = listed[0]["ArnEquals"]["aws:SourceArn"].as_array().unwrap();
        assert_eq!(texts(named), texts(&arns), "{policy}");
    }
}
