//! The members of a group, as clients name them.

use std::{collections::HashSet, fmt};

use serde_json::{Map, Value, json};

use crate::scim::{Error, ErrorKind};

/// A request names at most so many members.
pub const MAX_MEMBERS: usize = 10_000;

/// Who is to be in a group: a User, by its id.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Member {
    /// The id of the User. Whether there is one is for the caller to see.
    pub value: String,
}

impl From<Member> for Value {
    fn from(member: Member) -> Self {
        json!({ "value": member.value })
    }
}

/// The members that `value` names, each once, in the order in which they are named: objects with
/// `value` or `$ref`, or bare ids, in an array or alone.
pub(in crate::scim) fn members(value: &Value) -> Result<Vec<Member>, Error> {
    let sent = match value {
        Value::Null => &[],
        Value::Array(elements) => elements.as_slice(),
        single => std::slice::from_ref(single),
    };
    at_most(sent.len())?;
    let mut seen = HashSet::new();
    let mut found = Vec::with_capacity(sent.len());
    for element in sent {
        let id = id(element)?;
        if seen.insert(id.clone()) {
            found.push(Member { value: id });
        }
    }
    Ok(found)
}

/// Refuses more than [`MAX_MEMBERS`].
pub(in crate::scim) fn at_most(count: usize) -> Result<(), Error> {
    if count <= MAX_MEMBERS {
        return Ok(());
    }
    let detail = format_args!("members: a request names at most {MAX_MEMBERS}");
    Err(Error::new(ErrorKind::TooLarge, detail))
}

fn id(member: &Value) -> Result<String, Error> {
    let members = match member {
        Value::String(id) => return checked(id),
        Value::Object(members) => members,
        _ => return Err(Error::value("members: one is neither an object nor an id")),
    };
    let of_group = || Error::value("members.type: groups within groups are not taken");
    if text(members, "type").is_some_and(|kind| !kind.eq_ignore_ascii_case("User")) {
        return Err(of_group());
    }
    match (text(members, "value"), text(members, "$ref")) {
        (Some(id), _) => checked(id),
        (None, Some(reference)) if reference.contains("/Groups/") => Err(of_group()),
        (None, Some(reference)) => reference_id(reference, "members.$ref"),
        (None, None) => Err(Error::value("members.value is missing")),
    }
}

fn checked(id: &str) -> Result<String, Error> {
    const MAX_ID_CHARS: usize = 256;
    if id.is_empty() || id.chars().nth(MAX_ID_CHARS).is_some() {
        return Err(Error::value("members.value is not an id"));
    }
    Ok(id.to_owned())
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.iter().find(|(sent, _)| sent.eq_ignore_ascii_case(name))?.1.as_str()
}

/// The id at the end of the address of a User.
pub(in crate::scim) fn reference_id(
    reference: &str,
    place: impl fmt::Display,
) -> Result<String, Error> {
    let mut segments = reference.rsplit('/');
    match (segments.next(), segments.next()) {
        (Some(id), Some("Users")) if !id.is_empty() => Ok(id.to_owned()),
        _ => Err(Error::value(format_args!("{place} is not the address of a User"))),
    }
}
