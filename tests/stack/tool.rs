//! The tool on the deployed stack: each command says and does what it does on a laptop.

use std::{fs, process::Output};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{
    Reply,
    world::{caep, session_revoked},
};

use crate::{
    deployed::{Deployed, STACK, on_the_stack, text, wait_until},
    redrive::{dead_letters, no_dead_letters},
};

/// What the tool complains of; it must fail.
fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "{}", text(&output.stdout));
    text(&output.stderr)
}

/// The members `name` of a list.
fn each<'a>(list: &'a Value, name: &str) -> Vec<&'a Value> {
    list.as_array().expect("a list").iter().map(|one| &one[name]).collect()
}

#[test]
fn the_tool_looks_after_clients_and_their_tokens() {
    on_the_stack(async |deployed| {
        let mut receiver = deployed.sign_in("looked-after").await;
        let stream = receiver.poll_stream(&["session-revoked"]).await;
        let id = receiver.client_id.clone();
        let listed = deployed.tool(&["client", "list"]);
        assert_eq!(each(&listed, "client_id"), [&json!(id)]);
        let shown = deployed.tool(&["client", "show", &id]);
        assert_eq!((&shown["client_name"], &shown["streams"]), (&json!("looked-after"), &json!(1)),);
        let tokens = deployed.tool(&["token", "list", &id]);
        assert_eq!(tokens, shown["tokens"]);
        assert_eq!(each(&tokens, "type"), ["access"]);

        let streams = "/ssf/streams";
        let refused = StatusCode::UNAUTHORIZED;
        assert_eq!(deployed.tool(&["client", "disable", &id])["disabled"], true);
        receiver.ask(Method::GET, streams, None, refused).await;
        assert_eq!(receiver.grant().await.0, refused);
        assert_eq!(deployed.tool(&["client", "enable", &id])["disabled"], false);
        receiver.ask(Method::GET, streams, None, StatusCode::OK).await;

        let rotated = deployed.tool(&["client", "rotate-secret", &id]);
        assert_eq!(rotated["client_id"], id);
        assert_eq!(receiver.grant().await.0, refused, "the old secret is of no use any more");
        rotated["client_secret"].as_str().unwrap().clone_into(&mut receiver.secret);
        deployed.secrets.lock().unwrap().push(receiver.secret.clone());
        assert_eq!(receiver.grant().await.0, StatusCode::OK);
        assert_eq!(deployed.tool(&["token", "list", &id]).as_array().map(Vec::len), Some(2));

        let token = tokens[0]["token_id"].as_str().unwrap();
        deployed.tool(&["token", "revoke", token]);
        receiver.ask(Method::GET, streams, None, refused).await;
        let gone = deployed.tool(&["client", "delete", "--yes", &id]);
        assert_eq!(gone, json!({ "client_id": id, "deleted": true }));
        assert_eq!(receiver.grant().await.0, refused);
        let said = complaint(&deployed.run_tool(&["client", "show", &id]));
        assert!(said.contains("`tocsin client list` shows those there are"), "{said}");
        let streams = deployed.tool(&["stream", "list", "--client", &id]);
        let is = (&streams[0]["stream_id"], &streams[0]["status"]);
        assert_eq!(is, (&json!(stream), &json!("disabled_deleted")));
    });
}

#[test]
fn the_tool_looks_after_streams_and_their_receivers_are_told() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("steered").await;
        let stream = receiver.push_stream(&["session-revoked"]).await;
        let other = receiver.poll_stream(&[]).await;
        let listed = deployed.tool(&["stream", "list", "--client", &receiver.client_id]);
        assert_eq!(listed.as_array().map(Vec::len), Some(2));
        let path = format!("/ssf/status?stream_id={stream}");
        let reason = ["--reason", "maintenance"];
        for (count, (command, status)) in
            [("pause", "paused"), ("enable", "enabled"), ("disable", "disabled")]
                .into_iter()
                .enumerate()
        {
            let said = deployed.tool(&[&["stream", command, &stream], &reason[..]].concat());
            assert_eq!((&said["status"], &said["reason"]), (&json!(status), &json!("maintenance")));
            assert_eq!(deployed.tool(&["stream", "show", &stream])["status"], status);
            let is = receiver.ask(Method::GET, &path, None, StatusCode::OK).await;
            assert_eq!(is["status"], status);
            let told = deployed.pushed("steered", count + 1).await;
            let updated = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";
            assert_eq!(told[count]["events"][updated]["status"], status);
            let of_status = deployed.tool(&["stream", "list", "--status", status]);
            assert!(each(&of_status, "stream_id").contains(&&json!(stream)), "{of_status}");
        }
        // A stream that is disabled holds nothing.
        deployed.send("IngestFifoQueueUrl", &session_revoked("nobody@example.com"), Some("tool"));
        deployed.is_done("IngestFifoQueueUrl").await;
        let events = deployed.tool(&["event", "list", "--stream", &stream]);
        assert!(!each(&events, "event_type").contains(&&json!(caep("session-revoked"))));

        let deleted = deployed.tool(&["stream", "delete", "--yes", &stream]);
        assert_eq!(deleted["status"], "disabled_deleted");
        receiver.ask(Method::GET, &path, None, StatusCode::NOT_FOUND).await;
        let path = format!("/ssf/status?stream_id={other}");
        receiver.ask(Method::GET, &path, None, StatusCode::OK).await;
    });
}

#[test]
fn the_tool_emits_events_and_tells_what_became_of_them() {
    on_the_stack(async |deployed| {
        no_dead_letters(deployed);
        let receiver = deployed.sign_in("emitted").await;
        let stream = receiver.push_stream(&["session-revoked"]).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.jsonl");
        let path = file.to_str().unwrap();
        let lines = |events: &[Value]| {
            let lines: Vec<_> = events.iter().map(Value::to_string).collect();
            fs::write(&file, lines.join("\n")).unwrap();
        };
        // One that nobody wants: it is of a type that no stream asks for.
        let mut unwanted = session_revoked("unwanted@example.com");
        unwanted["events"] =
            json!({ "https://schemas.openid.net/secevent/risc/event-type/account-enabled": {} });
        for door in [&[][..], &["--fifo"]] {
            lines(&[session_revoked("emitted@example.com"), unwanted.clone()]);
            let emit = ["emit", path, "--wait", "--timeout", "60"];
            let said = deployed.tool(&[&emit, door].concat());
            assert_eq!((&said["emitted"], &said["unsent"]), (&json!(2), &json!([])));
            let streams = each(&said["events"], "streams");
            assert_eq!(streams[0].as_array().map(Vec::len), Some(1));
            assert_eq!(streams[0][0]["stream_id"], stream);
            assert_eq!((&streams[0][0]["status"], streams[1]), (&json!("sent"), &json!([])));
        }
        assert_eq!(deployed.pushed("emitted", 2).await.len(), 2);

        lines(&[json!({ "events": {} })]);
        let refused = deployed.run_tool(&["emit", path, "--wait", "--timeout", "60"]);
        assert!(complaint(&refused).contains("`tocsin dead-letter list` says why"));
        let said: Value = serde_json::from_slice(&refused.stdout).unwrap();
        assert_eq!(said["events"][0]["fate"], "refused");
        let letters = dead_letters(deployed, &Value::Null).await;
        assert_eq!(letters[0]["message_id"], said["events"][0]["message_id"]);
        let id = letters[0]["id"].as_str().unwrap();
        assert_eq!(deployed.tool(&["dead-letter", "show", id]), letters[0]);
        assert_eq!(deployed.tool(&["dead-letter", "drop", id, "--yes"]), json!({ "dropped": 1 }));
        let said = complaint(&deployed.run_tool(&["dead-letter", "show", id]));
        assert!(said.contains("`tocsin dead-letter list` shows those there are"), "{said}");
    });
}

#[test]
fn the_tool_shows_events_that_failed_sends_them_again_and_drops_them() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("fails").await;
        let stream = receiver.push_stream(&["session-revoked"]).await;
        let reason = r#"{"err":"invalid_request","description":"not like this"}"#;
        deployed.receiver.otherwise(Reply::json(400, reason));
        for number in 0..3 {
            let event = session_revoked(&format!("fails-{number}@example.com"));
            deployed.send("IngestQueueUrl", &event, None);
        }
        let listed = async |status: &str, count: usize| {
            let mut events = Value::Null;
            wait_until(&format!("{count} events that are {status}"), async || {
                events = deployed.tool(&["event", "list", "--stream", &stream, "--status", status]);
                events.as_array().is_some_and(|events| events.len() == count)
            })
            .await;
            events
        };
        let failed = listed("pending_failed", 3).await;
        let jtis: Vec<&str> = each(&failed, "jti").into_iter().filter_map(Value::as_str).collect();
        let shown = deployed.tool(&["event", "show", jtis[0]]);
        assert_eq!(shown["error"]["description"], "not like this");
        assert_eq!(shown["claims"]["jti"], jtis[0]);
        let set = shown["set"].as_str().unwrap();
        assert!(deployed.arrived("fails").iter().any(|request| request.body == set));

        let dropped = deployed.tool(&["event", "drop", jtis[0], "--yes"]);
        assert_eq!(dropped, json!({ "dropped": 1 }));
        deployed.receiver.otherwise(Reply::status(202));
        let retried = json!({ "retried": 1, "passed_over": 0 });
        assert_eq!(deployed.tool(&["event", "retry", jtis[1]]), retried);
        listed("sent", 1).await;
        assert_eq!(deployed.tool(&["event", "retry", "--all", "--stream", &stream]), retried);
        listed("sent", 2).await;
        listed("pending_failed", 0).await;
        let said = complaint(&deployed.run_tool(&["event", "show", jtis[0]]));
        assert!(said.contains("`tocsin event list` shows those there are"), "{said}");
    });
}

/// What is wrong with the caller, or with what the caller says, is told in words.
#[test]
fn the_tool_says_which_stack_is_not_there_and_which_right_is_missing() {
    on_the_stack(async |deployed| {
        let list = ["client", "list"];
        let said = deployed.run_tool(&["--region", "us-east-1", "client", "list"]);
        assert!(said.status.success(), "{}", text(&said.stderr));
        let said = complaint(&deployed.run_tool(&["--region", "eu-west-1", "client", "list"]));
        assert!(said.contains(&format!("there is no stack {STACK:?} in eu-west-1")), "{said}");
        let said = complaint(&deployed.run_tool(&["--stack", "other", "client", "list"]));
        assert!(said.contains(r#"there is no stack "other" in us-east-1"#), "{said}");

        // Somebody who may do nothing at all, and then somebody who may only look at the stack.
        let iam =
            |operation: &str, arguments: &Value| deployed.boto3.call("iam", operation, arguments);
        let user = json!({ "UserName": "intern" });
        iam("create_user", &user);
        let mut key = iam("create_access_key", &user);
        let key = key["AccessKey"].take();
        let delete = json!({ "UserName": "intern", "AccessKeyId": key["AccessKeyId"] });
        deployed.will_undo([("iam", "delete_user", user), ("iam", "delete_access_key", delete)]);
        let run = |arguments: &[&str]| {
            deployed.run_tool_with(arguments, |tool| {
                tool.env("AWS_ACCESS_KEY_ID", key["AccessKeyId"].as_str().unwrap());
                tool.env("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"].as_str().unwrap());
            })
        };
        let said = complaint(&run(&list));
        assert!(
            said.contains(&format!("the stack {STACK:?} in us-east-1 cannot be read")),
            "{said}"
        );
        assert!(said.contains("AccessDenied"), "{said}");
        let policy = |name: &str| json!({ "UserName": "intern", "PolicyName": name });
        let mut put = policy("look");
        put["PolicyDocument"] = json!({
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": "*",
            },
        })
        .to_string()
        .into();
        iam("put_user_policy", &put);
        deployed.will_undo([("iam", "delete_user_policy", policy("look"))]);
        let said = complaint(&run(&list));
        assert!(said.contains("AccessDenied") && said.contains("your role forbids it"), "{said}");
        let doctor = run(&["doctor"]);
        let said = complaint(&doctor);
        assert!(said.contains(&format!("wrong with the stack {STACK}")), "{said}");
        let findings: Value = serde_json::from_slice(&doctor.stdout).unwrap();
        let remedies = each(&findings, "remedy");
        for remedy in [
            "let your role read the stack's table",
            "let your role describe the key, and look again",
            "let your role read the attributes of the queue, and look again",
        ] {
            let mut remedies = remedies.iter().filter_map(|one| one.as_str());
            assert!(remedies.any(|one| one.starts_with(remedy)), "{findings}");
        }
    });
}

#[test]
fn the_doctor_says_of_each_thing_how_it_is() {
    on_the_stack(async |deployed| {
        no_dead_letters(deployed);
        assert_eq!(
            findings(deployed),
            [
                ("stack", "good"),
                ("alarms", "odd"),
                ("operators", "odd"),
                // Its name leads nowhere here.
                ("issuer", "wrong"),
                ("signing key", "good"),
                ("secrets key", "good"),
                // They take what is sent without TLS, as they must here.
                ("ingest queue", "odd"),
                ("ingest queue (FIFO)", "odd"),
                ("push queue", "odd"),
                ("dead letters", "odd"),
                ("dead letters (FIFO)", "odd"),
                ("dead letters (push)", "odd"),
            ]
            .map(|(subject, verdict)| (subject.to_owned(), verdict.to_owned()))
        );
        let all = json!({
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*",
            },
        });
        let put = |policy: &str| {
            let attributes = json!({ "Policy": policy });
            json!({ "QueueUrl": deployed.output("PushQueueUrl"), "Attributes": attributes })
        };
        deployed.will_undo([("sqs", "set_queue_attributes", put(""))]);
        deployed.boto3.call("sqs", "set_queue_attributes", &put(&all.to_string()));
        let found = findings(deployed);
        assert!(found.contains(&("push queue".to_owned(), "wrong".to_owned())), "{found:?}");
    });
}

/// What the doctor finds: about what, and how it is. Several keys may sign, or will.
fn findings(deployed: &Deployed) -> Vec<(String, String)> {
    let output = deployed.run_tool(&["doctor"]);
    let said = complaint(&output);
    assert!(said.contains("wrong with the stack"), "{said}");
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found: Vec<(String, String)> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let part = |name: &str| finding[name].as_str().unwrap().to_owned();
            assert_eq!(finding["verdict"] == "good", finding.get("remedy").is_none(), "{finding}");
            (part("subject"), part("verdict"))
        })
        .collect();
    found.dedup();
    found
}

#[test]
fn the_tool_lists_keys_and_revokes_a_token_that_it_is_given() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("shown").await;
        let keys = deployed.tool(&["keys", "list"]);
        let states = each(&keys, "state");
        assert_eq!(states.iter().filter(|state| **state == "signing").count(), 1, "{keys}");
        let read = receiver.ask(Method::GET, "/ssf/streams", None, StatusCode::OK).await;
        assert_eq!(read, json!([]));
        deployed.tool(&["token", "revoke", &receiver.token]);
        receiver.ask(Method::GET, "/ssf/streams", None, StatusCode::UNAUTHORIZED).await;
    });
}
