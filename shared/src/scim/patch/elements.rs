//! Changes to the elements of a multi-valued attribute.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::scim::{
    Error, ErrorKind,
    filter::{Filter, Literal},
    normalize::has_two_primaries,
    schema::{Attribute, AttributePath},
    text::whole,
};

/// Adds what is not there. What is there already, by `value` and `type`, takes on what is new about
/// it: adding the same twice changes nothing the second time.
pub(super) fn add(list: &mut Vec<Value>, path: AttributePath, new: &[Value]) -> Result<(), Error> {
    let mut primary = Vec::new();
    for element in new {
        let at = if let Some(at) = list.iter().position(|old| same(old, element)) {
            merge(&mut list[at], element);
            at
        } else {
            list.push(element.clone());
            list.len() - 1
        };
        if element["primary"] == true {
            primary.push(at);
        }
    }
    settle_primary(list, path, &primary)
}

/// Whether `new` says nothing else than `old` about what the element is.
fn same(old: &Value, new: &Value) -> bool {
    if new.get("value").is_some() {
        return old.get("value") == new.get("value")
            && (new.get("type").is_none() || old.get("type") == new.get("type"));
    }
    let (Some(of_old), Some(of_new)) = (old.as_object(), new.as_object()) else {
        return old == new;
    };
    let told = |name: &&String| !["primary", "display"].contains(&name.as_str());
    of_old.keys().chain(of_new.keys()).filter(told).all(|name| old.get(name) == new.get(name))
}

fn merge(old: &mut Value, new: &Value) {
    match (old.as_object_mut(), new.as_object()) {
        (Some(old), Some(new)) => old.extend(new.clone()),
        _ => old.clone_from(new),
    }
}

/// Removes the elements that have all that one of `gone` has.
pub(super) fn remove(list: &mut Vec<Value>, attribute: &Attribute, gone: &[Value]) {
    list.retain(|element| !gone.iter().any(|gone| has_all(attribute, element, gone)));
}

fn has_all(attribute: &Attribute, element: &Value, parts: &Value) -> bool {
    let Some(parts) = parts.as_object() else { return element == parts };
    parts.iter().all(|(name, part)| {
        let exact = attribute.sub_attribute(name).is_none_or(|sub| sub.case_exact);
        match (&element[name], part) {
            (Value::String(left), Value::String(right)) => {
                whole(left, exact) == whole(right, exact)
            }
            (left, right) => left == right,
        }
    })
}

/// Removes the elements that the filter selects, or a sub-attribute of them.
pub(super) fn remove_selected(list: &mut Vec<Value>, filter: &Filter, sub: Option<&Attribute>) {
    match sub {
        None => list.retain(|element| !filter.selects(element)),
        Some(sub) => {
            let selected = |element: &Value| filter.selects(element);
            remove_part(list, sub, selected);
        }
    }
}

/// Removes a sub-attribute of all elements.
pub(super) fn remove_from_all(list: &mut Vec<Value>, sub: &Attribute) {
    remove_part(list, sub, |_| true);
}

/// An element of which nothing is left but what it was for says nothing any more, and goes too.
fn remove_part(list: &mut Vec<Value>, sub: &Attribute, selected: impl Fn(&Value) -> bool) {
    list.retain_mut(|element| {
        if !selected(element) {
            return true;
        }
        let Some(members) = element.as_object_mut() else { return true };
        members.remove(sub.name).is_none()
            || members.keys().any(|name| !["type", "primary"].contains(&name.as_str()))
    });
}

/// Sets a sub-attribute of all elements, or of a new one if there is none.
pub(super) fn set_in_all(
    list: &mut Vec<Value>,
    path: AttributePath,
    sub: &Attribute,
    value: &Value,
) -> Result<(), Error> {
    if list.is_empty() {
        list.push(Value::Object(Map::new()));
    }
    let all: Vec<usize> = (0..list.len()).collect();
    for element in list.iter_mut() {
        set(element, sub, value);
    }
    let is_primary = sub.name == "primary" && *value == true;
    settle_primary(list, path, if is_primary { &all } else { &[] })
}

/// Changes the elements that the filter selects, or a sub-attribute of them. If there is none, makes
/// the one that the filter describes, if it does.
pub(super) fn set_selected(
    list: &mut Vec<Value>,
    path: AttributePath,
    filter: &Filter,
    sub: Option<&'static Attribute>,
    value: Option<&Value>,
    replaces: bool,
) -> Result<(), Error> {
    let selected: Vec<usize> = (0..list.len()).filter(|&at| filter.selects(&list[at])).collect();
    match (sub, value) {
        (_, None) if replaces => {
            remove_selected(list, filter, sub);
            return Ok(());
        }
        (_, None) => return Ok(()),
        (Some(sub), Some(value)) if selected.is_empty() => {
            let mut element = described(path, filter, Some(sub))?;
            set(&mut element, sub, value);
            return add(list, path, &[element]);
        }
        (None, Some(value)) if selected.is_empty() => {
            let mut element = described(path, filter, None)?;
            merge(&mut element, value);
            return add(list, path, &[element]);
        }
        (Some(sub), Some(value)) => {
            for &at in &selected {
                set(&mut list[at], sub, value);
            }
        }
        // The element is another now, but still what the filter says, unless the value does.
        (None, Some(value)) => {
            for &at in &selected {
                if replaces {
                    list[at] = described(path, filter, None).unwrap_or_else(|_| Map::new().into());
                }
                merge(&mut list[at], value);
            }
        }
    }
    let says_primary = |value: &Value| match sub {
        Some(sub) => sub.name == "primary" && *value == true,
        None => value["primary"] == true,
    };
    let primary = if value.is_some_and(says_primary) { selected } else { Vec::new() };
    settle_primary(list, path, &primary)
}

/// The element that a filter of equalities describes, unless it describes what is to be changed.
fn described(
    path: AttributePath,
    filter: &Filter,
    changed: Option<&Attribute>,
) -> Result<Value, Error> {
    let none =
        || Error::new(ErrorKind::NoTarget, format_args!("the filter selects no value of {path}"));
    let mut element = Map::new();
    for (sub, literal) in filter.equalities().ok_or_else(none)? {
        if changed == Some(sub) {
            return Err(none());
        }
        let value = match literal {
            Literal::Text(text) => text.as_str().into(),
            Literal::Boolean(value) => (*value).into(),
            Literal::Number(number) => number.clone().into(),
            Literal::Time(_) => return Err(none()),
        };
        // Nothing is equal to two things.
        if element.insert(sub.name.to_owned(), value).is_some() {
            return Err(none());
        }
    }
    Ok(element.into())
}

fn set(element: &mut Value, sub: &Attribute, value: &Value) {
    if let Some(members) = element.as_object_mut() {
        members.insert(sub.name.to_owned(), value.clone());
    }
}

/// Where one element was made primary, the others are not any more ([RFC 7644, 3.5.2]).
fn settle_primary(list: &mut [Value], path: AttributePath, made: &[usize]) -> Result<(), Error> {
    if let [only] = made {
        for (at, element) in list.iter_mut().enumerate() {
            if at != *only && element["primary"] == true {
                element["primary"] = false.into();
            }
        }
    }
    if has_two_primaries(list) {
        return Err(Error::value(format_args!("{path} has more than one primary value")));
    }
    Ok(())
}

/// Equal elements are one element.
pub(super) fn unique(list: &mut Vec<Value>) {
    let mut seen = HashSet::new();
    list.retain(|element| seen.insert(element.to_string()));
}
