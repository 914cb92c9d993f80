//! Amazon GuardDuty: findings about people.
//!
//! The event: <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html>; its
//! member: <https://docs.aws.amazon.com/guardduty/latest/APIReference/API_AccessKeyDetails.html>; the types:
//! <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html>; the severities:
//! <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html>.

use serde_json::Value;

use super::{
    Reason, SourceSettings,
    envelope::Record,
    read,
    tell::{Facts, Fixed, Initiator::System, Stop, Tell},
};
use crate::json::Invalid;

/// A password was found by somebody else: of all types about people, the only one that is not about
/// an access key, which RISC has no name for.
const PASSWORD_USED: &str = "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B";

/// The facts in a finding.
pub(super) fn read(record: Record<'_>, settings: &SourceSettings) -> Result<Facts, Stop> {
    if read::text(record.envelope, "detail-type")? != "GuardDuty Finding" {
        return Err(Reason::NoEvent.into());
    }
    let finding = Finding(record.detail);
    let (kind, _) = finding.text("type")?;
    let about = finding.optional("resource.resourceType")?;
    let whose = finding.optional("resource.accessKeyDetails.userType")?;
    if about != Some("AccessKey") || whose != Some("IAMUser") {
        return Err(Reason::NoPerson.into());
    }
    if finding.flag("service.additionalInfo.sample")? {
        return Err(Reason::NoEvent.into());
    }
    let level = finding.level()?;
    let tells = settings.or_else(kind, || {
        let compromised = (kind == PASSWORD_USED).then(|| Fixed::Compromise("password").into());
        Ok(compromised.into_iter().chain([Tell::risk(level, kind)]).collect())
    })?;
    let (at, path) = finding.text("updatedAt")?;
    Ok(Facts {
        name: kind.to_owned(),
        id: None,
        txn: finding.optional("id")?.map(str::to_owned),
        at: read::time_of(at, &path)?,
        person: vec![finding.user()?],
        by: System,
        tells,
    })
}

/// A finding, whose members begin with a small letter on the bus and with a capital one as the API
/// gives them.
struct Finding<'a>(&'a Value);

impl<'a> Finding<'a> {
    /// The path, as this finding spells it.
    fn path(&self, path: &str) -> String {
        let capitals: Vec<_> = path.split('.').map(capital).collect();
        let capitals = capitals.join(".");
        if read::find(self.0, &capitals).is_some() { capitals } else { path.to_owned() }
    }

    fn optional(&self, path: &str) -> Result<Option<&'a str>, Invalid> {
        read::optional(self.0, &self.path(path))
    }

    fn text(&self, path: &str) -> Result<(&'a str, String), Invalid> {
        let path = self.path(path);
        Ok((read::text(self.0, &path)?, path))
    }

    fn flag(&self, path: &str) -> Result<bool, Invalid> {
        Ok(read::flag(self.0, &self.path(path))?.unwrap_or_default())
    }

    fn level(&self) -> Result<&'static str, Invalid> {
        let path = self.path("severity");
        match read::find(self.0, &path).and_then(Value::as_f64) {
            Some(severity) if severity >= 7.0 => Ok("HIGH"),
            Some(severity) if severity >= 4.0 => Ok("MEDIUM"),
            Some(_) => Ok("LOW"),
            None => Err(Invalid::new(path, "must be a number")),
        }
    }

    /// The IAM user, by the ARN that it has when it is in no path.
    fn user(&self) -> Result<Value, Invalid> {
        let (account, path) = self.text("accountId")?;
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Invalid::new(path, "is not the id of an account"));
        }
        let (name, path) = self.text("resource.accessKeyDetails.userName")?;
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte)) {
            return Err(Invalid::new(path, "is not the name of an IAM user"));
        }
        let partition = match self.optional("partition")? {
            None => "aws",
            Some(known @ ("aws" | "aws-cn" | "aws-us-gov")) => known,
            Some(_) => {
                return Err(Invalid::new(self.path("partition"), "is not a partition of AWS"));
            }
        };
        let uri = format!("arn:{partition}:iam::{account}:user/{name}");
        Ok(serde_json::json!({ "format": "uri", "uri": uri }))
    }
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
