//! Reads `fixtures/`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::source::{Source, SourceSettings, Sources};

const FILES: [(Source, &str); 8] = [
    (Source::Auth0, include_str!("../fixtures/auth0.json")),
    (Source::Cognito, include_str!("../fixtures/cognito.json")),
    (Source::CognitoRisk, include_str!("../fixtures/cognito-risk.json")),
    (Source::Entra, include_str!("../fixtures/entra.json")),
    (Source::GuardDuty, include_str!("../fixtures/guardduty.json")),
    (Source::IdentityCenter, include_str!("../fixtures/identity-center.json")),
    (Source::Keycloak, include_str!("../fixtures/keycloak.json")),
    (Source::Okta, include_str!("../fixtures/okta.json")),
];

/// A minute after all envelopes.
pub(super) fn now() -> Timestamp {
    "2026-11-28T09:00:00Z".parse().unwrap()
}

pub(super) struct Fixture {
    pub source: Source,
    /// When what happened happened.
    pub at: i64,
    pub txn: Option<String>,
    pub cases: Vec<Case>,
}

pub(super) struct Case {
    source: Source,
    /// The envelope.
    pub envelope: Value,
    /// What the file says of it.
    said: Value,
    settings: Value,
    /// The names that may be told.
    pub people: Vec<Value>,
}

pub(super) fn fixtures() -> Vec<Fixture> {
    FILES.into_iter().map(|(source, text)| fixture(source, text)).collect()
}

fn fixture(source: Source, text: &str) -> Fixture {
    let file: Value = serde_json::from_str(text).expect("a fixture is JSON");
    assert!(file["from"].as_str().is_some_and(|from| from.contains("https://")), "{source}");
    let row_at = file["row_at"].as_str().expect("it says where the row's name is");
    let cases = file["cases"].as_array().expect("it has cases").iter().map(|case| {
        let mut envelope = file["base"].clone();
        if let Some(row) = envelope.pointer_mut(row_at) {
            *row = case["row"].clone();
        }
        patch(&mut envelope, &case["with"]);
        let settings = case.get("settings").or_else(|| file.get("settings"));
        let people = case.get("people").unwrap_or(&file["people"]);
        Case {
            source,
            envelope,
            said: case.clone(),
            settings: settings.cloned().unwrap_or_else(|| json!({})),
            people: people.as_array().expect("it names its people").clone(),
        }
    });
    Fixture {
        source,
        at: file["at"].as_i64().expect("it says when"),
        txn: file["txn"].as_str().map(str::to_owned),
        cases: cases.collect(),
    }
}

impl Case {
    pub(super) fn row(&self) -> &str {
        let row = self.said.get("row_is").unwrap_or(&self.said["row"]);
        row.as_str().expect("a case has a row")
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.row(), self.said["why"].as_str().unwrap_or_default())
    }

    pub(super) fn text(&self) -> String {
        self.envelope.to_string()
    }

    pub(super) fn sources(&self) -> Sources {
        let settings: SourceSettings = serde_json::from_value(self.settings.clone()).unwrap();
        let settings = BTreeMap::from([(self.source, settings)]);
        Sources::new(&BTreeSet::from([self.source]), &settings).unwrap()
    }

    pub(super) fn expect(&self, name: &str) -> &Value {
        self.expect_or(name, &Value::Null)
    }

    pub(super) fn expect_or<'a>(&'a self, name: &str, otherwise: &'a Value) -> &'a Value {
        self.said.get(name).unwrap_or(otherwise)
    }

    /// Whom it is about: the people's names that the envelope has, unless the case says otherwise.
    pub(super) fn subject(&self) -> Value {
        if let Some(subject) = self.said.get("subject") {
            return subject.clone();
        }
        let text = self.text();
        let is_there =
            |name: &&Value| name["email"].as_str().is_none_or(|email| text.contains(email));
        let names: Vec<_> = self.people.iter().filter(is_there).collect();
        match names.as_slice() {
            [only] => (*only).clone(),
            names => json!({ "format": "aliases", "identifiers": names }),
        }
    }
}

/// RFC 7396.
fn patch(target: &mut Value, with: &Value) {
    let Value::Object(members) = with else {
        if !with.is_null() {
            *target = with.clone();
        }
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in members {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            patch(&mut target[name], value);
        }
    }
}
