//! Sorts resources ([RFC 7644, 3.4.2.3]).

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::SortOrder;
use crate::scim::{
    schema::{AttributePath, Kind},
    text::{instant, whole},
};

/// What a resource is sorted by; values of one attribute are of one kind.
#[derive(PartialEq, PartialOrd)]
enum Key {
    Boolean(bool),
    Number(f64),
    Time(Timestamp),
    Text(String),
}

/// Sorts by the attribute: text without case unless the schema says that case matters, points in time
/// as such, a multi-valued attribute by its primary or else its first value. Who has no value comes
/// last, and in descending order first. Equals stay in their order.
pub fn sort(resources: &mut Vec<Value>, by: AttributePath, order: SortOrder) {
    let mut keyed: Vec<_> =
        std::mem::take(resources).into_iter().map(|one| (key(&one, by), one)).collect();
    keyed.sort_by(|(left, _), (right, _)| {
        let ascending = match (left, right) {
            (Some(left), Some(right)) => left.partial_cmp(right).unwrap_or(Ordering::Equal),
            (left, right) => left.is_none().cmp(&right.is_none()),
        };
        match order {
            SortOrder::Ascending => ascending,
            SortOrder::Descending => ascending.reverse(),
        }
    });
    resources.extend(keyed.into_iter().map(|(_, one)| one));
}

fn key(resource: &Value, by: AttributePath) -> Option<Key> {
    let value = by.attribute_in(resource.as_object()?)?;
    let value = match value {
        Value::Array(elements) => {
            elements.iter().find(|one| one["primary"] == true).or_else(|| elements.first())?
        }
        value => value,
    };
    let value = match by.sub_attribute {
        Some(sub) => value.get(sub.name)?,
        None => value,
    };
    match value {
        Value::Bool(value) => Some(Key::Boolean(*value)),
        Value::Number(number) => number.as_f64().map(Key::Number),
        Value::String(text) if by.leaf().kind == Kind::DateTime => instant(text).map(Key::Time),
        Value::String(text) => Some(Key::Text(whole(text, by.leaf().case_exact).into_owned())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
