//! What all models of the identity side have in common: attributes with types, and one way to choose
//! among them.
//!
//! An attribute that may be queried stands in the list of its model (`ATTRIBUTES`). What is not there,
//! such as the hash of a secret, is not seen by a query either.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::json::Invalid;

/// The type of an attribute's values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Type {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// Yes or no.
    Boolean,
    /// A time (RFC 3339), as text.
    Time,
    /// Something with attributes of its own, by which nobody asks.
    Object,
}

/// An attribute of a model.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// The type of its values.
    pub r#type: Type,
    /// Whether it has a list of them.
    pub is_list: bool,
}

impl Attribute {
    /// An attribute with one value.
    pub const fn one(name: &'static str, r#type: Type) -> Self {
        Self { name, r#type, is_list: false }
    }

    /// An attribute with a list of values.
    pub const fn list(name: &'static str, r#type: Type) -> Self {
        Self { name, r#type, is_list: true }
    }

    /// Whether `value` can be one of its values.
    pub fn takes(&self, value: &Value) -> bool {
        match self.r#type {
            Type::Text => value.is_string(),
            Type::Number => value.is_u64() || value.is_i64(),
            Type::Boolean => value.is_boolean(),
            Type::Time => {
                value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
            }
            Type::Object => value.is_object(),
        }
    }
}

/// The attributes of `model`, as they are written, and no other members.
pub fn view(attributes: &[Attribute], model: &impl Serialize) -> Map<String, Value> {
    let mut view = match serde_json::to_value(model) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    };
    view.retain(|name, _| attributes.iter().any(|attribute| attribute.name == name));
    view
}

/// Which models are wanted: those whose every attribute named has one of the values beside it. No
/// values at all (`None`) means any, an empty list none.
pub type Filter<'a> = [(&'a str, Option<Vec<Value>>)];

/// Whether a model with this `view` is wanted. A filter that is not there, or that names nothing,
/// wants all. One that names what there is not, or has a value of another type, is refused, for
/// nobody can tell what was meant.
pub fn matches(
    attributes: &[Attribute],
    view: &Map<String, Value>,
    filter: Option<&Filter<'_>>,
) -> Result<bool, Invalid> {
    let mut all = true;
    for (name, values) in filter.unwrap_or_default() {
        let Some(attribute) = attributes.iter().find(|attribute| attribute.name == *name) else {
            return Err(Invalid::new(*name, "is not an attribute"));
        };
        let Some(values) = values else { continue };
        if !values.iter().all(|value| attribute.takes(value)) {
            let reason = format!("is compared with what is no {:?}", attribute.r#type);
            return Err(Invalid::new(*name, reason.to_lowercase()));
        }
        let has = match view.get(*name) {
            Some(Value::Array(has)) if attribute.is_list => has.as_slice(),
            Some(has) => std::slice::from_ref(has),
            None => &[],
        };
        all &= has.iter().any(|value| values.contains(value));
    }
    Ok(all)
}

/// Whether a count need not be kept.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(crate) fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ATTRIBUTES: [Attribute; 4] = [
        Attribute::one("id", Type::Text),
        Attribute::one("created", Type::Time),
        Attribute::one("disabled", Type::Boolean),
        Attribute::list("scope", Type::Text),
    ];

    #[test]
    fn attributes_are_joined_by_and_and_values_by_or() {
        let model = json!({
            "id": "a", "created": "2026-01-01T00:00:00Z", "disabled": false,
            "scope": ["read", "write"], "secret": "s",
        });
        let view = view(&ATTRIBUTES, &model);
        assert!(!view.contains_key("secret"));
        let matches = |filter: Option<&Filter<'_>>| matches(&ATTRIBUTES, &view, filter);
        let one = |name, values: Value| (name, values.as_array().cloned());
        let cases = [
            (vec![], true),
            (vec![("id", None)], true),
            (vec![one("id", json!([]))], false),
            (vec![one("id", json!(["a"]))], true),
            (vec![one("id", json!(["b", "a"]))], true),
            (vec![one("id", json!(["A"]))], false),
            (vec![one("scope", json!(["write"]))], true),
            (vec![one("scope", json!(["x", "read"]))], true),
            (vec![one("scope", json!(["x"]))], false),
            (vec![one("id", json!(["a"])), one("scope", json!(["read"]))], true),
            (vec![one("id", json!(["a"])), one("scope", json!(["x"]))], false),
            (vec![one("id", json!(["a"])), one("scope", json!([]))], false),
            (vec![one("disabled", json!([false]))], true),
            (vec![one("created", json!(["2026-01-01T00:00:00Z"]))], true),
        ];
        assert_eq!(matches(None), Ok(true));
        for (filter, wanted) in cases {
            assert_eq!(matches(Some(&filter)), Ok(wanted), "{filter:?}");
        }
    }

    #[test]
    fn what_is_no_attribute_or_of_another_type_is_refused() {
        let view = Map::new();
        for (name, value) in [
            ("name", json!("a")),
            ("id", json!(1)),
            ("disabled", json!("false")),
            ("created", json!("yesterday")),
        ] {
            let filter = [(name, Some(vec![value]))];
            let refused = matches(&ATTRIBUTES, &view, Some(&filter)).unwrap_err();
            assert_eq!(refused.member, name);
        }
    }
}
