//! The canonical value of one attribute.

use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use super::{members::members, once, reference_id};
use crate::scim::{
    Error,
    schema::{Attribute, Kind, Mutability},
    text::instant,
};

/// A text is at most so many characters.
pub const MAX_TEXT_CHARS: usize = 4096;

/// A multi-valued attribute, other than `members`, has at most so many values.
pub const MAX_ELEMENTS: usize = 100;

/// The canonical form of what was sent for `attribute`, which stands at `place`; nothing if that
/// means that there is no value.
///
/// What clients are known to send is taken: the words `"True"` and `"false"` for booleans, numbers for
/// texts and the other way round, the bare value of a complex attribute (`manager`), a single value
/// without its array, and a simple value in an array or an object of its own.
pub(in crate::scim) fn canonical(
    attribute: &Attribute,
    value: &Value,
    place: &str,
) -> Result<Option<Value>, Error> {
    if attribute.name == "members" {
        let ids: Vec<Value> = members(value)?.into_iter().map(Value::from).collect();
        return Ok((!ids.is_empty()).then_some(ids.into()));
    }
    if attribute.multi_valued {
        return elements(attribute, value, place);
    }
    match value {
        Value::Array(only) if only.len() <= 1 => match only.first() {
            Some(Value::Array(_)) | None => Ok(None),
            Some(only) => single(attribute, only, place),
        },
        value => single(attribute, value, place),
    }
}

/// Equal elements are one element.
fn elements(attribute: &Attribute, value: &Value, place: &str) -> Result<Option<Value>, Error> {
    let sent = match value {
        Value::Array(elements) => elements.as_slice(),
        single => std::slice::from_ref(single),
    };
    if sent.len() > MAX_ELEMENTS {
        return Err(Error::value(format_args!("{place} has more than {MAX_ELEMENTS} values")));
    }
    let mut seen = HashSet::new();
    let mut found = Vec::with_capacity(sent.len());
    for element in sent {
        if let Some(element) = single(attribute, element, place)?
            && seen.insert(element.to_string())
        {
            found.push(element);
        }
    }
    if has_two_primaries(&found) {
        return Err(Error::value(format_args!("{place} has more than one primary value")));
    }
    Ok((!found.is_empty()).then_some(Value::Array(found)))
}

/// [RFC 7643, 2.4]: `primary` is true at most once.
pub(in crate::scim) fn has_two_primaries(elements: &[Value]) -> bool {
    elements.iter().filter(|element| element["primary"] == true).count() > 1
}

fn single(attribute: &Attribute, value: &Value, place: &str) -> Result<Option<Value>, Error> {
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (Kind::Complex, value) => complex(attribute, value, place),
        // {"$ref": null, "value": "x"} for "x".
        (_, Value::Object(members)) => match member_value(members) {
            Some(Value::Null) => Ok(None),
            Some(value) => simple(attribute, value, place).map(Some),
            None => Err(wrong(attribute, place)),
        },
        (_, value) => simple(attribute, value, place).map(Some),
    }
}

fn member_value(members: &Map<String, Value>) -> Option<&Value> {
    members.iter().find(|(name, _)| name.eq_ignore_ascii_case("value")).map(|(_, value)| value)
}

fn complex(attribute: &Attribute, value: &Value, place: &str) -> Result<Option<Value>, Error> {
    let Some(sent) = value.as_object() else {
        let bare = attribute.sub_attribute("value").ok_or_else(|| wrong(attribute, place))?;
        let value = simple(bare, value, place)?;
        return Ok(Some(Value::Object(Map::from_iter([("value".to_owned(), value)]))));
    };
    let mut found = Map::new();
    let mut seen = HashSet::new();
    for (name, value) in sent {
        let Some(sub) = attribute.sub_attribute(name) else { continue };
        once(&mut seen, sub.name)?;
        if sub.mutability == Mutability::ReadOnly {
            continue;
        }
        if let Some(value) = canonical(sub, value, &format!("{place}.{}", sub.name))? {
            found.insert(sub.name.to_owned(), value);
        }
    }
    // An address of ours says nothing but the id, and is answered from the id.
    if let Some(reference) = found.remove("$ref") {
        let place = format!("{place}.$ref");
        let id = reference_id(reference.as_str().unwrap_or_default(), &place)?;
        found.entry("value").or_insert(id.into());
    }
    Ok((!found.is_empty()).then_some(Value::Object(found)))
}

fn simple(attribute: &Attribute, value: &Value, place: &str) -> Result<Value, Error> {
    let wrong = || wrong(attribute, place);
    match (attribute.kind, value) {
        (Kind::Boolean, Value::Bool(_)) | (Kind::Decimal, Value::Number(_)) => Ok(value.clone()),
        (Kind::Boolean, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            _ => Err(wrong()),
        },
        (Kind::Integer, Value::Number(number)) if number.is_i64() => Ok(value.clone()),
        (Kind::Integer, Value::String(text)) => {
            text.parse::<i64>().map(Value::from).map_err(|_| wrong())
        }
        (Kind::Decimal, Value::String(text)) => {
            text.parse::<Number>().map(Value::Number).map_err(|_| wrong())
        }
        (Kind::String, Value::Number(number)) => Ok(number.to_string().into()),
        (Kind::DateTime, Value::String(text)) if instant(text).is_none() => Err(wrong()),
        (Kind::String | Kind::Reference | Kind::Binary | Kind::DateTime, Value::String(text)) => {
            if text.chars().nth(MAX_TEXT_CHARS).is_some() {
                let detail = format_args!("{place} is longer than {MAX_TEXT_CHARS} characters");
                return Err(Error::value(detail));
            }
            Ok(value.clone())
        }
        _ => Err(wrong()),
    }
}

fn wrong(attribute: &Attribute, place: &str) -> Error {
    Error::value(format_args!("{place} is not a value of the type {}", attribute.kind.name()))
}
