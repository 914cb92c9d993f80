//! The stack: `template.yaml` with the functions as packages, on a local AWS.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{LazyLock, OnceLock},
    time::{Duration, Instant},
};

use aws_config::SdkConfig;
use bytes::Bytes;
use http::{
    Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use ssf::clock::{Clock, SystemClock};
use tests::{Emulator, FaultProxy, TestReceiver};
use tokio::{runtime::Runtime, sync::Mutex};

/// The name of the stack.
pub(crate) const STACK: &str = "tocsin-test";

/// Something that the functions do takes at most this long here; far longer than it should.
const PATIENCE: Duration = Duration::from_secs(90);

/// A deployed transmitter, and the world around it.
pub(crate) struct Deployed {
    pub(crate) proxy: FaultProxy,
    pub(crate) receiver: TestReceiver,
    pub(crate) outputs: BTreeMap<String, String>,
    emulator: Emulator,
    http: Client<HttpConnector, Full<Bytes>>,
}

/// Does `scenario` on the stack, which the first one deploys; one at a time.
pub(crate) fn on_the_stack(scenario: impl AsyncFnOnce(&Deployed)) {
    // Proxy and receiver outlive the test that starts them.
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    static DEPLOYED: OnceLock<Mutex<Deployed>> = OnceLock::new();
    let deployed = DEPLOYED.get_or_init(|| Mutex::new(RUNTIME.block_on(Deployed::new())));
    RUNTIME.block_on(async {
        let deployed = deployed.lock().await;
        deployed.forget_receivers();
        scenario(&deployed).await;
    });
}

impl Deployed {
    async fn new() -> Self {
        let packages = packages();
        let receiver = TestReceiver::start().await;
        let proxy = FaultProxy::start().await;
        let emulator = Emulator::with_policies(Some(&proxy.endpoint()));
        proxy.lead_to(emulator.endpoint());
        let http = Client::builder(TokioExecutor::new()).build_http();
        let mut deployed = Self { proxy, receiver, outputs: BTreeMap::new(), emulator, http };
        deployed.deploy(&packages);
        deployed.outputs = deployed.read_outputs().await;
        deployed
    }

    fn deploy(&self, packages: &Path) {
        let certificate = self.receiver.certificate().replace('\n', " ");
        let sam = tests::emulator::tools().join("sam");
        done(
            self.environment(Command::new(sam))
                .args(["deploy", "--template-file"])
                .arg(packages.join("template.yaml"))
                .args(["--stack-name", STACK, "--resolve-s3", "--no-confirm-changeset"])
                .args(["--capabilities", "CAPABILITY_IAM", "--no-progressbar"])
                .args(["--parameter-overrides", "Architecture=x86_64", "RequireTls=false"])
                .args(["AllowPrivatePush=true", "MinVerificationIntervalSeconds=0"])
                // The local AWS takes these as text, and then its pollers fail.
                .args(["IngestMaximumConcurrency=0", "PushMaximumConcurrency=0"])
                .arg(format!("PushCa=\"{}\"", certificate.trim())),
        );
    }

    /// With the address and the credentials of the local AWS.
    fn environment(&self, mut command: Command) -> Command {
        command
            .env("AWS_ENDPOINT_URL", self.emulator.endpoint())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_REGION", "us-east-1")
            .env("SAM_CLI_TELEMETRY", "0")
            .stdin(Stdio::null());
        command
    }

    async fn read_outputs(&self) -> BTreeMap<String, String> {
        let client = aws_sdk_cloudformation::Client::new(&self.sdk_config());
        let stacks = client.describe_stacks().stack_name(STACK).send().await.expect("the stack");
        let outputs = stacks.stacks()[0].outputs().iter();
        outputs
            .map(|output| {
                let text = |text: Option<&str>| text.expect("an output is whole").to_owned();
                (text(output.output_key()), text(output.output_value()))
            })
            .collect()
    }

    /// Of an administrator.
    pub(crate) fn sdk_config(&self) -> SdkConfig {
        self.emulator.sdk_config("test")
    }

    /// One of the stack's outputs.
    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("no output {name}"))
    }

    /// What a command of the tool says, on the stack; it must end well.
    pub(crate) fn tool(&self, arguments: &[&str]) -> Value {
        let output = self.run_tool(arguments);
        assert!(output.status.success(), "tocsin {arguments:?}: {}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// The same, however it ends.
    pub(crate) fn run_tool(&self, arguments: &[&str]) -> Output {
        let tocsin = binaries().join("tocsin");
        self.environment(Command::new(tocsin))
            .args(["--stack", STACK, "--json"])
            .args(arguments)
            .output()
            .expect("the tool runs")
    }

    /// Deletes what earlier scenarios made, so that their events and ours do not meet.
    fn forget_receivers(&self) {
        for client in self.tool(&["client", "list"]).as_array().expect("a list") {
            let id = client["client_id"].as_str().expect("a client has an id");
            self.tool(&["client", "delete", "--yes", id]);
        }
    }

    /// Sends a message as an upstream system does, with boto3.
    pub(crate) fn send(&self, queue: &str, body: &Value, group: Option<&str>) {
        static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut message =
            json!({ "QueueUrl": self.output(queue), "MessageBody": body.to_string() });
        if let Some(group) = group {
            message["MessageGroupId"] = group.into();
            message["MessageDeduplicationId"] = format!("message-{number}").into();
        }
        let script = "import boto3, json, sys\n\
                      boto3.client('sqs').send_message(**json.loads(sys.argv[1]))";
        let python = tests::emulator::python();
        done(self.environment(Command::new(python)).args(["-c", script, &message.to_string()]));
    }

    /// What a function has logged.
    pub(crate) fn logs(&self, function: &str) -> String {
        let group = format!("/tocsin/{STACK}/{function}");
        let script = "import boto3, sys\n\
                      logs = boto3.client('logs')\n\
                      for page in logs.get_paginator('filter_log_events').paginate(logGroupName=sys.argv[1]):\n\
                      \x20   for event in page['events']: print(event['message'].strip())";
        let python = tests::emulator::python();
        let command = &mut self.environment(Command::new(python));
        text(&command.args(["-c", script, &group]).output().expect("python runs").stdout)
    }

    /// Lets what was received from a queue and is not done come again after seconds; the template
    /// gives the functions more time than a test has.
    pub(crate) async fn soon_again(&self, queue: &str) {
        let client = aws_sdk_sqs::Client::new(&self.sdk_config());
        let visibility = aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout;
        let set = client.set_queue_attributes().queue_url(self.output(queue));
        set.attributes(visibility, "5").send().await.expect("it can be set");
    }

    /// Kills the processes of a function, as Lambda does with one that takes too long.
    pub(crate) fn kill(&self, function: &str) {
        let names: Value = serde_json::from_str(self.output("FunctionNames")).expect("JSON");
        let name = format!("AWS_LAMBDA_FUNCTION_NAME={}", names[function].as_str().expect("one"));
        let mut killed = 0;
        for process in fs::read_dir("/proc").expect("this is Linux").flatten() {
            // Of processes of others nothing can be read, and nothing is wanted.
            let Ok(environment) = fs::read(process.path().join("environ")) else { continue };
            let is_it = environment.split(|byte| *byte == 0).any(|one| one == name.as_bytes());
            let pid = process.file_name();
            if is_it && Command::new("kill").arg("-9").arg(&pid).status().is_ok() {
                killed += 1;
            }
        }
        assert!(killed > 0, "no process of {function} runs");
    }

    /// Asks the API; the status and the JSON of the answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let body = body.map(|body| ("application/json", body.to_string()));
        self.request(method, path, token.map(|token| format!("Bearer {token}")), body).await
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        authorization: Option<String>,
        body: Option<(&str, String)>,
    ) -> (StatusCode, Value) {
        let endpoint = self.emulator.endpoint();
        let port = endpoint.rsplit(':').next().expect("an endpoint has a port");
        let host = format!("{}.execute-api.localhost:{port}", self.output("ApiId"));
        let mut request =
            Request::builder().method(method.clone()).uri(format!("{endpoint}{path}"));
        request = request.header(HOST, host);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let (media_type, body) = body.unwrap_or(("", String::new()));
        if !media_type.is_empty() {
            request = request.header(CONTENT_TYPE, media_type);
        }
        let request = request.body(Full::new(body.into())).expect("a request");
        let response = self.http.request(request).await.expect("the API answers");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a whole answer").to_bytes();
        let value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body)
                .unwrap_or_else(|_| panic!("{method} {path}: {status}: {}", text(&body)))
        };
        (status, value)
    }

    /// A new receiver, with an access token for all that it may do.
    pub(crate) async fn sign_in(&self, name: &str) -> Caller<'_> {
        let audience = format!("https://{name}.example");
        let client = self.tool(&["client", "create", "--name", name, "--audience", &audience]);
        let part = |member: &str| client[member].as_str().expect("a client has it");
        let form = format!(
            "grant_type=client_credentials&scope=ssf.manage&client_id={}&client_secret={}",
            part("client_id"),
            part("client_secret")
        );
        let form = ("application/x-www-form-urlencoded", form);
        let (status, answer) = self.request(Method::POST, "/oauth/token", None, Some(form)).await;
        assert_eq!(status, StatusCode::OK, "{answer} {}", self.logs("authorize"));
        let token = answer["access_token"].as_str().expect("a token").to_owned();
        Caller { deployed: self, name: name.to_owned(), token }
    }

    /// The SETs that were pushed to `name`, once there are `count`; in the order of their arrival.
    pub(crate) async fn pushed(&self, name: &str, count: usize) -> Vec<Value> {
        let path = format!("/{name}");
        let arrived = || {
            let requests = self.receiver.requests().into_iter();
            requests.filter(|request| request.uri.path() == path).collect::<Vec<_>>()
        };
        if !comes_true(&mut async || arrived().len() >= count).await {
            let (there, logs) = (arrived().len(), self.logs("push"));
            panic!("{there} of {count} SETs came to {name}; push says: {logs}");
        }
        arrived().iter().map(|request| tests::world::claims(&request.body)).collect()
    }
}

/// A receiver with its token.
pub(crate) struct Caller<'a> {
    deployed: &'a Deployed,
    pub(crate) name: String,
    pub(crate) token: String,
}

impl Caller<'_> {
    /// Asks with its token; the answer must be `wanted`.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        wanted: StatusCode,
    ) -> Value {
        let asked = self.deployed.ask(method.clone(), path, Some(&self.token), body);
        let (status, answer) = asked.await;
        assert_eq!(status, wanted, "{method} {path}: {answer}");
        answer
    }

    /// A stream that is pushed to it, with these types of CAEP; its id.
    pub(crate) async fn push_stream(&self, types: &[&str]) -> String {
        let mut body = tests::world::poll_stream(types);
        body["delivery"] = json!({
            "method": "urn:ietf:rfc:8935",
            "endpoint_url": self.deployed.receiver.url(&format!("/{}", self.name)),
            "authorization_header": format!("Bearer for-{}", self.name),
        });
        self.create(&body).await
    }

    /// A stream that it polls; its id.
    pub(crate) async fn poll_stream(&self, types: &[&str]) -> String {
        self.create(&tests::world::poll_stream(types)).await
    }

    async fn create(&self, body: &Value) -> String {
        let stream = self.ask(Method::POST, "/ssf/streams", Some(body), StatusCode::CREATED).await;
        stream["stream_id"].as_str().expect("a stream has an id").to_owned()
    }

    /// Sets the status of a stream.
    pub(crate) async fn set_status(&self, stream: &str, status: &str) {
        let body = json!({ "stream_id": stream, "status": status });
        self.ask(Method::POST, "/ssf/status", Some(&body), StatusCode::OK).await;
    }
}

/// Returns when `is_so`.
pub(crate) async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    assert!(comes_true(&mut is_so).await, "waited in vain for {what}");
}

async fn comes_true(is_so: &mut impl AsyncFnMut() -> bool) -> bool {
    let until = Instant::now() + PATIENCE;
    while !is_so().await {
        if Instant::now() > until {
            return false;
        }
        SystemClock.sleep(Duration::from_millis(100)).await;
    }
    true
}

/// Cargo's folder of binaries.
fn binaries() -> PathBuf {
    let program = std::env::current_exe().expect("a test knows its own path");
    let folder = program.parent().and_then(Path::parent);
    folder.expect("a test is below the folder of binaries").to_owned()
}

/// Builds the functions and puts them beside a template that leads to them, as `sam build` does.
fn packages() -> PathBuf {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    done(
        Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--workspace", "--bins"])
            .current_dir(&house),
    );
    let packages = tests::emulator::target().join("stack");
    let mut template =
        fs::read_to_string(house.join("template.yaml")).expect("there is a template");
    for function in fs::read_dir(house.join("functions")).expect("there are functions") {
        let function = function.expect("a folder can be read").file_name();
        let name = function.to_str().expect("names are ASCII");
        let binary = binaries().join(name);
        if !binary.is_file() {
            continue;
        }
        let package = packages.join(name);
        fs::create_dir_all(&package).expect("the target folder can be written");
        // Without what only a debugger reads, so that it is quickly uploaded.
        done(Command::new("strip").arg("-o").arg(package.join("bootstrap")).arg(binary));
        template = template
            .replace(&format!("CodeUri: functions/{name}\n"), &format!("CodeUri: {name}\n"));
    }
    fs::write(packages.join("template.yaml"), template).expect("the target folder can be written");
    packages
}

fn done(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}\n{err}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
