//! A proxy between the functions and the local AWS that counts calls and makes some of them fail.

use std::{
    collections::BTreeMap,
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
use tokio::{net::TcpListener, task::JoinHandle};

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// It is done, and the answer is an error.
    AfterItTookEffect,
    /// It is not done, and the answer is an error.
    BeforeItTookEffect,
    /// Of a batch all is done; the answer says so of the first alone.
    OnlyTheFirst,
    /// It is done, and there is no answer.
    Silence,
    /// It is not done: there are too many.
    Throttled,
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
    /// By operation, such as `DynamoDB_20120810.PutItem`: the faults to come.
    faults: Mutex<BTreeMap<String, Vec<Fault>>>,
    calls: Mutex<BTreeMap<String, usize>>,
    refusals: Mutex<Vec<Refusal>>,
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
    /// Looks whether `answer` to `request` says that a right is wanting.
    async fn note_refusal(
        &self,
        request: Bytes,
        answer: Response<Full<Bytes>>,
    ) -> Response<Full<Bytes>> {
        if !answer.status().is_client_error() {
            return answer;
        }
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("it is all there").to_bytes();
        let message = String::from_utf8_lossy(&body).into_owned();
        if message.contains("AccessDenied") {
            let request = serde_json::from_slice(&request).unwrap_or_default();
            lock(&self.refusals).push(Refusal { message, request });
        }
        Response::from_parts(head, Full::new(body))
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

    /// The next calls of `operation` (such as `AmazonSQS.SendMessageBatch`) go wrong like this, one
    /// after the other.
    pub fn next(&self, operation: &str, faults: &[Fault]) {
        lock(&self.desk.faults).entry(operation.to_owned()).or_default().extend(faults);
    }

    /// From now on nothing goes wrong.
    pub fn clear(&self) {
        lock(&self.desk.faults).clear();
    }

    /// The faults that have not happened yet.
    pub fn left(&self) -> usize {
        lock(&self.desk.faults).values().map(Vec::len).sum()
    }

    /// The calls since this was last asked, by operation.
    pub fn take_calls(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut lock(&self.desk.calls))
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
    *lock(&desk.calls).entry(operation.clone()).or_default() += 1;
    let fault = {
        let mut faults = lock(&desk.faults);
        faults.get_mut(&operation).filter(|left| !left.is_empty()).map(|left| left.remove(0))
    };
    let upstream = lock(&desk.upstream).clone();
    Ok(match fault {
        None => {
            let request = body.clone();
            let answer = forward(client, &upstream, &head, body).await;
            desk.note_refusal(request, answer).await
        }
        Some(Fault::Throttled) => error(StatusCode::BAD_REQUEST, "ThrottlingException"),
        Some(Fault::BeforeItTookEffect) => {
            error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")
        }
        Some(Fault::AfterItTookEffect) => {
            forward(client, &upstream, &head, body).await;
            error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")
        }
        Some(Fault::Silence) => {
            forward(client, &upstream, &head, body).await;
            std::future::pending().await
        }
        Some(Fault::OnlyTheFirst) => only_the_first(client, &upstream, &head, body).await,
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

/// Says of a batch that all but the first failed.
async fn only_the_first(
    client: &Forward,
    upstream: &str,
    head: &Parts,
    body: Bytes,
) -> Response<Full<Bytes>> {
    let (mut head, body) = forward(client, upstream, head, body).await.into_parts();
    let body = body.collect().await.expect("it is all there").to_bytes();
    let mut answer: Value = serde_json::from_slice(&body).expect("SQS speaks JSON");
    let sent = answer["Successful"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let failed = sent
        .iter()
        .skip(1)
        .map(|entry| json!({ "Id": entry["Id"], "SenderFault": false, "Code": "InternalError" }));
    answer["Failed"] = failed.collect();
    answer["Successful"] = sent.iter().take(1).cloned().collect();
    head.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(head, Full::new(answer.to_string().into()))
}

fn error(status: StatusCode, code: &str) -> Response<Full<Bytes>> {
    let body = json!({ "__type": code, "message": "made to fail" }).to_string();
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
