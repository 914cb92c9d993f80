//! What an operator does, with and without a transmitter that serves.

use std::fs;

use serde_json::{Value, json};

use crate::tool::{Serving, Tool};

const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

fn session_revoked(email: &str) -> Value {
    json!({
        "sub_id": { "format": "email", "email": email },
        "events": { SESSION_REVOKED: {} },
    })
}

/// Registers a client that has a token, and creates a poll stream for it: ids and token.
fn with_stream(tool: &Tool, serving: &Serving) -> (String, String, String) {
    let line = "client create --name Acme --audience https://acme.example --static-token --json";
    let client = tool.run(line).json();
    let token = client["static_token"].as_str().unwrap().to_owned();
    let body = json!({ "events_requested": [SESSION_REVOKED] }).to_string();
    let (status, stream) = serving.request("POST /ssf/streams", &token, &body);
    assert_eq!(status, 201, "{stream}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&client["client_id"]), text(&stream["stream_id"]), token)
}

#[test]
fn a_client_lives_from_create_to_delete() {
    let tool = Tool::new();
    let created = tool.run("client create --name Acme --audience a --audience b --json").json();
    let id = created["client_id"].as_str().unwrap();
    let secret = created["client_secret"].as_str().unwrap();
    assert_eq!(created["audience"], json!(["a", "b"]));
    assert_eq!(created["scope"], json!(["ssf.read", "ssf.manage"]));
    assert_eq!(created["max_streams"], 10);

    for line in [format!("client show {id}"), "client list".to_owned()] {
        let said = tool.run(&line);
        assert!(said.stdout.contains(id), "{said:?}");
        assert!(!said.stdout.contains(secret), "a secret is shown once");
        assert!(!said.stdout.contains('\u{1b}'), "no colors where nobody sees them");
    }
    let disabled = tool.run(&format!("client disable {id} --json")).json();
    assert_eq!(disabled["disabled"], true);
    let enabled = tool.run(&format!("client enable {id} --json")).json();
    assert_eq!(enabled["disabled"], false);
    let rotated = tool.run(&format!("client rotate-secret {id} --json")).json();
    assert_ne!(rotated["client_secret"], created["client_secret"]);

    assert_eq!(tool.run(&format!("client delete {id} --json")).json()["deleted"], true);
    assert_eq!(tool.run("client list --json").json(), json!([]));
    let gone = tool.run(&format!("client show {id}"));
    assert_eq!(gone.code, 1);
    assert_eq!(
        gone.stderr,
        format!("error: there is no client {id}: `tocsin client list` shows those there are\n")
    );
}

#[test]
fn a_client_gets_what_the_flags_say() {
    let tool = Tool::new();
    let line = "client create --name Acme --audience a --scope ssf.read --default-subjects NONE \
                --profile legacy --subject-in-event --max-streams 3 --no-stream-creation --json";
    let client = tool.run(line).json();
    let wanted = json!({
        "scope": ["ssf.read"], "default_subjects": "NONE", "profile": "legacy",
        "subject_in_event": true, "max_streams": 3, "may_create": false,
    });
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(client[name], *value, "{name}");
    }
    let said = tool.run("client create --name Acme --audience a --static-token");
    for name in ["client_id:", "client_secret:", "static_token:"] {
        assert!(said.stdout.contains(name), "{said:?}");
    }
}

/// The members that `wanted` names are as it says; a null is not there.
fn assert_members(client: &Value, wanted: &Value) {
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(client[name], *value, "{name}");
    }
}

#[test]
fn an_application_and_a_provisioning_client_are_registered_changed_and_shown() {
    let tool = Tool::new();
    let line = "client create --name Notes --redirect-uri https://notes.example/cb \
                --redirect-uri http://127.0.0.1/cb --post-logout-redirect-uri https://notes.example \
                --client-uri https://notes.example --logo-uri https://notes.example/logo.png \
                --contact ops@notes.example --tos-uri https://notes.example/tos \
                --policy-uri https://notes.example/privacy --software-id notes \
                --software-version 2.1 --description Ours --preconsent --public \
                --backchannel-logout-uri https://notes.example/out \
                --backchannel-logout-session-required --json";
    let notes = tool.run(line).json();
    let wanted = json!({
        "redirect_uris": ["https://notes.example/cb", "http://127.0.0.1/cb"],
        "post_logout_redirect_uris": ["https://notes.example"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "scope": ["openid", "profile", "email"], "audience": [], "preconsent": true,
        "token_endpoint_auth_method": "none", "client_secret": null,
        "client_uri": "https://notes.example/", "logo_uri": "https://notes.example/logo.png",
        "contacts": ["ops@notes.example"], "tos_uri": "https://notes.example/tos",
        "policy_uri": "https://notes.example/privacy", "software_id": "notes",
        "software_version": "2.1", "description": "Ours",
        "backchannel_logout_uri": "https://notes.example/out",
        "backchannel_logout_session_required": true,
    });
    assert_members(&notes, &wanted);

    let id = notes["client_id"].as_str().unwrap();
    let line = format!(
        "client update {id} --name Notebook --audience notes --scope openid --public=false \
         --preconsent=false --pkce-optional --subjects consent --token-audience api --clear logo_uri \
         --clear contacts --clear backchannel_logout_uri --max-streams 2 --json"
    );
    let changed = tool.run(&line).json();
    let wanted = json!({
        "client_id": id, "client_name": "Notebook", "audience": ["notes"], "scope": ["openid"],
        "token_endpoint_auth_method": "client_secret_basic", "preconsent": null,
        "pkce_optional": true,
        "default_subjects": "CONSENT", "token_audience": ["api"], "logo_uri": null,
        "contacts": null, "backchannel_logout_uri": null,
        "backchannel_logout_session_required": null, "max_streams": 2, "software_id": "notes", "created": notes["created"],
    });
    assert_members(&changed, &wanted);
    assert!(changed["client_secret"].is_string(), "it needs one now: {changed}");
    let shown = tool.run(&format!("client show {id}")).stdout;
    for text in
        ["Notebook", "https://notes.example/cb", "asked for", "as it likes", "CONSENT", "notes 2.1"]
    {
        let there = text.split(' ').all(|word| shown.contains(word));
        assert!(there, "{text}: {shown}");
    }

    let line = "client create --name Entra --scope scim --static-token --may-set-passwords \
                --scim-full --scim-group-patch 204 --scim-unknown-members reject \
                --scim-reprovision adopt --scim-wipe-guard 0.5 --json";
    let entra = tool.run(line).json();
    let scim = json!({
        "may_set_passwords": true, "full": true, "group_patch": "204",
        "unknown_members": "reject", "reprovision": "adopt", "wipe_guard": 0.5,
    });
    assert_members(&entra, &json!({ "scim": scim, "scope": ["scim"] }));
    assert!(entra["static_token"].as_str().unwrap().starts_with("tocsin_"));
    let id = entra["client_id"].as_str().unwrap();
    let line =
        format!("client update {id} --may-set-passwords=false --clear scim_wipe_guard --json");
    let scim = &tool.run(&line).json()["scim"];
    assert_members(scim, &json!({ "may_set_passwords": false, "full": true, "wipe_guard": null }));
}

#[test]
fn what_cannot_be_is_told_by_member_and_reason_and_changes_nothing() {
    let tool = Tool::new();
    let client = tool.run("client create --name Acme --audience acme --json").json();
    let id = client["client_id"].as_str().unwrap();
    let cases = [
        ("--audience acme --clear audience --audience=", "audience: must have a value"),
        ("--public", "grant_types: a public client has no credentials"),
        ("--logo-uri javascript:alert(1)", "logo_uri: must be an https or http URL"),
        ("--preconsent", "preconsent: is of no use without authorization_code"),
        ("--grant-type authorization_code", "redirect_uris: must have a value"),
        ("--response-type code", "response_types: must be code with authorization_code"),
    ];
    for (options, reason) in cases {
        let said = tool.run(&format!("client update {id} {options}"));
        assert_eq!(said.code, 1, "{options}: {said:?}");
        assert!(said.stderr.contains(reason), "{options}: {said:?}");
    }
    let shown = tool.run(&format!("client show {id} --json")).json();
    assert_eq!(shown["last_modified"], client["last_modified"]);
    let said = tool.run("client update nobody --name x");
    assert!(said.stderr.contains("there is no client nobody"), "{said:?}");
}

#[test]
fn wrong_usage_is_told_by_its_own_code() {
    let tool = Tool::new();
    for line in [
        "client create --name Acme",
        "client create --name Acme --audience a --scope ssf.write",
        "client create --name Acme --audience a --max-streams 0",
        "client create --name Acme --audience a --default-subjects SOME",
        "client show \u{e4}",
        "client create --name Acme --redirect-uri http://acme.example/cb",
        "client create --name Acme --scope scim --scim-wipe-guard 2",
        "client update c --jwks a --jwks-uri https://acme.example/jwks",
        "client update c --clear client_id",
        "emit - --timeout 5",
        "event list --status lost",
        "event retry",
        "event retry jti --all",
        "event retry jti --status pending_new",
        "event drop --all --status sent",
        "dead-letter drop",
        "stream pause",
    ] {
        let said = tool.run(line);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{line}: {said:?}");
    }
}

#[test]
fn where_there_is_no_transmitter_that_is_said() {
    let tool = Tool::new();
    for line in ["stream list", "event list", "dead-letter list", "keys list", "token revoke x"] {
        let said = tool.run(line);
        assert_eq!((said.code, said.stdout.as_str()), (1, ""), "{line}");
        assert!(said.stderr.starts_with("error: there is no transmitter in "), "{said:?}");
    }
}

#[test]
fn events_are_taken_in_and_their_fates_told_while_it_serves() {
    let tool = Tool::new();
    let serving = tool.serve();
    let (_, stream, _) = with_stream(&tool, &serving);
    let paused = tool.run(&format!("stream pause {stream} --reason moving --json")).json();
    assert_eq!((&paused["status"], &paused["reason"]), (&json!("paused"), &json!("moving")));

    // A line, an object over several lines, one that no stream wants, and three that are none.
    let mut unwanted = session_revoked("jo@example.com");
    unwanted["stream_id"] = json!("nobody");
    let events = format!(
        "{}\n{:#}\n{unwanted}\n{{\"events\": {{\n{{}}\nnot json\n",
        session_revoked("jane@example.com"),
        session_revoked("john@example.com"),
    );
    let said = tool.run_with("emit - --wait --json", &events);
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(said.stderr, "error: of 6 events: 3 refused (`tocsin dead-letter list` says why)\n");
    let told: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((&told["emitted"], &told["unsent"]), (&json!(6), &json!([])));
    let events = told["events"].as_array().unwrap();
    let fate = |event: &Value| match event["fate"].as_str().unwrap() {
        "refused" => event["reason"].as_str().unwrap().to_owned(),
        "issued" => match event["streams"].as_array().unwrap().as_slice() {
            [] => "nobody".to_owned(),
            [to] => to["status"].as_str().unwrap().to_owned(),
            _ => panic!("{event}"),
        },
        _ => panic!("{event}"),
    };
    let fates: Vec<_> = events.iter().map(fate).collect();
    assert_eq!(
        fates,
        [
            "pending_new",
            "pending_new",
            "nobody",
            ".: is not JSON at line 1, column 12",
            "sub_id: is missing",
            ".: is not JSON at line 1, column 2",
        ]
    );

    let list = tool.run(&format!("event list --stream {stream} --type session-revoked --json"));
    let list = list.json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    let jti = list[0]["jti"].as_str().unwrap();
    let shown = tool.run(&format!("event show {jti} --json")).json();
    assert_eq!(shown["claims"]["jti"], jti);
    let retried = tool.run(&format!("event retry {jti}"));
    assert_eq!((retried.code, retried.stdout.as_str()), (0, "1 event will be tried again\n"));
    assert_eq!(tool.run(&format!("event drop {jti} --json")).json(), json!({ "dropped": 1 }));
    assert_eq!(tool.run(&format!("event show {jti}")).code, 1, "it is gone");
    // The other, and what says that the stream pauses.
    let all = |line: &str| tool.run(&format!("{line} --json")).json();
    assert_eq!(all("event drop --all"), json!({ "dropped": 0 }), "none failed");
    let retried = all("event retry --all --status pending_new");
    assert_eq!(retried, json!({ "retried": 2, "passed_over": 0 }));
    let dropped = all("event drop --all --status pending_new --type session-revoked");
    assert_eq!(dropped, json!({ "dropped": 1 }));

    let enabled = tool.run(&format!("stream enable {stream} --json")).json();
    assert_eq!((&enabled["status"], &enabled["pending"]), (&json!("enabled"), &json!(2)));
    assert_eq!(tool.run(&format!("stream delete {stream}")).code, 0);
    assert_eq!(tool.run(&format!("stream pause {stream}")).code, 1);
}

#[test]
fn dead_letters_are_seen_sent_again_and_dropped_while_it_serves() {
    let tool = Tool::new();
    let _serving = tool.serve();
    for line in ["emit -", "emit - --fifo"] {
        let said = tool.run_with(&format!("{line} --wait"), "{\"sub_id\":1}");
        assert_eq!(said.code, 1);
        assert!(said.stdout.contains("refused"), "{said:?}");
    }
    let letters = tool.run("dead-letter list --json").json();
    let doors: Vec<_> = letters.as_array().unwrap().iter().map(|letter| &letter["door"]).collect();
    assert_eq!(doors, ["standard", "fifo"]);
    assert_eq!(letters[1]["group"], "unparsed");
    let id = letters[0]["id"].as_str().unwrap();
    let shown = tool.run(&format!("dead-letter show {id} --json")).json();
    assert_eq!(shown["body"], "{\"sub_id\":1}");
    assert_eq!(tool.run(&format!("dead-letter drop {id} --json")).json(), json!({ "dropped": 1 }));
    let again = tool.run("dead-letter redrive --all --json").json();
    assert_eq!(again, json!({ "redriven": 1 }));
    // It is as wrong as before.
    let back = std::iter::repeat_with(|| tool.run("dead-letter list --json").json())
        .take(100)
        .find(|letters| letters != &json!([]))
        .unwrap();
    assert_eq!(back[0]["message_id"], letters[1]["message_id"]);
    let dropped = tool.run("dead-letter drop --all");
    assert_eq!(dropped.stdout, "1 dead letter dropped\n");
    let gone = tool.run(&format!("dead-letter drop {id}"));
    assert_eq!(gone.code, 1);
    assert!(gone.stderr.ends_with("`tocsin dead-letter list` shows those there are\n"));
}

#[test]
fn a_client_gets_a_new_token_before_the_old_one_is_revoked() {
    let tool = Tool::new();
    let serving = tool.serve();
    let line = "client create --name Entra --scope scim --static-token --json";
    let client = tool.run(line).json();
    let id = client["client_id"].as_str().unwrap();
    let made = tool.run(&format!("token create {id} --json")).json();
    assert_eq!((&made["scope"], &made["type"]), (&json!(["scim"]), &json!("static")));
    let (old, new) = (client["static_token"].as_str().unwrap(), made["static_token"].as_str());
    let new = new.unwrap();
    tool.run_with("token revoke -", old).well();
    let read = |token| serving.request("GET /scim/v2/Users", token, "").0;
    assert_eq!((read(old), read(new)), (401, 200));
    let text = tool.run(&format!("token create {id} --scope scim"));
    let token = text.well().lines().find_map(|line| line.strip_prefix("static_token:"));
    assert_eq!(read(token.unwrap().trim()), 200);
    let shown = tool.run(&format!("token list {id} --json"));
    assert_eq!(shown.json().as_array().unwrap().len(), 3);
    assert!(!shown.stdout.contains(new), "a token is shown once");
    let wider = tool.run(&format!("token create {id} --scope ssf.manage"));
    assert_eq!(
        wider.stderr,
        format!("error: --scope: the client {id} cannot have ssf.manage by itself\n")
    );
}

#[test]
fn a_revoked_token_is_refused_at_once() {
    let tool = Tool::new();
    let serving = tool.serve();
    let (client, stream, token) = with_stream(&tool, &serving);
    let path = format!("GET /ssf/streams?stream_id={stream}");
    assert_eq!(serving.request(&path, &token, "").0, 200);
    let tokens = tool.run(&format!("token list {client} --json")).json();
    assert_eq!(tokens[0]["type"], "static");
    let said = tool.run_with("token revoke -", &token);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(!said.stdout.contains(&token));
    assert_eq!(serving.request(&path, &token, "").0, 401);
}

#[test]
fn keys_rotate_and_retire_while_it_serves() {
    let tool = Tool::new();
    let _serving = tool.serve();
    let keys = tool.run("keys list --json").json();
    assert_eq!((keys.as_array().unwrap().len(), &keys[0]["state"]), (1, &json!("signing")));
    let next = tool.run("keys rotate --json").json();
    assert_eq!(next["state"], "upcoming");
    let again = tool.run("keys rotate");
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("is to sign from"), "{again:?}");
    let now = tool.run("keys rotate --now --json").json();
    assert_eq!((&now["kid"], &now["state"]), (&next["kid"], &json!("signing")));
    // A thumbprint may begin with a hyphen, or even look like an option.
    let old = keys[0]["kid"].as_str().unwrap();
    assert_eq!(tool.run(&format!("keys retire -- {old}")).code, 0);
    assert_eq!(tool.run("keys list --json").json().as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_on_a_queue_is_told_and_the_rest_is_sent() {
    let tool = Tool::new();
    let file = tool.data.path().join("events.jsonl");
    let long = "x".repeat(256 * 1024 + 1);
    let mut events = format!("{{}}\n{long}\n{{}}\n").into_bytes();
    events.extend_from_slice(b"\"\xff\"\n\x01\n{}\n");
    fs::write(&file, events).unwrap();
    let said = tool.run(&format!("emit {}", file.display()));
    assert_eq!(said.code, 1);
    assert_eq!(said.stdout, "3 events are on the queue\n");
    assert_eq!(
        said.stderr,
        format!(
            "error: not all events of {} were sent: the one that begins on line 2 is larger than \
             256 KiB; the one that begins on line 4 is not UTF-8; the one that begins on line 5 \
             is refused: the body has a control character\n",
            file.display()
        )
    );
}

#[test]
fn where_nobody_serves_events_wait_and_an_empty_file_is_refused() {
    let tool = Tool::new();
    let said = tool.run_with("emit - --wait --timeout 0", session_revoked("a@b.c").to_string());
    assert_eq!(said.code, 1);
    assert_eq!(said.stderr, "error: of 1 event: 1 not taken in yet (is `tocsin serve` running?)\n");
    for text in ["", "\n \n"] {
        let said = tool.run_with("emit -", text);
        assert_eq!(
            (said.code, &*said.stderr),
            (1, "error: stdin holds no event; nothing was sent\n")
        );
    }
    let missing = tool.run("emit /no/such/file");
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.starts_with("error: cannot read /no/such/file: "));
}
