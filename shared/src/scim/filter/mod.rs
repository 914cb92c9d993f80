//! Filters ([RFC 7644, 3.4.2.2]).
//!
//! Beyond the grammar of the standard the forms are taken that clients send every day:
//! `emails[type eq "work"].value eq "x"`, `not(…)` without a space, `True` and `False`, and `$ref`.

mod matches;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;
use serde_json::Number;

pub(super) use parse::Parser;

use super::{
    Error, ResourceType,
    schema::{Attribute, AttributePath},
};

/// A filter is at most so many bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// Parentheses, brackets and `not` are nested at most so deeply.
pub const MAX_DEPTH: usize = 64;

/// A filter compares at most so often.
pub const MAX_TERMS: usize = 1000;

/// Which resources are asked for. All attributes in it exist.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of these hold; at least two.
    And(Vec<Self>),
    /// One of these holds; at least two.
    Or(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
    /// A value compares so with a literal. `eq null` and `ne null` are [`Present`](Self::Present),
    /// and a complex attribute alone means its sub-attribute `value`.
    Compare {
        /// What is compared.
        path: AttributePath,
        /// How.
        operator: Operator,
        /// With what.
        value: Literal,
    },
    /// There is a value that is not empty.
    Present(AttributePath),
    /// One element of an attribute meets the whole filter.
    ValuePath {
        /// The complex attribute.
        path: AttributePath,
        /// What the element must meet. All paths in it are of sub-attributes of the attribute.
        filter: Box<Self>,
    },
}

impl Filter {
    /// Reads a filter over resources of one type. An attribute that does not exist is an error that
    /// names it: an empty answer would make a client create what is there. What is too long, too deep
    /// or has too many terms is refused while it is read.
    pub fn parse(text: &str, resource_type: ResourceType) -> Result<Self, Error> {
        let mut parser = Parser::new(text, resource_type)?;
        let filter = parser.filter(None)?;
        parser.end()?;
        Ok(filter)
    }

    /// How often the filter compares.
    pub fn terms(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::terms).sum(),
            Self::Not(part) => part.terms(),
            Self::ValuePath { filter, .. } => filter.terms(),
            Self::Compare { .. } | Self::Present(_) => 1,
        }
    }

    /// The filters that must all hold: the parts of an `and`, or the filter itself.
    pub fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(parts) => parts,
            other => std::slice::from_ref(other),
        }
    }

    /// The attribute and the text, if this demands that the one equals the other.
    pub fn text_equality(&self) -> Option<(AttributePath, &str)> {
        match self {
            Self::Compare { path, operator: Operator::Equal, value: Literal::Text(text) } => {
                Some((*path, text))
            }
            _ => None,
        }
    }

    /// The sub-attributes and what they equal, if this is a conjunction of equalities: the element
    /// that a PATCH creates where a value path selects none.
    pub fn equalities(&self) -> Option<Vec<(&'static Attribute, &Literal)>> {
        let equality = |part: &'_ Self| match part {
            Self::Compare { path, operator: Operator::Equal, .. } => path.sub_attribute,
            _ => None,
        };
        let parts = self.conjuncts().iter();
        parts
            .map(|part| match part {
                Self::Compare { value, .. } => Some((equality(part)?, value)),
                _ => None,
            })
            .collect()
    }
}

/// How values are compared ([RFC 7644, table 3]).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operator {
    /// `eq`
    Equal,
    /// `ne`: there is no value, or one that is not equal.
    NotEqual,
    /// `co`
    Contains,
    /// `sw`
    StartsWith,
    /// `ew`
    EndsWith,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

impl Operator {
    /// Whether values are compared by their order.
    pub const fn is_ordering(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual)
    }
}

/// What a value is compared with.
#[derive(Clone, PartialEq)]
pub enum Literal {
    /// A text.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A point in time, compared as such and not as text.
    Time(Timestamp),
}

/// Says what it is, and not which: people's names and addresses are in filters.
impl fmt::Debug for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Boolean(_) => "Boolean",
            Self::Number(_) => "Number",
            Self::Time(_) => "Time",
        })
    }
}
