//! What changed from one resource to another: the names of it, and a PATCH that does it again.
//!
//! Both resources are in their canonical form. What only we write (`meta`, `groups`) is no change
//! here.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::{
    ResourceType,
    patch::PATCH_OP,
    schema::{Attribute, AttributePath, Kind, Mutability},
    text::whole,
};

/// The paths of the attributes that changed, as `attributes` of an event names them ([RFC 9967]): as
/// exactly as can be told, such as `name.givenName` and `emails[type eq "work"].value`. Attributes of
/// extensions have their URN in front. A password that was written is named.
pub fn changed(
    resource_type: ResourceType,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Vec<String> {
    let mut paths = Vec::new();
    for path in attributes(resource_type) {
        let (old, new) = (path.attribute_in(before), path.attribute_in(after));
        if path.is("members") {
            paths.extend((old != new).then(|| path.to_string()));
        } else {
            paths.extend(changes(path, old, new).into_iter().map(|change| change.path));
        }
    }
    paths
}

/// A PATCH request that turns the one resource into the other, without the password; nothing if there
/// is nothing else to change. Members of a group join and leave one by one, so that it does not
/// matter who else is in the group.
pub fn patch(
    resource_type: ResourceType,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Option<Value> {
    let mut operations = Vec::new();
    for path in attributes(resource_type) {
        let (old, new) = (path.attribute_in(before), path.attribute_in(after));
        if path.is("members") {
            operations.extend(membership(old, new));
        } else if path.attribute.mutability != Mutability::WriteOnly {
            operations.extend(changes(path, old, new).into_iter().map(Change::operation));
        }
    }
    let request = json!({ "schemas": [PATCH_OP], "Operations": operations });
    (!operations.is_empty()).then_some(request)
}

/// What a client may write, of the core schema, the common attributes, and the extensions.
fn attributes(resource_type: ResourceType) -> impl Iterator<Item = AttributePath> {
    let external_id = resource_type.attribute("externalId");
    let core = resource_type.core().attributes.iter().chain(external_id);
    let core = core.map(|attribute| (None, attribute));
    let extended = resource_type.extensions().iter().flat_map(|schema| {
        schema.attributes.iter().map(move |attribute| (Some(*schema), attribute))
    });
    core.chain(extended)
        .filter(|(_, attribute)| attribute.mutability != Mutability::ReadOnly)
        .map(|(extension, attribute)| AttributePath { extension, attribute, sub_attribute: None })
}

/// A value that is new at its path, or gone from it.
struct Change {
    path: String,
    value: Option<Value>,
}

impl Change {
    fn of(path: &impl ToString, value: Option<&Value>) -> Self {
        Self { path: path.to_string(), value: value.cloned() }
    }

    fn operation(self) -> Value {
        match self.value {
            Some(value) => json!({ "op": "replace", "path": self.path, "value": value }),
            None => json!({ "op": "remove", "path": self.path }),
        }
    }
}

fn changes(path: AttributePath, old: Option<&Value>, new: Option<&Value>) -> Vec<Change> {
    if old == new {
        return Vec::new();
    }
    let parts = match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new)))
            if path.attribute.kind == Kind::Complex =>
        {
            let parts = differing(path.attribute, old, new);
            Some(parts.map(|(sub, value)| Change::of(&path.with(Some(sub)), value)).collect())
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => elements(path, old, new),
        _ => None,
    };
    parts.unwrap_or_else(|| vec![Change::of(&path, new)])
}

/// The sub-attributes that are not the same, with their new values.
fn differing<'v>(
    attribute: &'static Attribute,
    old: &'v Map<String, Value>,
    new: &'v Map<String, Value>,
) -> impl Iterator<Item = (&'static Attribute, Option<&'v Value>)> {
    let subs = attribute.sub_attributes.iter();
    subs.filter(|sub| old.get(sub.name) != new.get(sub.name)).map(|sub| (sub, new.get(sub.name)))
}

/// The changes within elements, if these are the same ones by their types, in the same order. That
/// another one is primary is told as a change of the whole.
fn elements(path: AttributePath, old: &[Value], new: &[Value]) -> Option<Vec<Change>> {
    let types = types(old)?;
    if types != self::types(new)? || !told_apart(&types) {
        return None;
    }
    let mut changes = Vec::new();
    for ((old, new), kind) in old.iter().zip(new).zip(types) {
        let (old, new) = (old.as_object()?, new.as_object()?);
        let says_something = new.keys().any(|name| !["type", "primary"].contains(&name.as_str()));
        // What is new comes first, so that the element says something all the time.
        let mut parts: Vec<_> = differing(path.attribute, old, new).collect();
        parts.sort_by_key(|(_, value)| value.is_none());
        for (sub, value) in parts {
            // Of an element that says nothing any more, a PATCH leaves nothing.
            if sub.name == "primary" || (value.is_none() && !says_something) {
                return None;
            }
            let element = format!("{path}[type eq {}].{}", Value::from(kind), sub.name);
            changes.push(Change::of(&element, value));
        }
    }
    Some(changes)
}

fn types(elements: &[Value]) -> Option<Vec<&str>> {
    elements.iter().map(|element| element["type"].as_str()).collect()
}

/// Whether a filter by type selects one element only.
fn told_apart(types: &[&str]) -> bool {
    const MAX_TYPE_BYTES: usize = 256;
    let mut folded: Vec<_> = types.iter().map(|kind| whole(kind, false)).collect();
    folded.sort_unstable();
    folded.windows(2).all(|pair| pair[0] != pair[1])
        && types.iter().all(|kind| kind.len() <= MAX_TYPE_BYTES)
}

/// Operations by which members join and leave.
fn membership(old: Option<&Value>, new: Option<&Value>) -> Vec<Value> {
    let ids = |members: Option<&'_ Value>| -> Vec<String> {
        let members = members.and_then(Value::as_array).into_iter().flatten();
        members.filter_map(|member| member["value"].as_str()).map(str::to_owned).collect()
    };
    let (old, new) = (ids(old), ids(new));
    let (was, is): (std::collections::HashSet<_>, std::collections::HashSet<_>) =
        (old.iter().collect(), new.iter().collect());
    let gone: Vec<_> = old.iter().filter(|id| !is.contains(id)).collect();
    let come: Vec<_> = new.iter().filter(|id| !was.contains(id)).collect();
    let list = |ids: &[&String]| -> Value { ids.iter().map(|id| json!({ "value": id })).collect() };
    let leave = gone
        .iter()
        .map(|id| json!({ "op": "remove", "path": format!("members[value eq {}]", json!(id)) }));
    let join =
        (!come.is_empty()).then(|| json!({ "op": "add", "path": "members", "value": list(&come) }));
    leave.chain(join).collect()
}
