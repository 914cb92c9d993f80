//! Holds `template.yaml` and the code together.

mod rules;
mod senders;

use std::{collections::BTreeSet, fs, process::Command, time::Duration};

use axum::{Router, body::Body};
use http::{Method, Request, StatusCode, header::ALLOW};
use serde_json::{Value, json};
use ssf::{
    config::{Config, Issuer, Settings},
    delivery::HttpsPushSettings,
    metrics::Metric,
    web::paths,
};
use ssf_aws::{clients, table};
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
    for below in ["", "/tenants/acme"] {
        let template = Template::read().given("IssuerPath", below);
        assert_eq!(routes(&template), answered(below).await, "below {below:?}");
    }
}

/// What is answered by which function when the issuer has the path `below`.
async fn answered(below: &str) -> BTreeSet<String> {
    let mut answered = BTreeSet::new();
    let text = fs::read_to_string(root().join("shared/src/web/paths.rs")).unwrap();
    let consts = text.lines().filter_map(|line| line.split_once(": &str = \"")?.1.split_once('"'));
    for (path, _) in consts {
        let mut functions = BTreeSet::new();
        // What is well-known is before the issuer's path, and behind it too.
        for path in BTreeSet::from([format!("{path}{below}"), format!("{below}{path}")]) {
            for (function, router) in routers(below) {
                if knows(router, &path).await {
                    functions.insert(function);
                    // What takes all that is below a path has another form at API Gateway.
                    let path = path.replace("{*below}", "{below+}");
                    answered.insert(format!("ANY {path} {function}"));
                }
            }
        }
        assert_eq!(functions.len(), 1, "one function answers at {path}");
    }
    answered
}

/// The routes in the template, each with the function that it leads to.
fn routes(template: &Template) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, route) in template.resources("AWS::ApiGatewayV2::Route") {
        let condition = template.at(&format!("/Resources/{name}")).get("Condition");
        if condition.is_some_and(|name| !template.holds_by_default(name.as_str().unwrap())) {
            continue;
        }
        let target = route["Target"]["Fn::Sub"].as_str().unwrap();
        let integration = target.trim_start_matches("integrations/${").trim_end_matches('}');
        let integration = template.at(&format!("/Resources/{integration}/Properties"));
        let function = template.folder(resource(&integration["IntegrationUri"]));
        let key = template.by_default(&route["RouteKey"]);
        assert!(found.insert(format!("{key} {function}")), "{key} is there twice");
    }
    found
}

fn routers(below: &str) -> [(&'static str, Router); 6] {
    let issuer = Issuer::parse(format!("https://tocsin.example{below}")).unwrap();
    let us = World::with(|config| config.issuer = issuer).transmitter;
    [
        ("authorize", authorize::router(&us)),
        ("directory", directory::router(&us)),
        ("discovery", discovery::router(&us)),
        ("poll", poll::router(&us)),
        ("sign-in", sign_in::router(&us)),
        ("streams", streams::router(&us)),
    ]
}

/// Whether there is something at `path`: then who asks in a way that it does not know learns which
/// ways it knows.
async fn knows(router: Router, path: &str) -> bool {
    let path = path.replace("{stream_id}", "a-stream").replace("{*below}", "Users");
    // At the root of SCIM there is nothing, as the function says that knows what is below.
    let path = if path.ends_with(paths::SCIM) { format!("{path}/Users") } else { path };
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
    }
    // What is waited for on purpose, and how many calls of AWS may take all their time besides: one
    // that fails is the last one, and one before it may have been slow to succeed.
    let config = Settings::default().config().unwrap();
    let push = HttpsPushSettings::default();
    let of_push = |name| constant("shared/src/delivery/push.rs", name);
    let lane = of_push("PATIENCE") + of_push("STREAM_AGE");
    for (name, function) in template.resources(FUNCTION) {
        let (waits, calls) = match template.folder(name) {
            // Nothing is left to be done behind the wait but to look once more.
            "poll" => (config.poll_wait, 1),
            // A page that is begun just in time, and whose receiver says nothing.
            "push" => (lane + push.total_timeout, 2),
            // A key set of somebody else, by which a caller is let in.
            "authorize" | "streams" => (push.fetch_timeout, 1),
            _ => (Duration::ZERO, 2),
        };
        let needs = waits + calls * clients::CALL;
        let has = Duration::from_secs(timeout(&template, function));
        assert!(needs < has, "{name} has {has:?} and may need {needs:?}");
    }
    let waits: Duration = (0..clients::TRIES - 1).map(|n| clients::FIRST_WAIT * 2_u32.pow(n)).sum();
    assert!(2 * clients::TRY <= clients::CALL, "a try that hangs is not the last one");
    assert!(waits * 2 <= clients::CALL, "who is throttled comes to the last try");
    assert!(clients::CONNECT < clients::TRY, "who cannot connect says so");
    assert!(push.connect_timeout < push.total_timeout);
}

/// A time that is a constant of the code.
fn constant(file: &str, name: &str) -> Duration {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let (_, value) =
        text.split_once(&format!("const {name}: Duration = Duration::from_secs(")).unwrap();
    Duration::from_secs(value.split_once(')').unwrap().0.parse().unwrap())
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

/// To Lambda, a function that sends to the queue that it is called from is a loop that somebody forgot,
/// and it stops it after some rounds, unless the function says that it is meant.
#[test]
fn only_the_function_that_rings_for_itself_may_go_round() {
    let template = Template::read();
    let functions = template.resources(FUNCTION).into_iter();
    let allowed = functions.filter(|(_, properties)| properties["RecursiveLoop"] == "Allow");
    assert_eq!(allowed.map(|(name, _)| name).collect::<Vec<_>>(), ["PushFunction"]);
}

/// What alarms there must be: of what, in which namespace, and where.
fn wanted_alarms(template: &Template) -> BTreeSet<String> {
    let mut wanted = BTreeSet::from([
        "AWS/ApiGateway 5xx ApiId=Api".to_owned(),
        "AWS/Lambda Invocations FunctionName=SweepFunction".to_owned(),
    ]);
    for (function, properties) in template.resources(FUNCTION) {
        wanted.insert(format!("AWS/Lambda Errors FunctionName={function}"));
        let mut triggers = Vec::new();
        with(&properties["Events"], "Queue", &mut triggers);
        for queue in triggers.iter().map(|trigger| resource(&trigger["Queue"])) {
            let age = "AWS/SQS ApproximateAgeOfOldestMessage";
            wanted.insert(format!("{age} QueueName={queue}.QueueName"));
        }
    }
    let mut redrives = Vec::new();
    with(template.at("/Resources"), "deadLetterTargetArn", &mut redrives);
    for queue in redrives.iter().map(|redrive| resource(&redrive["deadLetterTargetArn"])) {
        let depth = "AWS/SQS ApproximateNumberOfMessagesVisible";
        wanted.insert(format!("{depth} QueueName={queue}.QueueName"));
    }
    let mut rules = Vec::new();
    with(template.at("/Resources"), "DeadLetterConfig", &mut rules);
    for queue in rules.iter().map(|rule| resource(&rule["DeadLetterConfig"]["Arn"])) {
        let depth = "AWS/SQS ApproximateNumberOfMessagesVisible";
        wanted.insert(format!("{depth} QueueName={queue}.QueueName"));
    }
    let alarming = |metric: &Metric| match metric {
        Metric::EventsFailed
        | Metric::OutboxAge
        | Metric::PushFailures
        | Metric::SignLatency
        | Metric::SignThrottles
        | Metric::UndeliveredAge => true,
        // Good news, what depends on receivers, and what is with the dead letters.
        Metric::DeliveryLatency
        | Metric::EnvelopesDropped
        | Metric::EnvelopesTaken
        | Metric::EventsAccepted
        | Metric::EventsRefused
        | Metric::SetsDelivered
        | Metric::SetsIssued => false,
    };
    for metric in Metric::ALL.iter().filter(|metric| alarming(metric)) {
        wanted.insert(format!("Tocsin {} Stack=AWS::StackName", metric.name()));
    }
    wanted
}

#[test]
fn what_goes_wrong_sets_an_alarm_off_and_each_alarm_has_its_section_in_the_runbook() {
    let template = Template::read();
    let mut found = BTreeSet::new();
    let mut names = Vec::new();
    for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        let of = alarm["MetricName"].as_str().unwrap();
        let namespace = alarm["Namespace"].as_str().unwrap();
        let dimensions = alarm["Dimensions"].as_array().unwrap().iter().map(|dimension| {
            let value = &dimension["Value"];
            let value = value["Fn::GetAtt"].as_str().or(value["Ref"].as_str()).unwrap();
            format!("{}={value}", dimension["Name"].as_str().unwrap())
        });
        let dimensions = dimensions.collect::<Vec<_>>().join(" ");
        let what = format!("{namespace} {of} {dimensions}");
        assert!(found.insert(what), "{name} is there twice");
        let text = alarm["AlarmName"]["Fn::Sub"].as_str().unwrap();
        names.push(text.strip_prefix("${AWS::StackName}-").unwrap());
        assert!(alarm["AlarmActions"].is_object(), "{name} tells nobody");
    }
    let wanted = wanted_alarms(&template);
    let differ: Vec<_> = found.symmetric_difference(&wanted).collect();
    assert!(differ.is_empty(), "missing, or not asked for: {differ:?}");
    let runbook = fs::read_to_string(root().join("infra/runbook.md")).unwrap();
    let (_, alarms) = runbook.split_once("\n## Alarms\n").unwrap();
    // A section begins with the names of the alarms that it is about.
    let parts = alarms.split("**`").skip(1).map(|part| part.split_once("`**").unwrap().0);
    let mut sections: Vec<&str> = parts.collect();
    sections.sort_unstable();
    names.sort_unstable();
    assert_eq!(sections, names, "each has one section");
}

#[test]
fn the_dashboard_shows_what_is_counted() {
    let template = Template::read();
    let dashboard = template.at("/Resources/Dashboard/Properties/DashboardBody/Fn::Sub");
    let dashboard: Value = serde_json::from_str(dashboard.as_str().unwrap()).unwrap();
    let shown = dashboard.to_string();
    for metric in Metric::ALL.map(Metric::name) {
        assert!(shown.contains(metric), "the dashboard does not show {metric}");
    }
}
