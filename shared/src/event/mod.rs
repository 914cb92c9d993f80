//! Security events: their types and what each requires.

mod event_type;
mod opt_out;
mod own;
mod schema;
mod scim;
mod security_event;

pub use event_type::{EventType, Family};
pub use opt_out::OptState;
pub use own::{StreamUpdated, Verification};
pub use security_event::{EventRules, MAX_EVENT_BYTES, SecurityEvent};

#[cfg(test)]
mod tests;
