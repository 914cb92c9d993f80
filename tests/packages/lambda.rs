//! What Lambda is to a function: its runtime interface, and a process that is watched.

use std::{
    convert::Infallible,
    fs,
    net::Ipv4Addr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

/// Longer than any start or invocation takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where systems like Debian have it; others need not be told.
const ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A function that runs, and waits for invocations.
#[derive(Debug)]
pub(crate) struct Function {
    /// From the start of the process until it asked for its first invocation.
    pub(crate) init: Duration,
    process: Child,
    invocations: mpsc::Sender<Value>,
    answers: mpsc::Receiver<Result<Value, String>>,
    listening: JoinHandle<()>,
}

impl Function {
    /// Starts `program` as Lambda does, with `variables` as its whole environment. As in Amazon Linux,
    /// the certificates to trust are one file.
    pub(crate) async fn start(program: &Path, variables: &[(&str, String)]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it listens somewhere");
        let (invocations, waiting) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(1);
        let (asked, ready) = oneshot::channel();
        let desk = Desk { asked: Mutex::new(Some(asked)), waiting: Mutex::new(waiting), answered };
        let listening = tokio::spawn(listen(listener, Arc::new(desk)));
        let started = Instant::now();
        let process = Command::new(program)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "function")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("AWS_LAMBDA_LOG_LEVEL", "INFO")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .envs(fs::exists(ROOTS).is_ok_and(|is| is).then_some(("SSL_CERT_FILE", ROOTS)))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("a function can be started");
        let init = timeout(PATIENCE, ready).await.expect("it starts").expect("and asks for work");
        Self { init: init.duration_since(started), process, invocations, answers, listening }
    }

    /// What it answers to `event`.
    pub(crate) async fn invoke(&mut self, event: Value) -> Value {
        self.invocations.send(event).await.expect("it waits for work");
        let answer = timeout(PATIENCE, self.answers.recv()).await.expect("it answers in time");
        answer.expect("it is there").expect("it does its work")
    }

    /// The processor time that it has used.
    pub(crate) fn processor(&self) -> Duration {
        let stat = self.read("stat");
        // The second member is a name in parentheses, in which there may be anything.
        let (_, members) = stat.rsplit_once(')').expect("a name in parentheses");
        // User and system time are the 14th and the 15th member, in hundredths of a second.
        let ticks = members.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|member| member.parse::<u64>().expect("ticks")).sum();
        Duration::from_millis(10 * ticks)
    }

    /// The most memory that it has had, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = self.read("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|text| text.trim().strip_suffix(" kB"));
        1024 * kilobytes.and_then(|text| text.parse::<u64>().ok()).expect("a peak in kB")
    }

    fn read(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.process.id());
        fs::read_to_string(path).expect("Linux tells about the process")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.listening.abort();
    }
}

/// What the function's requests are answered from.
struct Desk {
    asked: Mutex<Option<oneshot::Sender<Instant>>>,
    waiting: Mutex<mpsc::Receiver<Value>>,
    answered: mpsc::Sender<Result<Value, String>>,
}

async fn listen(listener: TcpListener, desk: Arc<Desk>) {
    while let Ok((connection, _)) = listener.accept().await {
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            let answer = service_fn(|request| answer(&desk, request));
            // A function that ends breaks off.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), answer).await;
        });
    }
}

/// `…/invocation/next`, `…/invocation/{id}/response` and, for what failed, `…/error`.
async fn answer(
    desk: &Desk,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let now = Instant::now();
    let (head, body) = request.into_parts();
    if head.method == Method::GET {
        if let Some(asked) = desk.asked.lock().await.take() {
            // Nobody may wait any more.
            let _ = asked.send(now);
        }
        let event = desk.waiting.lock().await.recv().await.unwrap_or_default();
        let response = Response::builder()
            .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
            .header("lambda-runtime-deadline-ms", "4102444800000")
            .header("lambda-runtime-invoked-function-arn", ARN)
            .header("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
            .body(Full::new(event.to_string().into()));
        return Ok(response.expect("a response"));
    }
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let said = if head.uri.path().ends_with("/response") {
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    } else {
        Err(String::from_utf8_lossy(&body).into_owned())
    };
    // Nobody may wait any more.
    let _ = desk.answered.send(said).await;
    let mut accepted = Response::new(Full::default());
    *accepted.status_mut() = StatusCode::ACCEPTED;
    Ok(accepted)
}

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:function";
