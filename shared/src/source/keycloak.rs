//! Keycloak: its user and admin events, as its listeners send them.
//!
//! A user event: <https://www.keycloak.org/docs-api/latest/javadocs/org/keycloak/events/Event.html>, its types:
//! <https://www.keycloak.org/docs-api/latest/javadocs/org/keycloak/events/EventType.html>; an admin event:
//! <https://www.keycloak.org/docs-api/latest/javadocs/org/keycloak/events/admin/AdminEvent.html>, its paths are
//! those of <https://www.keycloak.org/docs-api/latest/rest-api/index.html>.

use serde_json::Value;

use super::{
    Reason, Source, SourceSettings,
    envelope::Record,
    read::{find as at, flag, milliseconds, optional, text},
    tell::{
        Facts,
        Fixed::{
            AccountDisabled, AccountPurged, ChangeRequired, CredentialChange, RecoveryActivated,
            SessionEstablished, SessionRevoked,
        },
        Initiator::{self, Admin, Policy, User},
        Row, Stop, Tell, email, email_alias, find, iss_sub, row,
    },
};
use crate::json::{self, Invalid};

/// Each type of user event, with what the documentation of the type says.
pub(super) static USER_EVENTS: [Row; 11] = [
    row("LOGIN", User, &[SessionEstablished]),
    row("LOGOUT", User, &[SessionRevoked]),
    row("UPDATE_PASSWORD", User, &[CredentialChange("password", "update")]),
    row("UPDATE_TOTP", User, &[CredentialChange("app", "create")]),
    row("REMOVE_TOTP", User, &[CredentialChange("app", "delete")]),
    row("SEND_RESET_PASSWORD", User, &[RecoveryActivated]),
    row("DELETE_ACCOUNT", User, &[AccountPurged, SessionRevoked]),
    row("USER_DISABLED_BY_PERMANENT_LOCKOUT", Policy, &[AccountDisabled, SessionRevoked]),
    // Too many wrong passwords lock somebody out for a while. Whether that is an account that is
    // disabled, the operator says.
    row("USER_DISABLED_BY_TEMPORARY_LOCKOUT", Policy, &[]),
    // What kind of credential it is, the event says: see `credential`.
    row("UPDATE_CREDENTIAL", User, &[CredentialChange("", "update")]),
    row("REMOVE_CREDENTIAL", User, &[CredentialChange("", "delete")]),
];

/// Each admin event about a person, by what was done and, behind the person's path, to what.
pub(super) static ADMIN_EVENTS: [Row; 6] = [
    row("USER.DELETE", Admin, &[AccountPurged, SessionRevoked]),
    row("USER.ACTION.logout", Admin, &[SessionRevoked]),
    row("USER.ACTION.reset-password", Admin, &[CredentialChange("password", "update")]),
    // If it is a password that is to be set anew.
    row("USER.ACTION.execute-actions-email", Admin, &[ChangeRequired]),
    // An update holds what the person is now, and not what was changed. So one that is enabled says
    // nothing unless the operator says that it does.
    row("USER.UPDATE.disabled", Admin, &[AccountDisabled, SessionRevoked]),
    row("USER.UPDATE.enabled", Admin, &[]),
];

/// The facts in an event.
pub(super) fn read(record: Record<'_>, settings: &SourceSettings) -> Result<Facts, Stop> {
    let detail = record.detail;
    if at(detail, "error").is_some() {
        return Err(Reason::Failed.into());
    }
    let event = if at(detail, "operationType").is_some() {
        admin_event(detail, settings)?
    } else {
        user_event(detail, settings)?
    };
    let Event { name, by, user, names, tells } = event;
    let person = match names {
        Names::Old(old) => vec![old],
        Names::Also(alias) => {
            let iss = issuer(detail, settings)?;
            [iss_sub(&iss, &user)].into_iter().chain(alias).collect()
        }
    };
    Ok(Facts {
        name,
        id: optional(detail, "id")?.map(str::to_owned),
        txn: None,
        at: milliseconds(detail, "time")?,
        person,
        by,
        tells,
    })
}

struct Event {
    name: String,
    by: Initiator,
    user: String,
    names: Names,
    tells: Vec<Tell>,
}

enum Names {
    /// The address that was the person's.
    Old(Value),
    /// Beside the id.
    Also(Option<Value>),
}

fn user_event(detail: &Value, settings: &SourceSettings) -> Result<Event, Stop> {
    let name = text(detail, "type")?;
    if name.ends_with("_ERROR") {
        return Err(Reason::Failed.into());
    }
    let row = find(&USER_EVENTS, name);
    let mut names = Names::Also(email_alias(optional(detail, "details.email")?));
    let tells = match row.map_or(&[] as &[_], |row| row.tells) {
        [CredentialChange("", change)] => settings.or_else(name, || {
            let kind = credential(text(detail, "details.credential_type")?);
            Ok(vec![CredentialChange(kind, change).into()])
        })?,
        _ if name == "UPDATE_EMAIL" => settings.or_else(name, || {
            let old = optional(detail, "details.previous_email")?.ok_or(Reason::CannotTell)?;
            let new = optional(detail, "details.updated_email")?.ok_or(Reason::CannotTell)?;
            names = Names::Old(email(old));
            Ok(vec![Tell::identifier_changed(new)])
        })?,
        ours => settings.tells(name, ours)?,
    };
    let user = text(detail, "userId")?.to_owned();
    let by = row.map_or(User, |row| row.by);
    Ok(Event { name: name.to_owned(), by, user, names, tells })
}

fn admin_event(detail: &Value, settings: &SourceSettings) -> Result<Event, Stop> {
    let operation = text(detail, "operationType")?;
    let kind = text(detail, "resourceType")?;
    if kind != "USER" {
        let groups = ["GROUP_MEMBERSHIP", "REALM_ROLE_MAPPING", "CLIENT_ROLE_MAPPING"];
        let reason = if groups.contains(&kind) { Reason::CannotTell } else { Reason::NoPerson };
        return Err(reason.into());
    }
    let path = text(detail, "resourcePath")?;
    let invalid = || Invalid::new("resourcePath", "does not name a user");
    let mut parts = path.strip_prefix("users/").ok_or_else(invalid)?.splitn(2, '/');
    let user = parts.next().filter(|user| !user.is_empty() && !user.contains('%'));
    let user = user.ok_or_else(invalid)?.to_owned();
    let shown = representation(detail)?;
    let name = match (operation, parts.next()) {
        ("UPDATE", None) => match flag(&shown, "enabled").map_err(shown_in)? {
            Some(true) => "USER.UPDATE.enabled".to_owned(),
            Some(false) => "USER.UPDATE.disabled".to_owned(),
            None => return Err(Reason::CannotTell.into()),
        },
        (operation, None) => format!("USER.{operation}"),
        (operation, Some(what)) => format!("USER.{operation}.{what}"),
    };
    let row = find(&ADMIN_EVENTS, &name);
    let tells = settings.tells(&name, row.map_or(&[], |row| row.tells))?;
    if name == "USER.ACTION.execute-actions-email" {
        let actions = shown.as_array().into_iter().flatten();
        if !actions.into_iter().any(|action| action == "UPDATE_PASSWORD") {
            return Err(Reason::NoEvent.into());
        }
    }
    let alias = email_alias(optional(&shown, "email").map_err(shown_in)?);
    let by = row.map_or(Admin, |row| row.by);
    Ok(Event { name, by, user, names: Names::Also(alias), tells })
}

/// What the person is now, as a text of JSON; there only if the realm includes it.
fn representation(detail: &Value) -> Result<Value, Invalid> {
    match at(detail, "representation") {
        None => Ok(Value::Null),
        Some(Value::String(text)) if text.is_empty() => Ok(Value::Null),
        Some(Value::String(text)) => json::parse(text.as_bytes()).map_err(shown_in),
        Some(_) => Err(Invalid::new("representation", "must be a string")),
    }
}

fn shown_in(invalid: Invalid) -> Invalid {
    invalid.within("representation")
}

/// What Keycloak calls a type of credential, in the words of CAEP.
fn credential(kind: &str) -> &'static str {
    match kind {
        "password" => "password",
        "webauthn-passwordless" => "fido2-platform",
        "webauthn" => "fido2-roaming",
        _ => "app",
    }
}

/// What the operator says: an event does not say where its server is. The realm stands for `{realm}`.
fn issuer(detail: &Value, settings: &SourceSettings) -> Result<String, Invalid> {
    let issuer = settings.issuer(Source::Keycloak)?;
    if !issuer.contains("{realm}") {
        return Ok(issuer.to_owned());
    }
    let realm = text(detail, "realmName")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !realm.bytes().all(plain) {
        return Err(Invalid::new("realmName", "cannot be part of an issuer"));
    }
    Ok(issuer.replace("{realm}", realm))
}
