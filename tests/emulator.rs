//! A local AWS for the tests: one ministack for each test process, which sets itself up.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::{
    config::{Credentials, SharedCredentialsProvider},
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, LocalSecondaryIndex,
        Projection, ProjectionType, ScalarAttributeType,
    },
};
use aws_sdk_sqs::types::QueueAttributeName;
use ssf_aws::table::{ORDER_INDEX, ORDER_KEY, PARTITION_KEY, SORT_KEY};

/// A local AWS. Accounts in it do not see each other: a test that has one of its own
/// ([`fresh_account`]) is alone.
#[derive(Debug)]
pub struct Emulator {
    endpoint: String,
    process: Child,
    // It runs for as long as this is open: until it is dropped, or the test process ends.
    lifeline: Option<ChildStdin>,
}

/// An account number that no other test of this process has.
pub fn fresh_account() -> String {
    static LAST: AtomicU64 = AtomicU64::new(100_000_000_000);
    (LAST.fetch_add(1, Ordering::Relaxed) + 1).to_string()
}

/// Creates a table as `template.yaml` does, which can be used at once here.
pub async fn create_table(client: &aws_sdk_dynamodb::Client, name: &str) {
    let keys = |sort: &str| {
        let key = |name: &str, kind| {
            let element = KeySchemaElement::builder().attribute_name(name).key_type(kind);
            element.build().expect("all is given")
        };
        Some(vec![key(PARTITION_KEY, KeyType::Hash), key(sort, KeyType::Range)])
    };
    let attributes = [PARTITION_KEY, SORT_KEY, ORDER_KEY].map(|name| {
        let kind = ScalarAttributeType::S;
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
        attribute.build().expect("all is given")
    });
    let all = Projection::builder().projection_type(ProjectionType::All).build();
    let by_order = LocalSecondaryIndex::builder()
        .index_name(ORDER_INDEX)
        .set_key_schema(keys(ORDER_KEY))
        .projection(all)
        .build()
        .expect("all is given");
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(keys(SORT_KEY))
        .set_attribute_definitions(Some(attributes.into()))
        .local_secondary_indexes(by_order)
        .send()
        .await
        .expect("the table can be created");
}

/// Creates a queue, which is FIFO if its name says so; the answer is its URL.
pub async fn create_queue(client: &aws_sdk_sqs::Client, name: &str) -> String {
    let is_fifo = name.rsplit_once('.').is_some_and(|(_, end)| end == "fifo");
    let fifo = is_fifo.then(|| [(QueueAttributeName::FifoQueue, "true".to_owned())].into());
    let made = client.create_queue().queue_name(name).set_attributes(fifo).send().await;
    made.expect("the queue can be created").queue_url.expect("it has an address")
}

impl Emulator {
    /// The one of this process, started when it is first asked for.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Emulator> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[]))
    }

    /// Another one, which enforces IAM policies, and whose functions call `proxy`, if any,
    /// instead of it.
    pub fn with_policies(proxy: Option<&str>) -> Self {
        match proxy {
            Some(proxy) => Self::start(&["--auth", "--calls-to", proxy]),
            None => Self::start(&["--auth"]),
        }
    }

    /// Where it answers.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The configuration of a client of `account`; nothing is taken from the environment.
    pub fn sdk_config(&self, account: &str) -> SdkConfig {
        sdk_config(self.endpoint(), account)
    }

    fn start(arguments: &[&str]) -> Self {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let folder = target().join("emulator");
        let python = python();
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let files = folder.join(format!("{}-{number}", std::process::id()));
        let mut process = Command::new(python)
            .arg(infra().join("emulator/run.py"))
            .arg(&files)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the emulator can be started");
        let lifeline = process.stdin.take();
        let mut endpoint = String::new();
        BufReader::new(process.stdout.take().expect("its output is ours"))
            .read_line(&mut endpoint)
            .expect("the emulator says where it answers");
        assert!(!endpoint.is_empty(), "the emulator does not start; it says above why");
        Self { endpoint: endpoint.trim().to_owned(), process, lifeline }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // It is about to end; whether it did so well does not matter any more.
        let _ = self.process.wait();
    }
}

/// The configuration of a client of `account` at `endpoint`.
pub(crate) fn sdk_config(endpoint: &str, account: &str) -> SdkConfig {
    let credentials = Credentials::new(account, "secret", None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// The region of all tests.
const REGION: &str = "us-east-1";

fn infra() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra")
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().expect("a test knows its own path");
    // Which is `<target>/<profile>/deps/<test>`.
    let target = program.ancestors().nth(3);
    target.expect("a test's binary is in cargo's target folder").to_owned()
}

/// The Python that has the emulator and boto3.
pub fn python() -> PathBuf {
    let requirements = infra().join("emulator/requirements.txt");
    let what = "the local AWS (once, about half a minute)";
    installed(&target().join("emulator"), &requirements, what)
}

/// The folder of `sam` and of what judges templates.
pub fn tools() -> PathBuf {
    let requirements = infra().join("checks/requirements.txt");
    let what = "the AWS SAM command line (once, about two minutes)";
    let python = installed(&target().join("checks"), &requirements, what);
    python.parent().expect("it is in a folder").to_owned()
}

/// The folder of `cargo-lambda`, with which `sam build` builds the functions.
pub fn builder() -> PathBuf {
    let requirements = infra().join("packages/requirements.txt");
    let what = "cargo-lambda (once, about half a minute)";
    let python = installed(&target().join("packages"), &requirements, what);
    python.parent().expect("it is in a folder").to_owned()
}

/// The folder of what judges SCIM services.
pub fn judges() -> PathBuf {
    let requirements = infra().join("judges/requirements.txt");
    let what = "scim2-tester and scim-sanity (once, about a quarter of a minute)";
    let python = installed(&target().join("judges"), &requirements, what);
    python.parent().expect("it is in a folder").to_owned()
}

/// The Python that runs a relying party that we did not write.
pub fn relying_party() -> PathBuf {
    let requirements = infra().join("relying-party/requirements.txt");
    let what = "Authlib (once, about a quarter of a minute)";
    installed(&target().join("relying-party"), &requirements, what)
}

/// A folder in which Node.js finds openid-client, and that Node.js.
pub fn openid_client() -> (PathBuf, PathBuf) {
    let folder = target().join("openid-client");
    let requirements = infra().join("openid-client/requirements.txt");
    let what = "Node.js (once, about a quarter of a minute)";
    let python = installed(&folder, &requirements, what);
    let bin = python.parent().expect("it is in a folder").to_owned();
    let lock = File::create(folder.join("lock")).expect("the target folder can be written");
    lock.lock().expect("the lock can be had");
    let wanted = infra().join("openid-client");
    let copy = |name: &str| {
        fs::copy(wanted.join(name), folder.join(name)).expect("the target folder can be written");
    };
    copy("party.mjs");
    copy("package.json");
    let locked = |folder: &Path| fs::read(folder.join("package-lock.json")).ok();
    // Copied last, so that a broken installation is not taken for a whole one.
    if locked(&folder) != locked(&wanted) || !folder.join("node_modules").exists() {
        say("installing openid-client by npm (once)");
        copy("package-lock.json");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(bin.clone()).chain(std::env::split_paths(&path));
        let mut npm = Command::new(bin.join("npm"));
        npm.args(["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]);
        npm.current_dir(&folder).env("PATH", std::env::join_paths(all).expect("these are paths"));
        let installed = npm.status().is_ok_and(|status| status.success());
        if !installed {
            let _ = fs::remove_file(folder.join("package-lock.json"));
        }
        assert!(installed, "npm cannot install openid-client; it says above why");
    }
    (folder, bin.join("node"))
}

/// The Python that drives a browser.
pub fn browser_driver() -> PathBuf {
    let requirements = infra().join("browser/requirements.txt");
    let what = "playwright and axe (once, about a quarter of a minute)";
    installed(&target().join("browser"), &requirements, what)
}

/// The browser: Chromium as the machine has it, or as Debian's packages bring it.
pub fn chromium() -> PathBuf {
    let find = || {
        let names = ["chromium", "chromium-browser", "google-chrome"].into_iter();
        names.map(|name| Path::new("/usr/bin").join(name)).find(|path| path.exists())
    };
    if let Some(found) = find() {
        return found;
    }
    let folder = target().join("browser");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    let lock =
        File::create(folder.join("chromium.lock")).expect("the target folder can be written");
    lock.lock().expect("the lock can be had");
    say("installing chromium by apt-get (once, about a minute)");
    for arguments in [
        &["update", "-qq"][..],
        &["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-liberation"],
    ] {
        let mut apt = Command::new("apt-get");
        let status = apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
        assert!(
            status.as_ref().is_ok_and(std::process::ExitStatus::success),
            "the pages are tested in a real browser, which is not there: install Chromium or Chrome \
             below /usr/bin (apt-get as root could not: {status:?})"
        );
    }
    find().expect("the package chromium has the program chromium")
}

/// The Python of an environment with these requirements, which is made below `folder` if it is not
/// there yet.
fn installed(folder: &Path, requirements: &Path, what: &str) -> PathBuf {
    let wanted = fs::read(requirements).expect("the requirements can be read");
    fs::create_dir_all(folder).expect("the target folder can be written");
    // Several test processes may come here at once.
    let lock = File::create(folder.join("lock")).expect("the target folder can be written");
    lock.lock().expect("the lock can be had");
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    // Written last, so that a broken installation is not taken for a whole one.
    let mark = venv.join("installed.txt");
    if fs::read(&mark).is_ok_and(|there| there == wanted) {
        return python;
    }
    say(&format!("installing {what} into {}", venv.display()));
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run(pip.arg(requirements));
    fs::write(mark, wanted).expect("the target folder can be written");
    python
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).status();
    assert!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        "the tests need tools from PyPI, which could not be installed (it takes Python 3 with venv, \
         and PyPI): {command:?}: {status:?}"
    );
}

#[expect(clippy::print_stderr, reason = "whoever waits for the tests wants to know for what")]
fn say(text: &str) {
    eprintln!("{text}");
}
