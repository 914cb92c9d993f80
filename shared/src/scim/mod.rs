//! SCIM 2.0 as it stands on the wire ([RFC 7643], [RFC 7644], [RFC 9865]): schemas, filters, paths,
//! PATCH, projections, lists, bulk requests, and what changed from one resource to another.
//!
//! Everything here is a pure function of JSON and of constant schemas. Who may do what, where
//! resources are kept, and what HTTP says about it is for others.
//!
//! # The cast
//!
//! * A *resource* is a JSON object. [`normalize()`] makes what a client sent canonical: names in the
//!   schemas' spelling, unknown and read-only attributes left out, values of the right types and
//!   otherwise as they were sent, nothing that is `null` or empty. All else here works on that form.
//! * An [`AttributePath`](schema::AttributePath) names an attribute that exists.
//! * A [`Filter`] selects resources, a [`Path`] what a PATCH operation changes.
//!
//! [RFC 7643]: https://www.rfc-editor.org/rfc/rfc7643
//! [RFC 7644]: https://www.rfc-editor.org/rfc/rfc7644
//! [RFC 9865]: https://www.rfc-editor.org/rfc/rfc9865

pub mod bulk;
pub mod diff;
mod error;
pub mod filter;
pub mod list;
pub mod normalize;
pub mod patch;
pub mod path;
pub mod projection;
pub mod schema;
mod text;

pub use bulk::BulkRequest;
pub use error::{Error, ErrorKind};
pub use filter::Filter;
pub use list::{ListRequest, ListResponse};
pub use normalize::{Member, Mode, normalize};
pub use patch::{MemberOperation, PatchRequest, Patched};
pub use path::Path;
pub use projection::Projection;
pub use schema::ResourceType;
pub use text::fold;
