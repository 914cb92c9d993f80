//! The stack: `template.yaml` with the functions as packages, on a local AWS.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use aws_config::SdkConfig;
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use ssf::clock::{Clock, SystemClock};
use tests::{Emulator, FaultProxy, TestReceiver};
use tokio::{runtime::Runtime, sync::Mutex};

use crate::boto3::Boto3;

/// The name of the stack.
pub(crate) const STACK: &str = "tocsin-test";

/// Something that the functions do takes at most this long here; far longer than it should.
const PATIENCE: Duration = Duration::from_secs(90);

/// A deployed transmitter, and the world around it.
pub(crate) struct Deployed {
    pub(crate) proxy: FaultProxy,
    pub(crate) receiver: TestReceiver,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) boto3: Boto3,
    pub(crate) emulator: Emulator,
    pub(crate) http: Client<HttpConnector, Full<Bytes>>,
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
        let boto3 = Boto3::start(|python| with_credentials(emulator.endpoint(), python));
        let outputs = BTreeMap::new();
        let mut deployed = Self { proxy, receiver, outputs, boto3, emulator, http };
        deployed.deploy(&packages);
        deployed.outputs = deployed.read_outputs().await;
        deployed
    }

    fn deploy(&self, packages: &Path) {
        let certificate = self.receiver.certificate().replace('\n', " ");
        let sam = tests::emulator::tools().join("sam");
        let mut sam = Command::new(sam);
        with_credentials(self.emulator.endpoint(), &mut sam);
        done(
            sam.args(["deploy", "--template-file"])
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
        let mut tocsin = Command::new(binaries().join("tocsin"));
        with_credentials(self.emulator.endpoint(), &mut tocsin);
        tocsin.args(["--stack", STACK, "--json"]).args(arguments).output().expect("the tool runs")
    }

    /// Deletes what earlier scenarios made, so that their events and ours do not meet.
    fn forget_receivers(&self) {
        for client in self.tool(&["client", "list"]).as_array().expect("a list") {
            let id = client["client_id"].as_str().expect("a client has an id");
            self.tool(&["client", "delete", "--yes", id]);
        }
    }

    /// Sends messages, each with its group, at once, as an upstream system does.
    pub(crate) fn send_batch(&self, queue: &str, messages: &[(&str, Value)]) {
        let entries = messages.iter().enumerate().map(|(at, (group, body))| {
            json!({
                "Id": at.to_string(),
                "MessageBody": body.to_string(),
                "MessageGroupId": group,
                "MessageDeduplicationId": fresh(),
            })
        });
        let entries: Vec<Value> = entries.collect();
        let batch = json!({ "QueueUrl": self.output(queue), "Entries": entries });
        let sent = self.boto3.call("sqs", "send_message_batch", &batch);
        assert_eq!(sent["Successful"].as_array().map(Vec::len), Some(messages.len()), "{sent}");
    }

    /// Sends one message.
    pub(crate) fn send(&self, queue: &str, body: &Value, group: Option<&str>) {
        let mut message =
            json!({ "QueueUrl": self.output(queue), "MessageBody": body.to_string() });
        if let Some(group) = group {
            message["MessageGroupId"] = group.into();
            message["MessageDeduplicationId"] = fresh().into();
        }
        self.boto3.call("sqs", "send_message", &message);
    }

    /// What a function has logged.
    pub(crate) fn logs(&self, function: &str) -> String {
        let group = format!("/tocsin/{STACK}/{function}");
        let events =
            self.boto3.call("logs", "filter_log_events", &json!({ "logGroupName": group }));
        let events = events["events"].as_array().into_iter().flatten();
        events.filter_map(|event| event["message"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Lets what was received from a queue and is not done come again after seconds; the template
    /// gives the functions more time than a test has.
    pub(crate) async fn soon_again(&self, queue: &str) {
        let client = aws_sdk_sqs::Client::new(&self.sdk_config());
        let visibility = aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout;
        let set = client.set_queue_attributes().queue_url(self.output(queue));
        set.attributes(visibility, "5").send().await.expect("it can be set");
    }

    /// What a function is called here.
    pub(crate) fn function(&self, function: &str) -> String {
        let names: Value = serde_json::from_str(self.output("FunctionNames")).expect("JSON");
        names[function].as_str().expect("all have a name").to_owned()
    }

    /// Kills the processes of a function, as Lambda does with one that takes too long; says how
    /// many there were.
    pub(crate) fn kill(&self, function: &str) -> usize {
        let name = format!("AWS_LAMBDA_FUNCTION_NAME={}", self.function(function));
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
        killed
    }
}

/// With the address and the credentials of the local AWS.
fn with_credentials(endpoint: &str, command: &mut Command) {
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_REGION", "us-east-1")
        .env("SAM_CLI_TELEMETRY", "0")
        .stdin(Stdio::null());
}

/// What no message was called before.
fn fresh() -> String {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    format!("message-{}", LAST.fetch_add(1, Ordering::Relaxed))
}

/// Returns when `is_so`.
pub(crate) async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    assert!(comes_true(&mut is_so).await, "waited in vain for {what}");
}

pub(crate) async fn comes_true(is_so: &mut impl AsyncFnMut() -> bool) -> bool {
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
        let properties = format!("Binary: {name}\n    Properties:\n");
        template = template.replace(&properties, &format!("{properties}      CodeUri: {name}\n"));
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
