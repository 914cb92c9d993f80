//! The classes of rows: each has one owner, and its name comes first in the partition key, so that
//! rights to a table can tell rows apart (`dynamodb:LeadingKeys`).
//!
//! No partition has rows of two classes. This is the whole list; what is in the rows of a class
//! stands beside the code that makes their keys.

use std::fmt::Display;

/// Rows in a partition for each of what they belong to: `CLIENT#<client id>`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Class(&'static str);

impl Class {
    /// The partition of what belongs to `owner`.
    pub fn of(self, owner: impl Display) -> String {
        format!("{}{owner}", self.0)
    }
}

/// Rows that are all in one partition: a list, or a single row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Single(&'static str);

impl Single {
    /// The partition.
    pub fn partition(self) -> &'static str {
        self.0
    }
}

/// The assertions that a client has used.
pub const ASSERTION: Class = Class("ASSERTION#");
/// A client.
pub const CLIENT: Class = Class("CLIENT#");
/// Which streams a client has.
pub const CLIENT_STREAMS: Class = Class("CLIENT_STREAMS#");
/// An account that may have opted out.
pub const OPT_OUT: Class = Class("OPT_OUT#");
/// The SETs that were issued to a stream.
pub const SET: Class = Class("SET#");
/// A stream.
pub const STREAM: Class = Class("STREAM#");
/// When the receiver of a stream last showed.
pub const STREAM_ACTIVITY: Class = Class("STREAM_ACTIVITY#");
/// The subjects that a stream names.
pub const STREAM_SUBJECT: Class = Class("STREAM_SUBJECT#");
/// Which streams name a subject.
pub const SUBJECT: Class = Class("SUBJECT#");
/// The access tokens of a client.
pub const TOKEN: Class = Class("TOKEN#");
/// Which streams want an event type.
pub const TYPE: Class = Class("TYPE#");

/// All clients.
pub const CLIENTS: Single = Single("CLIENTS");
/// The ring of keys.
pub const KEYS: Single = Single("KEYS");
/// Whether anybody has ever opted out.
pub const OPT_OUTS: Single = Single("OPT_OUTS");
/// All streams.
pub const STREAMS: Single = Single("STREAMS");
/// How far the sweep has come.
pub const SWEEP: Single = Single("SWEEP");

const CLASSES: [Class; 11] = [
    ASSERTION,
    CLIENT,
    CLIENT_STREAMS,
    OPT_OUT,
    SET,
    STREAM,
    STREAM_ACTIVITY,
    STREAM_SUBJECT,
    SUBJECT,
    TOKEN,
    TYPE,
];
const SINGLES: [Single; 5] = [CLIENTS, KEYS, OPT_OUTS, STREAMS, SWEEP];

/// The pattern of the class that a partition key belongs to, as rights name it: `CLIENT#*`, or
/// `CLIENTS`.
pub fn pattern(pk: &str) -> Option<String> {
    let single = SINGLES.iter().find(|single| single.0 == pk).map(|single| single.0.to_owned());
    let class = || CLASSES.iter().find(|class| pk.starts_with(class.0));
    single.or_else(|| class().map(|class| class.of('*')))
}

/// All patterns.
pub fn patterns() -> Vec<String> {
    let classes = CLASSES.iter().map(|class| class.of('*'));
    classes.chain(SINGLES.iter().map(|single| single.0.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_a_word_and_none_is_part_of_another() {
        let words: Vec<_> =
            CLASSES.iter().map(|class| class.0).chain(SINGLES.iter().map(|it| it.0)).collect();
        for (at, word) in words.iter().enumerate() {
            let name = word.strip_suffix('#').unwrap_or(word);
            let is_word = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            assert!(is_word && !name.is_empty(), "{word}");
            let others = words.iter().enumerate().filter(|(other, _)| *other != at);
            for (_, other) in others.filter(|(_, other)| other.ends_with('#')) {
                assert!(!word.starts_with(other), "{word} {other}");
            }
        }
    }

    #[test]
    fn a_partition_key_says_its_class() {
        for (pk, wanted) in [
            (CLIENT.of("a#b"), Some("CLIENT#*")),
            (CLIENT_STREAMS.of("a"), Some("CLIENT_STREAMS#*")),
            (CLIENTS.partition().to_owned(), Some("CLIENTS")),
            ("CLIENTS#1".to_owned(), None),
            ("CLIENT".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(pattern(&pk).as_deref(), wanted, "{pk}");
            assert!(wanted.is_none_or(|wanted| patterns().contains(&wanted.to_owned())));
        }
    }
}
