//! Microsoft Entra ID: its risk and audit logs, as its diagnostic settings emit them.
//!
//! Risks: <https://learn.microsoft.com/azure/azure-monitor/reference/tables/aaduserriskevents> and
//! <https://learn.microsoft.com/azure/azure-monitor/reference/tables/aadriskyusers>; a record as it was
//! captured: <https://github.com/rknightion/graph2otel>. Audits:
//! <https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities>; a record:
//! <https://github.com/panther-labs/panther-analysis>.

use serde_json::Value;

use super::{
    Reason, SourceSettings,
    envelope::Record,
    read::{find as at, first_user, optional, text, time},
    tell::{
        Facts,
        Fixed::{
            AccountDisabled, AccountEnabled, AccountPurged, Compromise, CredentialChange,
            SessionRevoked,
        },
        Initiator::{self, Admin, System, User},
        Row, Stop, Tell, email_alias, iss_sub, level, row,
    },
};
use crate::json::Invalid;

/// Each activity, with what the list of activities says. A deleted user can be restored for thirty
/// days; only then, or by hand, is the account gone.
pub(super) static AUDITS: [Row; 14] = [
    row("Disable account", Admin, &[AccountDisabled, SessionRevoked]),
    row("Enable account", Admin, &[AccountEnabled]),
    row("Delete user", Admin, &[AccountDisabled, SessionRevoked]),
    row("Restore user", Admin, &[AccountEnabled]),
    row("Hard Delete user", Admin, &[AccountPurged, SessionRevoked]),
    row("Reset user password", Admin, &[CredentialChange("password", "update")]),
    row("Reset password (by admin)", Admin, &[CredentialChange("password", "update")]),
    row("Change user password", User, &[CredentialChange("password", "update")]),
    row("Change password (self-service)", User, &[CredentialChange("password", "update")]),
    row("Reset password (self-service)", User, &[CredentialChange("password", "update")]),
    row("Update StsRefreshTokenValidFrom Timestamp", Admin, &[SessionRevoked]),
    row("User registered security info", User, &[CredentialChange("app", "create")]),
    row("User deleted security info", User, &[CredentialChange("app", "delete")]),
    row("Admin deleted security info", Admin, &[CredentialChange("app", "delete")]),
];

/// The groups of somebody, and what became of an attribute, are not in the record as a receiver would
/// have to be told.
const CANNOT_TELL: [&str; 5] = [
    "Update user",
    "Add member to group",
    "Remove member from group",
    "Add member to role",
    "Remove member from role",
];

/// The facts in a record.
pub(super) fn read(record: Record<'_>, settings: &SourceSettings) -> Result<Facts, Stop> {
    let detail = record.detail;
    match text(detail, "category")? {
        "AuditLogs" => audit(detail, settings),
        "UserRiskEvents" => {
            let paths = ["properties.userId", "properties.detectedDateTime"];
            risk(detail, settings, "riskEventType", paths)
        }
        "RiskyUsers" => {
            let paths = ["properties.id", "properties.riskLastUpdatedDateTime"];
            risk(detail, settings, "riskDetail", paths)
        }
        _ => Err(Reason::NoEvent.into()),
    }
}

fn audit(detail: &Value, settings: &SourceSettings) -> Result<Facts, Stop> {
    let name = text(detail, "operationName")?;
    if !text(detail, "properties.result")?.eq_ignore_ascii_case("success") {
        return Err(Reason::Failed.into());
    }
    let (_, tells) = settings.tells_by(&AUDITS, &CANNOT_TELL, name)?;
    let user = first_user(detail, "properties.targetResources")?;
    let (user, place) = user.ok_or(Reason::NoPerson)?;
    let read = |path: &str| optional(user, path).map_err(|invalid| invalid.within(&place));
    let id = read("id")?.ok_or_else(|| Invalid::new(format!("{place}.id"), "is missing"))?;
    let alias = email_alias(read("userPrincipalName")?);
    Ok(Facts {
        name: name.to_owned(),
        id: optional(detail, "properties.id")?.map(str::to_owned),
        txn: optional(detail, "properties.correlationId")?.map(str::to_owned),
        at: time(detail, "properties.activityDateTime")?,
        person: [iss_sub(&issuer(detail, settings)?, id)].into_iter().chain(alias).collect(),
        by: initiator(detail, id)?,
        tells,
    })
}

fn initiator(detail: &Value, user: &str) -> Result<Initiator, Invalid> {
    Ok(match optional(detail, "properties.initiatedBy.user.id")? {
        Some(initiator) if initiator == user => User,
        None if at(detail, "properties.initiatedBy.app").is_some() => System,
        Some(_) | None => Admin,
    })
}

/// A risk that was found or that is a person's now, or that is over.
fn risk(
    detail: &Value,
    settings: &SourceSettings,
    why: &str,
    [user, when]: [&str; 2],
) -> Result<Facts, Stop> {
    let why = optional(detail, &format!("properties.{why}"))?.unwrap_or("none");
    let state = text(detail, "properties.riskState")?;
    let found = text(detail, "properties.riskLevel")?;
    let category = text(detail, "category")?;
    let tells = settings.or_else(category, || {
        let level = match state {
            "atRisk" | "confirmedCompromised" => level(found),
            "confirmedSafe" | "dismissed" | "remediated" => Some("LOW"),
            _ => return Err(Reason::NoEvent.into()),
        };
        // `hidden`: it takes another licence to see it.
        let level = level.ok_or(Reason::CannotTell)?;
        let leaked = (why == "leakedCredentials" && state == "atRisk")
            .then(|| Compromise("password").into());
        Ok(leaked.into_iter().chain([Tell::risk(level, why)]).collect())
    })?;
    let id = text(detail, user)?;
    let at = time(detail, when)?;
    let alias = email_alias(optional(detail, "properties.userPrincipalName")?);
    // The same risk is told of again when it is in another state.
    let record = optional(detail, "properties.id")?.map(|record| format!("{record}@{at}/{state}"));
    Ok(Facts {
        name: category.to_owned(),
        id: record,
        txn: optional(detail, "correlationId")?.map(str::to_owned),
        at,
        person: [iss_sub(&issuer(detail, settings)?, id)].into_iter().chain(alias).collect(),
        by: System,
        tells,
    })
}

/// The issuer of the tenant's tokens. `sub` beside it is the object's id (`oid`): what is `sub` in
/// its tokens is another for each application.
fn issuer(detail: &Value, settings: &SourceSettings) -> Result<String, Invalid> {
    if let Some(issuer) = &settings.issuer {
        return Ok(issuer.clone());
    }
    let tenant = text(detail, "tenantId")?;
    if !tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(Invalid::new("tenantId", "is not the id of a tenant"));
    }
    Ok(format!("https://login.microsoftonline.com/{tenant}/v2.0"))
}
