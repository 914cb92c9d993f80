//! Work for each function, as it comes in life.

use std::time::Duration;

use serde_json::{Value, json};
use tests::world::{caep, poll_stream, usual_event};

use crate::{
    aws::{Aws, batch},
    built::Built,
    lambda::Function,
};

/// Batches before the measuring, in which what is read once only is read.
const WARM_UP: usize = 10;
/// Batches that are measured.
const BATCHES: usize = 200;
/// Events in each.
const BATCH: usize = 10;

/// What a function has needed.
pub(crate) struct Need {
    pub(crate) function: &'static str,
    /// In bytes.
    pub(crate) peak_memory: u64,
    /// Processor time for each event, of functions that work on events.
    pub(crate) for_each: Option<Duration>,
}

/// Lets the functions do everything that the life of a receiver asks of them.
pub(crate) async fn needs(built: &Built, aws: &Aws) -> Vec<Need> {
    let start = async |name| Function::start(&built.program(name), &aws.variables).await;
    let mut discovery = start("discovery").await;
    let mut authorize = start("authorize").await;
    let mut streams = start("streams").await;
    let mut ingest = start("ingest").await;
    let mut push = start("push").await;
    let mut poll = start("poll").await;
    let mut sweep = start("sweep").await;

    for path in ["/.well-known/ssf-configuration", "/jwks.json"] {
        discovery.ask(200, &get(path)).await;
    }
    let form = aws.register().await;
    let form = post("/oauth/token", "application/x-www-form-urlencoded", &form);
    let token = authorize.ask(200, &form).await["access_token"].clone();
    let token = token.as_str().expect("it is a text");
    let with_token = |mut request: Value| {
        request["headers"]["authorization"] = format!("Bearer {token}").into();
        request
    };
    let create =
        |body: &Value| with_token(post("/ssf/streams", "application/json", &body.to_string()));
    let mut wish = json!({ "events_requested": [caep("session-revoked")] });
    wish["delivery"] = json!({
        "method": "urn:ietf:rfc:8935",
        "endpoint_url": aws.receiver.url("/events"),
        "authorization_header": "Bearer of-the-receiver",
    });
    streams.ask(201, &create(&wish)).await;
    let polled = streams.ask(201, &create(&poll_stream(&["session-revoked"]))).await;
    let polled = polled["delivery"]["endpoint_url"].as_str().expect("it is polled somewhere");
    let polled = polled.strip_prefix("https://ssf.example").expect("of ours");
    streams.ask(200, &with_token(get("/ssf/streams"))).await;

    let mut before = Duration::ZERO;
    let mut pushed_before = Duration::ZERO;
    for number in 0..WARM_UP + BATCHES {
        if number == WARM_UP {
            before = ingest.processor();
            pushed_before = push.processor();
        }
        done(&ingest.invoke(events(number)).await);
        while aws.receiver.requests().len() < (number + 1) * BATCH {
            done(&push.invoke(aws.bells().await).await);
        }
    }
    let events = u32::try_from(BATCHES * BATCH).expect("a small number");
    let ingested = ingest.processor().saturating_sub(before) / events;
    let pushed = push.processor().saturating_sub(pushed_before) / events;
    let all = (WARM_UP + BATCHES) * BATCH;
    assert_eq!(aws.receiver.requests().len(), all, "each event is pushed once");

    let mut acked = json!([]);
    loop {
        let body = json!({ "maxEvents": 100, "returnImmediately": true, "ack": acked });
        let body = post(polled, "application/json", &body.to_string());
        let sets = poll.ask(200, &with_token(body)).await["sets"].clone();
        acked = sets.as_object().expect("SETs by their jti").keys().cloned().collect();
        if acked == json!([]) {
            break;
        }
    }
    sweep.invoke(json!({})).await;

    let need = |function, process: &Function, for_each| Need {
        function,
        peak_memory: process.peak_memory(),
        for_each,
    };
    vec![
        need("discovery", &discovery, None),
        need("authorize", &authorize, None),
        need("streams", &streams, None),
        need("ingest", &ingest, Some(ingested)),
        need("push", &push, Some(pushed)),
        need("poll", &poll, None),
        need("sweep", &sweep, None),
    ]
}

impl Function {
    /// The body of its answer to an HTTP request, which must have this status.
    async fn ask(&mut self, status: u16, request: &Value) -> Value {
        let answer = self.invoke(request.clone()).await;
        assert_eq!(answer["statusCode"], status, "{request}: {answer}");
        let body = answer["body"].as_str().expect("a text");
        serde_json::from_str(body).expect("JSON")
    }
}

/// Nothing must come again.
fn done(answer: &Value) {
    assert_eq!(answer, &json!({ "batchItemFailures": [] }));
}

/// A batch of events of the standard door.
fn events(number: usize) -> Value {
    let records = (0..BATCH).map(|at| {
        json!({
            "messageId": format!("00000000-0000-4000-8000-{:012}", number * BATCH + at),
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
            "body": usual_event(number * BATCH + at).to_string(),
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1795301862748" },
            "messageAttributes": {},
        })
    });
    batch("arn:aws:sqs:us-east-1:123456789012:ingest", records)
}

fn get(path: &str) -> Value {
    request("GET", path, "application/json", None)
}

fn post(path: &str, media_type: &str, body: &str) -> Value {
    request("POST", path, media_type, Some(body))
}

/// A request as API Gateway gives it to a function, in the payload format 2.0.
fn request(method: &str, path: &str, media_type: &str, body: Option<&str>) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "host": "ssf.example", "content-type": media_type },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "ssf.example",
            "domainPrefix": "ssf",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "receiver",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Sep/2026:12:00:00 +0000",
            "timeEpoch": 1_788_264_000_000_u64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}
