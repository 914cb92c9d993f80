//! Names of attributes, resolved against the schemas ([RFC 7644, 3.10]).

use std::fmt;

use serde_json::{Map, Value};

use super::{Attribute, ResourceType, Schema};

/// The name of an attribute or of a sub-attribute that exists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AttributePath {
    /// The extension that the attribute belongs to; none for the core schema and the common
    /// attributes.
    pub extension: Option<&'static Schema>,
    /// The attribute.
    pub attribute: &'static Attribute,
    /// The sub-attribute, if one is named.
    pub sub_attribute: Option<&'static Attribute>,
}

impl AttributePath {
    /// What `name` means: `userName`, `name.givenName`, or either with a schema's URN and a colon in
    /// front, in any case. Nothing if there is no such attribute.
    pub fn resolve(name: &str, resource_type: ResourceType) -> Option<Self> {
        let (extension, rest) = split_urn(name, resource_type);
        let (attribute, sub) = match rest.split_once('.') {
            Some((attribute, sub)) => (attribute, Some(sub)),
            None => (rest, None),
        };
        let attribute = match extension {
            Some(schema) => schema.attribute(attribute)?,
            None => resource_type.attribute(attribute)?,
        };
        let sub_attribute = match sub {
            Some(sub) => Some(attribute.sub_attribute(sub)?),
            None => None,
        };
        Some(Self { extension, attribute, sub_attribute })
    }

    /// The attribute whose values the path names: the sub-attribute if there is one.
    pub fn leaf(&self) -> &'static Attribute {
        self.sub_attribute.unwrap_or(self.attribute)
    }

    /// The same with another sub-attribute, or with none.
    #[must_use]
    pub fn with(self, sub_attribute: Option<&'static Attribute>) -> Self {
        Self { sub_attribute, ..self }
    }

    /// Whether this is the attribute `name`, in the spelling of [`Display`](fmt::Display).
    pub fn is(&self, name: &str) -> bool {
        self.to_string() == name
    }

    /// The value of the attribute, not of the sub-attribute, in a resource.
    pub fn attribute_in<'r>(&self, resource: &'r Map<String, Value>) -> Option<&'r Value> {
        match self.extension {
            Some(schema) => resource.get(schema.id)?.as_object()?.get(self.attribute.name),
            None => resource.get(self.attribute.name),
        }
    }

    /// The single values that the path names in a resource: those of all elements of a multi-valued
    /// attribute.
    pub fn values<'r>(&self, resource: &'r Map<String, Value>) -> Vec<&'r Value> {
        let elements = match self.attribute_in(resource) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(elements)) => elements.iter().collect(),
            Some(value) => vec![value],
        };
        match self.sub_attribute {
            None => elements,
            Some(sub) => elements
                .into_iter()
                .filter_map(|element| element.get(sub.name))
                .filter(|value| !value.is_null())
                .collect(),
        }
    }
}

/// The extension that the URN in front of `name` means, and what follows the URN. The URN of the core
/// schema is cut off too. Some clients put a point where the standard has a colon.
fn split_urn(name: &str, resource_type: ResourceType) -> (Option<&'static Schema>, &str) {
    let after = |schema: &Schema| {
        let urn = name.get(..schema.id.len())?;
        let rest = name.get(schema.id.len()..)?;
        let rest = rest.strip_prefix([':', '.'])?;
        urn.eq_ignore_ascii_case(schema.id).then_some(rest)
    };
    for schema in resource_type.extensions() {
        if let Some(rest) = after(schema) {
            return (Some(schema), rest);
        }
    }
    (None, after(resource_type.core()).unwrap_or(name))
}

/// In the spelling of the schemas; attributes of extensions with their URN.
impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = self.extension {
            write!(f, "{}:", schema.id)?;
        }
        f.write_str(self.attribute.name)?;
        match self.sub_attribute {
            Some(sub) => write!(f, ".{}", sub.name),
            None => Ok(()),
        }
    }
}
