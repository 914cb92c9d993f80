//! When a named subject matches an event's, and the keys under which it is found.
//!
//! A receiver names subjects (adds or removes them); an event has one. [`matches()`] is the rule.
//! It cannot be asked of each named subject for each event, so the rule is turned into keys.
//!
//! A named subject has a [`Shape`]: the names of its members. It is indexed under one key for each
//! set of some of its members and each choice among their names ([`Subject::entry_digests`]). An
//! event asks, for each shape in use and each choice among the names of its own members, for the one
//! key of the members that the shape has, too ([`Subject::probes`]): there it finds exactly the named
//! subjects of that shape which have the same values for these members, and those match.

use std::{borrow::Cow, collections::HashSet, fmt};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{ComplexSubject, Subject, SubjectIdentifier};

/// Whether an event about `event` concerns a receiver who named `named` ([SSF 1.0, 8.1.3.1]): both
/// are simple and have a name in common, or both are complex, have members in common, at least one,
/// and have a name in common in each of these. A member that one of them lacks may be anything; but
/// two subjects that have no member in common are two, although the text of SSF 1.0 takes them for
/// one, and its errata are to say so.
pub fn matches(named: &Subject, event: &Subject) -> bool {
    let share = |one: &SubjectIdentifier, other: &SubjectIdentifier| {
        one.names().iter().any(|name| other.names().contains(name))
    };
    match (named, event) {
        (Subject::Simple(named), Subject::Simple(event)) => share(named, event),
        (Subject::Complex(named), Subject::Complex(event)) => {
            let both = |(name, value)| Some((value, event.members().get(name)?));
            let mut both = named.members().iter().filter_map(both).peekable();
            both.peek().is_some() && both.all(|(value, other)| share(value, other))
        }
        (Subject::Simple(_), Subject::Complex(_)) | (Subject::Complex(_), Subject::Simple(_)) => {
            false
        }
    }
}

/// What a subject is made of: `simple`, or the sorted names of its members, as in `{tenant,user}`.
/// Holds no `#`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Shape(String);

impl Shape {
    const SIMPLE: &str = "simple";

    /// The shape that was written as `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// That of all simple subjects.
    pub fn simple() -> Self {
        Self::new(Self::SIMPLE)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(complex: &ComplexSubject) -> Self {
        let names: Vec<&str> = complex.members().keys().map(String::as_str).collect();
        // The braces keep a subject whose only member is called `simple` apart from simple ones.
        Self(format!("{{{}}}", names.join(",")))
    }

    /// The names of the members; `None` for simple subjects.
    fn names(&self) -> Option<impl Iterator<Item = &str>> {
        Some(self.0.strip_prefix('{')?.strip_suffix('}')?.split(','))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A short name for a subject, or for a part of one, that does not tell it: 192 bits of SHA-256,
/// base64url, 32 characters.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// Which of `count` buckets (at least 1) it falls into; always the same one.
    pub(crate) fn bucket(&self, count: u8) -> u8 {
        let mix = |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte));
        let bucket = self.0.bytes().fold(0, mix) % u32::from(count.max(1));
        u8::try_from(bucket).expect("less than a u8")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(hash: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(&hash[..24]))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Subject {
    /// What it is made of.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Simple(_) => Shape::simple(),
            Self::Complex(complex) => Shape::of(complex),
        }
    }

    /// Names the whole subject: two subjects have the same digest when they are the same.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Simple(identifier) => {
                Digest::of(digest(&SHA256, &identifier.canonical()).as_ref())
            }
            Self::Complex(complex) => {
                let hashes: Vec<_> = complex.members().iter().map(hash_member).collect();
                key(&Shape::of(complex), hashes.iter().map(Some))
            }
        }
    }

    /// The keys under which this subject, when a receiver names it, stands in the index, each once:
    /// for a simple subject, one for each of its names; for a complex one, one for each set of some
    /// of its members and each choice among their names.
    pub fn entry_digests(&self) -> Vec<Digest> {
        let digests: Vec<_> = match self {
            Self::Simple(_) => self.ways().iter().map(|way| way.digest()).collect(),
            Self::Complex(complex) => {
                let mut sets = vec![vec![]];
                for (member, identifier) in complex.members() {
                    let hash = |name| Some(hash_member((member, name)));
                    let values: Vec<_> = identifier.names().iter().map(hash).collect();
                    let longer = |value: Option<Hash>| {
                        let with = move |set: &Vec<_>| [&set[..], &[value]].concat();
                        sets.iter().map(with)
                    };
                    sets = std::iter::once(None).chain(values).flat_map(longer).collect();
                }
                let shape = Shape::of(complex);
                // Without the empty set, which is first: who has no member in common is another.
                let sets = sets.iter().skip(1);
                sets.map(|set| key(&shape, set.iter().map(Option::as_ref))).collect()
            }
        };
        each_once(digests.into_iter().map(|digest| (digest, ())))
            .into_iter()
            .map(|(digest, ())| digest)
            .collect()
    }

    /// The keys of the index under which an event about this subject finds the named subjects of
    /// `shape` that match it, each once, at most [`MAX_NAMES`](super::MAX_NAMES); with each, the
    /// subject by the names that are asked for. None if no subject of that shape can match.
    pub fn probes(&self, shape: &Shape) -> Vec<(Digest, Cow<'_, Self>)> {
        let probes = self.ways().into_iter();
        each_once(probes.filter_map(|way| Some((way.probe(shape)?, way))))
    }

    /// The one key for a subject without aliases.
    fn probe(&self, shape: &Shape) -> Option<Digest> {
        match (self, shape.names()) {
            (Self::Simple(_), None) => Some(self.digest()),
            (Self::Complex(complex), Some(names)) => {
                let hash = |name| complex.members().get_key_value(name).map(hash_member);
                let hashes: Vec<_> = names.map(hash).collect();
                let shared = hashes.iter().any(Option::is_some);
                shared.then(|| key(shape, hashes.iter().map(Option::as_ref)))
            }
            (Self::Simple(_), Some(_)) | (Self::Complex(_), None) => None,
        }
    }

    /// The digest of each way to tell it, each once; see [`Self::ways`].
    pub fn way_digests(&self) -> Vec<Digest> {
        let ways = self.ways().into_iter().map(|way| (way.digest(), ()));
        each_once(ways).into_iter().map(|(digest, ())| digest).collect()
    }
}

/// Of those with the same digest, the first.
fn each_once<T>(all: impl Iterator<Item = (Digest, T)>) -> Vec<(Digest, T)> {
    let mut seen = HashSet::new();
    all.filter(|(digest, _)| seen.insert(digest.clone())).collect()
}

type Hash = [u8; SHA256_OUTPUT_LEN];

/// The member's name needs no hashing: its place in the shape says it.
fn hash_member((_, identifier): (&String, &SubjectIdentifier)) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest(&SHA256, &identifier.canonical()).as_ref());
    hash
}

/// The key of the named subjects of `shape` that have these values; a member that is not part of
/// the subset has none. Unambiguous: a shape ends with its brace, and each hash has its length.
fn key<'a>(shape: &Shape, hashes: impl Iterator<Item = Option<&'a Hash>>) -> Digest {
    let mut context = Context::new(&SHA256);
    context.update(shape.as_str().as_bytes());
    for hash in hashes {
        context.update(hash.unwrap_or(&Hash::default()));
    }
    Digest::of(context.finish().as_ref())
}
