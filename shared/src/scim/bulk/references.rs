//! References from one operation to what another one creates: `bulkId:x` wherever an id may stand.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{BulkOperation, Method, SentOperation};
use crate::scim::{Error, error::shown};

/// The name in a reference, if the text is one.
fn name(text: &str) -> Option<&str> {
    text.strip_prefix("bulkId:").filter(|name| !name.is_empty())
}

/// The names that an operation refers to.
fn names(operation: &BulkOperation) -> HashSet<&str> {
    fn collect<'v>(value: &'v Value, into: &mut HashSet<&'v str>) {
        match value {
            Value::String(text) => into.extend(name(text)),
            Value::Array(elements) => elements.iter().for_each(|one| collect(one, into)),
            Value::Object(members) => members.values().for_each(|one| collect(one, into)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut found = HashSet::new();
    found.extend(operation.id.as_deref().and_then(name));
    if let Some(data) = &operation.data {
        collect(data, &mut found);
    }
    found
}

/// The order in which operations can be done, nearest to the one in which they were sent.
pub(super) fn order(operations: &[SentOperation]) -> Result<Vec<usize>, Error> {
    let mut creators = HashMap::new();
    for (at, operation) in operations.iter().enumerate() {
        if let (Some(Method::Post), Some(name)) = (operation.method, &operation.bulk_id)
            && creators.insert(name.as_str(), at).is_some()
        {
            return Err(Error::syntax(format_args!("bulkId {} is there twice", shown(name))));
        }
    }
    let mut needs = Vec::with_capacity(operations.len());
    for operation in operations {
        let named = operation.read.as_ref().map(names).unwrap_or_default();
        // What nobody creates is missing when the operation's turn comes.
        let of: HashSet<usize> =
            named.iter().filter_map(|name| creators.get(name).copied()).collect();
        needs.push(of);
    }
    let mut order = Vec::with_capacity(operations.len());
    let mut done = HashSet::new();
    while order.len() < operations.len() {
        let next = (0..operations.len())
            .find(|at| !done.contains(at) && needs[*at].is_subset(&done))
            .ok_or_else(|| Error::value("references go in a circle"))?;
        done.insert(next);
        order.push(next);
    }
    Ok(order)
}

/// The operation with its references replaced.
pub(super) fn resolve(
    operation: &BulkOperation,
    created: &HashMap<String, String>,
) -> Result<BulkOperation, Error> {
    let id = |text: &str| match name(text) {
        None => Ok(None),
        Some(name) => created
            .get(name)
            .map(|id| Some(id.clone()))
            .ok_or_else(|| Error::value(format_args!("bulkId:{} was not created", shown(name)))),
    };
    let mut resolved = operation.clone();
    if let Some(found) = operation.id.as_deref().map(id).transpose()?.flatten() {
        resolved.id = Some(found);
    }
    if let Some(data) = &mut resolved.data {
        replace(data, &id)?;
    }
    Ok(resolved)
}

fn replace(
    value: &mut Value,
    id: &impl Fn(&str) -> Result<Option<String>, Error>,
) -> Result<(), Error> {
    match value {
        Value::String(text) => {
            if let Some(found) = id(text)? {
                *text = found;
            }
            Ok(())
        }
        Value::Array(elements) => elements.iter_mut().try_for_each(|one| replace(one, id)),
        Value::Object(members) => members.values_mut().try_for_each(|one| replace(one, id)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}
