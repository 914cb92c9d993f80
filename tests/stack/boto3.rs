//! AWS as upstream systems and administrators call it: boto3, in a Python that stays.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex,
        mpsc::{self, Receiver},
    },
    thread,
};

use serde_json::{Value, json};

use crate::deployed::PATIENCE;

/// Does one call for each line: `[service, operation, arguments]`.
const SCRIPT: &str = r#"
import boto3, json, sys

def plain(value):
    return value.read().decode() if hasattr(value, "read") else str(value)

clients = {}
for line in sys.stdin:
    service, operation, arguments = json.loads(line)
    if service not in clients:
        clients[service] = boto3.client(service)
    try:
        answer = {"answer": getattr(clients[service], operation)(**arguments)}
    except Exception as error:
        answer = {"error": str(error)}
    print(json.dumps(answer, default=plain), flush=True)
"#;

/// The Python; it ends with the tests, which close its standard input.
pub(crate) struct Boto3 {
    pipe: Mutex<(ChildStdin, Receiver<String>)>,
    _process: Child,
}

impl Boto3 {
    /// `environment` adds an address and credentials.
    pub(crate) fn start(environment: impl FnOnce(&mut Command)) -> Self {
        let mut python = Command::new(tests::emulator::python());
        python.args(["-c", SCRIPT]);
        environment(&mut python);
        python.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = python.spawn().expect("python runs");
        let questions = process.stdin.take().expect("its input is ours");
        let output = BufReader::new(process.stdout.take().expect("its output is ours"));
        let (line, answers) = mpsc::channel();
        // Until either side has ended.
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|it| line.send(it))
        });
        Self { pipe: Mutex::new((questions, answers)), _process: process }
    }

    /// What a call answers, such as `("sqs", "send_message", …)`; it must end well, and in time.
    pub(crate) fn call(&self, service: &str, operation: &str, arguments: &Value) -> Value {
        let mut pipe = self.pipe.lock().expect("nobody panics here without failing");
        let (questions, answers) = &mut *pipe;
        writeln!(questions, "{}", json!([service, operation, arguments])).expect("python listens");
        let line = answers.recv_timeout(PATIENCE).expect("python answers in time");
        drop(pipe);
        let mut answer: Value = serde_json::from_str(&line).expect("python answers in JSON");
        assert_eq!(answer.get("error"), None, "{service} {operation} {arguments}");
        answer["answer"].take()
    }
}
