//! One principal, several names: the format `aliases` ([RFC 9493, 3.2.8]).

use std::{borrow::Cow, collections::BTreeMap};

use super::{ComplexSubject, Digest, Subject, SubjectIdentifier};
use crate::json::Invalid;

/// Aliases have at most so many identifiers, and a complex subject whose members are aliases can be
/// told in at most so many ways: each of them costs every event about it a look-up.
pub const MAX_NAMES: usize = 8;

impl SubjectIdentifier {
    /// The names of the principal, in the order in which they were sent: those that aliases hold, or
    /// the only one.
    pub fn names(&self) -> &[Self] {
        match self {
            Self::Aliases { identifiers } => identifiers,
            only => std::slice::from_ref(only),
        }
    }

    fn is_aliases(&self) -> bool {
        matches!(self, Self::Aliases { .. })
    }
}

impl ComplexSubject {
    /// Refuses more ways to tell it than [`MAX_NAMES`].
    pub(super) fn check_ways(&self) -> Result<(), Invalid> {
        let ways: usize = self.members().values().map(|member| member.names().len()).product();
        if ways > MAX_NAMES {
            let reason = format!("has aliases that combine in more than {MAX_NAMES} ways");
            return Err(Invalid::new(".", reason));
        }
        Ok(())
    }

    fn has_aliases(&self) -> bool {
        self.members().values().any(SubjectIdentifier::is_aliases)
    }

    /// This subject with, of each member, the name that `choose` takes from those it has.
    fn by(&self, choose: impl Fn(&[SubjectIdentifier]) -> &SubjectIdentifier) -> Self {
        let members = self.members().iter();
        Self::of(members.map(|(name, member)| (name.clone(), choose(member.names()).clone())))
    }
}

impl Subject {
    /// Whether it, or a member of it, is aliases.
    pub fn has_aliases(&self) -> bool {
        match self {
            Self::Simple(identifier) => identifier.is_aliases(),
            Self::Complex(complex) => complex.has_aliases(),
        }
    }

    /// Each way to tell it with one name for each principal, at most [`MAX_NAMES`]; those with names
    /// that were sent earlier come first. Itself alone if it has no aliases.
    pub fn ways(&self) -> Vec<Cow<'_, Self>> {
        match self {
            Self::Simple(SubjectIdentifier::Aliases { identifiers }) => {
                identifiers.iter().map(|name| Cow::Owned(Self::Simple(name.clone()))).collect()
            }
            Self::Complex(complex) if complex.has_aliases() => {
                let mut ways = vec![BTreeMap::new()];
                for (member, identifier) in complex.members() {
                    let with = |way: &BTreeMap<_, _>, name: &SubjectIdentifier| {
                        let mut way = way.clone();
                        way.insert(member.clone(), name.clone());
                        way
                    };
                    let names = identifier.names();
                    let longer = |way| names.iter().map(move |name| with(way, name));
                    ways = ways.iter().flat_map(longer).collect();
                }
                let complex = |way| Cow::Owned(Self::Complex(ComplexSubject::of(way)));
                ways.into_iter().map(complex).collect()
            }
            Self::Simple(_) | Self::Complex(_) => vec![Cow::Borrowed(self)],
        }
    }

    /// How it is told to who knows none of its names: of aliases, by the first name of the first of
    /// these `formats` that is there, or else by the first name.
    pub fn told_by(&self, formats: &[&str]) -> Cow<'_, Self> {
        if !self.has_aliases() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(self.by(|names| {
            let of = |format: &&str| names.iter().find(|name| name.format() == *format);
            formats.iter().find_map(of).unwrap_or(&names[0])
        }))
    }

    /// Events are kept in order for those that share this: the digest of the subject or, if it has
    /// aliases, of the subject by its first names. So all events of one principal are in order as long
    /// as their sender puts the same name first, whatever the others are and whichever of them a
    /// receiver knows.
    pub fn order_digest(&self) -> Digest {
        if self.has_aliases() { self.by(|names| &names[0]).digest() } else { self.digest() }
    }

    fn by(&self, choose: impl Fn(&[SubjectIdentifier]) -> &SubjectIdentifier) -> Self {
        match self {
            Self::Simple(identifier) => Self::Simple(choose(identifier.names()).clone()),
            Self::Complex(complex) => Self::Complex(complex.by(choose)),
        }
    }
}
