//! What an operator does with people and groups.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};
use ssf::{
    client::Secret,
    directory::{Actor, Directory, Second},
};
use tocsin_cli::home::Home;

use crate::{program::Said, tool::Tool};

#[path = "../../../../tests/it/sign_in/app.rs"]
mod app;

/// The sentence in which it refuses.
fn refusal(said: &Said) -> &str {
    assert_eq!((said.code, said.stdout.as_str()), (1, ""), "{said:?}");
    said.stderr.strip_prefix("error: ").unwrap().trim_end()
}

#[test]
fn a_person_lives_from_create_to_delete() {
    let tool = Tool::new();
    let line = "user create jane --email jane@example.com --email jr@example.com --given-name Jane \
                --family-name Roe --set title=Nurse --json";
    let created = tool.run(line).json();
    let jane = &created["user"];
    let id = jane["id"].as_str().unwrap();
    assert_eq!(
        (&jane["userName"], &jane["title"], &jane["active"]),
        (&json!("jane"), &json!("Nurse"), &json!(true))
    );
    assert_eq!(jane["name"], json!({ "givenName": "Jane", "familyName": "Roe" }));
    assert_eq!(jane["emails"][0], json!({ "value": "jane@example.com", "primary": true }));

    // By another case, and by id.
    let set = [
        "user",
        "set",
        "JANE",
        "emails[type eq \"work\"].value=j@work.example",
        "--unset",
        "title",
        "--json",
    ];
    let changed = tool.say(&set, "").json();
    assert_eq!(changed["changed"], true);
    assert_ne!(changed["txn"], created["txn"]);
    assert_eq!(changed["user"]["title"], Value::Null);
    assert_eq!(changed["user"]["emails"][2], json!({ "type": "work", "value": "j@work.example" }));
    let again = tool.say(&set, "").json();
    assert_eq!((&again["changed"], &again["txn"]), (&json!(false), &Value::Null));

    let locked = tool.run(&format!("user lock {id} --json")).json();
    assert_eq!(locked["user"]["active"], false);
    let said = tool.run("user unlock jane");
    assert!(said.well().starts_with(&format!("jane ({id}) is not locked\ntxn: ")), "{said:?}");
    let later = tool.run("user lock jane --at 2126-01-31 --json").json();
    assert_eq!(later["user"]["active"], true);
    let extension =
        later["user"].as_object().unwrap().iter().find(|(name, _)| name.contains("tocsin"));
    assert_eq!(extension.unwrap().1["lockDate"], "2126-01-31T00:00:00Z", "{later}");

    let shown = tool.run("user show jane --json").json();
    let history = shown["history"].as_array().unwrap();
    let txns: Vec<_> = history.iter().map(|change| &change["txn"]).collect();
    assert_eq!(txns.len(), 5, "what changed nothing is not there: {shown}");
    assert_eq!((txns[0], txns[1]), (&created["txn"], &changed["txn"]));
    assert_eq!(history[0]["actor"], "operator");
    let text = tool.run("user show jane");
    for part in ["j@work.example (work)", "locked from 2126-01-31T00:00:00Z on", "operator"] {
        assert!(text.well().contains(part), "{part}: {text:?}");
    }

    let deleted = tool.run("user delete jane --json").json();
    assert_eq!((&deleted["id"], &deleted["deleted"]), (&json!(id), &json!(true)));
    assert_eq!(tool.run("user list --json").json(), json!([]));
    assert_eq!(
        refusal(&tool.run(&format!("user show {id}"))),
        format!("there is no user {id}: `tocsin user list` shows those there are")
    );
}

#[test]
fn people_are_found_by_filters_in_order_and_all_of_them() {
    let tool = Tool::new();
    for name in ["cleo", "ada", "bob"] {
        tool.run(&format!("user create {name}")).well();
    }
    tool.run("user lock bob").well();
    let names = |words: &[&str]| -> Vec<String> {
        let words = [&["user", "list", "--json"], words].concat();
        let people = tool.say(&words, "").json();
        let names = people.as_array().unwrap().iter();
        names.map(|user| user["userName"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&[]), ["cleo", "ada", "bob"]);
    assert_eq!(names(&["--sort", "userName"]), ["ada", "bob", "cleo"]);
    assert_eq!(names(&["--sort", "userName", "--descending"]), ["cleo", "bob", "ada"]);
    assert_eq!(names(&["--filter", "active eq false"]), ["bob"]);
    assert_eq!(names(&["--filter", "userName sw \"A\""]), ["ada"]);
    let some = tool.run("user list --limit 2");
    assert_eq!(some.well().lines().count(), 3, "with the header: {some:?}");
    assert_eq!(some.stderr, "there are more: --limit shows them\n");
    let wrong = tool.say(&["user", "list", "--filter", "userName like \"a\""], "");
    assert!(refusal(&wrong).starts_with("--filter: "), "{wrong:?}");
    let wrong = tool.say(&["user", "list", "--sort", "height"], "");
    assert_eq!(refusal(&wrong), "--sort: there is no height");
}

#[test]
fn what_cannot_be_of_a_person_is_told_by_member_and_reason() {
    let tool = Tool::new();
    tool.run("user create jane").well();
    let cases = [
        ("user create JANE", "userName belongs to another user"),
        ("user set jane userName=", "userName is required"),
        ("user set jane active=perhaps", "active is not a value of the type boolean"),
        ("user set jane emails=[", "emails: is not JSON"),
        ("user set john title=x", "there is no user john"),
        ("group create nurses --member john", "there is no user john"),
    ];
    for (line, reason) in cases {
        let said = tool.run(line);
        assert!(refusal(&said).contains(reason), "{line}: {said:?}");
    }
    for line in [
        "user set jane title",
        "user set jane height=2",
        "user set jane password=secret",
        "user set jane --unset password",
        "user create john --set Password=secret",
        "user lock jane --at tomorrow",
        "user set jane",
        "group add nurses",
    ] {
        let said = tool.run(line);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{line}: {said:?}");
    }
}

#[test]
fn a_password_is_read_from_stdin_and_never_seen_again() {
    const PASSWORD: &str = "correct horse battery staple";
    let tool = Tool::new();
    let stdin = format!("{PASSWORD}\n");
    let log = "--log trace --json";
    let said = [
        tool.run_with(&format!("user create jane --password-stdin {log}"), &stdin),
        tool.run_with(&format!("user set-password jane {log}"), "another one of mine\n"),
        tool.run_with(&format!("user set-password jane {log}"), &stdin),
        tool.run(&format!("user show jane {log}")),
    ];
    for said in &said {
        said.well();
        for out in [&said.stdout, &said.stderr] {
            let hidden = [PASSWORD, "another one of mine", "argon2id"];
            assert!(!hidden.iter().any(|secret| out.contains(secret)), "{out}");
        }
    }
    assert_eq!(said[3].json()["has_password"], true);
    let again = tool.run_with("user set-password jane --json", &stdin).json();
    assert_eq!(again["changed"], false, "it was hers already");
    let kept: Vec<u8> = fs::read_dir(tool.data.path())
        .unwrap()
        .filter_map(|entry| fs::read(entry.unwrap().path()).ok())
        .flatten()
        .collect();
    assert!(!String::from_utf8_lossy(&kept).contains(PASSWORD), "it is kept as a hash");
    let said = tool.run_with("user set-password jane", "\n");
    assert_eq!(refusal(&said), "password: must have 1 to 1,024 bytes");
}

/// Adds an authenticator app, as a person does at the account page.
async fn add_an_app(tool: &Tool, name: &str) {
    let us = Home::existing(tool.data.path()).unwrap().transmitter;
    let directory = Directory::of(&us);
    let user = directory.user_named(name).await.unwrap();
    let new = directory.authenticator_new(user.id).await.unwrap();
    let code = app::App::new(new.key.expose()).code(us.parts().clock.now());
    let (code, cause) = (Secret::new(code), directory.cause(Actor::Person));
    let added = directory.second_factor_add(user.id, &new, &code, &cause).await.unwrap();
    assert!(matches!(added, Second::Added(_)), "{added:?}");
}

#[tokio::test]
async fn a_second_factor_is_shown_and_taken_away() {
    let tool = Tool::new();
    tool.run("user create jane").well();
    assert_eq!(tool.run("user show jane --json").json()["second_factor"], Value::Null);
    let nothing = tool.run("user reset-second-factor jane --json").json();
    assert_eq!((&nothing["changed"], &nothing["txn"]), (&json!(false), &Value::Null));
    add_an_app(&tool, "jane").await;
    let shown = tool.run("user show jane");
    shown.well();
    assert!(shown.stdout.contains("authenticator app since"), "{shown:?}");
    assert!(shown.stdout.contains("recovery codes left: 10"), "{shown:?}");
    let shown = tool.run("user show jane --json").json();
    assert_eq!(shown["second_factor"]["recovery_codes"], 10);
    let reset = tool.run("user reset-second-factor jane --yes --json").json();
    assert_eq!(reset["changed"], true);
    let change = tool.run(&format!("txn show {} --json", reset["txn"].as_str().unwrap())).json();
    assert!(change.to_string().contains("credential-change"), "{change}");
    assert_eq!(tool.run("user show jane --json").json()["second_factor"], Value::Null);
}

#[test]
fn a_group_lives_from_create_to_delete() {
    let tool = Tool::new();
    for name in ["jane", "john", "joan"] {
        tool.run(&format!("user create {name}")).well();
    }
    let line = "group create Nurses --member jane --member JOHN --description Ward-7 --json";
    let created = tool.run(line).json();
    assert_eq!((&created["member_count"], &created["changed"]), (&json!(2), &json!(true)));
    let id = created["group"]["id"].as_str().unwrap();
    assert!(refusal(&tool.run("group create NURSES")).contains("displayName belongs to another"));

    let added = tool.run("group add nurses joan jane --json").json();
    assert_eq!((&added["member_count"], &added["changed"]), (&json!(3), &json!(true)));
    let same = tool.run("group add nurses joan");
    assert_eq!(same.well(), "nothing changed: it was so already\n");
    tool.run(&format!("group remove {id} john")).well();
    let renamed = tool.run(&format!("group rename {id} Carers --json")).json();
    assert_eq!(renamed["group"]["displayName"], "Carers");

    let shown = tool.run("group show carers --json").json();
    let members = shown["group"]["members"].as_array().unwrap();
    let names: Vec<_> = members.iter().map(|member| &member["display"]).collect();
    assert_eq!(names, ["jane", "joan"], "in the order in which they joined");
    assert_eq!(shown["history"].as_array().unwrap().len(), 4);
    let text = tool.run("group show carers");
    assert!(text.well().contains("Ward-7"), "{text:?}");
    let groups = tool.run("user show jane --json").json();
    assert_eq!(groups["user"]["groups"][0]["display"], "Carers");
    let list = tool.say(&["group", "list", "--filter", "displayName eq \"carers\"", "--json"], "");
    assert_eq!(list.json()[0]["id"], id);

    tool.run("group delete carers").well();
    assert_eq!(tool.run("group list --json").json(), json!([]));
    let gone = tool.run("group add carers jane");
    assert!(refusal(&gone).starts_with("there is no group carers: `tocsin group list`"));
    assert_eq!(tool.run("user show jane --json").json()["user"]["groups"], Value::Null);
}

const ACCOUNT_DISABLED: &str =
    "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

#[test]
fn a_txn_says_what_changed_and_what_each_stream_was_told() {
    let tool = Tool::new();
    let serving = tool.serve();
    let line = "client create --name Acme --audience acme --static-token --json";
    let client = tool.run(line).json();
    let token = client["static_token"].as_str().unwrap();
    let wish = json!({ "events_requested": [ACCOUNT_DISABLED, SESSION_REVOKED] }).to_string();
    let (status, stream) = serving.request("POST /ssf/streams", token, &wish);
    assert_eq!(status, 201, "{stream}");
    tool.run("user create jane --email jane@example.com").well();
    let txn = tool.run("user lock jane --json").json()["txn"].as_str().unwrap().to_owned();

    let poll = format!("POST /ssf/streams/{}/poll", stream["stream_id"].as_str().unwrap());
    let path = stream["delivery"]["endpoint_url"].as_str().unwrap();
    let path =
        path.strip_prefix("https://tocsin.example").map_or(poll, |path| format!("POST {path}"));
    // One may come before the other; what is not acknowledged comes again.
    let mut jtis = BTreeSet::new();
    while jtis.len() < 2 {
        let body = json!({ "maxEvents": 10 }).to_string();
        let (status, answer) = serving.request(&path, token, &body);
        assert_eq!(status, 200, "{answer}");
        jtis.extend(answer["sets"].as_object().unwrap().keys().cloned());
    }
    let shown = tool.run(&format!("txn show {txn} --json")).json();
    assert_eq!(shown["txn"], txn);
    let change = &shown["changes"][0];
    assert_eq!((&change["deed"], &change["actor"]), (&json!("changed"), &json!("operator")));
    assert!(!shown.to_string().contains("jane"), "no values: {shown}");
    let events = shown["events"].as_array().unwrap();
    let told = |name: &str| {
        let event = events.iter().find(|event| event["event_type"] == name).unwrap();
        event["streams"].as_array().unwrap().clone()
    };
    for name in [ACCOUNT_DISABLED, SESSION_REVOKED] {
        let [to] = told(name).try_into().unwrap();
        assert_eq!(to["client_id"], client["client_id"]);
        assert_eq!(to["status"], "pending_new");
        assert!(jtis.contains(to["jti"].as_str().unwrap()), "{to}");
    }
    let others = events.iter().filter(|event| event["streams"] == json!([])).count();
    assert!(others > 0, "what nobody wants is named too: {shown}");

    let (status, _) =
        serving.request(&path, token, &json!({ "maxEvents": 0, "ack": jtis }).to_string());
    assert_eq!(status, 200);
    let text = tool.run(&format!("txn show {txn}"));
    let delivered = text.well().lines().filter(|line| line.contains("delivered")).count();
    assert_eq!(delivered, 2, "{text:?}");
    assert!(text.stdout.contains("no stream wants it"), "{text:?}");
    let unknown = tool.run("txn show nothing");
    assert!(refusal(&unknown).starts_with("there is no txn nothing: "), "{unknown:?}");
}

#[test]
fn who_is_signed_in_nowhere_has_no_session_to_end() {
    let tool = Tool::new();
    tool.run("user create jane").well();
    assert_eq!(tool.run("session list jane --json").json(), json!([]));
    assert!(tool.run("session list jane").well().contains("signed in nowhere"));
    let ended = tool.run("session end jane the-session --json").json();
    assert_eq!((&ended["ended"], &ended["txn"]), (&json!(0), &json!(null)));
    assert_eq!(tool.run("session end jane --all --json").json()["ended"], 0);
    assert_eq!(tool.run("session end jane").code, 2, "which one?");
    assert_eq!(tool.run("session list nobody").code, 1);
}

#[test]
fn a_consent_is_given_taken_back_and_restored_and_the_application_hears_of_it() {
    let tool = Tool::new();
    let serving = tool.serve();
    let line = "client create --name Notes --client-id notes --audience notes --subjects consent \
                --redirect-uri https://notes.example/signed-in --static-token --json";
    let client = tool.run(line).json();
    let token = client["static_token"].as_str().unwrap();
    let added = "urn:ietf:params:scim:event:feed:add";
    let removed = "urn:ietf:params:scim:event:feed:remove";
    let wish = json!({ "events_requested": [added, removed, SESSION_REVOKED] }).to_string();
    let (status, stream) = serving.request("POST /ssf/streams", token, &wish);
    assert_eq!(status, 201, "{stream}");
    let id = stream["stream_id"].as_str().unwrap();
    let shown = tool.run(&format!("stream show {id}"));
    assert!(shown.well().contains("those who gave their consent"), "{shown:?}");
    tool.run("user create jane").well();

    let missing = tool.run("consent show jane notes");
    let reason =
        "there is no consent of jane to notes: `tocsin consent list` shows those there are";
    assert_eq!(refusal(&missing), reason);
    assert_eq!(refusal(&tool.run("consent revoke jane notes")), reason);
    assert!(refusal(&tool.run("consent grant jane maps")).starts_with("there is no client maps"));
    assert!(refusal(&tool.run("consent grant john notes")).starts_with("there is no user john"));
    let wider = tool.run("consent grant jane notes --scope phone");
    let reason = "--scope: the client notes is not registered to have phone of people";
    assert_eq!(refusal(&wider), reason);

    let given = tool.run("consent grant jane notes --json").json();
    assert_eq!((&given["changed"], &given["consent"]["client"]), (&json!(true), &json!("notes")));
    let again = tool.run("consent grant jane notes --json").json();
    assert_eq!((&again["changed"], &again["txn"]), (&json!(false), &Value::Null));
    let revoked = tool.run("consent revoke jane notes --json").json();
    let said = tool.run("consent revoke jane notes");
    assert_eq!(said.well(), "nothing changed: it was so already\n");
    for line in ["consent list jane", "consent list --client notes"] {
        let listed = tool.run(&format!("{line} --json")).json();
        assert_eq!(listed, json!([revoked["consent"]]), "{line}");
        let text = tool.run(line);
        assert!(text.well().contains("taken back") && text.stdout.contains("jane"), "{text:?}");
    }
    let said = tool.run("consent restore jane notes");
    assert!(said.well().starts_with("the consent of jane to Notes holds again\ntxn: "), "{said:?}");
    let shown = tool.run("consent show jane notes --json").json();
    assert_eq!(shown["consent"]["revocations"], 1);
    assert_eq!(shown["history"].as_array().unwrap().len(), 3);
    assert!(tool.run("consent show jane notes").well().contains("holds"));

    let path = stream["delivery"]["endpoint_url"].as_str().unwrap();
    let path = path.strip_prefix("https://tocsin.example").unwrap();
    let mut jtis: Vec<String> = Vec::new();
    while jtis.len() < 4 {
        let body = json!({ "maxEvents": 10, "ack": jtis }).to_string();
        let (status, answer) = serving.request(&format!("POST {path}"), token, &body);
        assert_eq!(status, 200, "{answer}");
        jtis.extend(answer["sets"].as_object().unwrap().keys().cloned());
    }
    let told = |change: &Value| -> Vec<(String, usize)> {
        let txn = change["txn"].as_str().unwrap();
        let shown = tool.run(&format!("txn show {txn} --json")).json();
        let events = shown["events"].as_array().unwrap().iter();
        let told = events.map(|event| {
            let name = event["event_type"].as_str().unwrap().to_owned();
            (name, event["streams"].as_array().unwrap().len())
        });
        told.collect()
    };
    assert_eq!(told(&given), [(added.to_owned(), 1)]);
    assert_eq!(told(&revoked), [(SESSION_REVOKED.to_owned(), 1), (removed.to_owned(), 1)]);
    for line in ["consent list", "consent list jane --client notes", "consent grant jane"] {
        assert_eq!(tool.run(line).code, 2, "{line}");
    }
}
