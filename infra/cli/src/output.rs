//! How commands speak: to people, or in JSON.

mod table;

use std::{
    fmt::Display,
    io::{self, BufRead, IsTerminal, Write},
};

use anstyle::{AnsiColor, Style};
use jiff::{Timestamp, Unit};
use serde::Serialize;
use serde_json::Value;
use ssf::Error;

pub use table::{Cell, Fields, Table};

/// What is well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What waits.
pub const WAITING: Style = AnsiColor::Yellow.on_default();
/// What went wrong.
pub const BAD: Style = AnsiColor::Red.on_default();
/// What stands beside what matters.
pub const ASIDE: Style = Style::new().dimmed();

/// Where the result of a command goes.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// For people, or in JSON.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether JSON is wished.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// A line for people; colors go only where they can be shown.
    pub fn line(self, line: impl Display) -> io::Result<()> {
        writeln!(anstream::stdout().lock(), "{line}")
    }

    /// A value as one line of JSON.
    pub fn value(self, value: &impl Serialize) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, value)?;
        writeln!(out)
    }

    /// A value as JSON, or for people what `text` makes of it.
    pub fn show<T: Serialize, D: Display>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> D,
    ) -> io::Result<()> {
        if self.json { self.value(value) } else { self.line(text(value)) }
    }

    /// What is no result: goes to stderr, and in the way of no other program.
    pub fn note(self, note: impl Display) -> io::Result<()> {
        writeln!(anstream::stderr().lock(), "{ASIDE}{note}{ASIDE:#}")
    }

    /// Asks a person whether to do what cannot be undone. Where nobody can answer, whoever wrote
    /// the command knew.
    pub fn confirm(self, question: impl Display, yes: bool) -> anyhow::Result<()> {
        if yes || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(());
        }
        write!(anstream::stderr().lock(), "{question} [y/N] ")?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        anyhow::bail!("nothing was done: the question was not answered with yes")
    }
}

/// JSON, laid out for people.
pub fn pretty(value: &Value) -> String {
    visible_lines(&format!("{value:#}"))
}

/// Lines of text of which nothing plays with the terminal.
pub fn visible_lines(text: &str) -> String {
    text.lines().map(|line| Cell::from(line).to_string()).collect::<Vec<_>>().join("\n")
}

/// A time as people read it, to the second.
pub fn time(time: Timestamp) -> String {
    time.round(Unit::Second).unwrap_or(time).to_string()
}

/// An error with what to do about it.
pub fn advise(error: Error) -> anyhow::Error {
    let advice = match &error {
        Error::StreamNotFound(_) => "`tocsin stream list` shows those there are",
        Error::NotFound { kind: "client", .. } => "`tocsin client list` shows those there are",
        Error::NotFound { kind: "dead letter", .. } => {
            "`tocsin dead-letter list` shows those there are"
        }
        Error::NotFound { kind: "event", .. } => "`tocsin event list` shows those there are",
        Error::NotFound { kind: "key", .. } => "`tocsin keys list` shows those there are",
        Error::NotFound { kind: "user", .. } => "`tocsin user list` shows those there are",
        Error::NotFound { kind: "group", .. } => "`tocsin group list` shows those there are",
        Error::NotFound { kind: "txn", .. } => {
            "the answer to each SCIM request names its own in the header Tocsin-Txn"
        }
        Error::NotFound { kind: "token", .. } => {
            "`tocsin client show` shows those of a client; what is over is forgotten"
        }
        Error::Table(_) | Error::Queue(_) => {
            let error = anyhow::Error::new(error);
            return anyhow::anyhow!(
                "{error:#}; try again, or see whether the disk is full (--data), or your role \
                 forbids it (--stack)"
            );
        }
        Error::Sign(_) => {
            let error = anyhow::Error::new(error);
            return anyhow::anyhow!(
                "{error:#}; on a stack your role must be one of those that its parameter \
                 OperatorRoleArns names, to tell a receiver something"
            );
        }
        Error::Forbidden { .. }
        | Error::Invalid(_)
        | Error::MayNotCreate
        | Error::SubjectsByConsent
        | Error::NotPermitted
        | Error::NotFound { .. }
        | Error::Refused(_)
        | Error::Scim(_)
        | Error::Seal(_)
        | Error::TooManyStreams(_)
        | Error::TooSoon { .. }
        | Error::Unauthenticated => return error.into(),
    };
    anyhow::anyhow!("{error}: {advice}")
}
