//! What the handlers need to know of a kind of resource.

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use ssf::{
    Error,
    client::Receiver,
    directory::{Cause, Directory, Listed, ResourceId},
    scim::{Projection, ResourceType},
};

use crate::preconditions::{expected, revision_of};

/// A kind of resource: how one is read, written and shown to a client. What is decided about it is
/// decided in the [`Directory`].
pub(crate) trait Resource: Listed + Sync + 'static {
    /// Its version (RFC 7644, 3.14).
    fn revision(&self) -> u64;

    /// The one with this id.
    fn find(
        directory: &Directory,
        id: ResourceId,
    ) -> impl Future<Output = Result<Self, Error>> + Send;

    /// Makes one of `body`; the status says whether it was there before.
    fn create(
        writer: &Writer<'_>,
        body: &Value,
    ) -> impl Future<Output = Result<(Self, StatusCode), Error>> + Send;

    /// Makes of the one at `place` what `body` says (RFC 7644, 3.5.1). What `projection` leaves out,
    /// the client may have left out, too.
    fn replace(
        writer: &Writer<'_>,
        place: Place,
        body: &Value,
        projection: &Projection,
    ) -> impl Future<Output = Result<Self, Error>> + Send;

    /// Does to the one at `place` what `body` says (RFC 7644, 3.5.2).
    fn change(
        writer: &Writer<'_>,
        place: Place,
        body: &Value,
    ) -> impl Future<Output = Result<Self, Error>> + Send;

    /// Deletes the one at `place`.
    fn delete(writer: &Writer<'_>, place: Place) -> impl Future<Output = Result<(), Error>> + Send;

    /// The resource as `receiver` sees it, with what `projection` asks for.
    fn shown(
        &self,
        directory: &Directory,
        receiver: &Receiver,
        projection: &Projection,
        at: At,
    ) -> impl Future<Output = Result<Value, Error>> + Send;

    /// Whether a change of it is answered with the resource.
    fn is_shown_after_change(&self, _: &Receiver, _: &Projection) -> bool {
        true
    }
}

/// Where a resource is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum At {
    /// By itself.
    Itself,
    /// Among others.
    List,
}

/// Who writes, and why.
pub(crate) struct Writer<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) receiver: &'a Receiver,
    pub(crate) cause: &'a Cause,
}

/// What is written to: the resource, and the state that it must be in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) id: ResourceId,
    pub(crate) revision: Option<u64>,
}

impl Place {
    /// The one that a path names, under the conditions of these headers.
    pub(crate) fn of_path(
        id: &str,
        headers: &HeaderMap,
        kind: ResourceType,
    ) -> Result<Self, Error> {
        Ok(Self { id: parse(id, kind)?, revision: expected(headers) })
    }

    /// The one that an operation names, and its version, if it does.
    pub(crate) fn of_operation(
        id: &str,
        version: Option<&str>,
        kind: ResourceType,
    ) -> Result<Self, Error> {
        Ok(Self { id: parse(id, kind)?, revision: version.map(revision_of) })
    }
}

/// An id in a path or a body.
pub(crate) fn parse(id: &str, kind: ResourceType) -> Result<ResourceId, Error> {
    let kind = match kind {
        ResourceType::User => "user",
        ResourceType::Group => "group",
    };
    ResourceId::parse(id).ok_or_else(|| Error::NotFound { kind, id: id.to_owned() })
}
