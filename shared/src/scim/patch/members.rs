//! What a PATCH does to the members of a group.

use serde_json::Value;

use super::Operation;
use crate::scim::{
    Error, Path,
    filter::{Filter, Literal, Operator},
    normalize::{Member, members},
};

/// A change to the members of a group. Members that are there already, or are not there, are no error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MemberOperation {
    /// These join.
    Add(Vec<Member>),
    /// Those with these ids leave.
    Remove(Vec<String>),
    /// All leave.
    RemoveAll,
    /// These are the members, and nobody else.
    Replace(Vec<Member>),
}

/// How many members the operations name.
pub(super) fn count(operations: &[MemberOperation]) -> usize {
    let named = operations.iter().map(|operation| match operation {
        MemberOperation::Add(members) | MemberOperation::Replace(members) => members.len(),
        MemberOperation::Remove(ids) => ids.len(),
        MemberOperation::RemoveAll => 0,
    });
    named.sum()
}

/// The change that an operation on `members`, or on a part of it, asks for.
pub(super) fn operation(
    operation: Operation,
    path: &Path,
    value: Option<&Value>,
) -> Result<MemberOperation, Error> {
    let immutable = || Error::mutability("members are added and removed, and never changed");
    let sub_attribute = match path {
        Path::Attribute(path) => path.sub_attribute,
        Path::Elements { sub_attribute, .. } => *sub_attribute,
        Path::Extension(_) => None,
    };
    if sub_attribute.is_some_and(|sub| !["value", "$ref"].contains(&sub.name)) {
        return Err(immutable());
    }
    let named = match value {
        Some(Value::Null) | None => None,
        Some(value) => Some(value),
    };
    if let Path::Elements { filter, .. } = path {
        let ids = selected(filter).ok_or_else(|| {
            Error::filter("members are selected by their value only: members[value eq \"…\"]")
        })?;
        return match (operation, named) {
            (Operation::Remove, _) | (Operation::Replace, None) => Ok(MemberOperation::Remove(ids)),
            (_, Some(value)) => match members(value)? {
                same if same.iter().map(|member| &member.value).eq(&ids) => {
                    Ok(MemberOperation::Add(same))
                }
                _ => Err(immutable()),
            },
            (Operation::Add, None) => Ok(MemberOperation::Add(Vec::new())),
        };
    }
    match (operation, named) {
        (Operation::Add, None) => Ok(MemberOperation::Add(Vec::new())),
        (Operation::Add, Some(value)) => Ok(MemberOperation::Add(members(value)?)),
        (Operation::Remove, Some(value)) => {
            let ids = members(value)?.into_iter().map(|member| member.value);
            Ok(MemberOperation::Remove(ids.collect()))
        }
        (Operation::Replace | Operation::Remove, _) if sub_attribute.is_some() => Err(immutable()),
        (Operation::Replace | Operation::Remove, None) => Ok(MemberOperation::RemoveAll),
        (Operation::Replace, Some(value)) => Ok(MemberOperation::Replace(members(value)?)),
    }
}

/// The ids that a filter selects, if it can be told without looking at the members.
fn selected(filter: &Filter) -> Option<Vec<String>> {
    let is_user = |part: &Filter| match part.text_equality() {
        Some((path, text)) => path.is("members.type") && text.eq_ignore_ascii_case("User"),
        None => false,
    };
    match filter {
        Filter::Compare { path, operator: Operator::Equal, value: Literal::Text(id) }
            if path.is("members.value") =>
        {
            Some(vec![id.clone()])
        }
        Filter::Or(parts) => {
            let ids: Option<Vec<_>> = parts.iter().map(selected).collect();
            Some(ids?.concat())
        }
        Filter::And(parts) => {
            match parts.iter().filter(|part| !is_user(part)).collect::<Vec<_>>()[..] {
                [only] => selected(only),
                _ => None,
            }
        }
        _ => None,
    }
}
