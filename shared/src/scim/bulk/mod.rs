//! Bulk requests ([RFC 7644, 3.7]): several operations in one message, which may name what others of
//! them create.

mod references;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt};

use serde_json::{Map, Value};

use super::{
    Error, ErrorKind, ResourceType,
    normalize::{member, names_schema},
};

/// The URN of the request.
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// The URN of the answer.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// A request has at most so many operations.
pub const MAX_OPERATIONS: usize = 100;

/// Several operations, each of which succeeds or fails for itself.
#[derive(Clone, Debug)]
pub struct BulkRequest {
    /// After how many failures to stop; if nothing is said, never.
    pub fail_on_errors: Option<u64>,
    /// The operations as they were sent, which is the order in which they are answered.
    pub operations: Vec<SentOperation>,
    order: Vec<usize>,
}

/// One operation as it was sent; it may be none.
#[derive(Clone, Debug)]
pub struct SentOperation {
    /// What it is to do, as far as that can be read.
    pub method: Option<Method>,
    /// What the client calls the resource that it is to create.
    pub bulk_id: Option<String>,
    /// The operation, or why it is none: which fails it alone ([RFC 7644, 3.7.3]).
    pub read: Result<BulkOperation, Error>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// Create.
    Post,
    /// Replace.
    Put,
    /// Change.
    Patch,
    /// Delete.
    Delete,
}

impl Method {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One operation. Ids in it may be references until [`BulkRequest::resolve`] has replaced them.
#[derive(Clone)]
pub struct BulkOperation {
    /// What it does.
    pub method: Method,
    /// With a resource of which type.
    pub resource_type: ResourceType,
    /// With which resource; none for one that is created.
    pub id: Option<String>,
    /// What the client calls the resource that is created.
    pub bulk_id: Option<String>,
    /// The version that the resource must have, as in `If-Match`.
    pub version: Option<String>,
    /// The body; none for one that is deleted.
    pub data: Option<Value>,
}

impl BulkRequest {
    /// Reads a request. One with references that go in a circle is refused as a whole; an operation that
    /// cannot be done, or refers to what no operation creates, fails when it is to be
    /// [resolved](Self::resolve).
    pub fn parse(message: &Value) -> Result<Self, Error> {
        let message =
            message.as_object().ok_or_else(|| Error::syntax("the body is not an object"))?;
        if !names_schema(member(message, "schemas")?, BULK_REQUEST) {
            return Err(Error::syntax(format_args!("schemas does not name {BULK_REQUEST}")));
        }
        let fail_on_errors = match member(message, "failOnErrors")? {
            None => None,
            Some(value) => {
                let whole = || Error::syntax("failOnErrors is not a whole number from 1 on");
                Some(value.as_u64().filter(|count| *count > 0).ok_or_else(whole)?)
            }
        };
        let sent = match member(message, "Operations")? {
            Some(Value::Array(operations)) if !operations.is_empty() => operations,
            _ => return Err(Error::syntax("Operations is not an array that holds any")),
        };
        if sent.len() > MAX_OPERATIONS {
            let detail = format_args!("Operations holds more than {MAX_OPERATIONS}");
            return Err(Error::new(ErrorKind::TooLarge, detail));
        }
        let operations: Vec<_> =
            sent.iter().enumerate().map(|(at, sent)| SentOperation::read(sent, at)).collect();
        let order = references::order(&operations)?;
        Ok(Self { fail_on_errors, operations, order })
    }

    /// The positions of the operations in the order in which they can be done: as they were sent,
    /// except that what is referred to is created first.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The operation at a position with its references replaced by the ids of what was `created`, by
    /// the clients' names. What is no operation, or refers to what was not created, is an error.
    pub fn resolve(
        &self,
        position: usize,
        created: &HashMap<String, String>,
    ) -> Result<BulkOperation, Error> {
        let sent = self.operations.get(position).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "there is no operation at this position")
        })?;
        references::resolve(sent.read.as_ref().map_err(Clone::clone)?, created)
    }
}

impl SentOperation {
    fn read(message: &Value, at: usize) -> Self {
        let read = BulkOperation::parse(message).map_err(|error| {
            Error::new(error.kind, format_args!("Operations[{at}]: {}", error.detail))
        });
        let (method, bulk_id) = match (&read, message.as_object()) {
            (Ok(operation), _) => (Some(operation.method), operation.bulk_id.clone()),
            // What can be read of it tells the client which one it was.
            (Err(_), Some(message)) => {
                (method_of(message).unwrap_or_default(), bulk_id_of(message).unwrap_or_default())
            }
            (Err(_), None) => (None, None),
        };
        Self { method, bulk_id, read }
    }
}

fn method_of(message: &Map<String, Value>) -> Result<Option<Method>, Error> {
    Ok(match text(message, "method")?.unwrap_or_default().to_ascii_uppercase().as_str() {
        "POST" => Some(Method::Post),
        "PUT" => Some(Method::Put),
        "PATCH" => Some(Method::Patch),
        "DELETE" => Some(Method::Delete),
        _ => None,
    })
}

fn bulk_id_of(message: &Map<String, Value>) -> Result<Option<String>, Error> {
    Ok(text(message, "bulkId")?.filter(|name| !name.is_empty()).map(str::to_owned))
}

impl BulkOperation {
    fn parse(message: &Value) -> Result<Self, Error> {
        let message = message.as_object().ok_or_else(|| Error::syntax("it is not an object"))?;
        let method = method_of(message)?
            .ok_or_else(|| Error::syntax("method is not POST, PUT, PATCH or DELETE"))?;
        let (resource_type, id) = target(text(message, "path")?.unwrap_or_default(), method)?;
        let bulk_id = bulk_id_of(message)?;
        if method == Method::Post && bulk_id.is_none() {
            return Err(Error::syntax("bulkId is missing"));
        }
        let data = member(message, "data")?;
        if method != Method::Delete && !data.is_some_and(Value::is_object) {
            return Err(Error::syntax("data is not an object"));
        }
        Ok(Self {
            method,
            resource_type,
            id,
            bulk_id,
            version: text(message, "version")?.map(str::to_owned),
            data: data.filter(|_| method != Method::Delete).cloned(),
        })
    }
}

fn text<'m>(message: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, Error> {
    match member(message, name)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::syntax(format_args!("{name} is not a text"))),
    }
}

/// What `/Users` or `/Users/{id}` means for a method.
fn target(path: &str, method: Method) -> Result<(ResourceType, Option<String>), Error> {
    let wrong = || Error::syntax("path is not that of an endpoint or of a resource");
    let path = path.strip_prefix('/').ok_or_else(wrong)?;
    let (endpoint, id) = match path.split_once('/') {
        Some((endpoint, id)) => (endpoint, Some(id)),
        None => (path, None),
    };
    let of = ResourceType::ALL.into_iter().find(|of| of.endpoint()[1..] == *endpoint);
    let fits = match (method, id) {
        (Method::Post, None) => true,
        (Method::Put | Method::Patch | Method::Delete, Some(id)) => {
            !id.is_empty() && !id.contains('/')
        }
        _ => false,
    };
    of.filter(|_| fits).map(|of| (of, id.map(str::to_owned))).ok_or_else(wrong)
}

/// Says what it does, and nothing of the resource.
impl fmt::Debug for BulkOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkOperation")
            .field("method", &self.method)
            .field("resource_type", &self.resource_type)
            .field("id", &self.id)
            .field("bulk_id", &self.bulk_id)
            .finish_non_exhaustive()
    }
}
