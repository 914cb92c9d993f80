//! What the payloads of SCIM's events must be, beyond the table of their members.

use serde_json::{Map, Value};

use super::EventType;
use crate::json::Invalid;

/// Checks a resource, or a request that changes one ([RFC 9967, 2.2]): an object that is not empty,
/// and never a password in it, which is a secret between the person and the directory.
pub(super) fn check_resource(value: &Value) -> Result<(), Invalid> {
    match value {
        Value::Object(members) if !members.is_empty() => without_password(value),
        _ => Err(Invalid::new(".", "must be an object with at least one member")),
    }
}

/// Refuses passwords at any depth: as members, and as the values of a PATCH operation (RFC 7644,
/// 3.5.2) whose path leads to one. The names of SCIM are compared without regard to case.
fn without_password(value: &Value) -> Result<(), Invalid> {
    match value {
        Value::Object(members) => {
            let sets = |name: &str| find(members, name);
            if let (Some((_, Value::String(path))), Some((name, _))) = (sets("path"), sets("value"))
                && is_password(path)
            {
                return Err(Invalid::new(name, "must not hold a password"));
            }
            members.iter().try_for_each(|(name, value)| {
                if is_password(name) {
                    return Err(Invalid::new(name, "must not be told"));
                }
                without_password(value).map_err(|invalid| invalid.within(name))
            })
        }
        Value::Array(elements) => elements.iter().enumerate().try_for_each(|(index, element)| {
            without_password(element).map_err(|invalid| invalid.within(&format!("[{index}]")))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn find<'a>(members: &'a Map<String, Value>, name: &str) -> Option<(&'a String, &'a Value)> {
    members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// Whether an attribute is a password, named alone or with the URN of its schema before it.
fn is_password(path: &str) -> bool {
    let name = path.trim().rsplit(':').next().unwrap_or_default();
    name.eq_ignore_ascii_case("password")
}

/// Whether `text` is a status of HTTP.
pub(super) fn is_status(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0')
}

/// Checks that an operation that failed says why ([RFC 9967, 2.5.1.3]).
pub(super) fn check_answer(
    event_type: &EventType,
    payload: &Map<String, Value>,
) -> Result<(), Invalid> {
    const RESPONSE: &str = "response";
    let status = payload.get("status").and_then(Value::as_str).unwrap_or_default();
    if *event_type == EventType::SCIM_ASYNC_RESPONSE
        && !status.starts_with('2')
        && !payload.contains_key(RESPONSE)
    {
        return Err(Invalid::new(RESPONSE, "is missing, and the status is not 2xx"));
    }
    Ok(())
}
