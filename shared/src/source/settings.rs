//! What an operator says of the sources: which are on, and where their mappings are others.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Reason, Source,
    tell::{Fixed, Initiator, Row, Stop, Tell, find},
};
use crate::{event::EventType, json::Invalid};

/// The types that a mapping can be pointed to: those that need no member of their own.
const PLAIN: [EventType; 8] = [
    EventType::SESSION_REVOKED,
    EventType::SESSION_ESTABLISHED,
    EventType::ACCOUNT_CREDENTIAL_CHANGE_REQUIRED,
    EventType::ACCOUNT_DISABLED,
    EventType::ACCOUNT_ENABLED,
    EventType::ACCOUNT_PURGED,
    EventType::RECOVERY_ACTIVATED,
    EventType::RECOVERY_INFORMATION_CHANGED,
];

/// What an operator says of one source.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceSettings {
    /// The `iss` of its people, where its envelopes do not say it. What the text `{realm}` stands
    /// for, a Keycloak event says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// For what the source calls so, the short names of the event types that are told instead of
    /// ours; none: nothing is told.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub events: BTreeMap<String, Vec<String>>,
}

/// The sources that are on, each with its settings.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sources(BTreeMap<Source, SourceSettings>);

impl Sources {
    /// Those that are `on`. Refuses settings that name an event type that cannot stand alone.
    pub fn new(
        on: &BTreeSet<Source>,
        settings: &BTreeMap<Source, SourceSettings>,
    ) -> Result<Self, Invalid> {
        for (source, settings) in settings {
            for (event, types) in &settings.events {
                if types.iter().any(|name| plain(name).is_none()) {
                    let names: Vec<_> = PLAIN.iter().map(EventType::short_name).collect();
                    let reason = format!("must hold no other than {}", names.join(", "));
                    let member = format!("source_settings.{source}.events.{event}");
                    return Err(Invalid::new(member, reason));
                }
            }
        }
        let of = |source: &Source| (*source, settings.get(source).cloned().unwrap_or_default());
        Ok(Self(on.iter().map(of).collect()))
    }

    /// All sources, with the settings that these have. For looking, not for taking events in.
    #[must_use]
    pub fn all_on(&self) -> Self {
        let of = |source: Source| (source, self.get(source).cloned().unwrap_or_default());
        Self(Source::ALL.into_iter().map(of).collect())
    }

    /// The settings of `source`, if it is on.
    pub fn get(&self, source: Source) -> Option<&SourceSettings> {
        self.0.get(&source)
    }

    /// Those that are on.
    pub fn on(&self) -> impl Iterator<Item = Source> {
        self.0.keys().copied()
    }
}

impl SourceSettings {
    /// What is told of what the source calls `name`, where we would tell `ours`.
    pub(super) fn tells(&self, name: &str, ours: &[Fixed]) -> Result<Vec<Tell>, Stop> {
        self.or_else(name, || {
            if ours.is_empty() {
                return Err(Reason::NoEvent.into());
            }
            Ok(ours.iter().copied().map(Tell::from).collect())
        })
    }

    /// The same by a table of `rows`, and who set it off. Of what is in `cannot_tell` nothing can be
    /// told, unless the operator says what. What is in neither an administrator did.
    pub(super) fn tells_by(
        &self,
        rows: &'static [Row],
        cannot_tell: &[&str],
        name: &str,
    ) -> Result<(Initiator, Vec<Tell>), Stop> {
        let row = find(rows, name);
        if row.is_none() && cannot_tell.contains(&name) && !self.events.contains_key(name) {
            return Err(Reason::CannotTell.into());
        }
        let tells = self.tells(name, row.map_or(&[], |row| row.tells))?;
        Ok((row.map_or(Initiator::Admin, |row| row.by), tells))
    }

    /// The same, where what we would tell depends on the envelope.
    pub(super) fn or_else(
        &self,
        name: &str,
        ours: impl FnOnce() -> Result<Vec<Tell>, Stop>,
    ) -> Result<Vec<Tell>, Stop> {
        match self.events.get(name) {
            None => ours(),
            Some(none) if none.is_empty() => Err(Reason::SwitchedOff.into()),
            Some(names) => {
                Ok(names.iter().filter_map(|name| plain(name)).map(Tell::plain).collect())
            }
        }
    }

    /// The issuer that the operator gave.
    pub(super) fn issuer(&self, source: Source) -> Result<&str, Invalid> {
        self.issuer.as_deref().ok_or_else(|| {
            let member = format!("source_settings.{source}.issuer");
            Invalid::new(member, "is missing, and the envelope does not say whose the person is")
        })
    }
}

fn plain(name: &str) -> Option<EventType> {
    PLAIN.into_iter().find(|event_type| event_type.short_name() == name)
}
