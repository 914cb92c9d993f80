//! What each event type requires of its payload, as a table.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{EventType, Family, scim};
use crate::{
    json::Invalid,
    subject::{Subject, SubjectIdentifier},
};

/// What a type knows of; more is allowed beside it ([SSF 1.0, 4.2.3]) and kept.
struct Schema {
    event_type: EventType,
    /// What it shares with the other types of its family.
    common: &'static [Member],
    /// Its own.
    own: &'static [Member],
}

/// One member of a payload.
#[derive(Clone, Copy)]
struct Member {
    name: &'static str,
    required: bool,
    form: Form,
}

/// What the value of a member must be.
#[derive(Clone, Copy)]
enum Form {
    /// An object with at least one member.
    Claims,
    /// A text that is not empty.
    Name,
    /// None: the member must not be there.
    Never,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Texts under the tags of their languages.
    Reasons,
    /// A resource, or a change of one, without a password.
    Resource,
    /// A status of HTTP, as a text of three digits.
    Status,
    /// Any text.
    Text,
    /// An array of texts.
    Texts,
    /// Seconds of Unix time, not in the future.
    Time,
}

use Form::{Claims, Name, Never, OneOf, Reasons, Resource, Status, Text, Texts, Time};

/// [CAEP 1.0, 2].
const CAEP: &[Member] = &[
    may("event_timestamp", Time),
    may("initiating_entity", OneOf(&["admin", "user", "policy", "system"])),
    may("reason_admin", Reasons),
    may("reason_user", Reasons),
];

/// RISC has no common members; many senders add the time as in CAEP.
const RISC: &[Member] = &[may("event_timestamp", Time)];

const COMPLIANCE: Form = OneOf(&["compliant", "not-compliant"]);
const RISK: Form = OneOf(&["LOW", "MEDIUM", "HIGH"]);

/// [RFC 9967, 2.2]; the time as in CAEP.
const SCIM: &[Member] = &[may("version", Name), may("event_timestamp", Time)];

/// [RFC 9967, 2.2]: exactly one of the two, as the type says.
const NOTICE: &[Member] = &[must("attributes", Texts), must_not("data")];
const FULL: &[Member] = &[must("data", Resource), must_not("attributes")];
const NEITHER: &[Member] = &[must_not("data"), must_not("attributes")];

static SCHEMAS: [Schema; 33] = [
    // [CAEP 1.0, 3.1 to 3.8]
    of(EventType::SESSION_REVOKED, CAEP, &[]),
    of(EventType::TOKEN_CLAIMS_CHANGE, CAEP, &[must("claims", Claims)]),
    of(
        EventType::CREDENTIAL_CHANGE,
        CAEP,
        &[
            // The list of the standard is open: "or any other credential type supported mutually".
            must("credential_type", Name),
            must("change_type", OneOf(&["create", "revoke", "update", "delete"])),
            may("friendly_name", Text),
            may("x509_issuer", Text),
            may("x509_serial", Text),
            may("fido2_aaguid", Text),
        ],
    ),
    of(
        EventType::ASSURANCE_LEVEL_CHANGE,
        CAEP,
        &[
            must("namespace", Name),
            must("current_level", Name),
            may("previous_level", Name),
            may("change_direction", OneOf(&["increase", "decrease"])),
        ],
    ),
    of(
        EventType::DEVICE_COMPLIANCE_CHANGE,
        CAEP,
        &[must("previous_status", COMPLIANCE), must("current_status", COMPLIANCE)],
    ),
    of(
        EventType::SESSION_ESTABLISHED,
        CAEP,
        &[may("fp_ua", Text), may("acr", Text), may("amr", Texts), may("ext_id", Text)],
    ),
    of(EventType::SESSION_PRESENTED, CAEP, &[may("fp_ua", Text), may("ext_id", Text)]),
    of(
        EventType::RISK_LEVEL_CHANGE,
        CAEP,
        &[
            must("principal", Name),
            must("current_level", RISK),
            may("previous_level", RISK),
            may("risk_reason", Text),
        ],
    ),
    // [RISC 1.0, 2.1 to 2.10]
    of(EventType::ACCOUNT_CREDENTIAL_CHANGE_REQUIRED, RISC, &[]),
    of(EventType::ACCOUNT_PURGED, RISC, &[]),
    of(EventType::ACCOUNT_DISABLED, RISC, &[may("reason", OneOf(&["hijacking", "bulk-account"]))]),
    of(EventType::ACCOUNT_ENABLED, RISC, &[]),
    of(EventType::IDENTIFIER_CHANGED, RISC, &[may("new-value", Text)]),
    of(EventType::IDENTIFIER_RECYCLED, RISC, &[]),
    of(
        EventType::CREDENTIAL_COMPROMISE,
        RISC,
        &[must("credential_type", Name), may("reason_admin", Reasons), may("reason_user", Reasons)],
    ),
    of(EventType::OPT_IN, RISC, &[]),
    of(EventType::OPT_OUT_INITIATED, RISC, &[]),
    of(EventType::OPT_OUT_CANCELLED, RISC, &[]),
    of(EventType::OPT_OUT_EFFECTIVE, RISC, &[]),
    of(EventType::RECOVERY_ACTIVATED, RISC, &[]),
    of(EventType::RECOVERY_INFORMATION_CHANGED, RISC, &[]),
    // [RFC 9967, 2.3]
    of(EventType::SCIM_FEED_ADD, SCIM, NEITHER),
    of(EventType::SCIM_FEED_REMOVE, SCIM, NEITHER),
    // [RFC 9967, 2.4]
    of(EventType::SCIM_CREATE_NOTICE, SCIM, NOTICE),
    of(EventType::SCIM_CREATE_FULL, SCIM, FULL),
    of(EventType::SCIM_PATCH_NOTICE, SCIM, NOTICE),
    of(EventType::SCIM_PATCH_FULL, SCIM, FULL),
    of(EventType::SCIM_PUT_NOTICE, SCIM, NOTICE),
    of(EventType::SCIM_PUT_FULL, SCIM, FULL),
    of(EventType::SCIM_DELETE, SCIM, NEITHER),
    of(EventType::SCIM_ACTIVATE, SCIM, NEITHER),
    of(EventType::SCIM_DEACTIVATE, SCIM, NEITHER),
    // [RFC 9967, 2.5.1.3]: one operation of the answer to a bulk request ([RFC 7644, 3.7.3]).
    of(
        EventType::SCIM_ASYNC_RESPONSE,
        SCIM,
        &[
            must("method", OneOf(&["POST", "PUT", "PATCH", "DELETE"])),
            must("status", Status),
            may("location", Text),
            may("bulkId", Text),
            may("response", Resource),
            must_not("data"),
            must_not("attributes"),
        ],
    ),
];

/// The `reason_admin`, in English, that these types get when their sender gave none: the
/// interoperability profile wants one always ([CAEP Interop 1.0, 3.1 and 3.2]).
const DEFAULT_REASONS: [(EventType, &str); 2] = [
    (EventType::SESSION_REVOKED, "Session revoked"),
    (EventType::CREDENTIAL_CHANGE, "Credential changed"),
];

const fn of(event_type: EventType, common: &'static [Member], own: &'static [Member]) -> Schema {
    Schema { event_type, common, own }
}

const fn must(name: &'static str, form: Form) -> Member {
    Member { name, required: true, form }
}

const fn may(name: &'static str, form: Form) -> Member {
    Member { name, required: false, form }
}

const fn must_not(name: &'static str) -> Member {
    Member { name, required: false, form: Never }
}

/// Checks the payload of an event of a known type and adds what must always be there.
pub(super) fn check(
    event_type: &EventType,
    payload: &mut Map<String, Value>,
    now: Timestamp,
) -> Result<(), Invalid> {
    let Some(schema) = SCHEMAS.iter().find(|schema| schema.event_type == *event_type) else {
        return Ok(());
    };
    for member in schema.common.iter().chain(schema.own) {
        match payload.get(member.name) {
            Some(value) => {
                member.form.check(value, now).map_err(|invalid| invalid.within(member.name))?;
            }
            None if member.required => return Err(Invalid::new(member.name, "is missing")),
            None => {}
        }
    }
    scim::check_answer(event_type, payload)?;
    if let Some((_, reason)) = DEFAULT_REASONS.iter().find(|(known, _)| known == event_type) {
        payload.entry("reason_admin").or_insert_with(|| json!({ "en": reason }));
    }
    Ok(())
}

/// Checks what an event's type says about its subject.
pub(super) fn check_subject(event_type: &EventType, subject: &Subject) -> Result<(), Invalid> {
    // [RISC 1.0, 2.5 and 2.6]: it is the identifier itself that changed.
    let of_identifier = [EventType::IDENTIFIER_CHANGED, EventType::IDENTIFIER_RECYCLED];
    let is_identifier = matches!(
        subject,
        Subject::Simple(SubjectIdentifier::Email { .. } | SubjectIdentifier::PhoneNumber { .. })
    );
    if of_identifier.contains(event_type) && !is_identifier {
        let reason = format!("must be email or phone_number for {}", event_type.short_name());
        return Err(Invalid::new("format", reason));
    }
    if event_type.family() == Family::Scim && !subject.names().any(SubjectIdentifier::is_scim) {
        let name = event_type.short_name();
        let reason = format!("must be scim, or aliases with a scim identifier, for {name}");
        return Err(Invalid::new("format", reason));
    }
    Ok(())
}

/// Checks the `subject` that a sender put inside the event, if it did.
pub(super) fn check_inner_subject(
    event_type: &EventType,
    payload: &Map<String, Value>,
    subject: &Subject,
) -> Result<(), Invalid> {
    const NAME: &str = "subject";
    let Some(inner) = payload.get(NAME) else { return Ok(()) };
    match event_type.family() {
        // [SSF 1.0, 3.1.1]
        Family::Caep | Family::Risc => {
            let inner = Subject::parse(inner.clone()).map_err(|invalid| invalid.within(NAME))?;
            if inner == *subject {
                Ok(())
            } else {
                Err(Invalid::new(NAME, "must be the same as sub_id"))
            }
        }
        // [SSF 1.0, 3.1.2]
        Family::Scim | Family::Private | Family::Ssf => {
            Err(Invalid::new(NAME, "must not be there for types outside CAEP and RISC"))
        }
    }
}

impl Form {
    fn check(self, value: &Value, now: Timestamp) -> Result<(), Invalid> {
        let reason = match (self, value) {
            (Claims, Value::Object(claims)) if !claims.is_empty() => return Ok(()),
            (Claims, _) => "must be an object with at least one claim".to_owned(),
            (Name, Value::String(text)) if !text.is_empty() => return Ok(()),
            (Name, _) => "must be a string that is not empty".to_owned(),
            (Never, _) => "must not be there for this type".to_owned(),
            (OneOf(allowed), Value::String(text)) if allowed.contains(&text.as_str()) => {
                return Ok(());
            }
            (OneOf(allowed), _) => format!("must be {}", listed(allowed)),
            (Reasons, value) => return reasons(value),
            (Resource, value) => return scim::check_resource(value),
            (Status, Value::String(text)) if scim::is_status(text) => return Ok(()),
            (Status, _) => r#"must be a status of HTTP, such as "200""#.to_owned(),
            (Text, Value::String(_)) => return Ok(()),
            (Text, _) => "must be a string".to_owned(),
            (Texts, Value::Array(texts)) if texts.iter().all(Value::is_string) => return Ok(()),
            (Texts, _) => "must be an array of strings".to_owned(),
            (Time, value) => return seconds(value, now).map(|_| ()),
        };
        Err(Invalid::new(".", reason))
    }
}

/// `a, b or c`.
fn listed(texts: &[&str]) -> String {
    match texts.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// [CAEP 1.0, 2]: not a bare string, although the interoperability profile calls it one.
fn reasons(value: &Value) -> Result<(), Invalid> {
    let Value::Object(reasons) = value else {
        let form = r#"must be an object of texts by language, such as {"en": "Policy violation"}"#;
        return Err(Invalid::new(".", form));
    };
    if reasons.is_empty() {
        return Err(Invalid::new(".", "must hold a text in at least one language"));
    }
    for (tag, text) in reasons {
        if !is_language_tag(tag) {
            return Err(Invalid::new(tag, "is not a BCP 47 language tag"));
        }
        if text.as_str().is_none_or(str::is_empty) {
            return Err(Invalid::new(tag, "must be a string that is not empty"));
        }
    }
    Ok(())
}

/// [RFC 5646, 2.1], its shape: subtags of 1 to 8 letters and digits. Which of them are registered is
/// not our business.
fn is_language_tag(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let is_subtag = |text: &str| {
        matches!(text.len(), 1..=8) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let first = subtags.next().unwrap_or_default();
    let language = first.len() >= 2 && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    // Private use, and a few grandfathered tags such as i-klingon.
    let special = matches!(first, "x" | "X" | "i" | "I") && tag.len() > 2;
    (language || special) && is_subtag(first) && subtags.all(is_subtag)
}

/// Later times than this are milliseconds: in seconds it is the year 5138.
const MAX_SECONDS: f64 = 1e11;

/// How far another clock may be ahead of ours.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The time, in whole seconds, that `value` is: a number of seconds that something happened at.
pub(super) fn seconds(value: &Value, now: Timestamp) -> Result<i64, Invalid> {
    let refuse = |reason: &str| Err(Invalid::new(".", reason));
    let Some(seconds) = value.as_f64() else {
        return refuse("must be a number of seconds since 1970");
    };
    if seconds < 0.0 {
        return refuse("must not be before 1970");
    }
    if seconds > MAX_SECONDS {
        return refuse("must be in seconds, not milliseconds");
    }
    #[expect(clippy::cast_possible_truncation, reason = "0 to 10^11, and the fraction is to go")]
    let seconds = seconds as i64;
    if seconds > now.as_second().saturating_add(CLOCK_SKEW.as_secs()) {
        return refuse("must not be in the future, by more than 5 minutes");
    }
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_supported_type_has_its_rules() {
        let known: Vec<_> = SCHEMAS.iter().map(|schema| &schema.event_type).collect();
        assert_eq!(known, EventType::supported().iter().collect::<Vec<_>>());
    }

    #[test]
    fn language_tags_have_subtags() {
        for tag in
            ["en", "de-CH-1996", "es-410", "zh-Hant-TW", "sl-rozaj-biske", "x-ours", "i-klingon"]
        {
            assert!(is_language_tag(tag), "{tag}");
        }
        for tag in ["", "e", "en_US", "en-", "-en", "123", "en--US", "nine-characters", "x", "dé"]
        {
            assert!(!is_language_tag(tag), "{tag}");
        }
    }
}
