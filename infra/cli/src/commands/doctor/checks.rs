//! Everything that is looked at.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use aws_sdk_kms::{error::DisplayErrorContext, types::KeyState as KmsState};
use aws_sdk_sqs::types::QueueAttributeName;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use ssf::{
    clock::{Clock, SystemClock},
    config::TrustedIssuer,
    set::KeyState,
};

use super::{
    finding::Finding,
    policy::{self, Flaw},
};
use crate::{receiver::Http, stack::Stack};

/// A clock that is further off than this makes signatures of AWS requests, and tokens, refused.
const MAX_SKEW: Duration = Duration::from_mins(1);

/// Looks at all of it.
pub(super) async fn all(stack: &Stack) -> Vec<Finding> {
    let mut findings = vec![state(stack), alarms(stack)];
    match Http::new(None) {
        Ok(http) => {
            findings.extend(issuer(stack, &http).await);
            findings.extend(outside_issuers(stack, &http).await);
        }
        Err(error) => findings.push(Finding::wrong(
            "issuer",
            format!("HTTPS does not work on this machine: {error:#}"),
            "install the certificates that your system trusts (ca-certificates)",
        )),
    }
    findings.extend(keys(stack).await);
    for (subject, output) in [
        ("ingest queue", "IngestQueueUrl"),
        ("ingest queue (FIFO)", "IngestFifoQueueUrl"),
        ("push queue", "PushQueueUrl"),
        ("dead letters", "DeadLetterQueueUrl"),
    ] {
        findings.push(queue(stack, subject, output).await);
    }
    findings
}

fn state(stack: &Stack) -> Finding {
    let status = stack.status.as_str();
    match status {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Finding::good("stack", status),
        "UPDATE_ROLLBACK_COMPLETE" => Finding::odd(
            "stack",
            "the last update failed and was taken back",
            "`aws cloudformation describe-stack-events` says why; deploy again",
        ),
        other if other.ends_with("_IN_PROGRESS") => {
            Finding::odd("stack", format!("{other}: a deployment is under way"), "look again later")
        }
        other => Finding::wrong(
            "stack",
            other,
            "`aws cloudformation describe-stack-events` says why; mend that, and deploy again",
        ),
    }
}

fn alarms(stack: &Stack) -> Finding {
    match stack.parameter("AlarmTopicArn") {
        Some(topic) => Finding::good("alarms", format!("go to {topic}")),
        None => Finding::odd(
            "alarms",
            "ring nowhere",
            "deploy with the parameter AlarmTopicArn: an SNS topic that somebody reads",
        ),
    }
}

/// The issuer, as the world sees it; and the clock.
async fn issuer(stack: &Stack, http: &Http) -> Vec<Finding> {
    let (Ok(wanted), Ok(url)) = (stack.output("Issuer"), stack.output("MetadataUrl")) else {
        return vec![Finding::wrong(
            "issuer",
            "the stack has no outputs Issuer and MetadataUrl",
            "name a stack that was deployed from Tocsin's template",
        )];
    };
    let asked = async {
        let answer = http.send(Request::get(url).body(Full::<Bytes>::default())?).await?;
        let metadata: Value = answer.read(url)?;
        anyhow::Ok((metadata, answer.date))
    };
    let (metadata, date) = match asked.await {
        Ok(answer) => answer,
        Err(error) => {
            let remedy = if stack.parameter("DomainName").is_some() {
                "let the name of the domain lead to the API (the runbook's section on domains), \
                 and its certificate be valid"
            } else {
                "see whether the API is deployed, and whether this machine reaches it"
            };
            return vec![Finding::wrong("issuer", format!("{error:#}"), remedy)];
        }
    };
    let said = metadata["issuer"].as_str().unwrap_or_default();
    let issuer = if said == wanted {
        Finding::good("issuer", wanted)
    } else {
        Finding::wrong(
            "issuer",
            format!("{url} says {said:?}, but the stack says {wanted:?}"),
            "another deployment answers there: let the domain lead to this stack's API",
        )
    };
    vec![issuer, clock(date, SystemClock.now().into())]
}

fn clock(theirs: Option<SystemTime>, ours: SystemTime) -> Finding {
    let Some(theirs) = theirs else {
        return Finding::odd("clock", "the API does not tell the time", "compare it by hand");
    };
    let ahead = ours.duration_since(theirs).unwrap_or_default();
    let behind = theirs.duration_since(ours).unwrap_or_default();
    let skew = ahead.max(behind);
    if skew <= MAX_SKEW {
        return Finding::good("clock", "as AWS has it");
    }
    let side = if ahead > behind { "ahead of" } else { "behind" };
    let seen = format!("this machine's clock is {} s {side} AWS's", skew.as_secs());
    Finding::wrong("clock", seen, "let this machine ask a time server (NTP)")
}

async fn outside_issuers(stack: &Stack, http: &Http) -> Vec<Finding> {
    const SUBJECT: &str = "outside issuers";
    let config = match stack.config() {
        Ok(config) => config,
        Err(error) => {
            let remedy = "deploy again with parameters that can be read";
            return vec![Finding::wrong("settings", format!("{error:#}"), remedy)];
        }
    };
    let mut findings = Vec::new();
    for TrustedIssuer { issuer, jwks_url, .. } in &config.trusted_issuers {
        let jwks: anyhow::Result<Value> = http.document(jwks_url.as_str()).await;
        let remedy = "set its jwks_url in the parameter TrustedIssuers to what its own metadata \
                      says (jwks_uri)";
        findings.push(match jwks {
            Ok(jwks) if jwks["keys"].as_array().is_some_and(|keys| !keys.is_empty()) => {
                Finding::good(SUBJECT, format!("{issuer} has keys"))
            }
            Ok(_) => Finding::wrong(SUBJECT, format!("{jwks_url} holds no keys"), remedy),
            Err(error) => Finding::wrong(SUBJECT, format!("{issuer}: {error:#}"), remedy),
        });
    }
    findings
}

/// The keys that sign, and the one that encrypts.
async fn keys(stack: &Stack) -> Vec<Finding> {
    let mut findings = Vec::new();
    match stack.transmitter() {
        Err(error) => {
            findings.push(Finding::wrong("keys", format!("{error:#}"), "deploy the stack again"));
        }
        Ok(transmitter) => match transmitter.keys().list().await {
            Err(error) => findings.push(Finding::wrong(
                "keys",
                error.to_string(),
                "let your role read the stack's table",
            )),
            Ok(keys) => {
                let signing = keys.iter().filter(|(_, state)| *state != KeyState::Past);
                for (key, _) in signing {
                    findings.push(kms_key(stack, "signing key", &key.key.handle).await);
                }
            }
        },
    }
    if let Ok(arn) = stack.output("SecretsKeyArn") {
        findings.push(kms_key(stack, "secrets key", arn).await);
    }
    findings
}

async fn kms_key(stack: &Stack, subject: &'static str, arn: &str) -> Finding {
    let described = stack.clients.kms.describe_key().key_id(arn).send().await;
    let state = match &described {
        Ok(described) => described.key_metadata().and_then(|key| key.key_state()),
        Err(error) => {
            let seen = format!("{arn}: {}", DisplayErrorContext(error));
            return Finding::wrong(subject, seen, "let your role describe the key, and look again");
        }
    };
    match state {
        Some(KmsState::Enabled) => Finding::good(subject, format!("{arn} is enabled")),
        Some(KmsState::PendingDeletion) => Finding::wrong(
            subject,
            format!("{arn} is to be deleted"),
            "at once: `aws kms cancel-key-deletion`, then `aws kms enable-key`",
        ),
        state => Finding::wrong(
            subject,
            format!("{arn} is {}", state.map_or("in no state", KmsState::as_str)),
            "`aws kms enable-key`: until then nothing is signed, and events wait on their queue",
        ),
    }
}

async fn queue(stack: &Stack, subject: &'static str, output: &str) -> Finding {
    let url = match stack.output(output) {
        Ok(url) => url,
        Err(error) => return Finding::wrong(subject, error.to_string(), "deploy the stack again"),
    };
    let asked = stack.clients.sqs.get_queue_attributes().queue_url(url);
    match asked.attribute_names(QueueAttributeName::All).send().await {
        Ok(answer) => judge_queue(subject, &answer.attributes.unwrap_or_default()),
        Err(error) => Finding::wrong(
            subject,
            DisplayErrorContext(&error).to_string(),
            "let your role read the attributes of the queue, and look again",
        ),
    }
}

fn judge_queue(subject: &'static str, attributes: &HashMap<QueueAttributeName, String>) -> Finding {
    let number = |name| attributes.get(&name).and_then(|text| text.parse::<u64>().ok());
    let waiting = number(QueueAttributeName::ApproximateNumberOfMessages).unwrap_or_default();
    let flaw = attributes.get(&QueueAttributeName::Policy).map(|text| policy::judge(text));
    let mend = "take the statement out of the queue's policy; the template's own are made by the \
                parameters UpstreamAccountIds, AllowEventBridge and AllowSns";
    match flaw {
        Some(Some(Flaw::OpenToAll)) => {
            return Finding::wrong(subject, "anybody in the world may send to it", mend);
        }
        Some(Some(Flaw::Unreadable)) => {
            return Finding::wrong(subject, "its policy cannot be read", "deploy the stack again");
        }
        None | Some(Some(Flaw::PlainText)) => {
            let remedy =
                "deploy the stack again: its queue policy refuses what is sent without TLS";
            return Finding::odd(subject, "takes messages that are sent without TLS", remedy);
        }
        Some(None) => {}
    }
    match subject {
        "dead letters" if waiting > 0 => Finding::odd(
            subject,
            format!("about {waiting} messages could not be events"),
            "`tocsin --stack … dead-letter list` says why",
        ),
        _ => Finding::good(subject, format!("about {waiting} messages wait")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Verdict;

    #[test]
    fn a_clock_may_be_off_by_a_minute() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        let verdict = |theirs| clock(Some(theirs), now).verdict;
        assert_eq!(verdict(now + MAX_SKEW), Verdict::Good);
        assert_eq!(verdict(now - MAX_SKEW), Verdict::Good);
        let off = clock(Some(now + Duration::from_mins(5)), now);
        assert_eq!(off.verdict, Verdict::Wrong);
        assert_eq!(off.seen, "this machine's clock is 300 s behind AWS's");
        assert_eq!(clock(None, now).verdict, Verdict::Odd);
    }

    #[test]
    fn a_queue_is_judged_by_its_policy_and_by_what_waits() {
        let closed = r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"sqs:*",
            "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;
        let open = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*"}]}"#;
        let judge = |subject, policy: Option<&str>, waiting: &str| {
            let mut attributes = HashMap::new();
            let depth = QueueAttributeName::ApproximateNumberOfMessages;
            attributes.insert(depth, waiting.to_owned());
            if let Some(policy) = policy {
                attributes.insert(QueueAttributeName::Policy, policy.to_owned());
            }
            judge_queue(subject, &attributes).verdict
        };
        assert_eq!(judge("ingest queue", Some(closed), "7"), Verdict::Good);
        assert_eq!(judge("ingest queue", Some(open), "0"), Verdict::Wrong);
        assert_eq!(judge("ingest queue", None, "0"), Verdict::Odd);
        assert_eq!(judge("dead letters", Some(closed), "1"), Verdict::Odd);
        assert_eq!(judge("dead letters", Some(closed), "0"), Verdict::Good);
    }
}
