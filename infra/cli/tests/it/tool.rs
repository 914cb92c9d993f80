//! The command and a data folder of its own.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{self, Running, Said};

/// The command, with a data folder.
pub(crate) struct Tool {
    pub(crate) data: TempDir,
}

impl Tool {
    pub(crate) fn new() -> Self {
        Self { data: TempDir::new().unwrap() }
    }

    /// Runs a command line; `--data` is put behind, or before `--`.
    pub(crate) fn run(&self, line: &str) -> Said {
        self.run_with(line, "")
    }

    /// The same, with this on stdin.
    pub(crate) fn run_with(&self, line: &str, stdin: impl AsRef<[u8]>) -> Said {
        program::run(&self.arguments(line), stdin)
    }

    /// Runs a command whose words may hold blanks.
    pub(crate) fn say(&self, words: &[&str], stdin: impl AsRef<[u8]>) -> Said {
        let data = ["--data", self.data.path().to_str().unwrap()];
        program::run(&[words, &data].concat(), stdin)
    }

    /// A transmitter on the folder, until it is dropped.
    pub(crate) fn serve(&self) -> Serving {
        self.serve_with("")
    }

    /// The same, with more to say.
    pub(crate) fn serve_with(&self, more: &str) -> Serving {
        let line = "serve --listen 127.0.0.1:0 --issuer https://tocsin.example --log error";
        let line = &format!("{line} {more}");
        let running = Running::start(&self.arguments(line));
        let address = running.line().strip_prefix("listening on http://").unwrap().to_owned();
        Serving { address, running }
    }

    fn arguments<'a>(&'a self, line: &'a str) -> Vec<&'a str> {
        let data = ["--data", self.data.path().to_str().unwrap()];
        let (options, value) = match line.split_once(" -- ") {
            Some((options, value)) => (options, Some(["--", value])),
            None => (line, None),
        };
        options.split_whitespace().chain(data).chain(value.into_iter().flatten()).collect()
    }
}

/// A transmitter that serves.
pub(crate) struct Serving {
    address: String,
    running: Running,
}

/// A request that was sent.
pub(crate) struct Asking(TcpStream);

impl Asking {
    /// All that is answered until the end of the connection.
    pub(crate) fn answer(mut self) -> String {
        let mut answer = String::new();
        // Whoever was to answer may be gone.
        let _ = self.0.read_to_string(&mut answer);
        answer
    }
}

impl Serving {
    /// Sends a request with this token and body; the answer's status and JSON.
    pub(crate) fn request(&self, line: &str, token: &str, body: &str) -> (u16, Value) {
        let answer = self.ask(line, token, body).answer();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Sends a request, and waits for nothing.
    pub(crate) fn ask(&self, line: &str, token: &str, body: &str) -> Asking {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        write!(
            connection,
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len(),
        )
        .unwrap();
        Asking(connection)
    }

    /// Ends it at once, as nothing ends by itself.
    pub(crate) fn kill(self) {
        self.running.signal("KILL");
        self.running.end();
    }
}
