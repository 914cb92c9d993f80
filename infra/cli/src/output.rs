//! How commands speak: to people, or in JSON.

use std::{
    fmt::Display,
    io::{self, Write},
};

use serde::Serialize;

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
}
