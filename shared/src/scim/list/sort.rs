//! Sorts resources ([RFC 7644, 3.4.2.3]).

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SortOrder;
use crate::scim::{
    schema::{AttributePath, Kind},
    text::{instant, whole},
};

/// What a resource is sorted by; values of one attribute are of one kind.
#[derive(Clone, Deserialize, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SortKey {
    Boolean(bool),
    Number(f64),
    Time(Timestamp),
    Text(String),
}

impl SortKey {
    /// By what `resource` is sorted: text without case unless the schema says that case matters, points
    /// in time as such, a multi-valued attribute by its primary or else its first value.
    pub(crate) fn of(resource: &Map<String, Value>, by: AttributePath) -> Option<Self> {
        let value = one_of(by.attribute_in(resource)?)?;
        let value = match by.sub_attribute {
            Some(sub) => value.get(sub.name)?,
            None => value,
        };
        match value {
            Value::Bool(value) => Some(Self::Boolean(*value)),
            Value::Number(number) => number.as_f64().map(Self::Number),
            Value::String(text) if by.leaf().kind == Kind::DateTime => {
                instant(text).map(Self::Time)
            }
            Value::String(text) => Some(Self::Text(whole(text, by.leaf().case_exact).into_owned())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Who comes first. Who has no value comes last, and in descending order first.
    pub(crate) fn compare(left: Option<&Self>, right: Option<&Self>, order: SortOrder) -> Ordering {
        let ascending = match (left, right) {
            (Some(left), Some(right)) => left.partial_cmp(right).unwrap_or(Ordering::Equal),
            (left, right) => left.is_none().cmp(&right.is_none()),
        };
        match order {
            SortOrder::Ascending => ascending,
            SortOrder::Descending => ascending.reverse(),
        }
    }
}

/// Of several values the primary one, else the first.
fn one_of(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(elements) => {
            elements.iter().find(|one| one["primary"] == true).or_else(|| elements.first())
        }
        value => Some(value),
    }
}
