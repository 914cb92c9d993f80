//! Reads `template.yaml`, with what `CloudFormation` adds to YAML.

use std::fs;

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// The template, as `CloudFormation` reads it: `!Sub` is `{"Fn::Sub": …}`.
#[derive(Debug)]
pub struct Template(Value);

impl Template {
    /// As it is in the repository.
    pub fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
        let text = fs::read_to_string(path).expect("there is a template");
        let documents = Yaml::load_from_str(&text).expect("the template is YAML");
        assert_eq!(documents.len(), 1);
        Self(value(&documents[0]))
    }

    /// The same, deployed with another value of this parameter.
    #[must_use]
    pub fn given(mut self, parameter: &str, value: &str) -> Self {
        let found = self.0.pointer_mut(&format!("/Parameters/{parameter}/Default"));
        *found.unwrap_or_else(|| panic!("the template has no {parameter}")) = json!(value);
        self
    }

    /// What is at this JSON pointer.
    pub fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or_else(|| panic!("the template has no {pointer}"))
    }

    /// All of it.
    pub fn whole(&self) -> &Value {
        &self.0
    }

    /// The folder of a function, given the name of its resource.
    pub fn folder(&self, function: &str) -> &str {
        let binary = format!("/Resources/{function}/Metadata/BuildProperties/Binary");
        self.at(&binary).as_str().expect("a binary has a name")
    }

    /// The resources of one type: each with its name and its properties.
    pub fn resources(&self, of: &str) -> Vec<(&str, &Value)> {
        let all = members(self.at("/Resources")).iter();
        let wanted = all.filter(|(_, resource)| resource["Type"] == of);
        let found: Vec<_> =
            wanted.map(|(name, resource)| (name.as_str(), &resource["Properties"])).collect();
        assert!(!found.is_empty(), "the template has no {of}");
        found
    }

    /// What `value` comes to when each parameter has its default. Resources are called by their
    /// names in the template.
    pub fn by_default(&self, value: &Value) -> String {
        let Value::Object(function) = value else {
            return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        };
        let (name, argument) = only(function);
        match name.as_str() {
            "Ref" => self.reference(text_of(argument)),
            "Fn::If" => {
                let holds = self.holds_by_default(text_of(&argument[0]));
                self.by_default(&argument[if holds { 1 } else { 2 }])
            }
            "Fn::Sub" => match argument.as_str() {
                Some(text) => self.substitute(text, &Map::new()),
                None => self.substitute(text_of(&argument[0]), members(&argument[1])),
            },
            other => panic!("{other} is not known here"),
        }
    }

    fn reference(&self, name: &str) -> String {
        let parameter = self.at("/Parameters").get(name);
        parameter.map_or_else(|| name.to_owned(), |found| self.by_default(&found["Default"]))
    }

    /// Whether the condition of this name holds when each parameter has its default.
    pub fn holds_by_default(&self, condition: &str) -> bool {
        self.holds(&self.at("/Conditions")[condition])
    }

    fn holds(&self, condition: &Value) -> bool {
        let (name, argument) = only(members(condition));
        match name.as_str() {
            "Fn::Equals" => self.by_default(&argument[0]) == self.by_default(&argument[1]),
            "Fn::Not" => !self.holds(&argument[0]),
            other => panic!("{other} is not known here"),
        }
    }

    fn substitute(&self, text: &str, named: &Map<String, Value>) -> String {
        let mut parts = text.split("${");
        let mut answer = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').expect("what is opened is closed");
            let value = named.get(name);
            answer += &value.map_or_else(|| self.reference(name), |value| self.by_default(value));
            answer += rest;
        }
        answer
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn members(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value} has no members"))
}

fn only(function: &Map<String, Value>) -> (&String, &Value) {
    function.iter().next().expect("a function has a name")
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
            .map(|(name, member)| {
                (name.as_str().expect("a name is a text").to_owned(), value(member))
            })
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
