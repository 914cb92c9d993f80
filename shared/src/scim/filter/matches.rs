//! Whether a resource meets a filter.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::{Filter, Literal, Operator};
use crate::scim::{
    schema::{Attribute, AttributePath},
    text::{instant, part, whole},
};

/// Where values are looked for.
#[derive(Clone, Copy)]
enum Scope<'r> {
    Resource(&'r Map<String, Value>),
    /// An element of a multi-valued attribute; paths are of its members.
    Element(&'r Value),
}

impl<'r> Scope<'r> {
    fn values(self, path: &AttributePath) -> Vec<&'r Value> {
        match self {
            Self::Resource(resource) => path.values(resource),
            Self::Element(element) => {
                element.get(path.leaf().name).into_iter().filter(|value| !value.is_null()).collect()
            }
        }
    }
}

impl Filter {
    /// Whether the resource, in its canonical form, meets the filter. Of a multi-valued attribute one
    /// element is enough ([RFC 7644, 3.4.2.2]).
    pub fn matches(&self, resource: &Value) -> bool {
        resource.as_object().is_some_and(|resource| self.holds(Scope::Resource(resource)))
    }

    /// The same for one element of a multi-valued attribute, if this is the filter of a value path.
    pub fn selects(&self, element: &Value) -> bool {
        self.holds(Scope::Element(element))
    }

    fn holds(&self, scope: Scope<'_>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(scope)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(scope)),
            Self::Not(part) => !part.holds(scope),
            Self::Present(path) => scope.values(path).into_iter().any(is_present),
            Self::ValuePath { path, filter } => {
                let elements = scope.values(path);
                elements.into_iter().any(|element| filter.holds(Scope::Element(element)))
            }
            Self::Compare { path, operator, value: literal } => {
                let values = scope.values(path);
                let mut values = values.into_iter();
                match operator {
                    Operator::NotEqual if values.len() == 0 => true,
                    _ => values.any(|value| compare(path.leaf(), value, *operator, literal)),
                }
            }
        }
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => elements.iter().any(is_present),
        Value::Object(members) => members.values().any(is_present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compare(attribute: &Attribute, value: &Value, operator: Operator, literal: &Literal) -> bool {
    if let (Literal::Text(right), Some(left)) = (literal, value.as_str()) {
        let exact = attribute.case_exact;
        let of_parts =
            |holds: fn(&str, &str) -> bool| holds(&part(left, exact), &part(right, exact));
        return match operator {
            Operator::Contains => of_parts(|left, right| left.contains(right)),
            Operator::StartsWith => of_parts(|left, right| left.starts_with(right)),
            Operator::EndsWith => of_parts(|left, right| left.ends_with(right)),
            _ => ordered(Some(whole(left, exact).cmp(&whole(right, exact))), operator),
        };
    }
    let order = match literal {
        Literal::Text(_) => None,
        Literal::Boolean(right) => value.as_bool().map(|left| left.cmp(right)),
        Literal::Number(right) => {
            value.as_f64().zip(right.as_f64()).and_then(|(left, right)| left.partial_cmp(&right))
        }
        Literal::Time(right) => value.as_str().and_then(instant).map(|left| left.cmp(right)),
    };
    ordered(order, operator)
}

/// Whether values whose order is this compare so; values of different kinds have none.
fn ordered(order: Option<Ordering>, operator: Operator) -> bool {
    let Some(order) = order else { return operator == Operator::NotEqual };
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => false,
    }
}
