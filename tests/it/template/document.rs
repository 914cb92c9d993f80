//! Reads `template.yaml`, with what `CloudFormation` adds to YAML.

use std::fs;

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::tidy::root;

/// The template, as `CloudFormation` reads it: `!Sub` is `{"Fn::Sub": …}`.
pub(crate) struct Template(Value);

impl Template {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(root().join("template.yaml")).unwrap();
        let documents = Yaml::load_from_str(&text).unwrap();
        assert_eq!(documents.len(), 1);
        Self(value(&documents[0]))
    }

    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or_else(|| panic!("the template has no {pointer}"))
    }

    pub(crate) fn whole(&self) -> &Value {
        &self.0
    }

    /// The resources of one type: each with its name and its properties.
    pub(crate) fn resources(&self, of: &str) -> Vec<(&str, &Value)> {
        let all = self.at("/Resources").as_object().unwrap().iter();
        let wanted = all.filter(|(_, resource)| resource["Type"] == of);
        let found: Vec<_> =
            wanted.map(|(name, resource)| (name.as_str(), &resource["Properties"])).collect();
        assert!(!found.is_empty(), "the template has no {of}");
        found
    }

    /// What `value` comes to when each parameter has its default. Resources are called by their
    /// names in the template.
    pub(crate) fn by_default(&self, value: &Value) -> String {
        let Value::Object(function) = value else {
            return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        };
        let (name, argument) = function.iter().next().unwrap();
        match name.as_str() {
            "Ref" => self.reference(argument.as_str().unwrap()),
            "Fn::If" => {
                let condition = &self.at("/Conditions")[argument[0].as_str().unwrap()];
                self.by_default(&argument[if self.holds(condition) { 1 } else { 2 }])
            }
            "Fn::Sub" => match argument.as_str() {
                Some(text) => self.substitute(text, &Map::new()),
                None => {
                    self.substitute(argument[0].as_str().unwrap(), argument[1].as_object().unwrap())
                }
            },
            other => panic!("{other} is not known here"),
        }
    }

    fn reference(&self, name: &str) -> String {
        let parameter = self.at("/Parameters").get(name);
        parameter.map_or_else(|| name.to_owned(), |found| self.by_default(&found["Default"]))
    }

    fn holds(&self, condition: &Value) -> bool {
        let (name, argument) = condition.as_object().unwrap().iter().next().unwrap();
        match name.as_str() {
            "Fn::Equals" => self.by_default(&argument[0]) == self.by_default(&argument[1]),
            "Fn::Not" => !self.holds(&argument[0]),
            other => panic!("{other} is not known here"),
        }
    }

    fn substitute(&self, text: &str, named: &Map<String, Value>) -> String {
        let mut parts = text.split("${");
        let mut answer = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            let value = named.get(name);
            answer += &value.map_or_else(|| self.reference(name), |value| self.by_default(value));
            answer += rest;
        }
        answer
    }
}

fn value(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(members) => members
            .iter()
            .map(|(name, member)| (name.as_str().unwrap().to_owned(), value(member)))
            .collect::<Map<_, _>>()
            .into(),
        Yaml::Tagged(tag, inner) => {
            let short = tag.suffix.as_str();
            let full = match short {
                "Condition" | "Ref" => short.to_owned(),
                _ => format!("Fn::{short}"),
            };
            Value::Object(Map::from_iter([(full, value(inner))]))
        }
        Yaml::Alias(_) | Yaml::BadValue | Yaml::Representation(..) => {
            panic!("CloudFormation does not take {yaml:?}")
        }
    }
}
