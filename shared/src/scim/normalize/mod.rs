//! What a client sent, as a canonical resource.
//!
//! Names are in the schemas' spelling; what the schemas do not know and what a client may not write
//! is left out without a word, for clients send back what they read. Values have the right types, some
//! of them by a helping hand, and are otherwise as they were sent. Nothing is `null`, `[]` or `{}`:
//! these mean that there is no value ([RFC 7643, 2.5]).

mod members;
#[cfg(test)]
pub(super) mod tests;
mod value;

use std::collections::HashSet;

use serde_json::{Map, Value};

pub use members::{MAX_MEMBERS, Member};
pub(super) use members::{at_most, members, reference_id};
pub use value::{MAX_ELEMENTS, MAX_TEXT_CHARS};
pub(super) use value::{canonical, has_two_primaries};

use super::{
    Error, ErrorKind, ResourceType,
    error::shown,
    schema::{Attribute, Mutability, Schema},
};

/// A resource without its members or its groups is at most so many bytes of JSON: it must fit into a row.
pub const MAX_RESOURCE_BYTES: usize = 128 * 1024;

/// What the resource is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// A new resource. A User of which it is not said whether it is active, is.
    Create,
    /// In place of one that exists. What is not said about `active` is left to the caller: that a
    /// client leaves it out must unlock nobody.
    Replace,
}

/// The canonical form of `resource`, which must name its core schema and have what is required.
///
/// `schemas` in the result are those that it uses. `members` of a Group are reduced to their ids; a
/// `password` is in it if one was sent, and is for the caller to take out.
pub fn normalize(
    resource_type: ResourceType,
    resource: &Value,
    mode: Mode,
) -> Result<Map<String, Value>, Error> {
    let sent =
        resource.as_object().ok_or_else(|| Error::syntax("the resource is not an object"))?;
    let mut found = Map::new();
    let mut seen = HashSet::new();
    let mut schemas = None;
    for (name, value) in sent {
        if let Some(extension) = resource_type.extension(name) {
            once(&mut seen, extension.id)?;
            if let Some(value) = extension_value(extension, value)? {
                found.insert(extension.id.to_owned(), value);
            }
            continue;
        }
        let Some(attribute) = resource_type.attribute(name) else { continue };
        once(&mut seen, attribute.name)?;
        if attribute.name == "schemas" {
            schemas = Some(value);
        } else if let Some(value) = writable(attribute, value, attribute.name)? {
            found.insert(attribute.name.to_owned(), value);
        }
    }
    names_core(resource_type, schemas)?;
    if mode == Mode::Create && resource_type == ResourceType::User {
        found.entry("active").or_insert(Value::Bool(true));
    }
    finish(resource_type, &mut found)?;
    Ok(found)
}

/// Demands what every resource has, and says which schemas it uses.
pub(super) fn finish(
    resource_type: ResourceType,
    resource: &mut Map<String, Value>,
) -> Result<(), Error> {
    for attribute in resource_type.core().attributes.iter().filter(|one| one.required) {
        let text = resource.get(attribute.name).and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() {
            return Err(Error::value(format_args!("{} is required", attribute.name)));
        }
    }
    resource.insert("schemas".to_owned(), resource_type.schemas_of(resource));
    let own = resource.iter().filter(|(name, _)| !["members", "groups"].contains(&name.as_str()));
    let bytes: usize = own.map(|(name, value)| name.len() + value.to_string().len() + 4).sum();
    if bytes > MAX_RESOURCE_BYTES {
        let detail = format_args!("the resource is larger than {MAX_RESOURCE_BYTES} bytes");
        return Err(Error::new(ErrorKind::TooLarge, detail));
    }
    Ok(())
}

/// The canonical value of an attribute at the top of a resource or of an extension; nothing if it is
/// not a client's to write.
fn writable(attribute: &Attribute, value: &Value, place: &str) -> Result<Option<Value>, Error> {
    if attribute.mutability == Mutability::ReadOnly {
        return Ok(None);
    }
    canonical(attribute, value, place)
}

/// The canonical form of an extension's object.
fn extension_value(extension: &'static Schema, value: &Value) -> Result<Option<Value>, Error> {
    let Some(sent) = value.as_object() else {
        let problem = format_args!("{} is not an object", extension.id);
        return if value.is_null() { Ok(None) } else { Err(Error::value(problem)) };
    };
    let mut found = Map::new();
    let mut seen = HashSet::new();
    for (name, value) in sent {
        let Some(attribute) = extension.attribute(name) else { continue };
        once(&mut seen, attribute.name)?;
        let place = format!("{}:{}", extension.id, attribute.name);
        if let Some(value) = writable(attribute, value, &place)? {
            found.insert(attribute.name.to_owned(), value);
        }
    }
    Ok((!found.is_empty()).then_some(Value::Object(found)))
}

/// Names that differ in case only are one name, and a name is there once.
fn once(seen: &mut HashSet<&'static str>, name: &'static str) -> Result<(), Error> {
    if seen.insert(name) {
        return Ok(());
    }
    Err(Error::syntax(format_args!("{name} is there twice")))
}

/// `schemas` must name the core schema. Extensions need not be named where their object is.
fn names_core(resource_type: ResourceType, schemas: Option<&Value>) -> Result<(), Error> {
    if names_schema(schemas, resource_type.core().id) {
        return Ok(());
    }
    Err(Error::syntax(format_args!("schemas does not name {}", resource_type.core().id)))
}

/// Whether `schemas`, an array or a single text, names the schema `id`.
pub(super) fn names_schema(schemas: Option<&Value>, id: &str) -> bool {
    let is = |value: &Value| value.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(id));
    match schemas {
        Some(Value::Array(urns)) => urns.iter().any(is),
        Some(urn) => is(urn),
        None => false,
    }
}

/// The member of a message of the protocol, such as `Operations`, whatever the case of its name.
pub(super) fn member<'m>(
    message: &'m Map<String, Value>,
    name: &str,
) -> Result<Option<&'m Value>, Error> {
    let mut found = message.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
    let first = found.next().map(|(_, value)| value);
    if found.next().is_some() {
        return Err(Error::syntax(format_args!("{} is there twice", shown(name))));
    }
    Ok(first.filter(|value| !value.is_null()))
}
