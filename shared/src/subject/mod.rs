//! Subjects: who or what an event is about.
//!
//! A [`Subject`] is one identifier, or a complex subject: several identifiers under names such as
//! `user` and `device`, which together describe one principal ([SSF 1.0, 3]). It is checked when it
//! is read, once, and compared afterwards by its canonical form.
//!
//! # When two subjects match
//!
//! The rule is [`matches()`]: one name in common for simple subjects, and for complex ones in each
//! member that both have, of which there must be at least one. A principal with several names is
//! told of with the format `aliases`.
//!
//! # What is normalized, and what is not
//!
//! Two subjects are the same when their canonical forms (RFC 8785) are. So only the spelling of the
//! JSON is normalized: the order of members, white space, escapes in strings. One name is, too: the
//! format `phone` of RISC's text is the `phone_number` of RFC 9493. And two identifiers of the
//! format `scim` are the same when their `uri` is, whatever their `externalId`: the URI names the
//! resource, while `externalId` is what one client calls it (RFC 7643, 3.1), for receivers to find
//! their own record by. Each subject is still written as it was sent.
//!
//! Nothing else is: not the case of e-mail addresses, hosts or URI schemes, not dots and `+tags` in
//! local parts, not percent-encoding, not Unicode forms, not the spelling of IPv6 addresses, not
//! the order of arrays. `Ann@example.com` and `ann@example.com` are two subjects: which addresses
//! lead to one mailbox, only its provider knows, and a wrong guess would tell one person's events
//! to those who asked about another.

mod complex;
mod identifier;
mod index;
mod members;
mod names;
mod syntax;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub use complex::ComplexSubject;
pub use identifier::{ExternalId, PhoneFormat, SubjectIdentifier};
pub use index::{Digest, Shape, matches};
pub use names::MAX_NAMES;

use crate::{json::Invalid, stream::StreamId};
use members::Members;

/// A subject's JSON text, without white space, has at most so many bytes.
pub const MAX_SUBJECT_BYTES: usize = 4096;

/// Who or what an event is about ([SSF 1.0, 3]).
#[derive(Clone, Eq, PartialEq)]
pub enum Subject {
    /// One identifier.
    Simple(SubjectIdentifier),
    /// Several identifiers, each with a name.
    Complex(ComplexSubject),
}

impl Subject {
    /// The subject that `value` is, if each rule of its format is kept. The error's member is
    /// relative to the subject: `email`, `user.format`, `.` for the whole.
    pub fn parse(value: Value) -> Result<Self, Invalid> {
        let members = Members::of(value)?;
        let subject = if members.format() == ComplexSubject::FORMAT {
            Self::Complex(ComplexSubject::read(members)?)
        } else {
            Self::Simple(SubjectIdentifier::read(members)?)
        };
        if subject.text_len() > MAX_SUBJECT_BYTES {
            let reason = format!("must not be longer than {MAX_SUBJECT_BYTES} bytes");
            return Err(Invalid::new(".", reason));
        }
        Ok(subject)
    }

    /// The subject as it was sent.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("a subject is made of JSON values under text names")
    }

    /// A stream, as the subject of its own verification and stream-updated events
    /// ([SSF 1.0, 8.1.4.1 and 8.1.5]).
    pub fn stream(id: &StreamId) -> Self {
        Self::Simple(SubjectIdentifier::Opaque { id: id.as_str().to_owned() })
    }

    /// The identifier, unless the subject is complex.
    pub fn simple(&self) -> Option<&SubjectIdentifier> {
        match self {
            Self::Simple(identifier) => Some(identifier),
            Self::Complex(_) => None,
        }
    }

    /// The identifiers that name it: one, or those of aliases; none if it is complex, as only all of
    /// its members together describe it.
    pub fn names(&self) -> impl Iterator<Item = &SubjectIdentifier> {
        let names = match self {
            Self::Simple(SubjectIdentifier::Aliases { identifiers }) => identifiers.as_slice(),
            Self::Simple(identifier) => std::slice::from_ref(identifier),
            Self::Complex(_) => &[],
        };
        names.iter()
    }

    fn text_len(&self) -> usize {
        let mut count = Count(0);
        serde_json::to_writer(&mut count, self).expect("counting does not fail");
        count.0
    }
}

/// Counts what is written.
struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Simple(identifier) => identifier.serialize(serializer),
            Self::Complex(complex) => complex.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(Value::deserialize(deserializer)?).map_err(|invalid| invalid.nested())
    }
}

impl fmt::Debug for Subject {
    /// Formats and names only: whom it is about must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(identifier) => identifier.fmt(f),
            Self::Complex(complex) => complex.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
