//! Why a SCIM request cannot be done, free of any HTTP status.

use std::fmt;

/// A refusal, as a SCIM error message tells it ([RFC 7644, 3.12]).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// Which refusal of the standards it is.
    pub kind: ErrorKind,
    /// The attribute and the reason, in words for the one who sent the request. Never holds a value.
    pub detail: String,
}

impl Error {
    /// A refusal of the kind `kind`.
    pub fn new(kind: ErrorKind, detail: impl fmt::Display) -> Self {
        Self { kind, detail: detail.to_string() }
    }

    pub(super) fn filter(detail: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidFilter, detail)
    }

    pub(super) fn path(detail: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidPath, detail)
    }

    pub(super) fn syntax(detail: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidSyntax, detail)
    }

    pub(super) fn value(detail: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidValue, detail)
    }

    pub(super) fn mutability(detail: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Mutability, detail)
    }
}

/// The refusals that the standards tell apart.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ErrorKind {
    /// A filter that cannot be read, or whose attribute and comparison do not fit.
    InvalidFilter,
    /// A filter that would yield, or would have to look at, more than is answered.
    TooMany,
    /// A value that somebody else already has.
    Uniqueness,
    /// A change to what may not be changed.
    Mutability,
    /// A body that is not a message of the protocol.
    InvalidSyntax,
    /// The path of a PATCH operation that is malformed, or names no attribute.
    InvalidPath,
    /// The path of a PATCH operation that selects nothing which could be changed.
    NoTarget,
    /// A value that is missing, or that its attribute cannot have.
    InvalidValue,
    /// A version of the protocol that we do not speak.
    InvalidVersion,
    /// A request whose URI would hold what must not be in one.
    Sensitive,
    /// A cursor that is not ours, or belongs to another request ([RFC 9865]).
    InvalidCursor,
    /// A cursor that was ours ([RFC 9865]).
    ExpiredCursor,
    /// A `count` that does not go with the cursor ([RFC 9865]).
    InvalidCount,
    /// There is no such resource.
    NotFound,
    /// The resource has another version than the request demands.
    PreconditionFailed,
    /// The request is larger than is taken.
    TooLarge,
}

impl ErrorKind {
    /// The keyword in `scimType` ([RFC 7644, table 9], [RFC 9865]), for those that have one.
    pub const fn scim_type(self) -> Option<&'static str> {
        match self {
            Self::InvalidFilter => Some("invalidFilter"),
            Self::TooMany => Some("tooMany"),
            Self::Uniqueness => Some("uniqueness"),
            Self::Mutability => Some("mutability"),
            Self::InvalidSyntax => Some("invalidSyntax"),
            Self::InvalidPath => Some("invalidPath"),
            Self::NoTarget => Some("noTarget"),
            Self::InvalidValue => Some("invalidValue"),
            Self::InvalidVersion => Some("invalidVers"),
            Self::Sensitive => Some("sensitive"),
            Self::InvalidCursor => Some("invalidCursor"),
            Self::ExpiredCursor => Some("expiredCursor"),
            Self::InvalidCount => Some("invalidCount"),
            Self::NotFound | Self::PreconditionFailed | Self::TooLarge => None,
        }
    }
}

/// A name that a client sent, as it is repeated to it: short, and without characters that a terminal
/// or a log does not take as text.
pub(super) fn shown(name: &str) -> String {
    const MAX: usize = 128;
    let mut characters = name.chars();
    let printable = |character: char| match character {
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        character => character,
    };
    let mut shown: String = characters.by_ref().take(MAX).map(printable).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_repeated_without_what_could_do_harm() {
        assert_eq!(shown("nope\u{1b}[2J\n"), "nope\u{fffd}[2J\u{fffd}");
        assert_eq!(shown(&"é".repeat(1000)), format!("{}…", "é".repeat(128)));
    }

    #[test]
    fn an_error_of_a_version_has_a_keyword_of_its_own() {
        assert_eq!(ErrorKind::InvalidVersion.scim_type(), Some("invalidVers"));
        assert_eq!(ErrorKind::NotFound.scim_type(), None);
    }
}
