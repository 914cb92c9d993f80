//! Reads PATCH requests into steps that each change one attribute.

use serde_json::{Map, Value};

use super::{
    MAX_CHANGES, MAX_OPERATIONS, MemberOperation, Operation, PATCH_OP, PatchRequest, Step, Target,
    members::{self, count},
};
use crate::scim::{
    Error, ErrorKind, Path, ResourceType,
    filter::MAX_TERMS,
    normalize::{at_most, canonical, member, names_schema, reference_id},
    schema::{AttributePath, Mutability, Schema},
};

/// Whether the client wrote a path, or a value whose names are paths. What cannot be changed is
/// refused in the one and ignored in the other, for clients send back what they read.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Form {
    WithPath,
    WithoutPath,
}

struct Reader {
    resource_type: ResourceType,
    steps: Vec<Step>,
    members: Vec<MemberOperation>,
}

pub(super) fn request(message: &Value, resource_type: ResourceType) -> Result<PatchRequest, Error> {
    let message = message.as_object().ok_or_else(|| Error::syntax("the body is not an object"))?;
    if !names_schema(member(message, "schemas")?, PATCH_OP) {
        return Err(Error::syntax(format_args!("schemas does not name {PATCH_OP}")));
    }
    let operations = match member(message, "Operations")? {
        Some(Value::Array(operations)) if !operations.is_empty() => operations,
        _ => return Err(Error::syntax("Operations is not an array that holds any")),
    };
    if operations.len() > MAX_OPERATIONS {
        let detail = format_args!("Operations holds more than {MAX_OPERATIONS}");
        return Err(Error::new(ErrorKind::TooLarge, detail));
    }
    let mut reader = Reader { resource_type, steps: Vec::new(), members: Vec::new() };
    for (at, operation) in operations.iter().enumerate() {
        reader.operation(operation).map_err(|error| {
            Error::new(error.kind, format_args!("Operations[{at}]: {}", error.detail))
        })?;
    }
    at_most(count(&reader.members))?;
    reader.bounded()?;
    Ok(PatchRequest { resource_type, steps: reader.steps, members: reader.members })
}

impl Reader {
    fn operation(&mut self, message: &Value) -> Result<(), Error> {
        let message = message.as_object().ok_or_else(|| Error::syntax("it is not an object"))?;
        let word = member(message, "op")?.and_then(Value::as_str).unwrap_or_default();
        let operation = match word.to_ascii_lowercase().as_str() {
            "add" => Operation::Add,
            "replace" => Operation::Replace,
            "remove" => Operation::Remove,
            _ => return Err(Error::syntax("op is not add, remove or replace")),
        };
        let value = message.iter().find(|(name, _)| name.eq_ignore_ascii_case("value"));
        let value = value.map(|(_, value)| value);
        if value.is_none() && operation != Operation::Remove {
            return Err(Error::value("value is missing"));
        }
        match member(message, "path")? {
            Some(Value::String(path)) => {
                let path = Path::parse(path, self.resource_type)?;
                self.change(operation, path, value, Form::WithPath)
            }
            Some(_) => Err(Error::syntax("path is not a text")),
            None if operation == Operation::Remove => {
                Err(Error::new(ErrorKind::NoTarget, "path is missing"))
            }
            None => self.attributes(operation, value.and_then(Value::as_object)),
        }
    }

    /// An operation without a path: the value holds attributes.
    fn attributes(
        &mut self,
        operation: Operation,
        attributes: Option<&Map<String, Value>>,
    ) -> Result<(), Error> {
        let attributes = attributes.ok_or_else(|| Error::value("value is not an object"))?;
        for (name, value) in attributes {
            match Path::parse(name, self.resource_type) {
                Ok(path) => self.change(operation, path, Some(value), Form::WithoutPath)?,
                Err(error) if error.kind == ErrorKind::InvalidPath => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn change(
        &mut self,
        operation: Operation,
        path: Path,
        value: Option<&Value>,
        form: Form,
    ) -> Result<(), Error> {
        if self.resource_type == ResourceType::Group
            && let Path::Attribute(of) | Path::Elements { path: of, .. } = &path
            && of.attribute.name == "members"
        {
            return match members::operation(operation, &path, value) {
                Ok(operation) => {
                    self.members.push(operation);
                    Ok(())
                }
                Err(error) if error.kind == ErrorKind::Mutability && form == Form::WithoutPath => {
                    Ok(())
                }
                Err(error) => Err(error),
            };
        }
        match path {
            Path::Extension(schema) => self.extension(operation, schema, value),
            Path::Attribute(path) => self.attribute(operation, path, value, form),
            Path::Elements { path, filter, sub_attribute } => {
                if !path.attribute.multi_valued {
                    return Err(Error::path(format_args!("{path} has no values to select from")));
                }
                let whole = path.with(sub_attribute);
                if !may_change(operation, &whole, form)? {
                    return Ok(());
                }
                let value = match (operation, value) {
                    (Operation::Remove, _) | (_, None) => None,
                    (_, Some(value)) => new_value(&whole, value)?,
                };
                let value = match value {
                    // The value of a whole element, which is one.
                    Some(Value::Array(mut elements)) if sub_attribute.is_none() => {
                        if elements.len() > 1 {
                            let detail = format_args!("{path} with a filter takes one value");
                            return Err(Error::value(detail));
                        }
                        elements.pop()
                    }
                    value => value,
                };
                self.push(operation, Target::Elements { path, filter, sub_attribute }, value);
                Ok(())
            }
        }
    }

    fn attribute(
        &mut self,
        operation: Operation,
        path: AttributePath,
        value: Option<&Value>,
        form: Form,
    ) -> Result<(), Error> {
        match path.attribute.name {
            // Which schemas are used follows from what is there.
            "schemas" => return Ok(()),
            "id" if operation != Operation::Remove => {
                self.push(operation, Target::Id, value.cloned());
                return Ok(());
            }
            _ => {}
        }
        if !may_change(operation, &path, form)? {
            return Ok(());
        }
        let whole = path.sub_attribute.is_none() && path.attribute.multi_valued;
        let value = match (operation, value) {
            (Operation::Remove, Some(listed)) if whole && !listed.is_null() => {
                match new_value(&path, listed)? {
                    // Who lists nothing to remove does not mean all.
                    None => return Ok(()),
                    listed => listed,
                }
            }
            (Operation::Remove, _) | (_, None) => None,
            (_, Some(value)) => new_value(&path, value)?,
        };
        // The address of a manager says its id.
        let (path, value) = match (path.sub_attribute, value) {
            (Some(sub), value) if sub.name == "$ref" => {
                let id = value.as_ref().and_then(Value::as_str);
                let id = id.map(|reference| reference_id(reference, path)).transpose()?;
                (path.with(path.attribute.sub_attribute("value")), id.map(Value::from))
            }
            (_, value) => (path, value),
        };
        self.push(operation, Target::Attribute(path), value);
        Ok(())
    }

    fn extension(
        &mut self,
        operation: Operation,
        schema: &'static Schema,
        value: Option<&Value>,
    ) -> Result<(), Error> {
        match value {
            _ if operation == Operation::Remove => {}
            Some(Value::Object(members)) => {
                for (name, value) in members {
                    let path = format!("{}:{name}", schema.id);
                    if let Some(path) = AttributePath::resolve(&path, self.resource_type) {
                        self.attribute(operation, path, Some(value), Form::WithoutPath)?;
                    }
                }
                return Ok(());
            }
            Some(Value::Null) if operation == Operation::Add => return Ok(()),
            Some(Value::Null) => {}
            _ => return Err(Error::value(format_args!("{} is not an object", schema.id))),
        }
        self.push(Operation::Remove, Target::Extension(schema), None);
        Ok(())
    }

    /// The work that the request asks for has a bound, whatever the resource is.
    fn bounded(&self) -> Result<(), Error> {
        let terms = self.steps.iter().map(|step| match &step.target {
            Target::Elements { filter, .. } => filter.terms(),
            Target::Id | Target::Attribute(_) | Target::Extension(_) => 0,
        });
        if self.steps.len() > MAX_CHANGES || terms.sum::<usize>() > MAX_TERMS {
            let detail = format_args!(
                "Operations ask for more than {MAX_CHANGES} changes, or compare more than {MAX_TERMS} times"
            );
            return Err(Error::new(ErrorKind::TooLarge, detail));
        }
        Ok(())
    }

    fn push(&mut self, operation: Operation, target: Target, value: Option<Value>) {
        self.steps.push(Step { operation, target, value });
    }
}

/// Whether the client may change what the path names; if it said so itself, or else by an error.
fn may_change(operation: Operation, path: &AttributePath, form: Form) -> Result<bool, Error> {
    let read_only = [path.attribute, path.leaf()]
        .iter()
        .any(|attribute| attribute.mutability == Mutability::ReadOnly);
    if read_only {
        return match form {
            Form::WithPath => Err(Error::mutability(format_args!("{path} is read-only"))),
            Form::WithoutPath => Ok(false),
        };
    }
    if operation == Operation::Remove && path.leaf().required {
        return Err(Error::mutability(format_args!("{path} is required")));
    }
    Ok(true)
}

/// The canonical form of the value for what the path names.
fn new_value(path: &AttributePath, value: &Value) -> Result<Option<Value>, Error> {
    canonical(path.leaf(), value, &path.to_string())
}
