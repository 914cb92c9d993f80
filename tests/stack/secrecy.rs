//! What only receivers may know, and what tells of people, is found in no log, on no queue, and in
//! no row of the table in plain text.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use ssf::table::Table as _;
use tests::{Fault, Function, Plan, Reply, world::session_revoked};

use crate::{
    deployed::{Deployed, on_the_stack, wait_until},
    pages::Browser,
    redrive::{dead_letters, no_dead_letters},
};

/// Begins every `authorization_header` of the receivers here.
const HEADER: &str = "Bearer for-";

/// Ends everybody's e-mail address here.
const SUBJECT: &str = "@example.com";

/// Of somebody in the directory.
const PASSWORD: &str = "correct-horse-battery-staple";

/// Lets go wrong what leaves words in logs: a push, a signature, a call without a right to it, a
/// message that is no event.
async fn go_wrong(deployed: &Deployed) {
    no_dead_letters(deployed);
    let receiver = deployed.sign_in("discreet").await;
    let stream = receiver.push_stream(&["session-revoked"]).await;
    receiver.push_stream(&["session-revoked"]).await;
    let plan = Plan::new("TrentService.Decrypt", &[Fault::BeforeItTookEffect; 4]);
    deployed.proxy.plan(plan.about(&stream));
    deployed.proxy.plan(Plan::new("TrentService.Sign", &[Fault::Throttled; 4]));
    let description = json!({ "err": "invalid_request", "description": "not like this" });
    deployed.receiver.otherwise(Reply::json(400, &description.to_string()));
    let mut poison = session_revoked("poison@example.com");
    poison["events"] = json!({});
    for message in [session_revoked("discreet@example.com"), poison] {
        deployed.send("IngestQueueUrl", &message, None);
    }
    dead_letters(deployed, &Value::Null).await;
    wait_until("all faults", async || deployed.proxy.left() == 0).await;
    wait_until("pushes that fail", async || deployed.arrived("discreet").len() >= 2).await;
    let polled = receiver.poll_stream(&["session-revoked"]).await;
    receiver.poll(&polled).await;
    deployed.ask(Method::GET, "/jwks.json", None, None).await;
    let sweep = json!({ "FunctionName": deployed.function("sweep"), "Payload": "{}" });
    deployed.boto3.call("lambda", "invoke", &sweep);
    let provisioner = deployed.provisioner("discreet", &["--may-set-passwords"]);
    deployed.secrets.lock().unwrap().extend([PASSWORD, "not-the-password"].map(str::to_owned));
    let person = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "secretive@example.com",
        "password": PASSWORD,
    });
    for wanted in [StatusCode::CREATED, StatusCode::CONFLICT] {
        let users = "/scim/v2/Users";
        let asked = deployed.ask(Method::POST, users, Some(&provisioner), Some(&person)).await;
        assert_eq!(asked.0, wanted, "{}", asked.1);
    }
    let mut browser = Browser::new(deployed);
    let page = browser.get("/sign-in").await;
    for password in ["not-the-password", PASSWORD] {
        browser.sign_in(&page, "secretive@example.com", password).await;
    }
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    let mut stranger = deployed.sign_in("stranger").await;
    stranger.token.push('x');
    stranger.ask(Method::GET, "/ssf/streams", None, StatusCode::UNAUTHORIZED).await;
}

/// Keeps what is asked of the functions' calls: nobody may take it meanwhile.
#[test]
fn secrets_and_subjects_are_found_nowhere() {
    on_the_stack(async |deployed| {
        go_wrong(deployed).await;
        let secrets: Vec<String> = deployed.secrets.lock().unwrap().clone();
        assert!(secrets.len() >= 4);
        for function in Function::ALL.map(Function::name) {
            let logs = deployed.logs(function);
            assert!(!logs.is_empty(), "{function} has logged nothing");
            for forbidden in secrets.iter().map(String::as_str).chain([HEADER, SUBJECT]) {
                let found = logs.lines().find(|line| line.contains(forbidden));
                assert_eq!(found, None, "{function} logs {forbidden}");
            }
        }
        let figures = figures(&deployed.logs("ingest"));
        assert!(figures.iter().any(|line| line["SetsIssued"].as_u64() > Some(0)), "{figures:?}");

        // Whatever the functions asked of AWS, to queues among others.
        let sent = deployed.proxy.requests("AmazonSQS.SendMessageBatch", "");
        assert!(!sent.is_empty());
        for forbidden in secrets.iter().map(String::as_str).chain([HEADER]) {
            assert_eq!(deployed.proxy.calls_with(forbidden), 0, "{forbidden}");
        }
        let bells =
            deployed.proxy.requests("AmazonSQS.SendMessageBatch", deployed.output("PushQueueUrl"));
        assert!(!bells.is_empty());
        assert!(bells.iter().all(|bell| !bell.to_string().contains(SUBJECT)), "{bells:?}");

        let rows = rows(deployed).await;
        assert!(rows.iter().any(|row| row.contains("endpoint_url")), "no stream is there");
        for forbidden in secrets.iter().map(String::as_str).chain([HEADER]) {
            let found = rows.iter().find(|row| row.contains(forbidden));
            assert_eq!(found, None, "{forbidden}");
        }
    });
}

/// The lines of a log that are figures, of which each names its metrics, and no more than stack and
/// stream besides.
fn figures(logs: &str) -> Vec<Value> {
    let lines = logs.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let figures: Vec<Value> = lines.filter(|line| line.get("_aws").is_some()).collect();
    for line in &figures {
        let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        let named = |name: &str| metrics.iter().any(|metric| metric["Name"] == name);
        for name in line.as_object().unwrap().keys() {
            assert!(named(name) || ["_aws", "Stack", "Stream"].contains(&&**name), "{line}");
        }
    }
    figures
}

/// All rows of the table, as what they are before they are compressed.
async fn rows(deployed: &Deployed) -> Vec<String> {
    let items = deployed.table().batch_get(&deployed.keys("")).await.unwrap();
    let text = |item: ssf::table::Item| format!("{:?} {}", item.key, item.body);
    items.into_iter().flatten().map(text).collect()
}
