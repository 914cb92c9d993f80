//! Applies one step to a resource.

use serde_json::{Map, Value, map::Entry};

use super::{Operation, Step, Target, elements};
use crate::scim::{
    Error,
    schema::{AttributePath, Kind, Schema},
};

impl Step {
    pub(super) fn apply(&self, resource: &mut Map<String, Value>) -> Result<(), Error> {
        match &self.target {
            Target::Id => {
                if resource.get("id") == self.value.as_ref() {
                    return Ok(());
                }
                Err(Error::mutability("id is read-only"))
            }
            Target::Extension(schema) => {
                resource.remove(schema.id);
                Ok(())
            }
            Target::Attribute(path) => {
                within(resource, path.extension, |members| self.attribute(members, *path))
            }
            Target::Elements { path, filter, sub_attribute } => {
                within(resource, path.extension, |members| {
                    list(members, *path, |list| match self.operation {
                        Operation::Remove => {
                            elements::remove_selected(list, filter, *sub_attribute);
                            Ok(())
                        }
                        Operation::Add | Operation::Replace => elements::set_selected(
                            list,
                            *path,
                            filter,
                            *sub_attribute,
                            self.value.as_ref(),
                            self.operation == Operation::Replace,
                        ),
                    })
                })
            }
        }
    }

    fn attribute(
        &self,
        members: &mut Map<String, Value>,
        path: AttributePath,
    ) -> Result<(), Error> {
        let name = path.attribute.name;
        let value = self.value.as_ref();
        match (path.sub_attribute, path.attribute.multi_valued) {
            (None, true) => list(members, path, |list| match (self.operation, value) {
                (Operation::Add, Some(Value::Array(new))) => elements::add(list, path, new),
                (Operation::Remove, Some(Value::Array(gone))) => {
                    elements::remove(list, path.attribute, gone);
                    Ok(())
                }
                (Operation::Replace, Some(Value::Array(new))) => {
                    list.clone_from(new);
                    Ok(())
                }
                (Operation::Remove | Operation::Replace, _) => {
                    list.clear();
                    Ok(())
                }
                (Operation::Add, _) => Ok(()),
            }),
            (Some(sub), true) => list(members, path, |list| match (self.operation, value) {
                (Operation::Add | Operation::Replace, Some(value)) => {
                    elements::set_in_all(list, path, sub, value)
                }
                (Operation::Remove | Operation::Replace, _) => {
                    elements::remove_from_all(list, sub);
                    Ok(())
                }
                (Operation::Add, None) => Ok(()),
            }),
            (None, false) => {
                match (self.operation, value) {
                    (Operation::Remove, _) | (Operation::Replace, None) => {
                        members.remove(name);
                    }
                    (Operation::Add, None) => {}
                    (_, Some(Value::Object(parts))) if path.attribute.kind == Kind::Complex => {
                        // What is not given stays ([RFC 7644, 3.5.2.3]).
                        if let Some(complex) = object(members, name) {
                            complex.extend(parts.clone());
                        }
                    }
                    (_, Some(value)) => {
                        members.insert(name.to_owned(), value.clone());
                    }
                }
                Ok(())
            }
            (Some(sub), false) => {
                let Some(complex) = object(members, name) else { return Ok(()) };
                match (self.operation, value) {
                    (Operation::Add, None) => {}
                    (Operation::Remove, _) | (Operation::Replace, None) => {
                        complex.remove(sub.name);
                    }
                    (_, Some(value)) => {
                        complex.insert(sub.name.to_owned(), value.clone());
                    }
                }
                if complex.is_empty() {
                    members.remove(name);
                }
                Ok(())
            }
        }
    }
}

/// Changes the members of the resource, or of one of its extensions, which is gone when it is empty.
fn within(
    resource: &mut Map<String, Value>,
    extension: Option<&'static Schema>,
    change: impl FnOnce(&mut Map<String, Value>) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(schema) = extension else { return change(resource) };
    let Some(members) = object(resource, schema.id) else { return Ok(()) };
    let changed = change(members);
    if members.is_empty() {
        resource.remove(schema.id);
    }
    changed
}

/// Changes the elements of a multi-valued attribute, which is gone when it has none.
fn list(
    members: &mut Map<String, Value>,
    path: AttributePath,
    change: impl FnOnce(&mut Vec<Value>) -> Result<(), Error>,
) -> Result<(), Error> {
    let name = path.attribute.name;
    let mut list = match members.remove(name) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    change(&mut list)?;
    elements::unique(&mut list);
    if list.len() > crate::scim::normalize::MAX_ELEMENTS {
        let max = crate::scim::normalize::MAX_ELEMENTS;
        return Err(Error::value(format_args!("{path} has more than {max} values")));
    }
    if !list.is_empty() {
        members.insert(name.to_owned(), list.into());
    }
    Ok(())
}

/// The object with this name, made if there is none. Nothing if something else stands there, which
/// a canonical resource does not have.
fn object<'m>(
    members: &'m mut Map<String, Value>,
    name: &str,
) -> Option<&'m mut Map<String, Value>> {
    match members.entry(name) {
        Entry::Vacant(entry) => entry.insert(Value::Object(Map::new())).as_object_mut(),
        Entry::Occupied(entry) => entry.into_mut().as_object_mut(),
    }
}
