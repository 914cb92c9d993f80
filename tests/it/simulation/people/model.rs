//! What a change makes of a person, and what it tells: a second time, in the simplest words.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::plan::{CLIENTS, Change};

/// A person as far as runs go.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct State {
    pub(super) title: Option<usize>,
    pub(super) lock: Option<Timestamp>,
    /// Whether others were last told that the person may come in.
    pub(super) told_active: bool,
    pub(super) password: Option<usize>,
    pub(super) groups: BTreeSet<usize>,
    /// By application: whether the consent holds, if there is one.
    pub(super) consents: [Option<bool>; CLIENTS],
}

/// The application whose stream hears of those who gave it their consent.
pub(super) const FOLLOWER: usize = 0;

/// What a change does to one person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Deed {
    Change(Change),
    Delete,
    Join(usize),
    Leave(usize),
    Grant(usize),
    Revoke(usize),
    /// Others are told that a lock date has come.
    Tell,
}

/// About whom an event is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum About {
    Person,
    /// The person at this application.
    At(usize),
    Group(usize),
    /// The address that the person has taken over.
    Address,
}

/// What follows from a deed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Effect {
    /// Whether it is noted in the history of the person.
    pub(super) noted: bool,
    pub(super) events: Vec<(About, &'static str)>,
    /// Groups that a person who is no more is still to be taken out of.
    pub(super) leaves: BTreeSet<usize>,
    /// Whether the application whose stream follows consents had one before.
    pub(super) followed: bool,
}

/// A deed that cannot be done: there is nobody, or nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Refused;

pub(super) const CHANGED: [&str; 2] = ["prov:patch:notice", "prov:patch:full"];

impl State {
    pub(super) fn new() -> Self {
        Self { told_active: true, ..Self::default() }
    }

    pub(super) fn is_locked(&self, now: Timestamp) -> bool {
        self.lock.is_some_and(|date| date <= now)
    }

    fn change(&mut self, change: Change, now: Timestamp) {
        match change {
            Change::Title(title) => self.title = Some(title),
            Change::Lock if !self.is_locked(now) => self.lock = Some(now),
            Change::Lock => {}
            Change::LockIn(minutes) => self.lock = Some(later(now, minutes)),
            Change::Unlock => self.lock = None,
            Change::Password(password) => self.password = Some(password),
        }
    }

    /// What others are told of the change from `before`.
    fn told_since(&self, before: &Self) -> Vec<&'static str> {
        let mut told = CHANGED.to_vec();
        match (before.told_active, self.told_active) {
            (true, false) => {
                told.extend(["prov:deactivate", "account-disabled", "session-revoked"]);
            }
            (false, true) => told.extend(["prov:activate", "account-enabled"]),
            (true, true) | (false, false) => {}
        }
        if before.password != self.password {
            if !told.contains(&"session-revoked") {
                told.push("session-revoked");
            }
            told.push("credential-change");
        }
        told
    }
}

pub(super) fn later(now: Timestamp, minutes: u16) -> Timestamp {
    now + jiff::SignedDuration::from_mins(minutes.into())
}

impl Deed {
    /// Does it to a person, as it was asked for at `now` and done at `then`; `None`: there is nobody.
    pub(super) fn apply(
        self,
        state: &mut Option<State>,
        now: Timestamp,
        then: Timestamp,
    ) -> Result<Effect, Refused> {
        let Some(person) = state else {
            return match self {
                // Who is not there is left out.
                Self::Join(_) | Self::Leave(_) | Self::Grant(_) | Self::Tell => {
                    Ok(Effect::default())
                }
                Self::Change(_) | Self::Delete | Self::Revoke(_) => Err(Refused),
            };
        };
        let followed = person.consents[FOLLOWER] == Some(true);
        let of_person = |kinds: &[&'static str]| -> Vec<(About, &'static str)> {
            kinds.iter().map(|kind| (About::Person, *kind)).collect()
        };
        let noted = |events| Effect { noted: true, events, followed, ..Effect::default() };
        let moved = |group| Effect {
            events: vec![
                (About::Person, "token-claims-change"),
                (About::Group(group), CHANGED[0]),
                (About::Group(group), CHANGED[1]),
            ],
            followed,
            ..Effect::default()
        };
        Ok(match self {
            Self::Change(_) | Self::Tell => {
                let before = person.clone();
                if let Self::Change(change) = self {
                    person.change(change, now);
                }
                person.told_active = !person.is_locked(then);
                if *person == before {
                    return Ok(Effect::default());
                }
                noted(of_person(&person.told_since(&before)))
            }
            Self::Delete => {
                let leaves = std::mem::take(&mut person.groups);
                *state = None;
                let told = of_person(&["session-revoked", "prov:delete", "account-purged"]);
                Effect { leaves, ..noted(told) }
            }
            Self::Join(group) if person.groups.insert(group) => moved(group),
            Self::Leave(group) if person.groups.remove(&group) => moved(group),
            Self::Join(_) | Self::Leave(_) => Effect::default(),
            Self::Grant(client) => match person.consents[client].replace(true) {
                Some(true) => Effect::default(),
                None | Some(false) if client == FOLLOWER => noted(of_person(&["feed:add"])),
                None | Some(false) => noted(Vec::new()),
            },
            Self::Revoke(client) => match person.consents[client] {
                None => return Err(Refused),
                Some(false) => Effect::default(),
                Some(true) => {
                    person.consents[client] = Some(false);
                    let mut told = vec![(About::At(client), "session-revoked")];
                    told.extend((client == FOLLOWER).then_some((About::Person, "feed:remove")));
                    noted(told)
                }
            },
        })
    }
}
