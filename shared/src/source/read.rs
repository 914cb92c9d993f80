//! Reads the members of an envelope, strictly: a member of another type is never taken for absent.

use jiff::Timestamp;
use serde_json::Value;

use crate::json::Invalid;

/// A text of an envelope that names something has at most so many characters; those that name people
/// have fewer than a hundred.
const MAX_CHARS: usize = 256;

/// What is at `path`, whose parts are separated by dots; `None` if it, or what it is in, is absent or
/// null.
pub(super) fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let found = path.split('.').try_fold(value, |value, name| value.get(name))?;
    (!found.is_null()).then_some(found)
}

/// The text at `path`, if there is one: 1 to [`MAX_CHARS`] characters. An empty text says as much as
/// none.
pub(super) fn optional<'a>(value: &'a Value, path: &str) -> Result<Option<&'a str>, Invalid> {
    match find(value, path) {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => {
            if text.chars().count() > MAX_CHARS {
                let reason = format!("must not have more than {MAX_CHARS} characters");
                return Err(Invalid::new(path, reason));
            }
            if text.contains(char::is_control) {
                return Err(Invalid::new(path, "must not hold a control character"));
            }
            Ok(Some(text))
        }
        Some(_) => Err(Invalid::new(path, "must be a string")),
    }
}

/// The text at `path`, which must be there.
pub(super) fn text<'a>(value: &'a Value, path: &str) -> Result<&'a str, Invalid> {
    optional(value, path)?.ok_or_else(|| Invalid::new(path, "is missing"))
}

/// Whether the member at `path` is `true`, or the text of it; `None` if it is absent.
pub(super) fn flag(value: &Value, path: &str) -> Result<Option<bool>, Invalid> {
    match find(value, path) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(Invalid::new(path, "must be true or false")),
    }
}

/// The elements at `path`; none if it is absent.
pub(super) fn elements<'a>(value: &'a Value, path: &str) -> Result<&'a [Value], Invalid> {
    match find(value, path) {
        None => Ok(&[]),
        Some(Value::Array(elements)) => Ok(elements),
        Some(_) => Err(Invalid::new(path, "must be an array")),
    }
}

/// The first of the elements at `path` whose `type` is `User`, and where it is.
pub(super) fn first_user<'a>(
    value: &'a Value,
    path: &str,
) -> Result<Option<(&'a Value, String)>, Invalid> {
    for (number, element) in elements(value, path)?.iter().enumerate() {
        let at = format!("{path}[{number}]");
        let kind = optional(element, "type").map_err(|invalid| invalid.within(&at))?;
        if kind == Some("User") {
            return Ok(Some((element, at)));
        }
    }
    Ok(None)
}

/// The time at `path`, as RFC 3339 writes it, in whole seconds of Unix time.
pub(super) fn time(value: &Value, path: &str) -> Result<i64, Invalid> {
    time_of(text(value, path)?, path)
}

/// The time that `text` is, which is at `path`.
pub(super) fn time_of(text: &str, path: &str) -> Result<i64, Invalid> {
    let time: Option<Timestamp> = text.parse().ok();
    let time = time.ok_or_else(|| Invalid::new(path, "is not a time as RFC 3339 writes it"))?;
    Ok(time.as_second())
}

/// The time at `path`, a number of milliseconds or the text of one, in whole seconds of Unix time.
pub(super) fn milliseconds(value: &Value, path: &str) -> Result<i64, Invalid> {
    let found = find(value, path).ok_or_else(|| Invalid::new(path, "is missing"))?;
    let number = match found {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let number = number.ok_or_else(|| Invalid::new(path, "must be a number of milliseconds"))?;
    Ok(number.div_euclid(1000))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_of_another_type_is_not_absent() {
        let value = json!({"a": {"b": "text", "n": null, "i": 7, "e": ""}, "s": "text"});
        assert_eq!(optional(&value, "a.b"), Ok(Some("text")));
        for absent in ["a.n", "a.x", "a.e", "x.y", "s.x"] {
            assert_eq!(optional(&value, absent), Ok(None), "{absent}");
        }
        assert_eq!(text(&value, "a.i").unwrap_err().to_string(), "a.i: must be a string");
        assert_eq!(text(&value, "a.n").unwrap_err().to_string(), "a.n: is missing");
        assert_eq!(flag(&value, "a.i").unwrap_err().to_string(), "a.i: must be true or false");
        assert_eq!(elements(&value, "a").unwrap_err().to_string(), "a: must be an array");
        assert!(text(&json!({"a": "x".repeat(257)}), "a").is_err());
        assert!(text(&json!({"a": "x\u{7}"}), "a").is_err());
    }

    #[test]
    fn times_are_whole_seconds() {
        let value = json!({"t": "2026-11-28T09:00:00.987Z", "m": 1_795_856_400_987_i64, "s": "1795856400987"});
        assert_eq!(time(&value, "t"), Ok(1_795_856_400));
        assert_eq!(milliseconds(&value, "m"), Ok(1_795_856_400));
        assert_eq!(milliseconds(&value, "s"), Ok(1_795_856_400));
        assert!(time(&json!({"t": "yesterday"}), "t").is_err());
        assert!(milliseconds(&json!({"t": 1.5}), "t").is_err());
    }
}
