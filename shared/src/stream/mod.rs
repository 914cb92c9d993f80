//! Event streams and their management ([SSF 1.0, 8.1]).

mod configuration;
mod default_subjects;
mod feed;
mod full;
mod header;
mod id;
mod manage;
mod matching;
mod model;
mod status;
pub(crate) mod store;
mod subjects;
mod suspend;
mod verification;

pub use configuration::{CreateStream, DeliveryWish, StreamConfiguration, UpdateStream, audience};
pub use default_subjects::DefaultSubjects;
pub(crate) use feed::{Feeding, Unfed, Word, listed_subject};
pub use id::StreamId;
pub use manage::Missing;
pub(crate) use matching::Matcher;
pub use model::{Delivery, Endpoint, MAX_SHAPES, Rest, Status, Stream, UriFamily};
pub use status::{Reason, StatusWish, StreamStatus, UpdateStatus};
pub(crate) use store::listed_key;
pub(crate) use subjects::subject_rows;
pub use subjects::{AddSubject, RemoveSubject};
pub use verification::VerifyStream;
