//! Security events: their types and what each requires.

mod event_type;

pub use event_type::EventType;
