//! What happens in the demo.

use jiff::Timestamp;
use serde_json::{Value, json};
use ssf::event::EventType;

/// The user whom one of the receivers cares about.
pub(super) const JANE: &str = "jane@example.com";

/// One message for the ingest queue.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    /// Who says it.
    pub(super) said: Said,
    /// What happened.
    pub(super) tells: Vec<EventType>,
    /// To whom.
    pub(super) subject: Value,
    /// By which its SETs are known.
    pub(super) txn: &'static str,
    /// Who is to be told; nobody of what cannot be an event.
    pub(super) wanted_by: &'static [&'static str],
}

/// Who says what happened.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// An upstream system, with what else is known.
    Ourselves(Value),
    /// A source, by this call.
    Cognito(&'static str),
}

impl Scene {
    /// The message.
    pub(super) fn message(&self) -> Value {
        match &self.said {
            Said::Ourselves(payload) => {
                let event_type = self.tells.first().map_or("", EventType::as_str);
                json!({
                    "sub_id": self.subject,
                    "events": { event_type: payload },
                    "txn": self.txn,
                })
            }
            Said::Cognito(call) => json!({
                "version": "0",
                "id": self.txn,
                "detail-type": "AWS API Call via CloudTrail",
                "source": "aws.cognito-idp",
                "detail": {
                    "eventTime": "2025-11-28T08:59:01Z",
                    "eventSource": "cognito-idp.amazonaws.com",
                    "eventName": call,
                    "awsRegion": "us-east-1",
                    "requestParameters": { "userPoolId": "us-east-1_EXAMPLE" },
                    "additionalEventData": { "sub": self.subject["sub"] },
                },
            }),
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        match self.said {
            Said::Ourselves(_) => self.tells.first().map_or("", EventType::short_name),
            Said::Cognito(call) => call,
        }
    }
}

/// All of them.
pub(super) fn scenes(now: Timestamp) -> [Scene; 6] {
    let jane = json!({ "format": "email", "email": JANE });
    let pat = json!({ "format": "iss_sub", "iss": "https://idp.example.com", "sub": "pat" });
    let pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE";
    let customer = json!({ "format": "iss_sub", "iss": pool, "sub": "8f0b3a52" });
    let laptop = json!({
        "format": "complex",
        "tenant": { "format": "opaque", "id": "example" },
        "device": { "format": "opaque", "id": "laptop-17" },
    });
    [
        Scene {
            tells: vec![EventType::SESSION_REVOKED],
            subject: jane.clone(),
            said: Said::Ourselves(json!({
                "event_timestamp": now.as_second(),
                "initiating_entity": "policy",
                "reason_admin": { "en": "Signed in from two continents within an hour" },
            })),
            txn: "demo-1",
            wanted_by: &["acme", "globex"],
        },
        Scene {
            tells: vec![EventType::CREDENTIAL_CHANGE],
            subject: jane.clone(),
            said: Said::Ourselves(
                json!({ "credential_type": "password", "change_type": "update" }),
            ),
            txn: "demo-2",
            wanted_by: &["acme", "globex"],
        },
        Scene {
            tells: vec![EventType::DEVICE_COMPLIANCE_CHANGE],
            subject: laptop,
            said: Said::Ourselves(
                json!({ "previous_status": "compliant", "current_status": "not-compliant" }),
            ),
            txn: "demo-3",
            wanted_by: &["acme"],
        },
        Scene {
            tells: vec![EventType::ACCOUNT_DISABLED],
            subject: pat,
            said: Said::Ourselves(json!({ "reason": "hijacking" })),
            txn: "demo-4",
            wanted_by: &["acme"],
        },
        Scene {
            tells: vec![EventType::SESSION_REVOKED],
            subject: jane,
            // The mistake that everybody makes once.
            said: Said::Ourselves(json!({ "event_timestamp": now.as_millisecond() })),
            txn: "demo-5",
            wanted_by: &[],
        },
        Scene {
            tells: vec![EventType::ACCOUNT_DISABLED, EventType::SESSION_REVOKED],
            subject: customer,
            said: Said::Cognito("AdminDisableUser"),
            txn: "demo-6",
            wanted_by: &["acme"],
        },
    ]
}
