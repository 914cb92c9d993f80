//! Complex subjects: several identifiers that describe one principal together.

use std::{collections::BTreeMap, fmt};

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{SubjectIdentifier, members::Members};
use crate::json::Invalid;

/// Several identifiers, each under a name such as `user`, `device`, `session`, `application`,
/// `tenant`, `org_unit` or `group` ([SSF 1.0, 3.3]); other names are taken too.
#[derive(Clone, Eq, PartialEq)]
pub struct ComplexSubject {
    members: BTreeMap<String, SubjectIdentifier>,
}

impl ComplexSubject {
    /// The `format` of complex subjects.
    pub const FORMAT: &str = "complex";

    /// No complex subject has more members: the standard knows seven, and one that is added to a
    /// stream takes a row in the index for each set of some of its members, so 127 at most, and
    /// 575 if one of them is aliases with eight names.
    pub const MAX_MEMBERS: usize = 7;

    /// No member's name is longer, in bytes: all names together are part of a key in the table.
    pub const MAX_NAME_BYTES: usize = 64;

    /// The members, sorted by name.
    pub fn members(&self) -> &BTreeMap<String, SubjectIdentifier> {
        &self.members
    }

    /// One with these members, of which there is at least one.
    pub(super) fn of(members: impl IntoIterator<Item = (String, SubjectIdentifier)>) -> Self {
        Self { members: members.into_iter().collect() }
    }

    pub(super) fn read(members: Members) -> Result<Self, Invalid> {
        let (_, rest) = members.into_rest();
        if rest.is_empty() {
            return Err(Invalid::new(".", "is complex and has no member besides its format"));
        }
        if rest.len() > Self::MAX_MEMBERS {
            let reason = format!("must not have more than {} members", Self::MAX_MEMBERS);
            return Err(Invalid::new(".", reason));
        }
        let members = rest.into_iter().map(|(name, value)| {
            // The two characters separate names from each other and from the rest of a key.
            if name.is_empty() || name.len() > Self::MAX_NAME_BYTES || name.contains([',', '#']) {
                let reason =
                    format!("is not a name of 1 to {} bytes without , and #", Self::MAX_NAME_BYTES);
                return Err(Invalid::new(name, reason));
            }
            match SubjectIdentifier::parse(value) {
                Ok(identifier) => Ok((name, identifier)),
                Err(invalid) => Err(invalid.within(&name)),
            }
        });
        let complex = Self { members: members.collect::<Result<_, _>>()? };
        complex.check_ways()?;
        Ok(complex)
    }
}

impl Serialize for ComplexSubject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len() + 1))?;
        map.serialize_entry("format", Self::FORMAT)?;
        self.members.iter().try_for_each(|(name, member)| map.serialize_entry(name, member))?;
        map.end()
    }
}

impl fmt::Debug for ComplexSubject {
    /// Names and formats only: whom it is about must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.members.fmt(f)
    }
}
