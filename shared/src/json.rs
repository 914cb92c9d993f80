//! Reads JSON strictly and says which member is wrong.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// A member of a JSON text that is not as it must be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{member}: {reason}")]
pub struct Invalid {
    /// The path of the member, such as `delivery.endpoint_url`; `.` for the whole.
    pub member: String,
    /// What is wrong, in words for the one who sent it. Never holds the value.
    pub reason: String,
}

impl Invalid {
    /// `member` is wrong because of `reason`.
    pub fn new(member: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { member: shown(&member.into()), reason: reason.into() }
    }

    /// As an error of serde, which [`read`] turns back into the member and the reason.
    pub fn nested<E: serde::de::Error>(&self) -> E {
        E::custom(format_args!("{MARK}{}{MARK}{}", self.member, self.reason))
    }

    /// The same, where the member is part of `outer`.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        let member = if self.member == "." {
            outer.to_owned()
        } else if self.member.starts_with('[') {
            format!("{outer}{}", self.member)
        } else {
            format!("{outer}.{}", self.member)
        };
        Self::new(member, self.reason)
    }
}

/// The path of a member as it is repeated to its sender. Who sends a name of 200 kB does not get it
/// back, nor does it fill the dead letters; nor do characters that a queue or a terminal does not
/// take as text, and of which one is our [`MARK`].
fn shown(path: &str) -> String {
    let harmless = |character: char| match character {
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        character => character,
    };
    let mut characters = path.chars().map(harmless);
    let mut shown: String = characters.by_ref().take(MAX_MEMBER_CHARS).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// The path of a member is cut behind so many characters.
const MAX_MEMBER_CHARS: usize = 256;

/// Values nested deeper than this are refused.
pub const MAX_DEPTH: usize = 32;

/// The value that `text` holds. Refuses what is not JSON, what is nested deeper than [`MAX_DEPTH`],
/// and an object that has a member twice, at any depth.
pub fn parse(text: &[u8]) -> Result<Value, Invalid> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let seed = Strict { path: &Path::Root, depth: 0 };
    let value = seed.deserialize(&mut reader).map_err(|error| not_json(&error))?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// The `T` that `text` holds; as strict as [`parse`].
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Invalid> {
    from_value(parse(text)?)
}

/// The `T` that `value` is.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner().to_string();
        if let Some((member, reason)) = marked(&reason) {
            let invalid = Invalid::new(member, reason);
            return if path == "." { invalid } else { invalid.within(&path) };
        }
        // serde names an absent member in its text only.
        match reason.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            Some(member) => {
                let invalid = Invalid::new(member, "is missing");
                if path == "." { invalid } else { invalid.within(&path) }
            }
            None => Invalid::new(path, without_values(&reason)),
        }
    })
}

/// Takes an object only where a struct is read: serde would take an array of its members too.
#[derive(Debug)]
pub struct Object<D>(pub D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Object<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// serde's "invalid type: string \"…\", expected …" repeats what was sent; the sender knows it, and
/// the log must not.
fn without_values(reason: &str) -> String {
    match reason.split_once(", expected ") {
        Some((found, expected)) => {
            let kind = found.split_once(": ").map_or(found, |(_, kind)| kind);
            let kind = match kind.split(['"', '`']).next().unwrap_or_default().trim() {
                "map" => "object",
                "sequence" => "array",
                kind => kind,
            };
            // Our own names mean nothing to the sender.
            let expected = match expected {
                "a map" => "an object",
                "a sequence" => "an array",
                "u64" => "a whole number from 0 on",
                expected if expected.starts_with("struct ") => "an object",
                expected => expected,
            };
            format!("is {kind}, expected {expected}")
        }
        None => reason.to_owned(),
    }
}

fn not_json(error: &serde_json::Error) -> Invalid {
    let text = error.to_string();
    // Errors of `Strict` carry their member in front; the position that serde_json adds is cut.
    match marked(&text) {
        Some((member, reason)) => {
            let reason = reason.rsplit_once(" at line ").map_or(reason, |(reason, _)| reason);
            Invalid::new(member, reason)
        }
        None => Invalid::new(
            ".",
            format!("is not JSON at line {}, column {}", error.line(), error.column()),
        ),
    }
}

/// The member and the reason in an error of [`Invalid::nested`].
fn marked(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix(MARK)?.split_once(MARK)
}

/// Not a character of JSON text, nor of a member as it is [`shown`].
const MARK: char = '\u{1}';

enum Path<'a> {
    Root,
    Member(&'a Self, &'a str),
    Element(&'a Self, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(Path::Root, name) => f.write_str(name),
            Self::Member(outer, name) => write!(f, "{outer}.{name}"),
            Self::Element(outer, index) => write!(f, "{outer}[{index}]"),
        }
    }
}

struct Strict<'a> {
    path: &'a Path<'a>,
    depth: usize,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(path: &Path<'_>, reason: &str) -> E {
        let member = shown(&path.to_string());
        let member = if member.is_empty() { "." } else { &member };
        E::custom(format_args!("{MARK}{member}{MARK}{reason}"))
    }

    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.depth == MAX_DEPTH {
            return Err(Self::refuse(self.path, "is nested too deeply"));
        }
        Ok(self.depth + 1)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut values = Vec::new();
        loop {
            let path = Path::Element(self.path, values.len());
            match elements.next_element_seed(Strict { path: &path, depth })? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = Path::Member(self.path, &name);
            if map.contains_key(&name) {
                return Err(Self::refuse(&path, "is there twice"));
            }
            let value = members.next_value_seed(Strict { path: &path, depth })?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// Reads a member that may be left out; `null` says that it is.
pub fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A member of a PATCH: absent, null, or a value (RFC 7396's three).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Patch<T> {
    /// Not in the text: leave as it is.
    #[default]
    Absent,
    /// `null`: remove.
    Null,
    /// Set to this.
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)
            .map_err(D::Error::custom)?
            .map_or(Self::Null, Self::Value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(refused("{"), ".: is not JSON at line 1, column 1");
        assert_eq!(refused("{} x"), ".: is not JSON at line 1, column 4");
        assert_eq!(refused(r#"{"a":1,"a":2}"#), "a: is there twice");
        assert_eq!(refused(r#"{"a":{"b":[{},{"c":1,"c":1}]}}"#), "a.b[1].c: is there twice");
        let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
        assert!(refused(&deep).ends_with("[0]: is nested too deeply"));
        assert!(parse(format!("{}{}", "[".repeat(32), "]".repeat(32)).as_bytes()).is_ok());
    }

    #[test]
    fn a_very_long_name_is_cut() {
        let text = format!(r#"{{"{0}":{{"a":1,"a":2}}}}"#, "é".repeat(10_000));
        assert_eq!(refused(&text), format!("{}…: is there twice", "é".repeat(256)));
        let invalid = Invalid::new("b", "is missing").within(&"é".repeat(10_000));
        assert_eq!(invalid.member, format!("{}…", "é".repeat(256)));
    }

    #[test]
    fn control_characters_in_a_name_are_not_repeated() {
        assert_eq!(
            refused(r#"{"a\u0000\u0001b":{"c":1,"c":2}}"#),
            "a\u{FFFD}\u{FFFD}b.c: is there twice"
        );
        let invalid = Invalid::new("a\u{0}", "is missing");
        assert_eq!(invalid.within("\u{1b}").member, "\u{FFFD}.a\u{FFFD}");
    }

    #[test]
    fn members_of_the_wrong_type_are_named_and_not_repeated() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only read in, to see what is refused")]
        struct Inner {
            url: String,
        }
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only read in, to see what is refused")]
        struct Outer {
            inner: Inner,
        }
        let error = |text: &str| read::<Outer>(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(error("{}"), "inner: is missing");
        assert_eq!(error(r#"{"inner":{}}"#), "inner.url: is missing");
        assert_eq!(error(r#"{"inner":{"url":7}}"#), "inner.url: is integer, expected a string");
        assert_eq!(error(r#"{"inner":"secret"}"#), "inner: is string, expected an object");
    }
}
