//! Work for each function, as it comes in life.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde_json::{Value, json};
use tests::world::{caep, poll_stream, usual_event};

use crate::{
    aws::{Aws, batch},
    built::Built,
    lambda::Function,
};

/// Of the people who are made here.
const PASSWORD: &str = "correct-horse-battery-staple";

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
    /// Of functions that work on events.
    pub(crate) for_each: Option<ForEach>,
}

/// Processor time for each event.
pub(crate) struct ForEach {
    pub(crate) all: Duration,
    /// What the same calls take a function that does nothing else: the SDK, HTTP and TLS.
    pub(crate) calls: Duration,
}

/// How many calls a batch took, by operation. A push to the receiver is one, too.
type Calls = BTreeMap<String, usize>;

/// A function at work on events, watched from when it is warm.
struct Watched {
    process: Function,
    events: usize,
    begin: Duration,
    batches: Vec<Calls>,
}

impl Watched {
    async fn start(program: &Path, aws: &Aws) -> Self {
        let process = Function::start(program, &aws.variables).await;
        Self { process, events: 0, begin: Duration::ZERO, batches: Vec::new() }
    }

    /// What was done until now was to warm up.
    fn watch(&mut self) {
        (self.begin, self.events) = (self.process.processor(), 0);
        self.batches.clear();
    }

    /// Lets it work on a batch in which there are so many events.
    async fn work(&mut self, batch: Value, events: usize, aws: &Aws) -> Value {
        aws.proxy.take_calls();
        let pushed = aws.receiver.count();
        let answer = self.process.invoke(batch).await;
        let mut calls = aws.proxy.take_calls();
        calls.insert("push".to_owned(), aws.receiver.count() - pushed);
        self.batches.push(calls);
        self.events += events;
        answer
    }

    /// Processor time for each event since it is watched.
    fn for_each(&self) -> Duration {
        let used = self.process.processor().saturating_sub(self.begin);
        used / u32::try_from(self.events).expect("a small number")
    }
}

/// Lets the functions do everything that the life of a receiver asks of them.
pub(crate) async fn needs(built: &Built, aws: &Aws) -> Vec<Need> {
    let start = async |name| Function::start(&built.program(name), &aws.variables).await;
    let mut discovery = start("discovery").await;
    let mut authorize = start("authorize").await;
    let mut streams = start("streams").await;
    let mut ingest = Watched::start(&built.program("ingest"), aws).await;
    let mut push = Watched::start(&built.program("push"), aws).await;
    let mut poll = start("poll").await;
    let mut directory = start("directory").await;
    let mut sign_in = start("sign-in").await;
    let mut sweep = start("sweep").await;

    // Its first run makes the first key.
    sweep.invoke(json!({})).await;
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

    for number in 0..WARM_UP + BATCHES {
        if number == WARM_UP {
            ingest.watch();
            push.watch();
        }
        done(&ingest.work(events(number), BATCH, aws).await);
        let mut left = BATCH;
        while aws.receiver.count() < (number + 1) * BATCH {
            // A lane that is served twice is no second event.
            done(&push.work(aws.bells().await, std::mem::take(&mut left), aws).await);
        }
    }
    assert_eq!(aws.receiver.count(), (WARM_UP + BATCHES) * BATCH, "each event is pushed once");
    let ingested = ForEach { all: ingest.for_each(), calls: alone(built, aws, &ingest).await };
    let pushed = ForEach { all: push.for_each(), calls: alone(built, aws, &push).await };

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

    let provisioner = aws.provisioner().await;
    for number in 0..BATCH {
        // A password's hash takes more memory than all else.
        let person = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("jane.smith.{number}@customer.example.com"),
            "password": PASSWORD,
        });
        let mut request = post("/scim/v2/Users", "application/scim+json", &person.to_string());
        request["headers"]["authorization"] = format!("Bearer {provisioner}").into();
        directory.ask(201, &request).await;
    }
    visit(&mut sign_in, "jane.smith.0@customer.example.com").await;

    let need = |function, process: &Function, for_each| Need {
        function,
        peak_memory: process.peak_memory(),
        for_each,
    };
    vec![
        need("discovery", &discovery, None),
        need("authorize", &authorize, None),
        need("streams", &streams, None),
        need("poll", &poll, None),
        need("directory", &directory, None),
        need("sign-in", &sign_in, None),
        need("ingest", &ingest.process, Some(ingested)),
        need("push", &push.process, Some(pushed)),
        need("sweep", &sweep, None),
    ]
}

/// What the calls that `watched` made take a function that does nothing else, for each event.
async fn alone(built: &Built, aws: &Aws, watched: &Watched) -> Duration {
    let mut calls = Watched::start(&built.calls, aws).await;
    let event = |batch| json!({ "receiver": aws.receiver.url("/events"), "calls": batch });
    for batch in &watched.batches[..WARM_UP] {
        calls.work(event(batch), 0, aws).await;
    }
    calls.watch();
    for batch in &watched.batches {
        calls.work(event(batch), 0, aws).await;
    }
    assert_eq!(calls.batches, watched.batches, "the same calls");
    calls.events = watched.events;
    calls.for_each()
}

/// Somebody signs in, and looks at their account.
async fn visit(sign_in: &mut Function, name: &str) {
    let page = sign_in.invoke(get("/sign-in")).await;
    assert_eq!(page["statusCode"], 200, "{page}");
    let cookie = |answer: &Value| {
        let text = answer["cookies"][0].as_str().expect("it sets a cookie");
        text.split(';').next().expect("it begins with itself").to_owned()
    };
    let html = page["body"].as_str().expect("a text");
    let (_, token) = html.split_once("name=\"token\" value=\"").expect("a form has a token");
    let token = token.split('"').next().expect("it ends");
    let members = [("token", token), ("name", name), ("password", PASSWORD)];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
    let mut request = post("/sign-in", "application/x-www-form-urlencoded", &form);
    request["headers"]["sec-fetch-site"] = "same-origin".into();
    request["cookies"] = json!([cookie(&page)]);
    let done = sign_in.invoke(request).await;
    assert_eq!(done["statusCode"], 303, "{done}");
    let mut request = get("/account");
    request["cookies"] = json!([cookie(&done)]);
    let account = sign_in.invoke(request).await;
    assert_eq!(account["statusCode"], 200, "{account}");
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
