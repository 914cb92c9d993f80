//! The names of event types.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// Names an event type: a URI.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct EventType(Cow<'static, str>);

/// Who defines an event type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// The Continuous Access Evaluation Profile 1.0.
    Caep,
    /// Nobody but the operator and the receivers.
    Private,
    /// The Risk Incident Sharing and Coordination profile 1.0.
    Risc,
    /// The SCIM Profile for Security Event Tokens (RFC 9967).
    Scim,
    /// The Shared Signals Framework 1.0 itself.
    Ssf,
}

macro_rules! caep {
    ($name:literal) => {
        EventType(Cow::Borrowed(concat!(
            "https://schemas.openid.net/secevent/caep/event-type/",
            $name
        )))
    };
}

macro_rules! risc {
    ($name:literal) => {
        EventType(Cow::Borrowed(concat!(
            "https://schemas.openid.net/secevent/risc/event-type/",
            $name
        )))
    };
}

macro_rules! scim {
    ($name:literal) => {
        EventType(Cow::Borrowed(concat!("urn:ietf:params:scim:event:", $name)))
    };
}

/// The names of SCIM's types begin so; what follows is their short name.
const SCIM_PREFIX: &str = "urn:ietf:params:scim:event:";

macro_rules! ssf {
    ($name:literal) => {
        EventType(Cow::Borrowed(concat!(
            "https://schemas.openid.net/secevent/ssf/event-type/",
            $name
        )))
    };
}

/// CAEP ([CAEP 1.0, 3]).
impl EventType {
    /// A session was ended.
    pub const SESSION_REVOKED: Self = caep!("session-revoked");
    /// A claim in a token is not what it was.
    pub const TOKEN_CLAIMS_CHANGE: Self = caep!("token-claims-change");
    /// A credential was made, changed, revoked or deleted.
    pub const CREDENTIAL_CHANGE: Self = caep!("credential-change");
    /// A user is authenticated more strongly, or less, than before.
    pub const ASSURANCE_LEVEL_CHANGE: Self = caep!("assurance-level-change");
    /// A device complies, or does not any more.
    pub const DEVICE_COMPLIANCE_CHANGE: Self = caep!("device-compliance-change");
    /// A session began.
    pub const SESSION_ESTABLISHED: Self = caep!("session-established");
    /// A session was seen.
    pub const SESSION_PRESENTED: Self = caep!("session-presented");
    /// A risk is judged to be higher or lower.
    pub const RISK_LEVEL_CHANGE: Self = caep!("risk-level-change");
}

/// RISC ([RISC 1.0, 2]).
impl EventType {
    /// The user must change a credential.
    pub const ACCOUNT_CREDENTIAL_CHANGE_REQUIRED: Self =
        risc!("account-credential-change-required");
    /// The account is gone for good.
    pub const ACCOUNT_PURGED: Self = risc!("account-purged");
    /// The account cannot be used.
    pub const ACCOUNT_DISABLED: Self = risc!("account-disabled");
    /// The account can be used again.
    pub const ACCOUNT_ENABLED: Self = risc!("account-enabled");
    /// An identifier has another value.
    pub const IDENTIFIER_CHANGED: Self = risc!("identifier-changed");
    /// An identifier belongs to somebody else.
    pub const IDENTIFIER_RECYCLED: Self = risc!("identifier-recycled");
    /// A credential is known to others.
    pub const CREDENTIAL_COMPROMISE: Self = risc!("credential-compromise");
    /// The account takes part in the exchange of events.
    pub const OPT_IN: Self = risc!("opt-in");
    /// The account asked to take part no more.
    pub const OPT_OUT_INITIATED: Self = risc!("opt-out-initiated");
    /// The account takes part after all.
    pub const OPT_OUT_CANCELLED: Self = risc!("opt-out-cancelled");
    /// The account takes part no more.
    pub const OPT_OUT_EFFECTIVE: Self = risc!("opt-out-effective");
    /// The user began to recover the account.
    pub const RECOVERY_ACTIVATED: Self = risc!("recovery-activated");
    /// What serves to recover the account was changed.
    pub const RECOVERY_INFORMATION_CHANGED: Self = risc!("recovery-information-changed");
    /// Deprecated: [`EventType::SESSION_REVOKED`] has taken its place ([RISC 1.0, 2.11]).
    pub const SESSIONS_REVOKED: Self = risc!("sessions-revoked");
}

/// SCIM ([RFC 9967, 2]).
impl EventType {
    /// A resource is told of from now on.
    pub const SCIM_FEED_ADD: Self = scim!("feed:add");
    /// A resource is not told of any more.
    pub const SCIM_FEED_REMOVE: Self = scim!("feed:remove");
    /// A resource was made; which attributes it has.
    pub const SCIM_CREATE_NOTICE: Self = scim!("prov:create:notice");
    /// A resource was made; all of it.
    pub const SCIM_CREATE_FULL: Self = scim!("prov:create:full");
    /// A resource was changed; which attributes.
    pub const SCIM_PATCH_NOTICE: Self = scim!("prov:patch:notice");
    /// A resource was changed; how.
    pub const SCIM_PATCH_FULL: Self = scim!("prov:patch:full");
    /// A resource was replaced; which attributes are others.
    pub const SCIM_PUT_NOTICE: Self = scim!("prov:put:notice");
    /// A resource was replaced; all of it.
    pub const SCIM_PUT_FULL: Self = scim!("prov:put:full");
    /// A resource is no more.
    pub const SCIM_DELETE: Self = scim!("prov:delete");
    /// A resource can be used again.
    pub const SCIM_ACTIVATE: Self = scim!("prov:activate");
    /// A resource cannot be used.
    pub const SCIM_DEACTIVATE: Self = scim!("prov:deactivate");
    /// What was asked for without waiting is done.
    pub const SCIM_ASYNC_RESPONSE: Self = scim!("misc:asyncresp");
}

/// SSF ([SSF 1.0, 8.1.4 and 8.1.5]): made by the transmitter alone, delivered on every stream.
impl EventType {
    /// The stream works.
    pub const VERIFICATION: Self = ssf!("verification");
    /// The transmitter changed the status of the stream.
    pub const STREAM_UPDATED: Self = ssf!("stream-updated");
}

/// Those that upstream systems may send without the operator's word, hence `events_supported`.
const SUPPORTED: [EventType; 33] = [
    EventType::SESSION_REVOKED,
    EventType::TOKEN_CLAIMS_CHANGE,
    EventType::CREDENTIAL_CHANGE,
    EventType::ASSURANCE_LEVEL_CHANGE,
    EventType::DEVICE_COMPLIANCE_CHANGE,
    EventType::SESSION_ESTABLISHED,
    EventType::SESSION_PRESENTED,
    EventType::RISK_LEVEL_CHANGE,
    EventType::ACCOUNT_CREDENTIAL_CHANGE_REQUIRED,
    EventType::ACCOUNT_PURGED,
    EventType::ACCOUNT_DISABLED,
    EventType::ACCOUNT_ENABLED,
    EventType::IDENTIFIER_CHANGED,
    EventType::IDENTIFIER_RECYCLED,
    EventType::CREDENTIAL_COMPROMISE,
    EventType::OPT_IN,
    EventType::OPT_OUT_INITIATED,
    EventType::OPT_OUT_CANCELLED,
    EventType::OPT_OUT_EFFECTIVE,
    EventType::RECOVERY_ACTIVATED,
    EventType::RECOVERY_INFORMATION_CHANGED,
    EventType::SCIM_FEED_ADD,
    EventType::SCIM_FEED_REMOVE,
    EventType::SCIM_CREATE_NOTICE,
    EventType::SCIM_CREATE_FULL,
    EventType::SCIM_PATCH_NOTICE,
    EventType::SCIM_PATCH_FULL,
    EventType::SCIM_PUT_NOTICE,
    EventType::SCIM_PUT_FULL,
    EventType::SCIM_DELETE,
    EventType::SCIM_ACTIVATE,
    EventType::SCIM_DEACTIVATE,
    EventType::SCIM_ASYNC_RESPONSE,
];

impl EventType {
    /// The type with this URI, whether we know it or not.
    pub fn new(uri: impl Into<String>) -> Self {
        Self(Cow::Owned(uri.into()))
    }

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The standard types of `events_supported` ([SSF 1.0, 8.1.1]), to which the operator's own
    /// come: all of CAEP, all of RISC but the deprecated [`EventType::SESSIONS_REVOKED`], and all of
    /// SCIM. SSF's two are not among them, as they are not a receiver's to choose.
    pub fn supported() -> &'static [Self] {
        &SUPPORTED
    }

    /// Who defines it.
    pub fn family(&self) -> Family {
        if SUPPORTED[..8].contains(self) {
            Family::Caep
        } else if SUPPORTED[8..21].contains(self) || *self == Self::SESSIONS_REVOKED {
            Family::Risc
        } else if SUPPORTED[21..].contains(self) {
            Family::Scim
        } else if [Self::VERIFICATION, Self::STREAM_UPDATED].contains(self) {
            Family::Ssf
        } else {
            Family::Private
        }
    }

    /// Whether a standard defines it.
    pub fn is_standard(&self) -> bool {
        self.family() != Family::Private
    }

    /// Whether it holds a whole resource, and so personal data ([RFC 9967, 2.4]): only clients whom
    /// the operator trusts with it are told, see
    /// [`ScimOptions::full`](crate::client::ScimOptions::full).
    pub fn is_full(&self) -> bool {
        [Self::SCIM_CREATE_FULL, Self::SCIM_PATCH_FULL, Self::SCIM_PUT_FULL].contains(self)
    }

    /// What people call it: `session-revoked`, `prov:create:notice`. Types outside the standards
    /// keep their URI.
    pub fn short_name(&self) -> &str {
        match self.family() {
            Family::Caep | Family::Risc | Family::Ssf => {
                self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
            }
            Family::Scim => self.0.strip_prefix(SCIM_PREFIX).unwrap_or(&self.0),
            Family::Private => &self.0,
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
