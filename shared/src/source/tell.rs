//! What is told of what a source said, and the event messages that say it.

use std::fmt;

use serde_json::{Map, Value, json};

use super::Source;
use crate::{
    event::{EventType, Family},
    json::Invalid,
    subject::MAX_NAMES,
};

/// Why nothing is told of an envelope.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// It would be an event, but the envelope does not hold what a receiver would have to be told.
    CannotTell,
    /// What was asked for was not done.
    Failed,
    /// It says nothing that changes a person's state.
    NoEvent,
    /// It is about no person, or does not say about whom.
    NoPerson,
    /// The operator wants nothing told of it.
    SwitchedOff,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::CannotTell, Self::Failed, Self::NoEvent, Self::NoPerson, Self::SwitchedOff];

    /// Its name in figures and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::CannotTell => "cannot-tell",
            Self::Failed => "failed",
            Self::NoEvent => "no-event",
            Self::NoPerson => "no-person",
            Self::SwitchedOff => "switched-off",
        }
    }

    /// What it means, in words for the operator.
    pub fn describe(self) -> &'static str {
        match self {
            Self::CannotTell => "it does not hold what receivers would have to be told",
            Self::Failed => "what was asked for was not done",
            Self::NoEvent => "it says nothing that changes a person's state",
            Self::NoPerson => "it is about no person, or does not say about whom",
            Self::SwitchedOff => "the settings want nothing told of it",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a record leads to no event.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Stop {
    /// Nothing is to be told of it.
    Dropped(Reason),
    /// It cannot be understood.
    Invalid(Invalid),
}

impl From<Invalid> for Stop {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Dropped(reason)
    }
}

/// Who set off what happened ([CAEP 1.0, 2]).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Initiator {
    Admin,
    Policy,
    System,
    User,
}

impl Initiator {
    fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Policy => "policy",
            Self::System => "system",
            Self::User => "user",
        }
    }
}

/// One event to be told: its type, and the members that are its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Tell {
    event_type: EventType,
    members: Vec<(&'static str, String)>,
}

/// An event that a table can hold: nothing in it depends on the envelope.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fixed {
    AccountDisabled,
    AccountEnabled,
    AccountPurged,
    /// `account-credential-change-required`.
    ChangeRequired,
    /// The type of the credential, and of its change.
    CredentialChange(&'static str, &'static str),
    /// `credential-compromise`, and the type of the credential.
    Compromise(&'static str),
    RecoveryActivated,
    SessionEstablished,
    SessionRevoked,
}

impl From<Fixed> for Tell {
    fn from(fixed: Fixed) -> Self {
        match fixed {
            Fixed::AccountDisabled => Self::plain(EventType::ACCOUNT_DISABLED),
            Fixed::AccountEnabled => Self::plain(EventType::ACCOUNT_ENABLED),
            Fixed::AccountPurged => Self::plain(EventType::ACCOUNT_PURGED),
            Fixed::ChangeRequired => Self::plain(EventType::ACCOUNT_CREDENTIAL_CHANGE_REQUIRED),
            Fixed::CredentialChange(kind, change) => Self {
                event_type: EventType::CREDENTIAL_CHANGE,
                members: vec![
                    ("credential_type", kind.to_owned()),
                    ("change_type", change.to_owned()),
                ],
            },
            Fixed::Compromise(kind) => Self {
                event_type: EventType::CREDENTIAL_COMPROMISE,
                members: vec![("credential_type", kind.to_owned())],
            },
            Fixed::RecoveryActivated => Self::plain(EventType::RECOVERY_ACTIVATED),
            Fixed::SessionEstablished => Self::plain(EventType::SESSION_ESTABLISHED),
            Fixed::SessionRevoked => Self::plain(EventType::SESSION_REVOKED),
        }
    }
}

impl Tell {
    /// One without members of its own.
    pub(super) fn plain(event_type: EventType) -> Self {
        Self { event_type, members: Vec::new() }
    }

    /// The risk of a person is at this level. What it was before no source says.
    pub(super) fn risk(level: &str, why: &str) -> Self {
        let members = vec![
            ("principal", "USER".to_owned()),
            ("current_level", level.to_owned()),
            ("risk_reason", why.to_owned()),
        ];
        Self { event_type: EventType::RISK_LEVEL_CHANGE, members }
    }

    /// An address or a number is another now.
    pub(super) fn identifier_changed(new: &str) -> Self {
        let members = vec![("new-value", new.to_owned())];
        Self { event_type: EventType::IDENTIFIER_CHANGED, members }
    }
}

/// The level that a source calls so, in any case; `None`: it is none of the three.
pub(super) fn level(text: &str) -> Option<&'static str> {
    ["LOW", "MEDIUM", "HIGH"].into_iter().find(|level| level.eq_ignore_ascii_case(text))
}

/// What becomes of one of the events of a source.
#[derive(Debug)]
pub(super) struct Row {
    /// What the source calls it.
    pub name: &'static str,
    /// Who set it off, where the envelope does not say it better.
    pub by: Initiator,
    /// What is told, in order; nothing: only an operator's settings can have it told.
    pub tells: &'static [Fixed],
}

/// A row of a table.
pub(super) const fn row(name: &'static str, by: Initiator, tells: &'static [Fixed]) -> Row {
    Row { name, by, tells }
}

/// The row of `name`.
pub(super) fn find(rows: &'static [Row], name: &str) -> Option<&'static Row> {
    rows.iter().find(|row| row.name == name)
}

/// What a record of a source says.
#[derive(Debug)]
pub(super) struct Facts {
    /// What the source calls it.
    pub name: String,
    /// The source's own name for the record, where it is not in an envelope that has one.
    pub id: Option<String>,
    /// What the source calls the request that led to it.
    pub txn: Option<String>,
    /// When it happened, in whole seconds of Unix time.
    pub at: i64,
    /// The person's names, the best one first.
    pub person: Vec<Value>,
    /// Who set it off.
    pub by: Initiator,
    /// What is told, in order.
    pub tells: Vec<Tell>,
}

impl Facts {
    /// The event messages. `id` names the record, and so each of them by its number.
    pub(super) fn messages(&self, source: Source, id: &str) -> Vec<Value> {
        let reason = json!({ "en": format!("{}: {}", source.title(), self.name) });
        let message = |(number, tell): (usize, &Tell)| {
            json!({
                "id": format!("{source}:{id}.{number}"),
                "sub_id": self.subject(),
                "txn": self.txn.as_deref().unwrap_or(id),
                "toe": self.at,
                "events": { tell.event_type.as_str(): self.payload(tell, &reason) },
            })
        };
        self.tells.iter().enumerate().map(message).collect()
    }

    fn payload(&self, tell: &Tell, reason: &Value) -> Map<String, Value> {
        let members = tell.members.iter();
        let mut payload: Map<String, Value> =
            members.map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        payload.insert("event_timestamp".to_owned(), json!(self.at));
        let is_caep = tell.event_type.family() == Family::Caep;
        if is_caep {
            payload.insert("initiating_entity".to_owned(), json!(self.by.name()));
        }
        // [RISC 1.0, 2.7] has it, too.
        if is_caep || tell.event_type == EventType::CREDENTIAL_COMPROMISE {
            payload.insert("reason_admin".to_owned(), reason.clone());
        }
        payload
    }

    fn subject(&self) -> Value {
        match self.person.as_slice() {
            [only] => only.clone(),
            names => {
                json!({ "format": "aliases", "identifiers": names[..names.len().min(MAX_NAMES)] })
            }
        }
    }
}

/// A person, as an issuer calls them.
pub(super) fn iss_sub(iss: &str, sub: &str) -> Value {
    json!({ "format": "iss_sub", "iss": iss, "sub": sub })
}

/// A person, by an e-mail address.
pub(super) fn email(email: &str) -> Value {
    json!({ "format": "email", "email": email })
}

/// The name by e-mail, if `text` is an address.
pub(super) fn email_alias(text: Option<&str>) -> Option<Value> {
    let name = email(text?);
    crate::subject::SubjectIdentifier::parse(name.clone()).is_ok().then_some(name)
}
