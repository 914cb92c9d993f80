//! PATCH ([RFC 7644, 3.5.2]).
//!
//! A request is read as a whole, with its values made canonical, before anything is applied; and all
//! of it is applied, or nothing. The members of a group are not part of the resource here, for there
//! may be very many: what is to become of them is told as [`MemberOperation`]s, in order.
//!
//! # Dialects
//!
//! Besides the standard's forms these are taken: `op` and `Operations` in any case; values without a
//! path whose names are dotted (`name.givenName`), have a URN in front, or are whole value paths; an
//! unknown attribute in such a value, and a read-only one, are ignored, and so is the resource's own
//! `id`; `remove` with a list of what to remove. Where a value path selects nothing and its filter
//! demands equalities only, the element is created that the filter describes.

mod apply;
mod elements;
mod members;
mod read;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value};

pub use members::MemberOperation;

use super::{
    Error, ResourceType,
    filter::Filter,
    schema::{Attribute, AttributePath, Schema},
};

/// The URN of the message.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A request has at most so many operations.
pub const MAX_OPERATIONS: usize = 10_000;

/// A request changes attributes of the resource itself at most so often.
pub const MAX_CHANGES: usize = 1000;

/// A PATCH request that was read and makes sense, but may still not fit its resource.
#[derive(Clone)]
pub struct PatchRequest {
    resource_type: ResourceType,
    steps: Vec<Step>,
    members: Vec<MemberOperation>,
}

/// What comes of a PATCH.
#[derive(Clone)]
pub struct Patched {
    /// The resource, changed. It equals the one before if nothing changed.
    pub resource: Map<String, Value>,
    /// What is to be done with the members of a group, in this order.
    pub members: Vec<MemberOperation>,
}

impl PatchRequest {
    /// Reads a request to change a resource of one type.
    pub fn parse(message: &Value, resource_type: ResourceType) -> Result<Self, Error> {
        read::request(message, resource_type)
    }

    /// The resource as it is after all operations. `resource` is in its canonical form, with its `id`
    /// and without members, and stays as it is.
    pub fn apply(&self, resource: &Map<String, Value>) -> Result<Patched, Error> {
        let mut changed = resource.clone();
        for step in &self.steps {
            step.apply(&mut changed)?;
        }
        super::normalize::finish(self.resource_type, &mut changed)?;
        Ok(Patched { resource: changed, members: self.members.clone() })
    }

    /// What is to be done with the members of a group, in this order.
    pub fn members(&self) -> &[MemberOperation] {
        &self.members
    }
}

/// One change, to one attribute; its value is canonical, and nothing if it says that there is none.
#[derive(Clone)]
struct Step {
    operation: Operation,
    target: Target,
    value: Option<Value>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Operation {
    Add,
    Replace,
    Remove,
}

#[derive(Clone)]
enum Target {
    /// Nothing is changed, but the value must be the resource's own id.
    Id,
    /// An attribute, or a sub-attribute of it or of all its elements.
    Attribute(AttributePath),
    /// Elements that a filter selects, or a sub-attribute of them.
    Elements { path: AttributePath, filter: Filter, sub_attribute: Option<&'static Attribute> },
    /// A whole extension, which is only ever removed as such.
    Extension(&'static Schema),
}

/// Says how many changes there are, and not what people's values are.
impl fmt::Debug for PatchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatchRequest")
            .field("resource_type", &self.resource_type)
            .field("steps", &self.steps.len())
            .field("members", &self.members.len())
            .finish()
    }
}

/// Says how many changes to members there are, and nothing of the resource.
impl fmt::Debug for Patched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patched").field("members", &self.members.len()).finish_non_exhaustive()
    }
}
