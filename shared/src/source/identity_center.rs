//! AWS IAM Identity Center: what is asked of its directory, by CloudTrail.
//!
//! What its records hold: <https://aws.amazon.com/blogs/security/modifications-to-aws-cloudtrail-event-data-of-iam-identity-center/>,
//! which also says that calls about devices for MFA are to come from `identitystore.amazonaws.com`. The
//! names of the calls: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamidentitycentersuccessortoawssinglesign-ondirectory.html>.

use super::{
    Source, SourceSettings, cloud_trail,
    envelope::Record,
    read::{optional, text, time},
    tell::{
        Facts,
        Fixed::{AccountDisabled, AccountEnabled, AccountPurged, CredentialChange, SessionRevoked},
        Initiator::{Admin, User},
        Row, Stop, iss_sub, row,
    },
};
use crate::json::Invalid;

/// Each call, with what the service authorization reference says that it does.
pub(super) static ROWS: [Row; 9] = [
    row("DisableUser", Admin, &[AccountDisabled, SessionRevoked]),
    row("EnableUser", Admin, &[AccountEnabled]),
    row("DeleteUser", Admin, &[AccountPurged, SessionRevoked]),
    row("UpdatePassword", Admin, &[CredentialChange("password", "update")]),
    row("CompleteVirtualMfaDeviceRegistration", Admin, &[CredentialChange("app", "create")]),
    row(
        "CompleteWebAuthnDeviceRegistration",
        Admin,
        &[CredentialChange("fido2-platform", "create")],
    ),
    row("UpdateMfaDeviceForUser", Admin, &[CredentialChange("app", "update")]),
    row("DeleteMfaDeviceForUser", Admin, &[CredentialChange("app", "delete")]),
    // <https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html>
    row("BatchDeleteSession", Admin, &[SessionRevoked]),
];

/// The groups of a person, and what became of an attribute, are not in these records.
const CANNOT_TELL: [&str; 6] = [
    "AddMemberToGroup",
    "RemoveMemberFromGroup",
    "CreateGroupMembership",
    "DeleteGroupMembership",
    "UpdateUser",
    "UpdateUserName",
];

/// The facts in a record.
pub(super) fn read(record: Record<'_>, settings: &SourceSettings) -> Result<Facts, Stop> {
    let detail = record.detail;
    let name = cloud_trail::made(&record)?;
    let (by, tells) = settings.tells_by(&ROWS, &CANNOT_TELL, name)?;
    let user = text(detail, "requestParameters.userId")?;
    let own = optional(detail, "userIdentity.onBehalfOf.userId")? == Some(user);
    Ok(Facts {
        name: name.to_owned(),
        id: None,
        txn: cloud_trail::request_id(&record)?,
        at: time(detail, "eventTime")?,
        person: vec![iss_sub(&issuer(record, settings)?, user)],
        by: if own { User } else { by },
        tells,
    })
}

/// The ARN of the identity store, or what the operator says instead. The account is the one whose
/// trail it is, where the store is.
fn issuer(record: Record<'_>, settings: &SourceSettings) -> Result<String, Invalid> {
    if let Ok(issuer) = settings.issuer(Source::IdentityCenter) {
        return Ok(issuer.to_owned());
    }
    let detail = record.detail;
    let path = "requestParameters.identityStoreId";
    let store = text(detail, path)?;
    if !store.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(Invalid::new(path, "is not the id of an identity store"));
    }
    let account = text(detail, "recipientAccountId")?;
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Invalid::new("recipientAccountId", "is not the id of an account"));
    }
    Ok(format!("arn:aws:identitystore::{account}:identitystore/{store}"))
}
