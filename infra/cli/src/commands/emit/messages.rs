//! Where one message ends and the next begins, in a file of them.
//!
//! A message is a line (JSON lines), or several lines of one JSON object laid out for people. It
//! ends with the line on which its last bracket closes; it ends earlier where a line begins with
//! `{` and no blank before, so that one message that is cut off does not swallow the next. What is
//! no JSON is a message too: whoever takes it in says what is wrong with it.

use std::io::{self, BufRead};

use ssf::event::MAX_EVENT_BYTES;

/// A message, and where it began.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Found {
    /// The number of its first line.
    pub(super) line: u64,
    /// What it is; if that can be on a queue.
    pub(super) text: Result<String, &'static str>,
}

/// Finds messages in what `input` gives; keeps no more than one of them.
#[derive(Debug)]
pub(super) struct Messages<R> {
    input: R,
    /// The number of the line that is read.
    line: u64,
    /// How many bytes were read.
    pub(super) read: u64,
}

impl<R: BufRead> Messages<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: 1, read: 0 }
    }

    /// The next message.
    pub(super) fn next(&mut self) -> io::Result<Option<Found>> {
        let mut open = Open::default();
        let mut line_begins = true;
        loop {
            let bytes = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                bytes => bytes?,
            };
            if bytes.is_empty() || (line_begins && open.has_begun() && bytes[0] == b'{') {
                return Ok(open.has_begun().then(|| open.found()));
            }
            let mut part = bytes;
            if self.read == 0 {
                part = part.strip_prefix(BYTE_ORDER_MARK).unwrap_or(part);
            }
            let end = part.iter().position(|byte| *byte == b'\n');
            part = end.map_or(part, |end| &part[..=end]);
            open.take(part, self.line);
            let skipped = if self.read == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
                BYTE_ORDER_MARK.len()
            } else {
                0
            };
            let taken = skipped + part.len();
            self.input.consume(taken);
            self.read += taken as u64;
            line_begins = end.is_some();
            if line_begins {
                self.line += 1;
                if open.has_begun() && open.is_complete() {
                    return Ok(Some(open.found()));
                }
            }
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A message of which the end has not been seen.
#[derive(Debug, Default)]
struct Open {
    /// Its bytes; not more than a message may have.
    kept: Vec<u8>,
    /// How many it has in all, but for blanks at the end.
    length: usize,
    /// And with them.
    blanks: usize,
    line: u64,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Open {
    fn has_begun(&self) -> bool {
        self.length > 0
    }

    /// Whether it is over if a line ends here. In JSON no line ends within a string.
    fn is_complete(&self) -> bool {
        self.depth == 0 || self.in_string
    }

    fn take(&mut self, mut part: &[u8], line: u64) {
        if !self.has_begun() {
            part = part.trim_ascii_start();
            self.line = line;
        }
        let room = (MAX_EVENT_BYTES + 1).saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&part[..part.len().min(room)]);
        for byte in part {
            self.step(*byte);
        }
        let blanks = part.len() - part.trim_ascii_end().len();
        if blanks == part.len() {
            self.blanks += blanks;
        } else {
            self.length += self.blanks + part.len() - blanks;
            self.blanks = blanks;
        }
    }

    fn step(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn found(mut self) -> Found {
        let text = if self.length > MAX_EVENT_BYTES {
            Err("is larger than 256 KiB")
        } else {
            self.kept.truncate(self.length);
            String::from_utf8(self.kept).map_err(|_| "is not UTF-8")
        };
        Found { line: self.line, text }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// The messages in `text`, which comes `at_once` bytes at once.
    fn found(text: &[u8], at_once: usize) -> Vec<Found> {
        let mut messages = Messages::new(BufReader::with_capacity(at_once, text));
        let mut found = Vec::new();
        while let Some(message) = messages.next().unwrap() {
            found.push(message);
        }
        assert_eq!(messages.read, text.len() as u64);
        found
    }

    #[test]
    fn messages_are_lines_or_objects_over_several_lines() {
        let cases: [(&str, &[(u64, &str)]); 14] = [
            ("", &[]),
            (" \n\r\n\t\n", &[]),
            ("{}", &[(1, "{}")]),
            ("\u{feff}{}\n", &[(1, "{}")]),
            ("{\"a\":1}\r\n\r\n  {\"b\":2}  \r\n", &[(1, "{\"a\":1}"), (3, "{\"b\":2}")]),
            (
                "{\n  \"a\": {\n  }\n}\n{\n  \"b\": 1\n}",
                &[(1, "{\n  \"a\": {\n  }\n}"), (5, "{\n  \"b\": 1\n}")],
            ),
            // Brackets and quotes in strings are neither.
            ("{\"a\":\"}{\\\"[\"\n}\n1", &[(1, "{\"a\":\"}{\\\"[\"\n}"), (3, "1")]),
            // What is broken breaks nothing else.
            ("{\"a\":\n{\"b\":2}\n", &[(1, "{\"a\":"), (2, "{\"b\":2}")]),
            ("{\"a\": {\n{\"b\":2}}\n{}", &[(1, "{\"a\": {"), (2, "{\"b\":2}}"), (3, "{}")]),
            ("{\"a\n{\"b\":2}\n", &[(1, "{\"a"), (2, "{\"b\":2}")]),
            ("not json\nnor \"this\n{}", &[(1, "not json"), (2, "nor \"this"), (3, "{}")]),
            ("}\n{}\n]", &[(1, "}"), (2, "{}"), (3, "]")]),
            ("{} {}\n", &[(1, "{} {}")]),
            ("[\n  {},\n  {}\n]\n", &[(1, "[\n  {},\n  {}\n]")]),
        ];
        for (text, wanted) in cases {
            let wanted: Vec<_> = wanted
                .iter()
                .map(|(line, text)| Found { line: *line, text: Ok((*text).to_owned()) })
                .collect();
            // A byte order mark comes as a whole.
            let least = if text.starts_with('\u{feff}') { 3 } else { 1 };
            for at_once in [least, 5, 8192] {
                assert_eq!(found(text.as_bytes(), at_once), wanted, "{text:?} by {at_once}");
            }
        }
    }

    #[test]
    fn what_is_too_long_is_told_and_not_kept() {
        let fits = "x".repeat(MAX_EVENT_BYTES);
        let long = format!("{{\"a\":\n \"{fits}\"\n}}");
        let text = format!("{fits}   \n{fits}x\n{long}\n{{}}\n");
        let found = found(text.as_bytes(), 8192);
        let seen: Vec<_> = found
            .iter()
            .map(|found| (found.line, found.text.as_ref().map(String::len).map_err(|error| *error)))
            .collect();
        let too_long = Err("is larger than 256 KiB");
        assert_eq!(seen, [(1, Ok(MAX_EVENT_BYTES)), (2, too_long), (3, too_long), (6, Ok(2))]);
    }

    #[test]
    fn what_is_no_text_is_told() {
        let found = found(b"{}\n\"\xff\"\n{}", 8192);
        assert_eq!(found[1], Found { line: 2, text: Err("is not UTF-8") });
        assert_eq!(found.len(), 3);
    }
}
