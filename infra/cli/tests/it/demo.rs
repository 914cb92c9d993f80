//! The first thing that anyone sees.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::program::{Running, run};

fn all<'a>(lines: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    lines.iter().filter_map(move |line| line.get(kind))
}

#[test]
fn everything_arrives_where_it_is_wanted_and_nowhere_else() {
    let lines = run(&["demo", "--once", "--json"], "").json_lines();
    let sets: BTreeSet<_> = all(&lines, "set")
        .map(|set| {
            assert_eq!(set["verified"], true);
            let events = set["claims"]["events"].as_object().unwrap();
            let uri = events.keys().next().unwrap();
            let event_type = uri.rsplit('/').next().unwrap();
            let event_type = event_type.trim_start_matches("urn:ietf:params:scim:event:");
            let text = |name: &str| set[name].as_str().unwrap().to_owned();
            (text("receiver"), text("delivery"), event_type.to_owned())
        })
        .collect();
    let wanted = [
        ("acme", "push", "account-disabled"),
        ("acme", "push", "credential-change"),
        ("acme", "push", "device-compliance-change"),
        ("acme", "push", "session-revoked"),
        ("acme", "push", "prov:create:notice"),
        ("acme", "push", "prov:deactivate"),
        ("acme", "push", "prov:patch:notice"),
        ("acme", "push", "token-claims-change"),
        ("globex", "poll", "account-disabled"),
        ("globex", "poll", "credential-change"),
        ("globex", "poll", "prov:create:notice"),
        ("globex", "poll", "prov:deactivate"),
        ("globex", "poll", "prov:patch:notice"),
        ("globex", "poll", "session-revoked"),
        ("globex", "poll", "token-claims-change"),
        ("initech", "poll", "feed:add"),
        ("initech", "poll", "feed:remove"),
        ("initech", "poll", "session-revoked"),
        ("initech", "poll", "token-claims-change"),
    ];
    let wanted = wanted.map(|(name, by, what)| (name.to_owned(), by.to_owned(), what.to_owned()));
    assert_eq!(sets, BTreeSet::from(wanted));
    // What Cognito said became two.
    let of_one_call = all(&lines, "set").filter(|set| set["claims"]["txn"] == "demo-6");
    assert_eq!(of_one_call.count(), 2);
    let reasons: Vec<_> = all(&lines, "dead_letter").map(|letter| &letter["reason"]).collect();
    assert_eq!(
        reasons,
        ["events.session-revoked.event_timestamp: must be in seconds, not milliseconds"]
    );
    let changes: Vec<_> = all(&lines, "change").map(|change| &change["what"]).collect();
    assert_eq!(changes.len(), 5);
    assert_eq!(changes[4], "jane is locked out");
    assert_eq!(all(&lines, "summary").next().unwrap()["sets"], 26);
    assert_eq!(all(&lines, "set").count(), 26);
}

#[test]
fn people_get_plain_text_when_it_goes_to_a_file() {
    let said = run(&["demo", "--once"], "");
    let text = said.well();
    assert_eq!(said.stderr, "");
    assert!(!text.contains('\u{1b}'), "{text}");
    let verified = text.lines().filter(|line| line.contains("RS256 ✓")).count();
    assert_eq!(verified, 26, "{text}");
    // Where there are columns, they are straight.
    let columns: BTreeSet<_> = text
        .lines()
        .filter(|line| line.contains("RS256 ✓"))
        .map(|line| (line.split("RS256").next().unwrap().chars().count(), line.chars().count()))
        .collect();
    assert_eq!(columns.len(), 1, "{text}");
}

#[cfg(unix)]
#[test]
fn it_stays_up_until_it_is_asked_to_end_and_leaves_nothing_behind() {
    let demo = Running::start(&["--json"]);
    let ready = loop {
        let line: Value = serde_json::from_str(&demo.line()).unwrap();
        if let Some(ready) = line.get("ready") {
            break ready.clone();
        }
    };
    let certificate = ready["certificate"].as_str().unwrap();
    assert!(std::fs::exists(certificate).unwrap());
    for line in ready["curl"].as_array().unwrap() {
        assert!(line.as_str().unwrap().starts_with(&format!("curl --cacert {certificate} ")));
    }
    let sign_in = &ready["sign_in"];
    let address = sign_in["address"].as_str().unwrap();
    let issuer = ready["issuer"].as_str().unwrap();
    assert!(address.starts_with(&format!("{issuer}/oauth/authorize?")), "{address}");
    assert!(sign_in["name"].is_string() && sign_in["password"].is_string());
    demo.signal("INT");
    let (code, rest) = demo.end();
    assert_eq!(code, Some(0));
    // Of the person to sign in as, whom it has just made.
    assert!(rest.iter().all(|line| line.starts_with("{\"set\":")), "{rest:?}");
    assert!(!std::fs::exists(certificate).unwrap());
}
