//! Which attributes an answer holds ([RFC 7644, 3.9], and `returned` in [RFC 7643, 7]).

use serde_json::{Map, Value};

use super::{
    Error, Path, ResourceType,
    schema::{Attribute, AttributePath, Returned, Schema},
};

/// What of a resource is answered.
#[derive(Clone, Debug)]
pub struct Projection {
    resource_type: ResourceType,
    choice: Choice,
}

#[derive(Clone, Debug)]
enum Choice {
    /// What the schemas say.
    Default,
    /// These, and what is always answered.
    Only(Vec<Selected>),
    /// All but these.
    Without(Vec<Selected>),
}

#[derive(Clone, Debug)]
enum Selected {
    Attribute(AttributePath),
    Extension(&'static Schema),
}

/// How much of one attribute is answered.
enum Part<'s> {
    Nothing,
    All,
    /// These sub-attributes.
    Only(Vec<&'s Attribute>),
    /// All but these sub-attributes.
    Without(Vec<&'s Attribute>),
}

impl Projection {
    /// All that is answered if nothing is asked for.
    pub fn default_of(resource_type: ResourceType) -> Self {
        Self { resource_type, choice: Choice::Default }
    }

    /// Reads the values of `attributes` and `excludedAttributes`: names with commas between them, of
    /// attributes, sub-attributes or whole extensions. Names that nothing has are ignored; both at once
    /// are refused.
    pub fn parse(
        attributes: Option<&str>,
        excluded_attributes: Option<&str>,
        resource_type: ResourceType,
    ) -> Result<Self, Error> {
        let given = |list: Option<&str>| list.is_some_and(|list| !list.trim().is_empty());
        let names = |list: Option<&str>| selected(list.unwrap_or_default(), resource_type);
        let choice = match (given(attributes), given(excluded_attributes)) {
            (true, true) => {
                return Err(Error::value("attributes and excludedAttributes exclude each other"));
            }
            (true, false) => Choice::Only(names(attributes)),
            (false, true) => Choice::Without(names(excluded_attributes)),
            (false, false) => Choice::Default,
        };
        Ok(Self { resource_type, choice })
    }

    /// Whether `attributes` were asked for. Who asks for some is answered with them.
    pub fn is_of_attributes(&self) -> bool {
        matches!(self.choice, Choice::Only(_))
    }

    /// Whether anything of the attribute would be answered, so that what is not need not be read.
    pub fn wants(&self, name: &str) -> bool {
        let path = AttributePath::resolve(name, self.resource_type);
        path.is_some_and(|path| !matches!(self.part(path), Part::Nothing))
    }

    /// The resource as it is answered.
    pub fn apply(&self, resource: &Value) -> Value {
        let Some(resource) = resource.as_object() else { return Value::Null };
        let mut answer = Map::new();
        for (name, value) in resource {
            let part = match (self.resource_type.extension(name), value.as_object()) {
                (Some(schema), Some(members)) => self.extension(schema, members),
                _ => self.attribute(AttributePath::resolve(name, self.resource_type), value),
            };
            if let Some(part) = part {
                answer.insert(name.clone(), part);
            }
        }
        answer.into()
    }

    fn extension(&self, schema: &'static Schema, members: &Map<String, Value>) -> Option<Value> {
        let parts = members.iter().filter_map(|(name, value)| {
            let path = schema.attribute(name).map(|attribute| AttributePath {
                extension: Some(schema),
                attribute,
                sub_attribute: None,
            });
            Some((name.clone(), self.attribute(path, value)?))
        });
        let parts: Map<_, _> = parts.collect();
        (!parts.is_empty()).then_some(parts.into())
    }

    /// What no schema names is answered unless attributes are asked for by name.
    fn attribute(&self, path: Option<AttributePath>, value: &Value) -> Option<Value> {
        let Some(path) = path else {
            return (!self.is_of_attributes()).then(|| value.clone());
        };
        match self.part(path) {
            Part::Nothing => None,
            Part::All => Some(value.clone()),
            Part::Only(subs) => members(value, |name| subs.iter().any(|sub| sub.name == name)),
            Part::Without(subs) if subs.is_empty() => Some(value.clone()),
            Part::Without(subs) => members(value, |name| !subs.iter().any(|sub| sub.name == name)),
        }
    }

    fn part(&self, path: AttributePath) -> Part<'static> {
        match path.attribute.returned {
            Returned::Never => return Part::Nothing,
            Returned::Always => return Part::All,
            Returned::Default | Returned::Request => {}
        }
        let by_default = path.attribute.returned == Returned::Default;
        match &self.choice {
            Choice::Only(list) if all_of(list, path) => Part::All,
            Choice::Only(list) => match parts_of(list, path) {
                none if none.is_empty() => Part::Nothing,
                parts => Part::Only(parts),
            },
            Choice::Default | Choice::Without(_) if !by_default => Part::Nothing,
            Choice::Default => Part::All,
            Choice::Without(list) if all_of(list, path) => Part::Nothing,
            Choice::Without(list) => Part::Without(parts_of(list, path)),
        }
    }
}

/// The attributes and extensions that a list names.
fn selected(list: &str, resource_type: ResourceType) -> Vec<Selected> {
    let paths = list.split(',').filter_map(|name| Path::parse(name.trim(), resource_type).ok());
    let selected = paths.filter_map(|path| match path {
        Path::Attribute(path) => Some(Selected::Attribute(path)),
        Path::Extension(schema) => Some(Selected::Extension(schema)),
        Path::Elements { .. } => None,
    });
    selected.collect()
}

/// Whether all of the attribute is named: by itself or with its extension.
fn all_of(list: &[Selected], path: AttributePath) -> bool {
    list.iter().any(|selected| match selected {
        Selected::Attribute(named) => *named == path.with(None),
        Selected::Extension(schema) => path.extension == Some(schema),
    })
}

/// The sub-attributes of the attribute that are named.
fn parts_of(list: &[Selected], path: AttributePath) -> Vec<&'static Attribute> {
    let subs = list.iter().filter_map(|selected| match selected {
        Selected::Attribute(named) if named.with(None) == path.with(None) => named.sub_attribute,
        _ => None,
    });
    subs.collect()
}

/// The members of an object, or of each object in an array, that are kept.
fn members(value: &Value, keep: impl Fn(&str) -> bool + Copy) -> Option<Value> {
    match value {
        Value::Array(elements) => {
            let kept: Vec<_> = elements.iter().filter_map(|one| members(one, keep)).collect();
            (!kept.is_empty()).then_some(kept.into())
        }
        Value::Object(all) => {
            let kept = all.iter().filter(|(name, _)| keep(name));
            let kept: Map<_, _> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
            (!kept.is_empty()).then_some(kept.into())
        }
        other => Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn ada() -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "7",
            "userName": "ada", "password": "geheim",
            "name": {"givenName": "A", "familyName": "L"},
            "emails": [{"value": "a", "type": "work"}, {"value": "b"}, {"type": "home"}],
            ENTERPRISE: {"department": "R", "manager": {"value": "m", "displayName": "M"}},
            "meta": {"version": "W/\"1\""},
        })
    }

    /// What is answered beside what always is.
    fn answered(attributes: Option<&str>, excluded: Option<&str>) -> Value {
        let projection = Projection::parse(attributes, excluded, ResourceType::User).unwrap();
        let mut answer = projection.apply(&ada());
        let members = answer.as_object_mut().unwrap();
        for always in ["schemas", "id", "meta"] {
            assert!(members.remove(always).is_some(), "{always}");
        }
        answer
    }

    #[test]
    fn all_is_answered_but_what_never_is() {
        let all = json!({
            "userName": "ada",
            "name": {"givenName": "A", "familyName": "L"},
            "emails": [{"value": "a", "type": "work"}, {"value": "b"}, {"type": "home"}],
            ENTERPRISE: {"department": "R", "manager": {"value": "m", "displayName": "M"}},
        });
        assert_eq!(answered(None, None), all);
        assert_eq!(answered(Some(""), Some(" ")), all);
        assert_eq!(answered(None, Some("nope,id,schemas,meta,password")), all);
    }

    #[test]
    fn attributes_are_picked() {
        assert_eq!(answered(Some("USERNAME"), None), json!({"userName": "ada"}));
        assert_eq!(answered(Some("password"), None), json!({}));
        assert_eq!(answered(Some("nope"), None), json!({}));
        assert_eq!(
            answered(Some("name.GivenName, emails.value"), None),
            json!({"name": {"givenName": "A"}, "emails": [{"value": "a"}, {"value": "b"}]})
        );
        assert_eq!(
            answered(Some("emails.value,emails"), None),
            json!({"emails": [{"value": "a", "type": "work"}, {"value": "b"}, {"type": "home"}]})
        );
        assert_eq!(
            answered(Some(&format!("{ENTERPRISE}:department")), None),
            json!({ENTERPRISE: {"department": "R"}})
        );
        assert_eq!(
            answered(Some(&format!("{ENTERPRISE}:manager.value")), None),
            json!({ENTERPRISE: {"manager": {"value": "m"}}})
        );
        let whole = json!({ENTERPRISE: ada()[ENTERPRISE]});
        assert_eq!(answered(Some(&ENTERPRISE.to_lowercase()), None), whole);
        let core = "urn:ietf:params:scim:schemas:core:2.0:User:userName";
        assert_eq!(answered(Some(core), None), json!({"userName": "ada"}));
    }

    #[test]
    fn attributes_are_left_out() {
        let excluded = format!("userName,name.givenName,emails.type,{ENTERPRISE}");
        assert_eq!(
            answered(None, Some(&excluded)),
            json!({"name": {"familyName": "L"}, "emails": [{"value": "a"}, {"value": "b"}]})
        );
        assert_eq!(
            answered(None, Some(&format!("userName,name,emails,{ENTERPRISE}:manager"))),
            json!({ENTERPRISE: {"department": "R"}})
        );
    }

    #[test]
    fn both_at_once_are_refused() {
        let both = Projection::parse(Some("userName"), Some("emails"), ResourceType::User);
        assert_eq!(both.unwrap_err().kind, crate::scim::ErrorKind::InvalidValue);
    }

    #[test]
    fn what_is_not_answered_need_not_be_read() {
        let wants = |attributes, excluded, name: &str| {
            Projection::parse(attributes, excluded, ResourceType::Group).unwrap().wants(name)
        };
        assert!(wants(None, None, "members"));
        assert!(!wants(None, Some("Members"), "members"));
        assert!(!wants(Some("displayName"), None, "members"));
        assert!(wants(Some("members.value"), None, "members"));
        assert!(wants(None, Some("members.display"), "members"));
        assert!(wants(Some("displayName"), None, "id"));
        assert!(!wants(None, None, "nope"));
    }
}
