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
/// Who tried to sign in under a name, in vain.
pub const ATTEMPT: Class = Class("ATTEMPT#");
/// Who changed what of a person or a group.
pub const AUDIT: Class = Class("AUDIT#");
/// A client.
pub const CLIENT: Class = Class("CLIENT#");
/// Which people gave a client their consent.
pub const CLIENT_CONSENT: Class = Class("CLIENT_CONSENT#");
/// Which families of people's tokens a client has.
pub const CLIENT_FAMILY: Class = Class("CLIENT_FAMILY#");
/// Which streams a client has.
pub const CLIENT_STREAMS: Class = Class("CLIENT_STREAMS#");
/// The consents of a person.
pub const CONSENT: Class = Class("CONSENT#");
/// How many people, or groups, there are.
pub const COUNT: Class = Class("COUNT#");
/// Who has an e-mail address.
pub const EMAIL: Class = Class("EMAIL#");
/// What a provisioning client calls so.
pub const EXTERNAL_ID: Class = Class("EXTERNAL_ID#");
/// A code, or the tokens of a person at an application that it was exchanged for.
pub const FAMILY: Class = Class("FAMILY#");
/// A group of people.
pub const GROUP: Class = Class("GROUP#");
/// Which group has a name.
pub const GROUP_NAME: Class = Class("GROUP_NAME#");
/// What a deletion, or a change of many members, leaves to do.
pub const JOB: Class = Class("JOB#");
/// A change of many members that is worked off.
pub const JOURNAL: Class = Class("JOURNAL#");
/// The members of a group.
pub const MEMBER: Class = Class("MEMBER#");
/// The groups of a person.
pub const MEMBER_OF: Class = Class("MEMBER_OF#");
/// An account that may have opted out.
pub const OPT_OUT: Class = Class("OPT_OUT#");
/// What of the directory is still to be put on the queue, and whom streams are to hear of.
pub const OUTBOX: Class = Class("OUTBOX#");
/// Where a page of a list begins.
pub const PAGE: Class = Class("PAGE#");
/// Which families of tokens there are for a person.
pub const PERSON_FAMILY: Class = Class("PERSON_FAMILY#");
/// Which sessions a person has.
pub const PERSON_SESSION: Class = Class("PERSON_SESSION#");
/// A person who is signed in at a browser.
pub const SESSION: Class = Class("SESSION#");
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
/// What one request changed, and the events that follow.
pub const TXN: Class = Class("TXN#");
/// Which streams want an event type.
pub const TYPE: Class = Class("TYPE#");
/// A person.
pub const USER: Class = Class("USER#");
/// Which person has a name.
pub const USERNAME: Class = Class("USERNAME#");

/// All clients.
pub const CLIENTS: Single = Single("CLIENTS");
/// The key by which messages are known as ours.
pub const DOOR_KEY: Single = Single("DOOR_KEY");
/// The lock dates that are to come.
pub const DUE: Single = Single("DUE");
/// The streams that are still to be fed with those who consented before.
pub const FEEDS: Single = Single("FEEDS");
/// All groups.
pub const GROUPS: Single = Single("GROUPS");
/// The ring of keys.
pub const KEYS: Single = Single("KEYS");
/// Whether anybody has ever opted out.
pub const OPT_OUTS: Single = Single("OPT_OUTS");
/// What came from sources.
pub const SOURCES: Single = Single("SOURCES");
/// All streams.
pub const STREAMS: Single = Single("STREAMS");
/// How far the sweep has come.
pub const SWEEP: Single = Single("SWEEP");
/// All people.
pub const USERS: Single = Single("USERS");

const CLASSES: [Class; 34] = [
    ASSERTION,
    ATTEMPT,
    AUDIT,
    CLIENT,
    CLIENT_CONSENT,
    CLIENT_FAMILY,
    CLIENT_STREAMS,
    CONSENT,
    COUNT,
    EMAIL,
    EXTERNAL_ID,
    FAMILY,
    GROUP,
    GROUP_NAME,
    JOB,
    JOURNAL,
    MEMBER,
    MEMBER_OF,
    OPT_OUT,
    OUTBOX,
    PAGE,
    PERSON_FAMILY,
    PERSON_SESSION,
    SESSION,
    SET,
    STREAM,
    STREAM_ACTIVITY,
    STREAM_SUBJECT,
    SUBJECT,
    TOKEN,
    TXN,
    TYPE,
    USER,
    USERNAME,
];
const SINGLES: [Single; 11] =
    [CLIENTS, DOOR_KEY, DUE, FEEDS, GROUPS, KEYS, OPT_OUTS, SOURCES, STREAMS, SWEEP, USERS];

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
