//! Runs the program.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use serde_json::Value;

/// What one run of the program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// The one JSON document that it said; it must have gone well.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.well()).unwrap()
    }

    /// The JSON documents that it said, one on each line; it must have gone well.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.well().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What it printed; it must have gone well.
    pub(crate) fn well(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        &self.stdout
    }
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str], stdin: impl AsRef<[u8]>) -> Said {
    let mut child = start(arguments, Stdio::piped());
    // One that does not read is gone before it is all written.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_ref());
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The program with these arguments, and nothing from outside that could change what it does.
fn start(arguments: &[&str], stdin: Stdio) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tocsin"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .env_remove("TOCSIN_DATA")
        .env_remove("TOCSIN_CLIENT_SECRET")
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A process that runs, and is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

/// What takes longer does not come.
const PATIENCE: Duration = Duration::from_mins(1);

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = start(arguments, Stdio::null());
        let out = lines(child.stdout.take().unwrap());
        let err = lines(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// The next line that it prints.
    pub(crate) fn line(&self) -> String {
        self.out.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            let said: Vec<_> = self.err.try_iter().collect();
            panic!("it prints no more ({error}); on stderr it said: {}", said.join("\n"))
        })
    }

    /// The next line that it prints on stderr.
    pub(crate) fn stderr_line(&self) -> String {
        self.err.recv_timeout(PATIENCE).unwrap()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end; its exit code, and what else it printed.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>) {
        let rest = self.out.iter().collect();
        (self.child.wait().unwrap().code(), rest)
    }
}

/// The lines that come from `source`, read by a thread, so that whoever writes them never waits.
fn lines(source: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(source).lines().map_while(Result::ok);
        lines.map(|line| sender.send(line)).take_while(Result::is_ok).for_each(drop);
    });
    receiver
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
