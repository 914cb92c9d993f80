//! The members of a subject while it is read.

use serde_json::{Map, Value};

use super::syntax::Syntax;
use crate::json::Invalid;

/// The members of one JSON object that has a format; each is taken out as it is understood.
pub(super) struct Members {
    format: String,
    rest: Map<String, Value>,
}

impl Members {
    /// The members of `value`, which must be an object with a `format` ([RFC 9493, 3]).
    pub(super) fn of(value: Value) -> Result<Self, Invalid> {
        let Value::Object(mut rest) = value else {
            return Err(Invalid::new(".", "must be a JSON object"));
        };
        // [RISC 1.0, 3.1]: the name that a draft had for `format` is never used.
        if rest.contains_key("subject_type") {
            return Err(Invalid::new("subject_type", "is the name of an old draft; use format"));
        }
        let format = text("format", rest.remove("format"))?;
        Ok(Self { format, rest })
    }

    /// The format.
    pub(super) fn format(&self) -> &str {
        &self.format
    }

    /// Takes the text of the member `name`, which must be there.
    pub(super) fn text(&mut self, name: &str, syntax: Syntax) -> Result<String, Invalid> {
        let text = text(name, self.rest.remove(name))?;
        syntax.check(&text).map_err(|reason| Invalid::new(name, reason))?;
        Ok(text)
    }

    /// Takes the text of the member `name`, if it is there.
    pub(super) fn optional_text(&mut self, name: &str) -> Result<Option<String>, Invalid> {
        match self.rest.remove(name) {
            None => Ok(None),
            value => text(name, value).map(Some),
        }
    }

    /// Takes the elements of the member `name`, which must be there and hold at least one.
    pub(super) fn array(&mut self, name: &str) -> Result<Vec<Value>, Invalid> {
        match self.rest.remove(name) {
            None => Err(Invalid::new(name, "is missing")),
            Some(Value::Array(elements)) if elements.is_empty() => {
                Err(Invalid::new(name, "must not be empty"))
            }
            Some(Value::Array(elements)) => Ok(elements),
            Some(_) => Err(Invalid::new(name, "must be an array")),
        }
    }

    /// Takes all the rest, with the format.
    pub(super) fn into_rest(self) -> (String, Map<String, Value>) {
        (self.format, self.rest)
    }

    /// Refuses whatever is left ([RFC 9493, 3]: no members but those of the format).
    pub(super) fn end(self) -> Result<(), Invalid> {
        match self.rest.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => {
                Err(Invalid::new(name, format!("is not a member of the format {}", self.format)))
            }
        }
    }
}

/// The text that `value` of the member `name` is.
pub(super) fn text(name: &str, value: Option<Value>) -> Result<String, Invalid> {
    match value {
        None => Err(Invalid::new(name, "is missing")),
        Some(Value::String(text)) if text.is_empty() => {
            Err(Invalid::new(name, "must not be empty"))
        }
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Invalid::new(name, "must be a string")),
    }
}
