//! Holds `template.yaml` and the code together.

use std::{collections::BTreeSet, fs, process::Command};

use axum::{Router, body::Body};
use http::{Method, Request, StatusCode, header::ALLOW};
use serde_json::{Value, json};
use ssf::{
    config::{Config, Settings},
    metrics::Metric,
};
use ssf_aws::table;
use tests::{Template, World};
use tower::ServiceExt as _;

use crate::tidy::root;

const FUNCTION: &str = "AWS::Serverless::Function";

/// The name of the resource whose attribute this is.
fn resource(of: &Value) -> &str {
    let text = of["Fn::GetAtt"].as_str().or(of["Ref"].as_str()).unwrap();
    text.split('.').next().unwrap()
}

/// How long a function may take, in seconds.
fn timeout(template: &Template, function: &Value) -> u64 {
    let own = function["Timeout"].as_u64();
    own.unwrap_or_else(|| template.at("/Globals/Function/Timeout").as_u64().unwrap())
}

/// Each object in `value` that has a member `name`.
fn with<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| with(item, name, found)),
        Value::Object(members) => {
            if members.contains_key(name) {
                found.push(value);
            }
            members.values().for_each(|member| with(member, name, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// One or several texts.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

#[test]
fn each_folder_of_functions_is_a_function_and_each_function_a_folder() {
    let template = Template::read();
    let mut functions = BTreeSet::new();
    // They are built together, by what the workspace says to cargo-lambda.
    assert_eq!(template.at("/Globals/Function/CodeUri"), ".");
    for (name, _) in template.resources(FUNCTION) {
        let folder = template.folder(name);
        let method = template.at(&format!("/Resources/{name}/Metadata/BuildMethod"));
        assert_eq!(method, "rust-cargolambda", "{name}");
        assert!(functions.insert(folder.to_owned()), "{folder} is there twice");
    }
    let folders: BTreeSet<String> = fs::read_dir(root().join("functions"))
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(functions, folders);
    assert_eq!(built_together(), folders);
}

/// The packages that cargo-lambda builds.
fn built_together() -> BTreeSet<String> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let workspace: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    serde_json::from_value(workspace["metadata"]["lambda"]["build"]["packages"].clone()).unwrap()
}

#[tokio::test]
async fn each_route_is_in_the_template_and_leads_to_the_function_that_answers() {
    let template = Template::read();
    let mut wanted = BTreeSet::new();
    let text = fs::read_to_string(root().join("shared/src/web/paths.rs")).unwrap();
    let consts = text.lines().filter_map(|line| line.split_once(": &str = \"")?.1.split_once('"'));
    for (path, _) in consts {
        let before = wanted.len();
        for (function, router) in routers() {
            if knows(router, path).await {
                wanted.insert(format!("ANY {path} {function}"));
            }
        }
        assert_eq!(wanted.len(), before + 1, "one function answers at {path}");
    }
    let mut found = BTreeSet::new();
    for (name, route) in template.resources("AWS::ApiGatewayV2::Route") {
        if template.at(&format!("/Resources/{name}")).get("Condition").is_some() {
            continue;
        }
        let target = route["Target"]["Fn::Sub"].as_str().unwrap();
        let integration = target.trim_start_matches("integrations/${").trim_end_matches('}');
        let integration = template.at(&format!("/Resources/{integration}/Properties"));
        let function = resource(&integration["IntegrationUri"]);
        let function = template.folder(function);
        let key = template.by_default(&route["RouteKey"]);
        assert!(found.insert(format!("{key} {function}")), "{key} is there twice");
    }
    assert_eq!(found, wanted);
}

fn routers() -> [(&'static str, Router); 4] {
    let us = World::new().transmitter;
    [
        ("authorize", authorize::router(&us)),
        ("discovery", discovery::router(&us)),
        ("poll", poll::router(&us)),
        ("streams", streams::router(&us)),
    ]
}

/// Whether there is something at `path`: then who asks in a way that it does not know learns which
/// ways it knows.
async fn knows(router: Router, path: &str) -> bool {
    let path = path.replace("{stream_id}", "a-stream");
    let request = Request::builder().method(Method::TRACE).uri(&path).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    if response.status() == StatusCode::NOT_FOUND {
        return false;
    }
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    assert!(response.headers().contains_key(ALLOW), "{path}");
    true
}

#[test]
fn a_message_that_failed_comes_again_and_only_that_one() {
    let template = Template::read();
    let mut queues = BTreeSet::new();
    for (name, function) in template.resources(FUNCTION) {
        let Some(events) = function["Events"].as_object() else { continue };
        for (event, trigger) in events.iter().filter(|(_, trigger)| trigger["Type"] == "SQS") {
            let trigger = &trigger["Properties"];
            let answer = texts(&trigger["FunctionResponseTypes"]);
            assert_eq!(answer, ["ReportBatchItemFailures"], "{name}, {event}");
            let queue = resource(&trigger["Queue"]);
            let properties = template.at(&format!("/Resources/{queue}/Properties"));
            let hidden = properties["VisibilityTimeout"].as_u64().unwrap();
            assert!(hidden >= 6 * timeout(&template, function), "{queue}: AWS asks for six times");
            assert!(properties["RedrivePolicy"].is_object(), "{queue} has no dead letters");
            queues.insert(queue.to_owned());
        }
    }
    assert_eq!(
        queues.into_iter().collect::<Vec<_>>(),
        ["IngestFifoQueue", "IngestQueue", "PushQueue"]
    );
    for (name, queue) in template.resources("AWS::SQS::Queue") {
        assert_eq!(queue["MessageRetentionPeriod"], 14 * 86_400, "{name}: 14 days");
    }
}

#[test]
fn whoever_waits_waits_longer_than_what_it_waits_for() {
    let template = Template::read();
    for (name, integration) in template.resources("AWS::ApiGatewayV2::Integration") {
        let function = resource(&integration["IntegrationUri"]);
        let properties = template.at(&format!("/Resources/{function}/Properties"));
        let seconds = timeout(&template, properties);
        assert!(integration["TimeoutInMillis"].as_u64().unwrap() >= 1000 * seconds, "{name}");
        if template.folder(function) == "poll" {
            let config = Settings::default().config().unwrap();
            assert!(seconds > config.poll_wait.as_secs(), "a long poll ends with an answer");
        }
    }
}

#[test]
fn the_functions_find_their_variables() {
    let template = Template::read();
    let variables = template.at("/Globals/Function/Environment/Variables").as_object().unwrap();
    let found: BTreeSet<&str> = variables.keys().map(String::as_str).collect();
    let text = fs::read_to_string(root().join("shared/aws/src/environment.rs")).unwrap();
    let consts = text.lines().filter(|line| line.trim_start().starts_with("pub const "));
    let names = consts.map(|line| line.split('"').nth(1).unwrap());
    // Lambda itself sets these, and lets nobody else.
    let wanted = names.filter(|name| !name.starts_with("AWS_"));
    // The dimension of all metrics; no function does anything else because of it.
    assert_eq!(found, wanted.chain(["STACK_NAME"]).collect());
}

#[test]
fn the_settings_are_the_defaults_unless_the_deployer_says_otherwise() {
    let template = Template::read();
    let settings = template.at("/Globals/Function/Environment/Variables/SETTINGS");
    assert_eq!(template.at("/Outputs/Settings/Value"), settings, "the tool reads others");
    let text = template.by_default(settings);
    let read: Value = serde_json::from_str(&text).unwrap();
    let defaults = serde_json::to_value(Settings::default()).unwrap();
    let names =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(names(&read), names(&defaults));
    let read: Settings = serde_json::from_value(read).unwrap();
    assert_eq!(read.issuer, "https://Api.execute-api.AWS::Region.AWS::URLSuffix");
    assert_eq!(Settings { issuer: Settings::default().issuer, ..read }, Settings::default());
    let _: Config = Settings::default().config().unwrap();
}

#[test]
fn each_policy_names_what_it_allows() {
    let template = Template::read();
    let mut statements = Vec::new();
    with(template.whole(), "Action", &mut statements);
    let mut keys = Vec::new();
    for (_, key) in template.resources("AWS::KMS::Key") {
        with(&key["KeyPolicy"], "Action", &mut keys);
    }
    let allowing: Vec<_> = statements.iter().filter(|one| one["Effect"] == "Allow").collect();
    assert!(allowing.len() > 30, "the statements are found");
    for statement in allowing {
        let actions = texts(&statement["Action"]);
        assert!(!actions.is_empty() && !actions.iter().any(|one| one.contains('*')), "{statement}");
        // The policy of a key is about this key; X-Ray has nothing that could be named.
        let about_all =
            keys.contains(statement) || actions.iter().all(|one| one.starts_with("xray:"));
        let trust = statement.get("Resource").is_none() && actions == ["sts:AssumeRole"];
        let named = !texts(&statement["Resource"]).contains(&"*") || about_all;
        assert!(trust || named, "{statement}");
    }
}

#[test]
fn the_table_is_as_the_code_reads_it() {
    let template = Template::read();
    let (_, found) = template.resources("AWS::DynamoDB::Table")[0];
    let key = |sort: &str| {
        json!([
            { "AttributeName": table::PARTITION_KEY, "KeyType": "HASH" },
            { "AttributeName": sort, "KeyType": "RANGE" }
        ])
    };
    assert_eq!(found["KeySchema"], key(table::SORT_KEY));
    let index = json!([{
        "IndexName": table::ORDER_INDEX,
        "KeySchema": key(table::ORDER_KEY),
        "Projection": { "ProjectionType": "ALL" }
    }]);
    assert_eq!(found["LocalSecondaryIndexes"], index);
    assert_eq!(found["TimeToLiveSpecification"]["AttributeName"], table::TTL_ATTRIBUTE);
}

#[test]
fn nothing_is_logged_for_ever() {
    let template = Template::read();
    let groups = template.resources("AWS::Logs::LogGroup");
    for (name, group) in &groups {
        assert_eq!(group["RetentionInDays"]["Ref"], "LogRetentionDays", "{name}");
    }
    let mut used = BTreeSet::new();
    for (name, function) in template.resources(FUNCTION) {
        let group = resource(&function["LoggingConfig"]["LogGroup"]);
        assert!(groups.iter().any(|(known, _)| *known == group), "{name}");
        assert!(used.insert(group), "{group} has the logs of two functions");
    }
}

#[test]
fn each_alarm_is_about_something_and_has_its_section_in_the_runbook() {
    let template = Template::read();
    let runbook = fs::read_to_string(root().join("infra/runbook.md")).unwrap();
    let metrics = Metric::ALL.map(Metric::name);
    for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        if alarm["Namespace"] == "Tocsin" {
            assert!(metrics.contains(&alarm["MetricName"].as_str().unwrap()), "{name}");
        }
        let text = alarm["AlarmName"]["Fn::Sub"].as_str().unwrap();
        let end = text.strip_prefix("${AWS::StackName}-").unwrap();
        assert!(runbook.contains(&format!("`{end}`")), "the runbook says nothing of {end}");
        assert!(alarm["AlarmActions"].is_object(), "{name} tells nobody");
    }
    let dashboard = template.at("/Resources/Dashboard/Properties/DashboardBody/Fn::Sub");
    let dashboard: Value = serde_json::from_str(dashboard.as_str().unwrap()).unwrap();
    let shown = dashboard.to_string();
    for metric in metrics {
        assert!(shown.contains(metric), "the dashboard does not show {metric}");
    }
}
