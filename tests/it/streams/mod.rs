//! The configuration of streams ([SSF 1.0, 8.1.1]); the numbers are those of the requirements.

mod create;
mod delete;
mod delivered;
mod full;
mod read;
mod sealed;
mod update;

use std::fmt::Write;

use http::Method;
use serde_json::{Value, json};
use tests::{Answer, Caller, World, world::push_stream};

const STREAMS: &str = "/ssf/streams";

/// Where a stream is read and deleted.
fn one(id: &str) -> String {
    format!("{STREAMS}?stream_id={id}")
}

/// POST, PATCH or PUT of a text that calls itself JSON.
async fn send(caller: &Caller, method: Method, body: &str) -> Answer {
    let headers = [("content-type", "application/json")];
    caller.send(method, STREAMS, &headers, body.to_owned().into()).await
}

/// A line for each of `bodies`: the body, then what the answer says.
async fn table(caller: &Caller, method: Method, bodies: &[Value]) -> String {
    let mut table = String::new();
    for body in bodies {
        let mut body = body.clone();
        body.sort_all_objects();
        let answer = send(caller, method.clone(), &body.to_string()).await;
        writeln!(table, "{body}\n    {}", answer.brief()).unwrap();
    }
    table
}

/// A world, its alice, and a push stream of hers with a description.
async fn alice() -> (World, Caller, Value) {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let mut body = push_stream("alice", &["session-revoked", "credential-change"]);
    body["description"] = json!("first");
    let stream = alice.post(STREAMS, body).await.json();
    (world, alice, stream)
}

/// A request about `stream`.
fn with(stream: &Value, members: Value) -> Value {
    changed(&json!({ "stream_id": stream["stream_id"] }), members)
}

/// `stream` with other members.
fn changed(stream: &Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("{members} is no object") };
    let mut stream = stream.clone();
    stream.as_object_mut().unwrap().extend(members);
    stream
}

async fn read(caller: &Caller, stream: &Value) -> Value {
    caller.get(&one(stream["stream_id"].as_str().unwrap())).await.json()
}
