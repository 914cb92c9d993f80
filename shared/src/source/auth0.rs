//! Auth0: its logs, by the partner event source of EventBridge.
//!
//! The members of each type: <https://github.com/auth0/auth0-log-schemas/tree/8b58c73f4a832941866c02469ae8c428efda5ef4/schemas/log-types>;
//! what the types mean: <https://auth0.com/docs/deploy-monitor/logs/log-event-type-codes>; the envelope:
//! <https://auth0.com/docs/customize/log-streams/amazon-eventbridge>.

use serde_json::{Value, json};

use super::{
    Reason, Source, SourceSettings,
    envelope::Record,
    read::{flag, optional, text, time},
    tell::{
        Facts, Fixed,
        Fixed::{
            AccountDisabled, AccountEnabled, AccountPurged, Compromise, CredentialChange,
            RecoveryActivated, SessionEstablished, SessionRevoked,
        },
        Initiator::{self, Admin, Policy, System, User},
        Row, Stop, Tell, email, email_alias, find, iss_sub, row,
    },
};
use crate::json::Invalid;

/// Each type, with what its schema says of it. `sdel` is none of them: it is a delegated login, and
/// not a deletion. `limit_mu` blocks an address and nobody's account.
pub(super) static ROWS: [Row; 15] = [
    row("slo", User, &[SessionRevoked]),
    row("oidc_backchannel_logout_succeeded", System, &[SessionRevoked]),
    row("universal_logout_succeeded", Admin, &[SessionRevoked]),
    row("srrt", User, &[SessionRevoked]),
    row("s", User, &[SessionEstablished]),
    row("sdu", Admin, &[AccountPurged]),
    row("scp", User, &[CredentialChange("password", "update")]),
    row("scpr", User, &[RecoveryActivated]),
    row("pwd_leak", System, &[Compromise("password")]),
    row("reset_pwd_leak", System, &[Compromise("password")]),
    row("gd_enrollment_complete", User, &[CredentialChange("app", "create")]),
    row("gd_unenroll", User, &[CredentialChange("app", "delete")]),
    row("gd_update_device_account", User, &[CredentialChange("app", "update")]),
    // Too many wrong passwords from one address; whether that is an account that is disabled, the
    // operator says.
    row("limit_wc", Policy, &[]),
    row("ublkdu", Admin, &[]),
];

/// Types of which more is read than whom they are about.
pub(super) const OTHERS: [&str; 3] = ["sapi", "sce", "scpn"];

/// The facts in a record.
pub(super) fn read(record: Record<'_>, settings: &SourceSettings) -> Result<Facts, Stop> {
    let detail = record.detail;
    let kind = text(detail, "data.type")?;
    let said = match kind {
        "sapi" => Said::by_api(detail, settings)?,
        "sce" => Said::other_name(
            detail,
            settings,
            "email",
            "details.body.email",
            "details.body.newEmail",
        )?,
        "scpn" => {
            let (old, new) = ("details.body.old_phone_number", "details.body.new_phone_number");
            Said::other_name(detail, settings, "phone_number", old, new)?
        }
        _ => Said::by_table(kind, detail, settings)?,
    };
    let person = match said.person {
        Person::Named(person) => vec![person],
        Person::Called(id, alias) => {
            let iss = issuer(detail, settings)?;
            [iss_sub(&iss, &id)].into_iter().chain(alias).collect()
        }
    };
    Ok(Facts {
        name: said.name,
        id: optional(detail, "log_id")?.map(str::to_owned),
        txn: optional(detail, "data.references.correlation_id")?.map(str::to_owned),
        at: time(detail, "data.date")?,
        person,
        by: said.by,
        tells: said.tells,
    })
}

/// What one type says.
struct Said {
    name: String,
    by: Initiator,
    person: Person,
    tells: Vec<Tell>,
}

enum Person {
    /// By an address or a number.
    Named(Value),
    /// As Auth0 calls them, and perhaps by an address.
    Called(String, Option<Value>),
}

impl Said {
    fn by_table(kind: &str, detail: &Value, settings: &SourceSettings) -> Result<Self, Stop> {
        let row = find(&ROWS, kind);
        let tells = settings.tells(kind, row.map_or(&[] as &[Fixed], |row| row.tells))?;
        // The schemas do not demand it.
        let id = optional(detail, "data.user_id")?.ok_or(Reason::NoPerson)?;
        let alias = email_alias(optional(detail, "data.user_name")?);
        let by = row.map_or(System, |row| row.by);
        Ok(Self { name: kind.to_owned(), by, person: Person::Called(id.to_owned(), alias), tells })
    }

    /// The only trace of "block user": a call of the Management API
    /// (<https://auth0.com/docs/api/management/v2/users/patch-users-by-id>). `user_id` beside it is the
    /// administrator's.
    fn by_api(detail: &Value, settings: &SourceSettings) -> Result<Self, Stop> {
        let method = optional(detail, "data.details.request.method")?.unwrap_or_default();
        let path = optional(detail, "data.details.request.path")?.unwrap_or_default();
        let user = path.strip_prefix("/api/v2/users/").filter(|user| !user.contains('/'));
        let blocked = flag(detail, "data.details.request.body.blocked")?;
        let (Some(user), Some(blocked), true) =
            (user, blocked, method.eq_ignore_ascii_case("patch"))
        else {
            return Err(Reason::NoEvent.into());
        };
        let (name, ours) = if blocked {
            ("sapi.blocked", [AccountDisabled])
        } else {
            ("sapi.unblocked", [AccountEnabled])
        };
        let tells = settings.tells(name, &ours)?;
        let path = "data.details.request.path";
        let id = unescaped(user).ok_or_else(|| Invalid::new(path, "does not name a user"))?;
        Ok(Self { name: name.to_owned(), by: Admin, person: Person::Called(id, None), tells })
    }

    /// An address or a number is another now: the old one is the subject ([RISC 1.0, 2.5]).
    fn other_name(
        detail: &Value,
        settings: &SourceSettings,
        format: &str,
        old: &str,
        new: &str,
    ) -> Result<Self, Stop> {
        let kind = text(detail, "data.type")?;
        let read = |path: &str| optional(detail, &format!("data.{path}"));
        let (old, new) = (read(old)?, read(new)?);
        let (Some(old), Some(new)) = (old, new) else { return Err(Reason::CannotTell.into()) };
        let tells = settings.or_else(kind, || Ok(vec![Tell::identifier_changed(new)]))?;
        let person =
            if format == "email" { email(old) } else { json!({ "format": format, format: old }) };
        Ok(Self { name: kind.to_owned(), by: User, person: Person::Named(person), tells })
    }
}

/// What the operator says, or the host at which people signed in: not all types name it, and a tenant
/// may have several.
fn issuer(detail: &Value, settings: &SourceSettings) -> Result<String, Invalid> {
    if settings.issuer.is_none()
        && let Some(host) = optional(detail, "data.hostname")?
    {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        return if host.bytes().all(plain) {
            Ok(format!("https://{host}/"))
        } else {
            Err(Invalid::new("data.hostname", "is not a host"))
        };
    }
    settings.issuer(Source::Auth0).map(str::to_owned)
}

/// A segment of a path, without its escapes; `None`: it is none.
fn unescaped(segment: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.contains(char::is_control)).then_some(text)
}
