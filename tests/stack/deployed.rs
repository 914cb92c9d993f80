//! The stack: `template.yaml` with the functions as packages, on a local AWS.

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, resume_unwind},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{
        Arc, LazyLock, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use aws_config::SdkConfig;
use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use ssf::{
    clock::{Clock, SystemClock},
    table::{Condition, Key, Table as _, Write, class},
};
use ssf_aws::DynamoDbTable;
use tests::{Emulator, FaultProxy, Reply, TestReceiver};
use tokio::runtime::Runtime;

use crate::boto3::Boto3;

/// The name of the stack.
pub(crate) const STACK: &str = "tocsin-test";

/// Something that the functions do takes at most this long here; far longer than it should.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// What builds and deploys takes at most this long.
const LONG_PATIENCE: Duration = Duration::from_mins(30);

/// A call of AWS: the service, the operation, the arguments.
pub(crate) type Call = (&'static str, &'static str, Value);

/// A deployed transmitter, and the world around it.
pub(crate) struct Deployed {
    pub(crate) proxy: FaultProxy,
    pub(crate) receiver: TestReceiver,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) boto3: Boto3,
    pub(crate) emulator: Emulator,
    pub(crate) http: Client<HttpConnector, Full<Bytes>>,
    /// What was told to receivers, and must be found nowhere else.
    pub(crate) secrets: Mutex<Vec<String>>,
    /// What undoes that which was changed for a scenario.
    undo: Mutex<Vec<Call>>,
}

/// Does `scenario` on the stack, which the first one deploys; one at a time.
pub(crate) fn on_the_stack(scenario: impl AsyncFnOnce(&Deployed)) {
    // Proxy and receiver outlive the test that starts them.
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    static DEPLOYED: OnceLock<tokio::sync::Mutex<Deployed>> = OnceLock::new();
    let make = || tokio::sync::Mutex::new(RUNTIME.block_on(Deployed::new()));
    let deployed = DEPLOYED.get_or_init(make);
    RUNTIME.block_on(async {
        let deployed = deployed.lock().await;
        deployed.begin_anew().await;
        let since = SystemClock.now();
        let done = AssertUnwindSafe(scenario(&deployed)).catch_unwind().await;
        if let Err(panic) = done {
            deployed.tell(since);
            resume_unwind(panic);
        }
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
        let (secrets, undo) = (Mutex::default(), Mutex::default());
        let mut deployed = Self { proxy, receiver, outputs, boto3, emulator, http, secrets, undo };
        let bus = json!({ "Name": crate::sources::OKTA_BUS });
        deployed.boto3.call("events", "create_event_bus", &bus);
        deployed.deploy(&packages);
        deployed.outputs = deployed.read_outputs().await;
        // As each minute: its first run makes the first key.
        let sweep = json!({ "FunctionName": deployed.function("sweep"), "Payload": "{}" });
        deployed.boto3.call("lambda", "invoke", &sweep);
        deployed
    }

    fn deploy(&self, packages: &Path) {
        let certificate = self.receiver.certificate().replace('\n', " ");
        let sam = tests::emulator::tools().join("sam");
        let mut sam = Command::new(sam);
        with_credentials(self.emulator.endpoint(), &mut sam);
        sam.args(["deploy", "--template-file"])
            .arg(packages.join("template.yaml"))
            .args(["--stack-name", STACK, "--resolve-s3", "--no-confirm-changeset"])
            .args(["--capabilities", "CAPABILITY_IAM", "--no-progressbar"])
            .args(["--parameter-overrides", "Architecture=x86_64", "RequireTls=false"])
            .args(["AllowPrivatePush=true", "MinVerificationIntervalSeconds=0"])
            // The local AWS takes these as text, and then its pollers fail.
            .args(["IngestMaximumConcurrency=0", "PushMaximumConcurrency=0"])
            .arg("Sources=\"cognito,guardduty,okta\"")
            .arg(format!("OktaEventBus={}", crate::sources::OKTA_BUS))
            .arg(format!("PushCa=\"{}\"", certificate.trim()));
        done(sam);
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
        self.run_tool_with(arguments, |_| {})
    }

    /// The same, with other credentials, or something to read.
    pub(crate) fn run_tool_with(
        &self,
        arguments: &[&str],
        but: impl FnOnce(&mut Command),
    ) -> Output {
        let mut tocsin = Command::new(binaries().join("tocsin"));
        with_credentials(self.emulator.endpoint(), &mut tocsin);
        if !arguments.contains(&"--stack") {
            tocsin.args(["--stack", STACK]);
        }
        tocsin.arg("--json").args(arguments);
        but(&mut tocsin);
        output(tocsin, PATIENCE)
    }

    /// Undoes what an earlier scenario left behind, which may have ended halfway.
    async fn begin_anew(&self) {
        self.proxy.clear();
        self.receiver.otherwise(Reply::status(202));
        self.undo_from(0);
        self.forget_receivers();
        self.forget_what_waits().await;
        self.proxy.take_calls();
        self.proxy.take_conflicts();
        self.proxy.take_refusals();
    }

    /// These calls of AWS undo what is about to be changed: they are made when
    /// [`Self::undo_from`] says so, at the latest before the next scenario. The answer is where
    /// they begin.
    pub(crate) fn will_undo(&self, calls: impl IntoIterator<Item = Call>) -> usize {
        let mut undo = self.undo.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = undo.len();
        undo.extend(calls);
        begin
    }

    /// Makes the calls that undo what was changed since `begin`, the last one first.
    pub(crate) fn undo_from(&self, begin: usize) {
        let calls = self.undo.lock().unwrap_or_else(PoisonError::into_inner).split_off(begin);
        for (service, operation, arguments) in calls.iter().rev() {
            self.boto3.call(service, operation, arguments);
        }
    }

    /// Deletes what earlier scenarios made, so that their events and ours do not meet.
    fn forget_receivers(&self) {
        for client in self.tool(&["client", "list"]).as_array().expect("a list") {
            let id = client["client_id"].as_str().expect("a client has an id");
            self.tool(&["client", "delete", "--yes", id]);
        }
    }

    /// Deletes what follows from changes of earlier scenarios and could not be sent: the sweep would
    /// send it to whoever hears of everybody by then.
    async fn forget_what_waits(&self) {
        let left = self.keys(&class::OUTBOX.of(""));
        let deletes = left.into_iter().map(|key| Write::delete(key, Condition::Any));
        for deleted in self.table().write(deletes.collect()).await {
            deleted.expect("the table can be written");
        }
    }

    /// The table, for an administrator.
    pub(crate) fn table(&self) -> DynamoDbTable {
        let client = aws_sdk_dynamodb::Client::new(&self.sdk_config());
        DynamoDbTable::new(client, self.output("TableName"), Arc::new(SystemClock))
    }

    /// The keys of all rows of the table whose partition's name begins with `prefix`.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<Key> {
        let mut scan = json!({
            "TableName": self.output("TableName"),
            "ProjectionExpression": "pk, sk",
        });
        if !prefix.is_empty() {
            scan["FilterExpression"] = json!("begins_with(pk, :prefix)");
            scan["ExpressionAttributeValues"] = json!({ ":prefix": { "S": prefix } });
        }
        let mut keys = Vec::new();
        loop {
            let page = self.boto3.call("dynamodb", "scan", &scan);
            let text = |row: &Value, name: &str| row[name]["S"].as_str().unwrap().to_owned();
            let items = page["Items"].as_array().unwrap().iter();
            keys.extend(items.map(|row| Key::new(text(row, "pk"), text(row, "sk"))));
            match page.get("LastEvaluatedKey") {
                Some(next) => scan["ExclusiveStartKey"] = next.clone(),
                None => return keys,
            }
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

    /// Says, of a scenario that failed, what the functions have logged since it began, and what
    /// waits.
    #[expect(clippy::print_stdout, reason = "it is printed with the test that failed")]
    fn tell(&self, since: Timestamp) {
        let functions: Value = serde_json::from_str(self.output("FunctionNames")).expect("JSON");
        for function in functions.as_object().expect("an object").keys() {
            println!("\n{function}:\n{}", self.logs_since(function, since));
        }
        println!("\nfaults that did not happen: {}", self.proxy.left());
        for queue in self.outputs.keys().filter(|name| name.ends_with("QueueUrl")) {
            let asked = json!({ "QueueUrl": self.output(queue), "AttributeNames": ["All"] });
            println!("{queue}: {}", self.boto3.call("sqs", "get_queue_attributes", &asked));
        }
    }

    /// What a function has logged.
    pub(crate) fn logs(&self, function: &str) -> String {
        self.logs_since(function, Timestamp::UNIX_EPOCH)
    }

    fn logs_since(&self, function: &str, since: Timestamp) -> String {
        let group = format!("/tocsin/{STACK}/{function}");
        let asked = json!({ "logGroupName": group, "startTime": since.as_millisecond() });
        let events = self.boto3.call("logs", "filter_log_events", &asked);
        let events = events["events"].as_array().map_or(&[][..], Vec::as_slice);
        // The local AWS has no second page.
        assert!(events.len() < 10_000, "not all that {function} has logged can be read");
        events.iter().filter_map(|event| event["message"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Lets what was received from a queue and is not done come again after seconds; the template
    /// gives the functions more time than a scenario has.
    pub(crate) fn soon_again(&self, queue: &str) {
        let time = |time: &Value| {
            let attributes = json!({ "VisibilityTimeout": time });
            json!({ "QueueUrl": self.output(queue), "Attributes": attributes })
        };
        let asked =
            json!({ "QueueUrl": self.output(queue), "AttributeNames": ["VisibilityTimeout"] });
        let is = self.boto3.call("sqs", "get_queue_attributes", &asked);
        let is = time(&is["Attributes"]["VisibilityTimeout"]);
        self.will_undo([("sqs", "set_queue_attributes", is)]);
        self.boto3.call("sqs", "set_queue_attributes", &time(&json!("5")));
    }

    /// Returns when nothing is on a queue, nor in hand.
    pub(crate) async fn is_done(&self, queue: &str) {
        let counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let asked = json!({ "QueueUrl": self.output(queue), "AttributeNames": counts });
        wait_until(&format!("the end of {queue}"), async || {
            let answer = self.boto3.call("sqs", "get_queue_attributes", &asked);
            counts.iter().all(|count| answer["Attributes"][count] == "0")
        })
        .await;
    }

    /// How often messages of a queue were put off since calls were last taken.
    pub(crate) fn put_off(&self, queue: &str) -> usize {
        let asked = self.proxy.requests("AmazonSQS.ChangeMessageVisibility", self.output(queue));
        asked.len()
    }

    /// What a function is called here.
    pub(crate) fn function(&self, function: &str) -> String {
        let names: Value = serde_json::from_str(self.output("FunctionNames")).expect("JSON");
        names[function].as_str().expect("all have a name").to_owned()
    }

    /// Kills the processes of a function, as Lambda does with one that takes too long; says how
    /// many there were.
    pub(crate) fn kill(&self, function: &str) -> usize {
        // Another stack on this machine may have a function of this name, but not this address.
        let marks = [
            format!("AWS_LAMBDA_FUNCTION_NAME={}", self.function(function)),
            format!("AWS_ENDPOINT_URL={}", self.proxy.endpoint()),
        ];
        let mut killed = 0;
        for process in fs::read_dir("/proc").expect("this is Linux").flatten() {
            // Of processes of others nothing can be read, and nothing is wanted.
            let Ok(environment) = fs::read(process.path().join("environ")) else { continue };
            let has = |mark: &String| {
                environment.split(|byte| *byte == 0).any(|one| one == mark.as_bytes())
            };
            if !marks.iter().all(has) {
                continue;
            }
            let mut kill = Command::new("kill");
            // One may have ended by itself since it was seen.
            let kill = kill.arg("-9").arg(process.file_name()).stderr(Stdio::null()).status();
            killed += usize::from(kill.is_ok_and(|status| status.success()));
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
/// A name that nothing else has.
pub(crate) fn fresh() -> String {
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

/// Builds the functions and puts them beside a template that leads to them, as `sam build` does. Or,
/// if `SAM_BUILT` is set, takes what `sam build` itself made for the test `packages`.
fn packages() -> PathBuf {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--workspace", "--bins"]).current_dir(&house);
    done(build);
    if std::env::var_os("SAM_BUILT").is_some() {
        return tests::emulator::target().join("packages/build");
    }
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
        let mut strip = Command::new("strip");
        strip.arg("-o").arg(package.join("bootstrap")).arg(binary);
        done(strip);
        let properties = format!("Binary: {name}\n    Properties:\n");
        template = template.replace(&properties, &format!("{properties}      CodeUri: {name}\n"));
    }
    fs::write(packages.join("template.yaml"), template).expect("the target folder can be written");
    packages
}

fn done(command: Command) {
    let what = format!("{command:?}");
    let output = output(command, LONG_PATIENCE);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{what}: {out}\n{err}");
}

/// What a command says. One that takes too long is killed, lest it hold up the tests for ever.
fn output(mut command: Command, patience: Duration) -> Output {
    let what = format!("{command:?}");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap_or_else(|error| panic!("{what}: {error}"));
    let pid = child.id().to_string();
    let (done, output) = mpsc::channel();
    thread::spawn(move || done.send(child.wait_with_output()));
    let Ok(output) = output.recv_timeout(patience) else {
        // It does not matter any more whether it has just ended.
        let _ = Command::new("kill").args(["-9", &pid]).status();
        panic!("{what} takes longer than {patience:?}");
    };
    output.unwrap_or_else(|error| panic!("{what}: {error}"))
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
