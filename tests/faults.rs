//! A proxy between the functions and the local AWS that counts calls, makes some of them fail, and
//! lets others meet.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::emulator;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// It is done, and the answer is an error.
    AfterItTookEffect,
    /// It is done, and there is no answer.
    AnswerLost,
    /// It is not done, and the answer is an error.
    BeforeItTookEffect,
    /// It is done, but not before [`FaultProxy::release`]; so that others come in between.
    Held,
    /// Of a batch of messages the first is sent; the answer says that the others are not.
    OnlyTheFirst,
    /// It is not done, and there is no answer.
    RequestLost,
    /// It is not done: there are too many.
    Throttled,
}

/// What is to go wrong, with which calls.
#[derive(Clone, Debug)]
pub struct Plan {
    operation: String,
    about: String,
    spared: usize,
    faults: VecDeque<Fault>,
}

impl Plan {
    /// These faults, one after the other, for calls of `operation`, such as
    /// `AmazonSQS.SendMessageBatch`.
    pub fn new(operation: &str, faults: &[Fault]) -> Self {
        let (operation, faults) = (operation.to_owned(), faults.iter().copied().collect());
        Self { operation, about: String::new(), spared: 0, faults }
    }

    /// Only for calls in which this text occurs, such as the id of a stream.
    #[must_use]
    pub fn about(self, text: &str) -> Self {
        Self { about: text.to_owned(), ..self }
    }

    /// Not for the first `calls` of them.
    #[must_use]
    pub fn after(self, calls: usize) -> Self {
        Self { spared: calls, ..self }
    }

    fn is_for(&self, call: &Call) -> bool {
        !self.faults.is_empty() && call.is(&self.operation, &self.about)
    }
}

/// A call as it came.
#[derive(Clone, Debug)]
struct Call {
    operation: String,
    body: Bytes,
}

impl Call {
    fn is(&self, operation: &str, about: &str) -> bool {
        let about = about.as_bytes();
        let mut parts = self.body.windows(about.len().max(1));
        self.operation == operation && (about.is_empty() || parts.any(|part| part == about))
    }
}

/// The proxy; it ends when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    desk: Arc<Desk>,
    listening: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Desk {
    /// Where the calls go.
    upstream: Mutex<String>,
    plans: Mutex<Vec<Plan>>,
    calls: Mutex<Vec<Call>>,
    refusals: Mutex<Vec<Refusal>>,
    /// The calls of which a condition did not hold, by operation.
    conflicts: Mutex<BTreeMap<String, usize>>,
    /// How many calls wait to be released.
    held: watch::Sender<usize>,
    /// How often that was done.
    releases: watch::Sender<usize>,
}

/// A call that the caller has no right to.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Who asked for what.
    pub message: String,
    /// What was asked for.
    pub request: Value,
}

impl Desk {
    /// What goes wrong with `call`, if anything.
    fn fault(&self, call: &Call) -> Option<Fault> {
        let mut plans = lock(&self.plans);
        let plan = plans.iter_mut().find(|plan| plan.is_for(call))?;
        if plan.spared > 0 {
            plan.spared -= 1;
            return None;
        }
        plan.faults.pop_front()
    }

    /// Returns when calls that are held are released.
    async fn hold(&self, call: &Call) {
        let mut releases = self.releases.subscribe();
        self.held.send_modify(|count| *count += 1);
        let mut held = Held { desk: self, call, is_released: false };
        held.is_released = releases.changed().await.is_ok();
    }

    /// Looks whether `answer` to `call` says that a right is wanting, or that a condition did not
    /// hold.
    async fn note(&self, call: Call, answer: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
        if !answer.status().is_client_error() {
            return answer;
        }
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("it is all there").to_bytes();
        let message = String::from_utf8_lossy(&body).into_owned();
        if message.contains("ConditionalCheckFailed") {
            *lock(&self.conflicts).entry(call.operation).or_default() += 1;
        } else if message.contains("AccessDenied") {
            let request = serde_json::from_slice(&call.body).unwrap_or_default();
            lock(&self.refusals).push(Refusal { message, request });
        }
        Response::from_parts(head, Full::new(body))
    }
}

/// Is there for as long as a call is held.
struct Held<'a> {
    desk: &'a Desk,
    call: &'a Call,
    is_released: bool,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.desk.held.send_modify(|count| *count -= 1);
        if self.is_released {
            return;
        }
        // Its caller has given up, and will try again: that is then held instead.
        let mut plans = lock(&self.desk.plans);
        let plan = plans.iter_mut().find(|plan| self.call.is(&plan.operation, &plan.about));
        if let Some(plan) = plan {
            plan.faults.push_front(Fault::Held);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultProxy {
    /// A proxy on a free port; calls go to `upstream` once that is told.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it listens somewhere");
        let desk = Arc::new(Desk::default());
        let listening = tokio::spawn(listen(listener, Arc::clone(&desk)));
        Self { address, desk, listening }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where calls go from now on.
    pub fn lead_to(&self, upstream: &str) {
        upstream.clone_into(&mut lock(&self.desk.upstream));
    }

    /// From now on this goes wrong, too.
    pub fn plan(&self, plan: Plan) {
        lock(&self.desk.plans).push(plan);
    }

    /// From now on nothing goes wrong, and nothing is held.
    pub fn clear(&self) {
        lock(&self.desk.plans).clear();
        self.release();
    }

    /// The faults that have not happened yet.
    pub fn left(&self) -> usize {
        lock(&self.desk.plans).iter().map(|plan| plan.faults.len()).sum()
    }

    /// How many calls are held.
    pub fn held(&self) -> usize {
        *self.desk.held.borrow()
    }

    /// Lets the calls go on that are held.
    pub fn release(&self) {
        self.desk.releases.send_modify(|count| *count += 1);
    }

    /// The calls since this was last asked, by operation.
    pub fn take_calls(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in std::mem::take(&mut *lock(&self.desk.calls)) {
            *counts.entry(call.operation).or_default() += 1;
        }
        counts
    }

    /// What was asked of `operation` since calls were last taken, where `about` occurs.
    pub fn requests(&self, operation: &str, about: &str) -> Vec<Value> {
        let calls = lock(&self.desk.calls);
        let asked = calls.iter().filter(|call| call.is(operation, about));
        asked.map(|call| serde_json::from_slice(&call.body).unwrap_or_default()).collect()
    }

    /// How many calls there were since calls were last taken in which `text` occurs.
    pub fn calls_with(&self, text: &str) -> usize {
        let calls = lock(&self.desk.calls);
        calls.iter().filter(|call| call.is(&call.operation, text)).count()
    }

    /// The calls since this was last asked of which a condition did not hold, by operation.
    pub fn take_conflicts(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut lock(&self.desk.conflicts))
    }

    /// The calls since this was last asked that were refused for want of a right.
    pub fn take_refusals(&self) -> Vec<Refusal> {
        std::mem::take(&mut lock(&self.desk.refusals))
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, desk: Arc<Desk>) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    while let Ok((connection, _)) = listener.accept().await {
        let (desk, client) = (Arc::clone(&desk), client.clone());
        tokio::spawn(async move {
            let answer = service_fn(|request| answer(&desk, &client, request));
            let connection = TokioIo::new(connection);
            // A caller that breaks off is no matter of ours.
            let _ = http1::Builder::new().serve_connection(connection, answer).await;
        });
    }
}

type Forward = Client<HttpConnector, Full<Bytes>>;

async fn answer(
    desk: &Desk,
    client: &Forward,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Ok(error(StatusCode::BAD_REQUEST, "")) };
    let body = body.to_bytes();
    let operation = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = operation.unwrap_or_default().to_owned();
    let call = Call { operation, body: body.clone() };
    lock(&desk.calls).push(call.clone());
    let fault = desk.fault(&call);
    let upstream = lock(&desk.upstream).clone();
    if fault == Some(Fault::Held) {
        desk.hold(&call).await;
    }
    Ok(match fault {
        None | Some(Fault::Held) => {
            let answer = forward(client, &upstream, &head, body).await;
            desk.note(call, answer).await
        }
        Some(Fault::Throttled) => error(StatusCode::BAD_REQUEST, throttled(&call.operation)),
        Some(Fault::BeforeItTookEffect) => {
            error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")
        }
        Some(Fault::AfterItTookEffect) => {
            forward(client, &upstream, &head, body).await;
            error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")
        }
        Some(Fault::AnswerLost) => {
            forward(client, &upstream, &head, body).await;
            std::future::pending().await
        }
        Some(Fault::RequestLost) => std::future::pending().await,
        Some(Fault::OnlyTheFirst) => only_the_first(&upstream, &call).await,
    })
}

async fn forward(
    client: &Forward,
    upstream: &str,
    head: &Parts,
    body: Bytes,
) -> Response<Full<Bytes>> {
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri: Uri = format!("{upstream}{path}").parse().expect("both parts were parsed before");
    let mut request = Request::builder().method(head.method.clone()).uri(uri);
    for (name, value) in &head.headers {
        // The signature covers the name of the host, which stays ours.
        if name != http::header::CONTENT_LENGTH {
            request = request.header(name, value);
        }
    }
    let request = request.body(Full::new(body)).expect("its parts were parsed before");
    let Ok(response) = client.request(request).await else {
        return error(StatusCode::BAD_GATEWAY, "");
    };
    let (mut head, body) = response.into_parts();
    let Ok(body) = body.collect().await else { return error(StatusCode::BAD_GATEWAY, "") };
    // How its bytes came is between the two of us.
    for name in [http::header::CONNECTION, http::header::TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    Response::from_parts(head, Full::new(body.to_bytes()))
}

/// Sends the first message of a batch alone, and says of the others that they failed. The signature
/// of the caller is for the whole batch: so it is an administrator who sends this one.
async fn only_the_first(upstream: &str, call: &Call) -> Response<Full<Bytes>> {
    let request: Value = serde_json::from_slice(&call.body).expect("SQS is spoken to in JSON");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let entries = request["Entries"].as_array().map_or(&[][..], Vec::as_slice);
    let (first, others) = entries.split_first().expect("a batch has a first message");
    let attributes = first["MessageAttributes"].as_object().map_or(0, serde_json::Map::len);
    assert_eq!((attributes, first.get("DelaySeconds")), (0, None), "they are not sent on");
    let client = aws_sdk_sqs::Client::new(&emulator::sdk_config(upstream, "test"));
    let message = client
        .send_message()
        .set_queue_url(text(&request["QueueUrl"]))
        .set_message_body(text(&first["MessageBody"]))
        .set_message_group_id(text(&first["MessageGroupId"]))
        .set_message_deduplication_id(text(&first["MessageDeduplicationId"]));
    let answer = message.send().await.expect("the first message is sent");
    let failed: Vec<Value> = others
        .iter()
        .map(|entry| json!({ "Id": entry["Id"], "SenderFault": false, "Code": "InternalError" }))
        .collect();
    let sent = json!({
        "Id": first["Id"],
        "MessageId": answer.message_id,
        "MD5OfMessageBody": answer.md5_of_message_body,
        "SequenceNumber": answer.sequence_number,
    });
    answer_with(StatusCode::OK, &json!({ "Successful": [sent], "Failed": failed }))
}

/// What the service says whose operation is asked for too often.
fn throttled(operation: &str) -> &'static str {
    match operation.split_once('.') {
        Some(("AmazonSQS", _)) => "com.amazonaws.sqs#RequestThrottled",
        Some(("DynamoDB_20120810", _)) => {
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
        }
        Some(_) | None => "ThrottlingException",
    }
}

fn error(status: StatusCode, code: &str) -> Response<Full<Bytes>> {
    answer_with(status, &json!({ "__type": code, "message": "made to fail" }))
}

fn answer_with(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.to_string().into()));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::SendMessageBatchRequestEntry as Entry;

    use super::*;
    use crate::{
        Emulator,
        emulator::{create_queue, fresh_account},
    };

    /// A proxy, a client that goes through it, and a queue.
    async fn stage() -> (FaultProxy, aws_sdk_sqs::Client, String) {
        let proxy = FaultProxy::start().await;
        proxy.lead_to(Emulator::shared().endpoint());
        // The proxy sends as this account, too.
        let client = aws_sdk_sqs::Client::new(&emulator::sdk_config(&proxy.endpoint(), "test"));
        let queue = create_queue(&client, &format!("{}.fifo", fresh_account())).await;
        (proxy, client, queue)
    }

    fn entry(number: usize) -> Entry {
        let entry = Entry::builder().id(number.to_string()).message_body(format!("body {number}"));
        let entry = entry.message_group_id("group").message_deduplication_id(number.to_string());
        entry.build().expect("all is given")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_a_batch_only_the_first_message_is_sent() {
        let (proxy, client, queue) = stage().await;
        proxy.plan(Plan::new("AmazonSQS.SendMessageBatch", &[Fault::OnlyTheFirst]).about(&queue));
        let batch = client.send_message_batch().queue_url(&queue);
        let answer = batch.set_entries(Some((0..3).map(entry).collect())).send().await.unwrap();
        let sent: Vec<_> = answer.successful.iter().map(|one| one.id.as_str()).collect();
        let failed: Vec<_> = answer.failed.iter().map(|one| one.id.as_str()).collect();
        assert_eq!((sent, failed), (vec!["0"], vec!["1", "2"]));
        let taken =
            client.receive_message().queue_url(&queue).max_number_of_messages(10).send().await;
        let bodies: Vec<_> =
            taken.unwrap().messages().iter().filter_map(|one| one.body.clone()).collect();
        assert_eq!(bodies, ["body 0"]);
        assert_eq!(proxy.left(), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn faults_are_for_calls_about_a_thing_and_may_spare_the_first() {
        let (proxy, client, queue) = stage().await;
        let plan = Plan::new("AmazonSQS.SendMessageBatch", &[Fault::Throttled; 12]);
        proxy.plan(plan.about("body 1").after(1));
        let send = async |number| {
            client.send_message_batch().queue_url(&queue).entries(entry(number)).send().await
        };
        for (number, fails) in [(1, false), (2, false), (1, true), (2, false)] {
            let answer = send(number).await;
            assert_eq!(answer.is_err(), fails, "{number}: {answer:?}");
        }
        proxy.clear();
        assert!(send(1).await.is_ok());
    }
}
