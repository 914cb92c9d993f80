//! Runs the program.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use serde_json::Value;

/// The program with these arguments, and nothing from outside that could change what it does.
pub(crate) fn tocsin(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tocsin"));
    command
        .args(arguments)
        .env_remove("RUST_LOG")
        .env_remove("TOCSIN_DATA")
        .env_remove("TOCSIN_CLIENT_SECRET");
    command
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    tocsin(arguments).stdin(Stdio::null()).output().expect("the program starts")
}

/// What it printed, which must be text, and on stderr nothing.
pub(crate) fn printed(output: &Output) -> &str {
    assert!(output.status.success(), "{}", stderr(output));
    assert_eq!(stderr(output), "");
    str::from_utf8(&output.stdout).expect("it prints text")
}

/// What it said on stderr.
pub(crate) fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).expect("it prints text")
}

/// The lines of JSON in `text`.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// A process that runs, and is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = tocsin(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, out }
    }

    /// `serve --tls` at a free port, with `more` arguments; returns when it is ready.
    pub(crate) fn serve(data: &Path, more: &[&str]) -> (Self, String) {
        let data = data.to_str().expect("the path is text");
        let arguments =
            ["serve", "--log", "warn", "--tls", "--listen", "127.0.0.1:0", "--data", data];
        let mut running = Self::start(&[&arguments, more].concat());
        let line = running.line();
        let url = line.strip_prefix("listening on ").expect("it says where").to_owned();
        (running, url)
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("it prints text");
        if line.is_empty() {
            let mut said = String::new();
            let mut err = self.child.stderr.take().expect("it is piped");
            err.read_to_string(&mut said).expect("it prints text");
            panic!("it has ended: {said}");
        }
        line.trim_end().to_owned()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("there is a kill").success());
    }

    /// Waits for its end; its exit code, and what else it printed.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("it prints text");
        (self.child.wait().expect("it ends").code(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
