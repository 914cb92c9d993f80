//! The keys that sign, and the one that encrypts receivers' secrets.

use aws_sdk_kms::{operation::describe_key::DescribeKeyError, types::KeyState as KmsState};
use serde_json::Value;
use ssf::{
    error::chain,
    set::{KeyState, PublicKey, RingKey},
};

use crate::{commands::doctor::finding::Finding, stack::Stack};

/// What a key is there for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Purpose {
    /// It encrypts the queues.
    Queues,
    /// It encrypts receivers' secrets.
    Secrets,
    /// It signs SETs, or soon will.
    Signing,
}

impl Purpose {
    fn subject(self) -> &'static str {
        match self {
            Self::Queues => "queue key",
            Self::Secrets => "secrets key",
            Self::Signing => "signing key",
        }
    }

    /// What does not happen while it cannot be used.
    fn loss(self) -> &'static str {
        match self {
            Self::Queues => "nothing can be sent to a queue or read from one",
            Self::Secrets => "no authorization header is taken or opened, and the SETs wait",
            Self::Signing => {
                "nothing is signed; events wait on their queue for a day, and are dead letters then"
            }
        }
    }
}

/// Asks the ring which keys sign, and KMS how they are; `jwks` is what the world sees of them.
pub(super) async fn look(stack: &Stack, jwks: Option<&Value>) -> Vec<Finding> {
    let transmitter = match stack.transmitter() {
        Ok(transmitter) => transmitter,
        Err(error) => {
            return vec![Finding::wrong("keys", format!("{error:#}"), "deploy the stack again")];
        }
    };
    let mut findings = Vec::new();
    match transmitter.keys().list().await {
        Ok(keys) => {
            findings.extend(judge_ring(&keys));
            let first = stack.output("SigningKeyArn").unwrap_or_default();
            let wanted = policy(stack, first).await;
            for key in in_use(&keys) {
                let arn = key.handle.as_str();
                findings.push(look_at_one(stack, Purpose::Signing, arn).await);
                findings.extend(jwks.and_then(|jwks| judge_published(&key.kid, jwks)));
                if arn != first {
                    findings.extend(judge_policy(
                        arn,
                        wanted.as_ref(),
                        policy(stack, arn).await.as_ref(),
                    ));
                }
            }
        }
        Err(error) => findings.push(Finding::wrong(
            "keys",
            chain(&error),
            "let your role read the stack's table",
        )),
    }
    if let Some(arn) = stack.parameter("QueueKeyArn") {
        findings.push(look_at_one(stack, Purpose::Queues, arn).await);
    }
    if let Ok(arn) = stack.output("SecretsKeyArn") {
        findings.push(look_at_one(stack, Purpose::Secrets, arn).await);
    }
    findings
}

/// The first run of the sweep makes the first key, within a minute of the deployment.
fn judge_ring(keys: &[(RingKey, KeyState)]) -> Option<Finding> {
    keys.is_empty().then(|| {
        Finding::wrong(
            "signing key",
            "there is none yet: events wait on their queue, and the JWKS is not there",
            "the function sweep makes it in its first run, within a minute of the deployment: look \
             again then; if it stays so, its log says why",
        )
    })
}

/// The keys that sign, or soon will, as KMS knows them.
fn in_use(keys: &[(RingKey, KeyState)]) -> impl Iterator<Item = &PublicKey> {
    let in_use = keys.iter().filter(|(_, state)| *state != KeyState::Past);
    in_use.map(|(key, _)| &*key.key)
}

/// The policy of a key, if it can be read.
async fn policy(stack: &Stack, arn: &str) -> Option<Value> {
    let asked = stack.clients.kms.get_key_policy().key_id(arn).policy_name("default");
    let policy = asked.send().await.ok()?.policy?;
    serde_json::from_str(&policy).ok()
}

/// Whether the world knows a key that signs, or soon will.
fn judge_published(kid: &str, jwks: &Value) -> Option<Finding> {
    let is_there =
        jwks["keys"].as_array().is_some_and(|keys| keys.iter().any(|key| key["kid"] == kid));
    (!is_there).then(|| {
        Finding::wrong(
            "signing key",
            format!("the JWKS of the issuer lacks {kid}: no receiver can verify what it signs"),
            "look again half a minute after a rotation; else another deployment answers there: let \
             the issuer's name lead to this stack's API",
        )
    })
}

/// A key that was made by `tocsin keys rotate` has the policy that the first one had then.
fn judge_policy(arn: &str, first: Option<&Value>, policy: Option<&Value>) -> Option<Finding> {
    (first != policy && first.is_some() && policy.is_some()).then(|| {
        Finding::odd(
            "signing key",
            format!(
                "{arn} has another policy than the stack's first key: who may sign was changed \
                 since it was made"
            ),
            "`tocsin --stack … keys rotate` makes one with the policy of today",
        )
    })
}

async fn look_at_one(stack: &Stack, purpose: Purpose, arn: &str) -> Finding {
    let described = stack.clients.kms.describe_key().key_id(arn).send().await;
    match &described {
        Ok(described) => {
            judge(purpose, arn, described.key_metadata().and_then(|key| key.key_state()))
        }
        Err(error) => {
            let is_gone =
                error.as_service_error().is_some_and(DescribeKeyError::is_not_found_exception);
            let remedy = match purpose {
                Purpose::Signing if is_gone => "`tocsin --stack … keys rotate --now` makes another",
                _ => "let your role describe the key, and look again",
            };
            Finding::wrong(purpose.subject(), format!("{arn}: {}", chain(error)), remedy)
        }
    }
}

fn judge(purpose: Purpose, arn: &str, state: Option<&KmsState>) -> Finding {
    let (subject, loss) = (purpose.subject(), purpose.loss());
    match state {
        Some(KmsState::Enabled) => Finding::good(subject, format!("{arn} is enabled")),
        Some(KmsState::PendingDeletion) => Finding::wrong(
            subject,
            format!("{arn} is to be deleted"),
            format!(
                "at once: `aws kms cancel-key-deletion`, then `aws kms enable-key`; until then \
                 {loss}"
            ),
        ),
        state => Finding::wrong(
            subject,
            format!("{arn} is {}", state.map_or("in no state", KmsState::as_str)),
            format!("`aws kms enable-key`; until then {loss}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::doctor::finding::said;

    #[test]
    fn a_key_of_the_past_may_be_in_any_state() {
        let keys = [
            ("first", KeyState::Past),
            ("second", KeyState::Signing),
            ("third", KeyState::Upcoming),
        ]
        .map(|(handle, state)| {
            let key = json!({
                "kid": handle,
                "algorithm": "ES256",
                "handle": handle,
                "material": { "kty": "EC", "crv": "P-256", "x": "", "y": "" },
                "created": "2026-01-01T00:00:00Z",
                "signs_from": "2026-01-01T00:00:00Z",
            });
            (serde_json::from_value(key).unwrap(), state)
        });
        let in_use: Vec<_> = in_use(&keys).map(|key| key.kid.as_str()).collect();
        assert_eq!(in_use, ["second", "third"]);
    }

    #[test]
    fn there_must_be_a_key_that_the_world_knows_and_its_policy_be_that_of_today() {
        let jwks = json!({ "keys": [{ "kid": "second" }] });
        let (old, new) = (json!({ "Statement": [] }), json!({ "Statement": [{}] }));
        let findings = [
            judge_ring(&[]),
            judge_published("second", &jwks),
            judge_published("third", &jwks),
            judge_policy("arn", Some(&new), Some(&new)),
            judge_policy("arn", Some(&new), Some(&old)),
            judge_policy("arn", Some(&new), None),
        ];
        let findings: Vec<_> = findings.into_iter().flatten().collect();
        insta::assert_snapshot!(said(&findings), @r"
        ✗ signing key  there is none yet: events wait on their queue, and the JWKS is not there
                       → the function sweep makes it in its first run, within a minute of the deployment: look again then; if it stays so, its log says why
        ✗ signing key  the JWKS of the issuer lacks third: no receiver can verify what it signs
                       → look again half a minute after a rotation; else another deployment answers there: let the issuer's name lead to this stack's API
        ! signing key  arn has another policy than the stack's first key: who may sign was changed since it was made
                       → `tocsin --stack … keys rotate` makes one with the policy of today
        ");
    }

    #[test]
    fn a_key_that_is_used_must_be_enabled() {
        let arn = "arn:aws:kms:eu-west-1:123456789012:key/1";
        let judge = |purpose, state: Option<KmsState>| judge(purpose, arn, state.as_ref());
        let findings = [
            judge(Purpose::Signing, Some(KmsState::Enabled)),
            judge(Purpose::Signing, Some(KmsState::Disabled)),
            judge(Purpose::Signing, Some(KmsState::PendingDeletion)),
            judge(Purpose::Queues, Some(KmsState::Disabled)),
            judge(Purpose::Secrets, Some(KmsState::Disabled)),
            judge(Purpose::Secrets, None),
        ];
        insta::assert_snapshot!(said(&findings), @r"
        ✓ signing key  arn:aws:kms:eu-west-1:123456789012:key/1 is enabled
        ✗ signing key  arn:aws:kms:eu-west-1:123456789012:key/1 is Disabled
                       → `aws kms enable-key`; until then nothing is signed; events wait on their queue for a day, and are dead letters then
        ✗ signing key  arn:aws:kms:eu-west-1:123456789012:key/1 is to be deleted
                       → at once: `aws kms cancel-key-deletion`, then `aws kms enable-key`; until then nothing is signed; events wait on their queue for a day, and are dead letters then
        ✗ queue key    arn:aws:kms:eu-west-1:123456789012:key/1 is Disabled
                       → `aws kms enable-key`; until then nothing can be sent to a queue or read from one
        ✗ secrets key  arn:aws:kms:eu-west-1:123456789012:key/1 is Disabled
                       → `aws kms enable-key`; until then no authorization header is taken or opened, and the SETs wait
        ✗ secrets key  arn:aws:kms:eu-west-1:123456789012:key/1 is in no state
                       → `aws kms enable-key`; until then no authorization header is taken or opened, and the SETs wait
        ");
    }
}
