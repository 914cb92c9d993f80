//! Event streams and their management.

mod default_subjects;
mod id;

pub use default_subjects::DefaultSubjects;
pub use id::StreamId;
