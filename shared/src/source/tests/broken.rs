//! No member of an envelope, whatever becomes of it, makes a panic or a wrong person.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fixture::{Case, fixtures, now};
use crate::{
    event::{EventRules, SecurityEvent},
    source::{Opened, envelope::open_value},
};

/// What a member can be instead.
fn wrongs() -> [Option<Value>; 8] {
    [
        None,
        Some(Value::Null),
        Some(json!(true)),
        Some(json!(u64::MAX)),
        Some(json!("")),
        Some(json!([[]])),
        Some(json!({ "x": {} })),
        Some(json!("x".repeat(5000))),
    ]
}

/// The paths of all members and elements, at any depth.
fn paths(value: &Value, path: &str, all: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), value)).collect()
        }
        Value::Array(elements) => {
            elements.iter().enumerate().map(|(number, value)| (number.to_string(), value)).collect()
        }
        _ => return,
    };
    for (name, value) in inner {
        let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        paths(value, &path, all);
        all.push(path);
    }
}

fn broken(envelope: &Value, path: &str, wrong: Option<Value>) -> Value {
    let mut envelope = envelope.clone();
    let (outer, name) = path.rsplit_once('/').expect("a path begins with a slash");
    let name = name.replace("~1", "/").replace("~0", "~");
    match (envelope.pointer_mut(outer).expect("it is there"), wrong) {
        (Value::Object(members), None) => drop(members.remove(&name)),
        (Value::Array(elements), None) => drop(elements.remove(name.parse().unwrap())),
        (outer, Some(wrong)) => {
            *outer.pointer_mut(&format!("/{name}")).expect("it is there") = wrong;
        }
        (_, None) => unreachable!("only objects and arrays have something in them"),
    }
    envelope
}

/// That the event is about nobody but the case's people, under names that are theirs.
fn check(case: &Case, message: Value, at: &str) {
    let no_types = BTreeSet::new();
    let rules = EventRules { private_types: &no_types, now: now() };
    // What cannot be an event is refused, and so told to nobody.
    let Ok(event) = SecurityEvent::read(message, &rules) else { return };
    let subject = event.subject.to_value();
    let person = subject.get("user").unwrap_or(&subject);
    let only = [person.clone()];
    let names = person["identifiers"].as_array().map_or(only.as_slice(), Vec::as_slice);
    for name in names {
        assert!(case.people.contains(name), "{at}: {name}");
    }
}

#[test]
fn a_broken_envelope_is_about_the_same_person_or_about_nobody() {
    let mut told = 0;
    for fixture in fixtures() {
        for case in &fixture.cases {
            let sources = case.sources();
            let mut all = Vec::new();
            paths(&case.envelope, "", &mut all);
            for path in all {
                for wrong in wrongs() {
                    let envelope = broken(&case.envelope, &path, wrong.clone());
                    let at = format!("{} {}: {path}", fixture.source, case.name());
                    let Ok(Opened::Told { messages, .. }) = open_value(envelope, &sources) else {
                        continue;
                    };
                    for message in messages {
                        check(case, message, &at);
                        told += 1;
                    }
                }
            }
        }
    }
    assert!(told > 10_000, "most members make no difference: {told}");
}
