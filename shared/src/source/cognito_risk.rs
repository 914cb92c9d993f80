//! The log of threat protection of Amazon Cognito user pools.
//!
//! Its messages, as a pool's log delivery writes them (`userAuthEvents`, level `INFO`):
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/exporting-quotas-and-usage.html>; their values:
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_EventRiskType.html>.

use super::{
    Reason, SourceSettings,
    cognito::of_pool,
    envelope::Record,
    read::{flag, milliseconds, optional, text},
    tell::{
        Facts, Fixed, Fixed::CredentialChange, Initiator::System, Initiator::User, Stop, Tell,
        email_alias, iss_sub, level,
    },
};

/// The facts in a record.
pub(super) fn read(record: Record<'_>, settings: &SourceSettings) -> Result<Facts, Stop> {
    let detail = record.detail;
    let kind = text(detail, "message.eventType")?;
    let passed = optional(detail, "message.eventResponse")? == Some("Pass");
    let mut all = Vec::new();
    let mut stopped = None;
    let mut by = System;
    // Each part stands for itself, and can be switched off by its name.
    let mut take = |tells: Result<Vec<Tell>, Stop>| match tells {
        Ok(tells) => {
            all.extend(tells);
            Ok(())
        }
        Err(Stop::Dropped(reason)) => {
            stopped = Some(reason);
            Ok(())
        }
        Err(invalid) => Err(invalid),
    };
    if kind == "PasswordChange" && passed {
        by = User;
        take(settings.tells(kind, &[CredentialChange("password", "update")]))?;
    }
    if flag(detail, "message.compromisedCredentialDetected")? == Some(true) {
        by = System;
        let name = "compromisedCredentialDetected";
        take(settings.tells(name, &[Fixed::Compromise("password")]))?;
    }
    let risk = optional(detail, "message.riskLevel")?;
    if let Some(level @ ("MEDIUM" | "HIGH")) = risk.and_then(level) {
        by = System;
        let decision = optional(detail, "message.riskDecision")?.unwrap_or(kind);
        take(settings.or_else("riskLevel", || Ok(vec![Tell::risk(level, decision)])))?;
    }
    if all.is_empty() {
        return Err(stopped.unwrap_or(Reason::NoEvent).into());
    }
    let sub = optional(detail, "message.userSub")?.ok_or(Reason::NoPerson)?;
    let iss = of_pool(text(detail, "message.userPoolId")?, "message.userPoolId")?;
    let alias = email_alias(optional(detail, "message.userName")?);
    Ok(Facts {
        name: kind.to_owned(),
        id: optional(detail, "message.eventId")?.map(str::to_owned),
        txn: optional(detail, "message.requestId")?.map(str::to_owned),
        at: milliseconds(detail, "eventTimestamp")?,
        person: [iss_sub(&iss, sub)].into_iter().chain(alias).collect(),
        by,
        tells: all,
    })
}
