//! The configuration of streams ([SSF 1.0, 8.1.1]); the numbers are those of the requirements.

mod create;
mod delete;
mod read;
mod update;

use std::fmt::Write;

use http::Method;
use serde_json::Value;
use tests::{Answer, Caller};

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
        let answer = send(caller, method.clone(), &body.to_string()).await;
        writeln!(table, "{body}\n    {}", answer.brief()).unwrap();
    }
    table
}
