//! What a change tells: the events that follow from what was before, what is after, and why.
//!
//! The same change tells the same, whichever way it came. What changes nothing tells nothing. Events
//! of one change are told in this order: SCIM (RFC 9967), RISC, CAEP; but a deletion first ends the
//! sessions.

use serde_json::{Value, json};

use super::{Cause, Group, ResourceId, User, claims::changed_claims};
use crate::{
    client::ClientId,
    config::Issuer,
    event::EventType,
    sign_in::{Assurance, Session, SessionEnd},
    subject::Subject,
};

/// One event to tell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) subject: Value,
    pub(crate) event_type: EventType,
    pub(crate) payload: Value,
}

/// How a resource is not what it was, as SCIM says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Difference {
    /// The paths of the attributes that changed.
    pub(crate) paths: Vec<String>,
    /// The request for a change that makes of the one the other (RFC 7644, 3.5.2), without secrets;
    /// `null` where that would be too large for a message.
    pub(crate) patch: Value,
    /// What it is now, without secrets; `null` as well.
    pub(crate) resource: Value,
}

/// What is told of a change of a person.
#[derive(Debug)]
pub(crate) struct UserChange<'a> {
    pub(crate) before: Option<&'a User>,
    pub(crate) after: Option<&'a User>,
    pub(crate) difference: Difference,
    /// Addresses that the person has taken over from somebody else.
    pub(crate) recycled: &'a [String],
    /// Whether a new password ends the sessions.
    pub(crate) password_ends_sessions: bool,
}

/// What became of the second factor of a person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FactorChange {
    /// There is one now, and recovery codes with it.
    Added,
    /// The person has taken it away.
    Removed,
    /// Somebody else has.
    Reset,
    /// There are other recovery codes.
    Renewed,
    /// A recovery code was used.
    Recovered,
}

/// Tells in the name of `issuer`, because of `cause`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Teller<'a> {
    pub(crate) issuer: &'a Issuer,
    pub(crate) cause: &'a Cause,
}

impl Teller<'_> {
    /// The events of a change of a person.
    pub(crate) fn user(self, change: &UserChange<'_>) -> Vec<Told> {
        match (change.before, change.after) {
            (None, Some(after)) => self.created(after, change),
            (Some(before), Some(after)) => self.changed(before, after, change),
            (Some(before), None) => {
                let subject = self.person(before);
                vec![
                    self.caep(&subject, EventType::SESSION_REVOKED, json!({}), "account deleted"),
                    told(&subject, EventType::SCIM_DELETE, json!({})),
                    self.risc(&subject, EventType::ACCOUNT_PURGED, json!({})),
                ]
            }
            (None, None) => Vec::new(),
        }
    }

    fn created(self, after: &User, change: &UserChange<'_>) -> Vec<Told> {
        let subject = self.person(after);
        let version = version(after.revision);
        let Difference { paths, resource, .. } = &change.difference;
        let mut events = vec![
            told(&subject, EventType::SCIM_CREATE_NOTICE, notice(paths, &version)),
            told(&subject, EventType::SCIM_CREATE_FULL, full(resource, &version)),
        ];
        if !after.told_active {
            events.push(told(&subject, EventType::SCIM_DEACTIVATE, json!({})));
            events.push(self.risc(&subject, EventType::ACCOUNT_DISABLED, json!({})));
        }
        events.extend(self.recycled(change));
        events.extend(self.password(&subject, None, after));
        events
    }

    fn changed(self, before: &User, after: &User, change: &UserChange<'_>) -> Vec<Told> {
        if change.difference.paths.is_empty() {
            return Vec::new();
        }
        let subject = self.person(after);
        let mut events = self.scim_change(&subject, after.revision, &change.difference);
        match (before.told_active, after.told_active) {
            (true, false) => {
                events.push(told(&subject, EventType::SCIM_DEACTIVATE, json!({})));
                events.push(self.risc(&subject, EventType::ACCOUNT_DISABLED, json!({})));
            }
            (false, true) => {
                events.push(told(&subject, EventType::SCIM_ACTIVATE, json!({})));
                events.push(self.risc(&subject, EventType::ACCOUNT_ENABLED, json!({})));
            }
            (true, true) | (false, false) => {}
        }
        events.extend(self.identifiers(before, after));
        events.extend(self.recycled(change));
        let password = self.password(&subject, Some(before), after);
        let locked = before.told_active && !after.told_active;
        if locked {
            let why = "account locked";
            events.push(self.caep(&subject, EventType::SESSION_REVOKED, json!({}), why));
        } else if password.is_some() && change.password_ends_sessions {
            let why = "password changed";
            events.push(self.caep(&subject, EventType::SESSION_REVOKED, json!({}), why));
        }
        events.extend(password);
        let claims = changed_claims(&before.attributes, &after.attributes);
        if !claims.is_empty() {
            events.push(self.claims(&subject, &Value::Object(claims)));
        }
        events
    }

    /// The notice of a change, and the change itself for those who may have it.
    fn scim_change(self, subject: &Value, revision: u64, difference: &Difference) -> Vec<Told> {
        let version = version(revision);
        let (types, data) = if self.cause.replaces {
            ([EventType::SCIM_PUT_NOTICE, EventType::SCIM_PUT_FULL], &difference.resource)
        } else {
            ([EventType::SCIM_PATCH_NOTICE, EventType::SCIM_PATCH_FULL], &difference.patch)
        };
        let [notice_type, full_type] = types;
        vec![
            told(subject, notice_type, notice(&difference.paths, &version)),
            told(subject, full_type, full(data, &version)),
        ]
    }

    /// Names by which others know the person that are other names now ([RISC 1.0, 2.5]): the subject
    /// is the old one.
    fn identifiers(self, before: &User, after: &User) -> Vec<Told> {
        let (before, after) = (&before.attributes, &after.attributes);
        let pairs = [
            ("email", before.email(), after.email()),
            ("phone_number", before.phone_number(), after.phone_number()),
            ("email", Some(before.user_name.as_str()), Some(after.user_name.as_str())),
        ];
        let mut events: Vec<Told> = Vec::new();
        for (format, old, new) in pairs {
            let (Some(old), Some(new)) = (old, new) else { continue };
            let (Some(subject), Some(_)) = (identifier(format, old), identifier(format, new))
            else {
                continue;
            };
            let payload = json!({ "new-value": new });
            let event = self.risc(&subject, EventType::IDENTIFIER_CHANGED, payload);
            if old != new && !events.contains(&event) {
                events.push(event);
            }
        }
        events
    }

    fn recycled(self, change: &UserChange<'_>) -> impl Iterator<Item = Told> {
        let subjects = change.recycled.iter().filter_map(|address| identifier("email", address));
        subjects.map(move |subject| self.risc(&subject, EventType::IDENTIFIER_RECYCLED, json!({})))
    }

    fn password(self, subject: &Value, before: Option<&User>, after: &User) -> Option<Told> {
        let old = before.and_then(|before| before.password.as_ref());
        let change_type = match (old, &after.password) {
            (None, Some(_)) => "create",
            (Some(_), None) => "revoke",
            (Some(old), Some(new)) if old != new => "update",
            (None, None) | (Some(_), Some(_)) => return None,
        };
        let payload = json!({ "credential_type": "password", "change_type": change_type });
        let why = "password set";
        Some(self.caep(subject, EventType::CREDENTIAL_CHANGE, payload, why))
    }

    /// What is told of a group, whose members may have changed.
    pub(crate) fn group(
        self,
        before: Option<&Group>,
        after: Option<&Group>,
        difference: &Difference,
    ) -> Vec<Told> {
        let Difference { paths, patch, resource: whole } = difference;
        let (subject, version, types, data) = match (before, after) {
            (None, Some(after)) => {
                let types = [EventType::SCIM_CREATE_NOTICE, EventType::SCIM_CREATE_FULL];
                (resource("Groups", after.id), version(after.revision), types, whole)
            }
            (Some(_), Some(after)) if !paths.is_empty() => {
                // A group may have 100,000 members: what changed is told, and not what there is.
                let notice = if self.cause.replaces {
                    EventType::SCIM_PUT_NOTICE
                } else {
                    EventType::SCIM_PATCH_NOTICE
                };
                let types = [notice, EventType::SCIM_PATCH_FULL];
                (resource("Groups", after.id), version(after.revision), types, patch)
            }
            (Some(before), None) => {
                return vec![told(
                    &resource("Groups", before.id),
                    EventType::SCIM_DELETE,
                    json!({}),
                )];
            }
            (Some(_), Some(_)) | (None, None) => return Vec::new(),
        };
        let [notice_type, full_type] = types;
        let mut events = vec![told(&subject, notice_type, notice(paths, &version))];
        if !data.is_null() {
            events.push(told(&subject, full_type, full(data, &version)));
        }
        events
    }

    /// The person is now in these groups.
    pub(crate) fn memberships(self, user: &User, groups: &[ResourceId]) -> Told {
        self.claims(&self.person(user), &json!({ "groups": groups }))
    }

    /// What a person had at an application has ended.
    pub(crate) fn ended(self, user: &User, client: &ClientId, why: &str) -> Told {
        let subject = json!({
            "format": "complex",
            "user": iss_sub(self.issuer, user.id),
            "application": { "format": "opaque", "id": client },
        });
        self.caep(&subject, EventType::SESSION_REVOKED, json!({}), why)
    }

    /// A person signed in at a browser.
    pub(crate) fn session_began(self, user: &User, session: &Session) -> Told {
        let mut payload = json!({});
        if !session.amr.is_empty() {
            payload["amr"] = json!(session.amr);
        }
        if let Some(acr) = &session.acr {
            payload["acr"] = acr.as_str().into();
        }
        let subject = self.session(user, session);
        self.caep(&subject, EventType::SESSION_ESTABLISHED, payload, "signed in")
    }

    /// A person signed in again in the same session, more surely or less so ([CAEP 1.0, 3.4]).
    pub(crate) fn assurance(self, user: &User, before: &Session, after: &Session) -> Option<Told> {
        let (was, is) = (before.assurance(), after.assurance());
        if was == is {
            return None;
        }
        let payload = json!({
            "namespace": Assurance::NAMESPACE,
            "previous_level": was.name(),
            "current_level": is.name(),
            "change_direction": if was < is { "increase" } else { "decrease" },
        });
        let subject = self.session(user, after);
        Some(self.caep(&subject, EventType::ASSURANCE_LEVEL_CHANGE, payload, "signed in again"))
    }

    /// What became of the second factor of a person.
    pub(crate) fn second_factor(self, user: &User, change: FactorChange) -> Vec<Told> {
        let subject = self.person(user);
        let (recovery, app, codes, why) = match change {
            FactorChange::Added => (
                EventType::RECOVERY_INFORMATION_CHANGED,
                Some("create"),
                "create",
                "second factor added",
            ),
            FactorChange::Removed => (
                EventType::RECOVERY_INFORMATION_CHANGED,
                Some("delete"),
                "delete",
                "second factor removed",
            ),
            FactorChange::Reset => (
                EventType::RECOVERY_INFORMATION_CHANGED,
                Some("revoke"),
                "revoke",
                "second factor reset",
            ),
            FactorChange::Renewed => (
                EventType::RECOVERY_INFORMATION_CHANGED,
                None,
                "update",
                "recovery codes made anew",
            ),
            FactorChange::Recovered => {
                (EventType::RECOVERY_ACTIVATED, None, "update", "recovery code used")
            }
        };
        let mut events = vec![self.risc(&subject, recovery, json!({}))];
        let credential = |credential_type: &str, change_type: &str, name: &str| {
            let payload = json!({
                "credential_type": credential_type,
                "change_type": change_type,
                "friendly_name": name,
            });
            self.caep(&subject, EventType::CREDENTIAL_CHANGE, payload, why)
        };
        events.extend(app.map(|change_type| credential("app", change_type, "Authenticator app")));
        // The list of the standard is open ([CAEP 1.0, 3.3]), and has no word for them.
        events.push(credential("recovery-code", codes, "Recovery codes"));
        events
    }

    /// A session ended before its time.
    pub(crate) fn session_ended(self, user: &User, session: &Session, end: SessionEnd) -> Told {
        let subject = self.session(user, session);
        self.caep(&subject, EventType::SESSION_REVOKED, json!({}), end.why())
    }

    /// One session of a person.
    fn session(self, user: &User, session: &Session) -> Value {
        json!({
            "format": "complex",
            "user": iss_sub(self.issuer, user.id),
            "session": { "format": "opaque", "id": session.sid },
        })
    }

    /// The streams of an application hear of a person from now on, or not any more ([RFC 9967, 2.3]).
    pub(crate) fn fed(self, user: ResourceId, heard: bool) -> Told {
        let event_type = if heard { EventType::SCIM_FEED_ADD } else { EventType::SCIM_FEED_REMOVE };
        let identifiers = [iss_sub(self.issuer, user), resource("Users", user)];
        let subject = json!({ "format": "aliases", "identifiers": identifiers });
        told(&subject, event_type, json!({}))
    }

    fn claims(self, subject: &Value, claims: &Value) -> Told {
        let payload = json!({ "claims": claims });
        self.caep(subject, EventType::TOKEN_CLAIMS_CHANGE, payload, "attributes changed")
    }

    /// An event of CAEP, with what all of them may have ([CAEP 1.0, 2]).
    fn caep(self, subject: &Value, event_type: EventType, mut payload: Value, why: &str) -> Told {
        payload["event_timestamp"] = self.cause.at.as_second().into();
        payload["initiating_entity"] = self.cause.actor.initiating_entity().into();
        payload["reason_admin"] = json!({ "en": why });
        told(subject, event_type, payload)
    }

    fn risc(self, subject: &Value, event_type: EventType, mut payload: Value) -> Told {
        payload["event_timestamp"] = self.cause.at.as_second().into();
        told(subject, event_type, payload)
    }

    /// A person under all names by which receivers may know one ([RFC 9493, 3.2.8]); the first is
    /// the same for ever.
    fn person(self, user: &User) -> Value {
        let mut identifiers = vec![iss_sub(self.issuer, user.id), resource("Users", user.id)];
        identifiers.extend(user.attributes.email().and_then(|email| identifier("email", email)));
        json!({ "format": "aliases", "identifiers": identifiers })
    }
}

/// A person under the name that stays the same for ever ([RFC 9493, 3.2.3]).
pub(crate) fn iss_sub(issuer: &Issuer, user: ResourceId) -> Value {
    json!({ "format": "iss_sub", "iss": issuer.as_str(), "sub": user })
}

/// A resource of the directory as a subject ([RFC 9967, 2.1]).
fn resource(kind: &str, id: ResourceId) -> Value {
    json!({ "format": "scim", "uri": format!("/{kind}/{id}") })
}

/// `value` as a subject of this format, if it can be one: what people type is kept as it is, but not
/// everything that is in the place of an address is one.
fn identifier(format: &str, value: &str) -> Option<Value> {
    let mut subject = json!({ "format": format });
    subject[format] = value.into();
    Subject::parse(subject.clone()).is_ok().then_some(subject)
}

fn told(subject: &Value, event_type: EventType, payload: Value) -> Told {
    Told { subject: subject.clone(), event_type, payload }
}

/// [RFC 9967, 2.4]: which attributes, but not their values.
fn notice(paths: &[String], version: &str) -> Value {
    json!({ "attributes": paths, "version": version })
}

/// [RFC 9967, 2.4]: with the values.
fn full(data: &Value, version: &str) -> Value {
    json!({ "data": data, "version": version })
}

/// The version of a resource, as `ETag` and SCIM write it.
pub fn version(revision: u64) -> String {
    format!("W/\"{revision}\"")
}
