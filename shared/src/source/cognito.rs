//! Amazon Cognito user pools: what is asked of them, by CloudTrail.
//!
//! Names are hidden in these records; who it is about is the `sub` in `additionalEventData`
//! (<https://docs.aws.amazon.com/cognito/latest/developerguide/logging-using-cloudtrail.html>; a record
//! is read so by `aws-samples` in <https://github.com/aws-samples/amazon-cognito-user-profiles-export>).
//! The names of the API calls: <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_Operations.html>.

use serde_json::json;

use super::{
    Reason, SourceSettings, cloud_trail,
    envelope::Record,
    read::{optional, text, time},
    tell::{
        Facts,
        Fixed::{
            AccountDisabled, AccountEnabled, AccountPurged, ChangeRequired, CredentialChange,
            RecoveryActivated, SessionRevoked,
        },
        Initiator::{Admin, User},
        Row, Stop, iss_sub, row,
    },
};
use crate::json::Invalid;

/// Each API call, with what the reference of that operation says that it does.
pub(super) static ROWS: [Row; 17] = [
    row("AdminUserGlobalSignOut", Admin, &[SessionRevoked]),
    row("GlobalSignOut", User, &[SessionRevoked]),
    row("RevokeToken", User, &[SessionRevoked]),
    row("AdminDisableUser", Admin, &[AccountDisabled, SessionRevoked]),
    row("AdminEnableUser", Admin, &[AccountEnabled]),
    row("AdminDeleteUser", Admin, &[AccountPurged, SessionRevoked]),
    row("DeleteUser", User, &[AccountPurged, SessionRevoked]),
    row("AdminSetUserPassword", Admin, &[CredentialChange("password", "update")]),
    row("ChangePassword", User, &[CredentialChange("password", "update")]),
    row("ConfirmForgotPassword", User, &[CredentialChange("password", "update")]),
    row("AdminResetUserPassword", Admin, &[ChangeRequired]),
    row("ForgotPassword", User, &[RecoveryActivated]),
    row("SetUserMFAPreference", User, &[CredentialChange("app", "update")]),
    row("AdminSetUserMFAPreference", Admin, &[CredentialChange("app", "update")]),
    row("VerifySoftwareToken", User, &[CredentialChange("app", "create")]),
    row("CompleteWebAuthnRegistration", User, &[CredentialChange("fido2-platform", "create")]),
    row("DeleteWebAuthnCredential", User, &[CredentialChange("fido2-platform", "delete")]),
];

/// Who is in which groups now, or what an attribute is, these records do not hold.
const CANNOT_TELL: [&str; 6] = [
    "AdminAddUserToGroup",
    "AdminRemoveUserFromGroup",
    "AdminUpdateUserAttributes",
    "UpdateUserAttributes",
    "AdminDeleteUserAttributes",
    "DeleteUserAttributes",
];

/// The facts in a record.
pub(super) fn read(record: Record<'_>, settings: &SourceSettings) -> Result<Facts, Stop> {
    let detail = record.detail;
    let name = cloud_trail::made(&record)?;
    let (by, tells) = settings.tells_by(&ROWS, &CANNOT_TELL, name)?;
    let sub = match optional(detail, "additionalEventData.sub")? {
        Some(sub) => sub,
        // Who calls without signing in may name somebody who is not there.
        None if by == User => return Err(Reason::NoPerson.into()),
        None => return Err(Invalid::new("additionalEventData.sub", "is missing").into()),
    };
    let iss = issuer(record, settings)?.ok_or(Reason::NoPerson)?;
    let person = iss_sub(&iss, sub);
    // A token is revoked with all that its client got by it, and nobody else's.
    let client = optional(detail, "requestParameters.clientId")?.filter(|_| name == "RevokeToken");
    let person = match client {
        Some(client) => json!({
            "format": "complex",
            "user": person,
            "application": { "format": "opaque", "id": client },
        }),
        None => person,
    };
    Ok(Facts {
        name: name.to_owned(),
        id: None,
        txn: cloud_trail::request_id(&record)?,
        at: time(detail, "eventTime")?,
        person: vec![person],
        by,
        tells,
    })
}

/// The issuer of the pool's tokens
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html>).
/// Calls that are made with a token of the person do not name the pool; then it is the one that the
/// operator gave.
fn issuer(record: Record<'_>, settings: &SourceSettings) -> Result<Option<String>, Invalid> {
    for path in ["requestParameters.userPoolId", "additionalEventData.userPoolId"] {
        if let Some(pool) = optional(record.detail, path)? {
            return of_pool(pool, path).map(Some);
        }
    }
    text(record.detail, "awsRegion")?;
    Ok(settings.issuer.clone())
}

/// The issuer of the pool with this id, whose first part is its region.
pub(super) fn of_pool(pool: &str, path: &str) -> Result<String, Invalid> {
    let plain = |text: &str, more: &[u8]| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    match pool.split_once('_') {
        Some((region, id)) if plain(region, b"-") && plain(id, b"") => {
            let china = if region.starts_with("cn-") { ".cn" } else { "" };
            Ok(format!("https://cognito-idp.{region}.amazonaws.com{china}/{pool}"))
        }
        _ => Err(Invalid::new(path, "is not the id of a user pool")),
    }
}
