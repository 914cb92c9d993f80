//! What the HTTP functions share: problems, extractors, limits.
//!
//! A function is a `Router<Transmitter>` of the routes in [`paths`]; [`app`] makes it whole. A
//! request is judged in this order, which is the order of a handler's arguments: who are you (401),
//! may you (403), can it be read (400, 413, 415), does it exist for you (404).

mod app;
mod authorized;
mod input;
mod myself;
pub mod paths;
mod peer;
mod problem;

pub use app::app;
pub use authorized::{MayManage, MayPoll, MayProvision, MayRead, MayReadDirectory, bearer};
pub use input::{
    Form, Json, JsonOrNothing, MAX_BODY, MAX_SCIM_BODY, Path, Query, Raw, ScimBody, pairs,
};
pub use myself::Myself;
pub use peer::Peer;
pub use problem::Problem;
