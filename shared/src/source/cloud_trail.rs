//! What all records of CloudTrail have in common:
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>.

use super::{
    Reason,
    envelope::Record,
    read::{find, optional, text},
    tell::Stop,
};

/// How EventBridge calls a record of an API call; in China the first word is another
/// (<https://docs.amazonaws.cn/eventbridge/latest/ref/events-ref-identitystore.html>).
const API_CALLS: [&str; 2] = ["AWS API Call via CloudTrail", "Amazon API Call via CloudTrail"];

/// The name of the API call that was made, and not refused. Sign-ins at hosted pages are no API calls,
/// and have an empty `errorCode`
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/understanding-amazon-cognito-entries.html>).
pub(super) fn made<'a>(record: &Record<'a>) -> Result<&'a str, Stop> {
    if !API_CALLS.contains(&text(record.envelope, "detail-type")?) {
        return Err(Reason::NoEvent.into());
    }
    let name = text(record.detail, "eventName")?;
    let failed = optional(record.detail, "errorCode")?.is_some()
        || find(record.detail, "errorMessage").is_some_and(|message| message.as_str() != Some(""));
    if failed { Err(Reason::Failed.into()) } else { Ok(name) }
}

/// What AWS calls the request.
pub(super) fn request_id(record: &Record<'_>) -> Result<Option<String>, Stop> {
    Ok(optional(record.detail, "requestID")?.map(str::to_owned))
}
