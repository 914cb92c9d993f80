//! A transmitter as a process, and receivers in terminals.

use std::{
    collections::BTreeSet,
    fmt::Write,
    net::TcpListener,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{program::Running, tool::Tool};

const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

/// The `--data` of `tool`.
fn data(tool: &Tool) -> &str {
    tool.data.path().to_str().unwrap()
}

fn certificate(tool: &Tool) -> String {
    format!("{}/tls/cert.pem", data(tool))
}

/// A transmitter with `--tls`, at `port`, that pushes to this machine; its port.
fn serve(tool: &Tool, port: u16) -> (Running, u16) {
    let (address, certificate) = (format!("127.0.0.1:{port}"), certificate(tool));
    let arguments = ["serve", "--tls", "--data", data(tool), "--listen", &address];
    let push = ["--allow-private-push", "--push-ca", &certificate, "--log", "error"];
    let running = Running::start(&[&arguments[..], &push].concat());
    let line = running.line();
    let port = line.strip_prefix("listening on https://127.0.0.1:").unwrap();
    (running, port.parse().unwrap())
}

/// Arguments of `listen` for a new client.
fn listen_arguments(tool: &Tool, port: u16) -> Vec<String> {
    let client =
        tool.run("client create --name Acme --audience https://acme.example --json").json();
    let text = |name: &str| client[name].as_str().unwrap();
    let issuer = format!("https://localhost:{port}");
    let (id, secret) = (text("client_id"), text("client_secret"));
    let arguments = ["listen", "--json", "--issuer", &issuer, "--client-id", id];
    let more = ["--client-secret", secret, "--ca", &certificate(tool)];
    arguments.into_iter().chain(more).map(str::to_owned).collect()
}

/// A new client listens, with `more` arguments; returns when it has its stream.
fn listen(tool: &Tool, port: u16, more: &[&str]) -> Running {
    let arguments = listen_arguments(tool, port);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let running = Running::start(&[&arguments, more].concat());
    let line = running.stderr_line();
    assert!(line.starts_with("stream "), "{line}");
    running
}

/// Arguments of a receiver that is pushed to at a port of its own.
fn push_arguments(tool: &Tool) -> [String; 4] {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let url = format!("https://localhost:{free}/events");
    ["--push".to_owned(), url, "--tls".to_owned(), data(tool).to_owned()]
}

fn session_revoked(user: &str) -> String {
    json!({
        "sub_id": { "format": "opaque", "id": user },
        "events": { SESSION_REVOKED: {} },
    })
    .to_string()
}

/// The user in a line of `listen --json`, which must be verified.
fn user(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["verified"], true, "{line}");
    line["claims"]["sub_id"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_set_is_pushed_to_or_polled_by_a_receiver_that_knows_nothing_but_the_issuer() {
    let tool = Tool::new();
    let (_serve, port) = serve(&tool, 0);
    let push = push_arguments(&tool);
    let push: Vec<_> = push.iter().map(String::as_str).collect();
    for delivery in [&["--poll"][..], &push] {
        let listening = listen(&tool, port, &[delivery, &["--count", "1"]].concat());
        let emitted = tool.run_with("emit -", session_revoked("jane"));
        assert_eq!(emitted.code, 0, "{emitted:?}");
        let line: Value = serde_json::from_str(&listening.line()).unwrap();
        assert_eq!(line["verified"], true);
        let claims = &line["claims"];
        assert_eq!(claims["iss"], format!("https://localhost:{port}"));
        assert_eq!(claims["aud"], "https://acme.example");
        assert_eq!(claims["sub_id"], json!({ "format": "opaque", "id": "jane" }));
        assert_eq!(claims["events"].as_object().unwrap().keys().next().unwrap(), SESSION_REVOKED);
        assert_eq!(listening.end(), (Some(0), Vec::new()), "{delivery:?}");
    }
}

#[test]
fn a_receiver_that_comes_back_finds_its_stream_and_what_it_missed() {
    let tool = Tool::new();
    let (_serve, port) = serve(&tool, 0);
    let push = push_arguments(&tool);
    let push: Vec<_> = push.iter().map(String::as_str).collect();
    for delivery in [&["--poll"][..], &push] {
        let arguments = listen_arguments(&tool, port);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let arguments = [&arguments, delivery, &["--count", "1"]].concat();
        let first = Running::start(&arguments);
        let stream = first.stderr_line();
        tool.run_with("emit -", session_revoked("ann")).well();
        assert_eq!(user(&first.line()), "ann");
        assert_eq!(first.end().0, Some(0));
        tool.run_with("emit - --wait --timeout 2", session_revoked("bob")).well();
        let second = Running::start(&arguments);
        assert_eq!(second.stderr_line(), stream);
        assert_eq!(user(&second.line()), "bob");
        assert_eq!(second.end().0, Some(0));
    }
}

#[test]
fn a_receiver_whose_stream_is_gone_says_so_and_ends() {
    let tool = Tool::new();
    let (_serve, port) = serve(&tool, 0);
    let listening = listen(&tool, port, &[]);
    let streams = tool.run("stream list --json").json();
    let id = streams[0]["stream_id"].as_str().unwrap();
    assert_eq!(tool.run(&format!("stream delete {id} --yes")).code, 0);
    let said = listening.stderr_line();
    assert!(said.starts_with("error: POST "), "{said}");
    assert!(said.ends_with(&format!("404 Not Found: there is no stream {id}")), "{said}");
    assert_eq!(listening.end(), (Some(1), Vec::new()));
}

#[cfg(unix)]
#[test]
fn it_ends_when_asked_and_keeps_nobody_waiting() {
    for signal in ["TERM", "INT"] {
        let tool = Tool::new();
        let (serve, port) = serve(&tool, 0);
        let listening = listen(&tool, port, &[]);
        tool.run_with("emit -", session_revoked("jane"));
        assert_eq!(user(&listening.line()), "jane");
        // From here on there is a long poll, for 25 seconds.
        let began = Instant::now();
        serve.signal(signal);
        assert_eq!(serve.end().0, Some(0));
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_lost_when_it_is_killed_at_work() {
    const EVENTS: usize = 400;
    let tool = Tool::new();
    let (killed, port) = serve(&tool, 0);
    let push = push_arguments(&tool);
    let push: Vec<_> = push.iter().map(String::as_str).collect();
    let listening = [listen(&tool, port, &push), listen(&tool, port, &["--poll"])];
    let events = (0..EVENTS).fold(String::new(), |mut text, number| {
        writeln!(text, "{}", session_revoked(&number.to_string())).unwrap();
        text
    });
    assert_eq!(tool.run_with("emit -", events).code, 0);
    let mut users = [BTreeSet::new(), BTreeSet::new()];
    for _ in 0..20 {
        users[0].insert(user(&listening[0].line()));
    }
    killed.signal("KILL");
    killed.end();
    let (_serve, _) = serve(&tool, port);
    for (listening, users) in listening.iter().zip(&mut users) {
        while users.len() < EVENTS {
            users.insert(user(&listening.line()));
        }
    }
}

#[test]
fn two_on_one_folder_are_refused() {
    let tool = Tool::new();
    let (_serve, _) = serve(&tool, 0);
    let second = tool.run("serve --tls --listen 127.0.0.1:0");
    let folder = data(&tool);
    let refusal = format!(
        "error: another `tocsin serve` runs on {folder}: stop it first, or choose another folder\n"
    );
    assert_eq!((second.code, second.stderr), (1, refusal));
}

#[test]
fn what_it_cannot_be_started_with_is_told() {
    let tool = Tool::new();
    let cases = [
        ("serve", 2, "--issuer <URL>"),
        ("serve --issuer http://ssf.example", 2, "must be an https URL"),
        ("serve --tls --listen 8443", 2, "--listen"),
        ("serve --tls --default-subjects SOME", 2, "is neither ALL nor NONE"),
        ("serve --tls --event-retention months=1", 2, "units are weeks, days, hours"),
        ("serve --tls --algorithm HS256", 2, "is neither RS256 nor ES256"),
        ("serve --tls --event-type session-revoked", 2, "is not a URI"),
        ("serve --tls --listen 127.0.0.1:0 --push-ca /nowhere", 1, "cannot trust"),
        ("serve --tls --listen 127.0.0.1:0 --trusted-issuers /nowhere", 1, "cannot read /nowhere"),
        ("serve --tls --listen 192.0.2.1:1", 1, "choose another address with --listen"),
    ];
    for (line, code, reason) in cases {
        let said = tool.run(line);
        assert_eq!(said.code, code, "{line}: {said:?}");
        assert!(said.stderr.contains(reason), "{line}: {said:?}");
    }
}
