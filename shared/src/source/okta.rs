//! Okta: its System Log, by the partner event source of EventBridge.
//!
//! A record: <https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/>; its types:
//! <https://developer.okta.com/docs/reference/api/event-types/>; the bus:
//! <https://github.com/aws-samples/serverless-patterns/tree/main/eventbridge-partner-sources/1-okta>.

use serde_json::Value;

use super::{
    Reason, Source, SourceSettings,
    envelope::Record,
    read::{elements, find, first_user, optional, text, time},
    tell::{
        Facts, Fixed,
        Fixed::{
            AccountDisabled, AccountEnabled, AccountPurged, ChangeRequired, Compromise,
            CredentialChange, SessionEstablished, SessionRevoked,
        },
        Initiator, Stop, Tell, email_alias, iss_sub, level,
    },
};
use crate::json::Invalid;

/// Where a record says whom it is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Who {
    /// Who did it did it to nobody else.
    Actor,
    /// The first target that is a user; never the actor, who may be an administrator.
    Target,
}

use Who::{Actor, Target};

/// Each type, with what the catalog of types says of it.
static ROWS: [(&str, Who, &[Fixed]); 22] = [
    ("user.session.start", Actor, &[SessionEstablished]),
    ("user.session.end", Actor, &[SessionRevoked]),
    ("user.session.clear", Target, &[SessionRevoked]),
    ("user.authentication.universal_logout", Target, &[SessionRevoked]),
    ("user.lifecycle.deactivate", Target, &[AccountDisabled]),
    ("user.lifecycle.suspend", Target, &[AccountDisabled]),
    ("user.lifecycle.activate", Target, &[AccountEnabled]),
    ("user.lifecycle.unsuspend", Target, &[AccountEnabled]),
    ("user.lifecycle.delete.initiated", Target, &[AccountPurged]),
    // Too many wrong passwords lock somebody out for a while. Whether that is an account that is
    // disabled, the operator says. The outcome is `FAILURE` (a record of Chronicle's samples:
    // <https://github.com/google/secops-wrapper/blob/main/tests/cli/test_cli_integration.py>).
    ("user.account.lock", Actor, &[]),
    ("user.account.unlock", Target, &[]),
    ("user.account.update_password", Target, &[CredentialChange("password", "update")]),
    ("user.account.reset_password", Target, &[ChangeRequired]),
    ("user.account.expire_password", Target, &[ChangeRequired]),
    // <https://help.okta.com/wf/en-us/content/topics/workflows/connector-reference/okta/events/securitybreachedcredentialdetected.htm>
    ("security.breached_credential.detected", Target, &[Compromise("password")]),
    // What kind of factor it is, the record says: see `factor`.
    ("user.mfa.factor.activate", Target, &[CredentialChange("app", "create")]),
    ("user.mfa.factor.deactivate", Target, &[CredentialChange("app", "delete")]),
    ("user.mfa.factor.update", Target, &[CredentialChange("app", "update")]),
    ("user.mfa.factor.reset_all", Target, &[CredentialChange("app", "revoke")]),
    // <https://help.okta.com/okta_help.htm?type=oie&id=csh-entity-risk-policy>; the level: see `risk`.
    ("user.risk.change", Target, &[]),
    ("user.risk.detect", Target, &[]),
    ("policy.entity_risk.action", Target, &[]),
];

/// The level of a risk is in the record: see [`risk`].
const RISKS: [&str; 3] = ["user.risk.change", "user.risk.detect", "policy.entity_risk.action"];

/// Which groups somebody has now, or what an attribute is, is not in the record.
const CANNOT_TELL: [&str; 3] =
    ["group.user_membership.add", "group.user_membership.remove", "user.account.update_profile"];

/// The names of all types that are told of.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|(name, ..)| *name)
}

/// The facts in a record.
pub(super) fn read(record: Record<'_>, settings: &SourceSettings) -> Result<Facts, Stop> {
    let detail = record.detail;
    let name = text(detail, "eventType")?;
    let (who, ours) = row(name);
    let outcome = text(detail, "outcome.result")?;
    if outcome != "SUCCESS" && name != "user.account.lock" {
        return Err(Reason::Failed.into());
    }
    let tells = settings.or_else(name, || match ours {
        _ if RISKS.contains(&name) => Ok(vec![risk(detail)?]),
        [CredentialChange("app", change)] => {
            Ok(vec![CredentialChange(factor(detail)?, change).into()])
        }
        [] if CANNOT_TELL.contains(&name) => Err(Reason::CannotTell.into()),
        [] => Err(Reason::NoEvent.into()),
        some => Ok(some.iter().copied().map(Tell::from).collect()),
    })?;
    let (person, at) = person(detail, who)?;
    let id = text(person, "id").map_err(|invalid| invalid.within(&at))?;
    let login = optional(person, "alternateId").map_err(|invalid| invalid.within(&at))?;
    let iss = issuer(record, settings)?;
    Ok(Facts {
        name: name.to_owned(),
        id: optional(detail, "uuid")?.map(str::to_owned),
        txn: optional(detail, "transaction.id")?.map(str::to_owned),
        at: time(detail, "published")?,
        person: [iss_sub(&iss, id)].into_iter().chain(email_alias(login)).collect(),
        by: initiator(detail, id)?,
        tells,
    })
}

fn row(name: &str) -> (Who, &'static [Fixed]) {
    let found = ROWS.iter().find(|(known, ..)| *known == name);
    found.map_or((Target, &[]), |(_, who, tells)| (*who, tells))
}

/// Whom it is about, and where that stands.
fn person(detail: &Value, who: Who) -> Result<(&Value, String), Stop> {
    if who == Actor {
        let is_user = optional(detail, "actor.type")? == Some("User");
        let actor = find(detail, "actor").filter(|_| is_user).ok_or(Reason::NoPerson)?;
        return Ok((actor, "actor".to_owned()));
    }
    let user = first_user(detail, "target")?;
    user.ok_or_else(|| Invalid::new("target", "holds no User").into())
}

fn initiator(detail: &Value, person: &str) -> Result<Initiator, Invalid> {
    let kind = optional(detail, "actor.type")?;
    Ok(match optional(detail, "actor.id")? {
        Some(actor) if actor == person => Initiator::User,
        _ if kind == Some("SystemPrincipal") => Initiator::System,
        _ => Initiator::Admin,
    })
}

/// The organization is part of the name of the bus, and so of `source`. Whoever has a domain of their
/// own says so in the settings.
fn issuer(record: Record<'_>, settings: &SourceSettings) -> Result<String, Invalid> {
    if let Ok(issuer) = settings.issuer(Source::Okta) {
        return Ok(issuer.to_owned());
    }
    let source = text(record.envelope, "source")?;
    let org = source.split('/').nth(2).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if org.is_empty() || !org.bytes().all(plain) {
        return Err(Invalid::new("source", "does not name the organization"));
    }
    let domain = if org.contains('.') { "" } else { ".okta.com" };
    Ok(format!("https://{org}{domain}"))
}

/// The kind of a factor, by the name that one of the targets or the debug data has. A security key
/// and a phone's own key are both called `WebAuthn`.
fn factor(detail: &Value) -> Result<&'static str, Invalid> {
    let factor = optional(detail, "debugContext.debugData.factor")?;
    let mut names = factor.unwrap_or_default().to_owned();
    for (number, target) in elements(detail, "target")?.iter().enumerate() {
        if target.get("type").and_then(Value::as_str) != Some("User") {
            let at = format!("target[{number}]");
            let name = optional(target, "displayName").map_err(|invalid| invalid.within(&at))?;
            names += name.unwrap_or_default();
        }
    }
    let names = names.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| names.contains(part));
    Ok(if has(&["webauthn", "fido", "passkey", "security key"]) {
        "fido2-platform"
    } else if has(&["sms"]) {
        "phone-sms"
    } else if has(&["call", "voice"]) {
        "phone-voice"
    } else if has(&["password"]) {
        "password"
    } else {
        "app"
    })
}

/// `debugData.risk` is a text such as `{reasons=…, level=HIGH}`; queries of Okta's System Log read it
/// so: `debugContext.debugData.risk co "level=HIGH"`.
fn risk(detail: &Value) -> Result<Tell, Stop> {
    for path in ["debugContext.debugData.risk", "debugContext.debugData.riskLevel"] {
        // Longer than a name may be, as it lists reasons.
        let Some(Value::String(text)) = find(detail, path) else { continue };
        let after = text.split_once("level=").map_or(text.as_str(), |(_, after)| after);
        let word = after.split(|end: char| !end.is_ascii_alphabetic()).next().unwrap_or_default();
        if let Some(level) = level(word) {
            return Ok(Tell::risk(level, "Okta"));
        }
    }
    Err(Reason::CannotTell.into())
}
