//! A transmitter that is killed after it has changed a person, and before it has told anybody.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::tool::{Serving, Tool};

const CAEP_SESSION_REVOKED: &str =
    "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const RISC_DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
const SCIM_DEACTIVATE: &str = "urn:ietf:params:scim:event:prov:deactivate";
const SCIM_CREATE: &str = "urn:ietf:params:scim:event:prov:create:notice";

/// The table and the queues of a data folder, as seen from outside.
struct Outside(Connection);

impl Outside {
    fn of(folder: &Path) -> Self {
        let connection = Connection::open(folder.join("tocsin.db")).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        Self(connection)
    }

    /// From now on nothing comes to the end of being put on the queue for senders who need order.
    fn hold_events(&self) {
        let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)";
        let trigger = format!(
            "CREATE TRIGGER hold BEFORE INSERT ON message WHEN NEW.queue = 'ingest.fifo'
             BEGIN SELECT max(y) FROM ({endless} SELECT x AS y FROM n); END"
        );
        self.0.execute_batch(&trigger).unwrap();
    }

    fn let_events_go(&self) {
        self.0.execute_batch("DROP TRIGGER hold").unwrap();
    }

    /// How many changes wait in the outbox.
    fn waiting(&self) -> u32 {
        let sql = "SELECT count(*) FROM item WHERE pk >= 'OUTBOX#' AND pk < 'OUTBOX$'";
        self.0.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// What waits was changed long ago: whoever did it is dead.
    fn age(&self) {
        let sql = "UPDATE item SET body = json_set(body, '$.at', '2026-01-01T00:00:00Z')
                   WHERE pk >= 'OUTBOX#' AND pk < 'OUTBOX$'";
        assert_eq!(self.0.execute(sql, []).unwrap(), 1);
    }
}

/// A client with this scope and its token.
fn token(tool: &Tool, name: &str, scope: &str) -> String {
    let audience = format!("https://{name}.example");
    let line = format!(
        "client create --name {name} --scope {scope} --audience {audience} --static-token --json"
    );
    let client = tool.run(&line).json();
    client["static_token"].as_str().unwrap().to_owned()
}

/// A stream that is polled; its path.
fn stream(serving: &Serving, token: &str) -> String {
    let types = [CAEP_SESSION_REVOKED, RISC_DISABLED, SCIM_DEACTIVATE, SCIM_CREATE];
    let body = json!({ "events_requested": types }).to_string();
    let (status, stream) = serving.request("POST /ssf/streams", token, &body);
    assert_eq!(status, 201, "{stream}");
    format!("/ssf/poll/{}", stream["stream_id"].as_str().unwrap())
}

/// The types of the next SETs, each acknowledged by the request for the one behind it, until there are
/// so many and no more.
fn told(serving: &Serving, token: &str, path: &str, count: usize) -> Vec<String> {
    let mut told = Vec::new();
    let mut ack: Vec<String> = Vec::new();
    loop {
        let body = json!({
            "maxEvents": 1, "returnImmediately": told.len() >= count, "ack": ack,
        });
        let (status, answer) = serving.request(&format!("POST {path}"), token, &body.to_string());
        assert_eq!(status, 200, "{answer}");
        let sets = answer["sets"].as_object().unwrap();
        let Some((jti, set)) = sets.iter().next() else { return told };
        told.push(claims(set)["events"].as_object().unwrap().keys().next().unwrap().clone());
        ack = vec![jti.clone()];
    }
}

fn claims(set: &Value) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = set.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[test]
fn a_change_is_told_once_to_each_stream_though_its_process_was_killed_before_it_told_anybody() {
    let tool = Tool::new();
    let serving = tool.serve();
    let okta = token(&tool, "okta", "scim");
    let receivers = ["acme", "bolt"].map(|name| token(&tool, name, "ssf.manage"));
    let streams = receivers.each_ref().map(|token| stream(&serving, token));
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada",
    });
    let (status, ada) = serving.request("POST /scim/v2/Users", &okta, &body.to_string());
    assert_eq!(status, 201, "{ada}");
    for (token, path) in receivers.iter().zip(&streams) {
        assert_eq!(told(&serving, token, path, 1), [SCIM_CREATE]);
    }

    let outside = Outside::of(tool.data.path());
    outside.hold_events();
    let lock = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "active", "value": false }],
    });
    let line = format!("PATCH /scim/v2/Users/{}", ada["id"].as_str().unwrap());
    let asking = serving.ask(&line, &okta, &lock.to_string());
    let began = Instant::now();
    while outside.waiting() == 0 {
        assert!(began.elapsed() < Duration::from_mins(1), "the change is never made");
        thread::yield_now();
    }
    serving.kill();
    assert_eq!(asking.answer(), "", "nobody was answered");
    assert_eq!(outside.waiting(), 1);
    outside.let_events_go();
    outside.age();

    // The first run of the sweep does what nobody else does any more.
    let serving = tool.serve();
    for (token, path) in receivers.iter().zip(&streams) {
        let told = told(&serving, token, path, 3);
        assert_eq!(told, [SCIM_DEACTIVATE, RISC_DISABLED, CAEP_SESSION_REVOKED]);
    }
    assert_eq!(outside.waiting(), 0);
    let (_, ada) = serving.request(&line.replace("PATCH", "GET"), &okta, "");
    assert_eq!(ada["active"], false);
}
