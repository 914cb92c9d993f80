//! The resource types and their schemas ([RFC 7643]), as constants.
//!
//! A schema advertises exactly what is kept: every attribute here that a client may write comes back
//! as it was written, and what is not here is ignored.

mod attribute;
mod common;
mod group;
mod json;
mod own;
mod path;
mod user;

pub use attribute::{Attribute, Kind, Mutability, Returned, Uniqueness};
pub use group::{GROUP, TOCSIN_GROUP};
pub use json::{
    Features, all_resource_types, all_schemas, resource_type, schema, service_provider_config,
};
pub use path::AttributePath;
pub use user::{ENTERPRISE_USER, TOCSIN_USER, USER};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A schema: a URN, and the attributes that it names.
#[derive(Debug, Eq, PartialEq)]
pub struct Schema {
    /// The URN.
    pub id: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// What it describes.
    pub description: &'static str,
    /// The attributes, without the common ones of [RFC 7643, 3.1].
    pub attributes: &'static [Attribute],
}

impl Schema {
    /// The attribute of this name, whatever its case.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        attribute::named(self.attributes, name)
    }
}

/// The types of resources that the directory holds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum ResourceType {
    /// A person.
    User,
    /// A group of people.
    Group,
}

impl ResourceType {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// The name, as in `meta.resourceType`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// The path of the endpoint below the base URL.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }

    /// The core schema.
    pub fn core(self) -> &'static Schema {
        match self {
            Self::User => &USER,
            Self::Group => &GROUP,
        }
    }

    /// The extensions, none of which a resource must have.
    pub fn extensions(self) -> &'static [&'static Schema] {
        static USER_EXTENSIONS: [&Schema; 2] = [&ENTERPRISE_USER, &TOCSIN_USER];
        static GROUP_EXTENSIONS: [&Schema; 1] = [&TOCSIN_GROUP];
        match self {
            Self::User => &USER_EXTENSIONS,
            Self::Group => &GROUP_EXTENSIONS,
        }
    }

    /// The extension with this URN, whatever its case.
    pub fn extension(self, urn: &str) -> Option<&'static Schema> {
        self.extensions().iter().copied().find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// The attribute of this name that stands at the top of a resource: one of the core schema, or a
    /// common one ([RFC 7643, 3.1]).
    pub fn attribute(self, name: &str) -> Option<&'static Attribute> {
        self.core().attribute(name).or_else(|| attribute::named(common::COMMON, name))
    }

    /// The value of `schemas` for a resource: the core schema, and the extensions that it uses.
    pub fn schemas_of(self, resource: &Map<String, Value>) -> Value {
        let used = self.extensions().iter().filter(|schema| resource.contains_key(schema.id));
        let ids = std::iter::once(self.core().id).chain(used.map(|schema| schema.id));
        ids.collect::<Vec<_>>().into()
    }
}

#[cfg(test)]
mod tests;
