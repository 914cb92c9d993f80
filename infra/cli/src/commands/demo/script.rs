//! What happens in the demo.

use jiff::Timestamp;
use serde_json::{Value, json};
use ssf::event::EventType;

/// The user whom one of the receivers cares about.
pub(super) const JANE: &str = "jane@example.com";

/// One message for the ingest queue.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    /// What happened.
    pub(super) event_type: EventType,
    /// To whom.
    pub(super) subject: Value,
    /// What else is known.
    pub(super) payload: Value,
    /// By which its SETs are known.
    pub(super) txn: &'static str,
    /// Who is to be told; nobody of what cannot be an event.
    pub(super) wanted_by: &'static [&'static str],
}

impl Scene {
    /// The message.
    pub(super) fn message(&self) -> Value {
        json!({
            "sub_id": self.subject,
            "events": { self.event_type.as_str(): self.payload },
            "txn": self.txn,
        })
    }
}

/// All of them.
pub(super) fn scenes(now: Timestamp) -> [Scene; 5] {
    let jane = json!({ "format": "email", "email": JANE });
    let pat = json!({ "format": "iss_sub", "iss": "https://idp.example.com", "sub": "pat" });
    let laptop = json!({
        "format": "complex",
        "tenant": { "format": "opaque", "id": "example" },
        "device": { "format": "opaque", "id": "laptop-17" },
    });
    [
        Scene {
            event_type: EventType::SESSION_REVOKED,
            subject: jane.clone(),
            payload: json!({
                "event_timestamp": now.as_second(),
                "initiating_entity": "policy",
                "reason_admin": { "en": "Signed in from two continents within an hour" },
            }),
            txn: "demo-1",
            wanted_by: &["acme", "globex"],
        },
        Scene {
            event_type: EventType::CREDENTIAL_CHANGE,
            subject: jane.clone(),
            payload: json!({ "credential_type": "password", "change_type": "update" }),
            txn: "demo-2",
            wanted_by: &["acme", "globex"],
        },
        Scene {
            event_type: EventType::DEVICE_COMPLIANCE_CHANGE,
            subject: laptop,
            payload: json!({ "previous_status": "compliant", "current_status": "not-compliant" }),
            txn: "demo-3",
            wanted_by: &["acme"],
        },
        Scene {
            event_type: EventType::ACCOUNT_DISABLED,
            subject: pat,
            payload: json!({ "reason": "hijacking" }),
            txn: "demo-4",
            wanted_by: &["acme"],
        },
        Scene {
            event_type: EventType::SESSION_REVOKED,
            subject: jane,
            // The mistake that everybody makes once.
            payload: json!({ "event_timestamp": now.as_millisecond() }),
            txn: "demo-5",
            wanted_by: &[],
        },
    ]
}
