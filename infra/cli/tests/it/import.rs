//! People and groups from a file.

use std::fmt::Write;

use serde_json::json;

use crate::tool::Tool;

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

#[test]
fn a_file_that_is_imported_twice_changes_nothing_the_second_time() {
    let tool = Tool::new();
    let mut csv =
        "userName,name.givenName,\"emails[type eq \"\"work\"\"].value\",title\n".to_owned();
    for n in 0..1_000 {
        writeln!(csv, "user{n},Given{n},user{n}@example.com,").unwrap();
    }
    let first = tool.run_with("user import - --json", &csv);
    assert_eq!(first.stderr, "", "all is told where it went, though nobody serves yet");
    let first = first.json();
    let sums = |told: &serde_json::Value| {
        json!([told["created"], told["changed"], told["unchanged"], told["wrong"]])
    };
    assert_eq!(sums(&first), json!([1_000, 0, 0, []]));
    let txn = first["txn"].as_str().unwrap();
    assert_eq!(
        tool.run(&format!("txn show {txn} --json")).json()["changes"].as_array().unwrap().len(),
        1_000
    );
    let again = tool.run_with("user import - --json", &csv).json();
    assert_eq!(sums(&again), json!([0, 0, 1_000, []]));
    assert!(again["txn"].is_null());
    let all = tool.run("user list --json").json();
    assert_eq!(all.as_array().unwrap().len(), 1_000, "the list goes on to the end");
    for (n, user) in all.as_array().unwrap().iter().enumerate() {
        assert_eq!(user["userName"], format!("user{n}"), "in the order of their creation");
    }
    assert_eq!(all[7]["emails"], json!([{ "type": "work", "value": "user7@example.com" }]));
}

#[test]
fn people_and_groups_become_what_the_file_says_and_keep_the_rest() {
    let tool = Tool::new();
    tool.run("user create jane --set title=Nurse").well();
    let lines = [
        json!({ "id": "old-1", "userName": "Jane", "displayName": "Jane Roe" }),
        json!({ "id": "old-2", "userName": "john", "active": false, "password": "a secret of John" }),
        json!({ "schemas": [GROUP], "displayName": "Nurses", "members": [{ "value": "old-1" }, { "value": "JOHN" }] }),
    ];
    let file = lines.map(|line| format!("{line}\n")).concat();

    let dry = tool.run_with("user import - --dry-run --json", &file).json();
    assert_eq!(
        (&dry["created"], &dry["changed"], &dry["wrong"]),
        (&json!(2), &json!(1), &json!([]))
    );
    assert_eq!(dry["changes"][0]["attributes"], json!(["userName", "displayName"]));
    let disabled = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
    assert_eq!(dry["events"][disabled], 1, "{dry}");
    assert_eq!(
        tool.run("user list --json").json().as_array().unwrap().len(),
        1,
        "nothing was done"
    );

    let done = tool.run_with("user import - --json --log trace", &file);
    assert!(!format!("{done:?}").contains("a secret of John"));
    let jane = tool.run("user show jane --json").json();
    assert_eq!(
        (&jane["user"]["userName"], &jane["user"]["title"]),
        (&json!("Jane"), &json!("Nurse"))
    );
    let john = tool.run("user show john --json").json();
    assert_eq!((&john["user"]["active"], &john["has_password"]), (&json!(false), &json!(true)));
    let group = tool.run("group show nurses --json").json();
    assert_eq!(group["member_count"], 2);
    let again = tool.run_with("user import -", &file);
    assert_eq!(again.well(), "0 created, 0 changed, 3 as they are to be already, 0 wrong\n");
}

#[test]
fn a_line_that_is_wrong_is_told_and_the_others_are_done() {
    let tool = Tool::new();
    let csv =
        "userName,active,title\nada,true,Dr\nbob,perhaps,\n,true,\ncleo,true\ndora,true,Prof\n";
    let said = tool.run_with("user import - --json", csv);
    assert_eq!(said.code, 1, "{said:?}");
    let told: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(told["created"], 2);
    let wrong = told["wrong"].as_array().unwrap();
    let lines: Vec<_> = wrong.iter().map(|wrong| &wrong["line"]).collect();
    assert_eq!(lines, [3, 4, 5], "{said:?}");
    for part in ["line 3: active is not a value", "line 4: userName is missing", "line 5: "] {
        assert!(said.stderr.contains(part), "{part}: {said:?}");
    }
    let file = "{\"displayName\":\"x\"}\nnot json\n{\"userName\":\"emil\"}\n";
    let said = tool.run_with("user import -", file);
    assert_eq!(said.code, 1);
    assert!(
        said.stderr.contains("line 1: userName is missing; line 2: the line is not a JSON"),
        "{said:?}"
    );
    assert_eq!(tool.run("user show emil").code, 0);
    let said = tool.run_with("user import -", "userName,height\nada,2\n");
    assert!(said.stderr.contains("the column \"height\""), "{said:?}");
}
