//! Security events: their types and what each requires.

mod event_type;
mod security_event;

pub use event_type::{EventType, Family};
pub use security_event::{EventRules, MAX_EVENT_BYTES, SecurityEvent};
