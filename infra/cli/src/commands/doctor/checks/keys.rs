//! The keys that sign, and the one that encrypts receivers' secrets.

use aws_sdk_kms::types::KeyState as KmsState;
use ssf::{
    error::chain,
    set::{KeyState, RingKey},
};

use crate::{commands::doctor::finding::Finding, stack::Stack};

/// What a key is there for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Purpose {
    /// It encrypts receivers' secrets.
    Secrets,
    /// It signs SETs, or soon will.
    Signing,
}

impl Purpose {
    fn subject(self) -> &'static str {
        match self {
            Self::Secrets => "secrets key",
            Self::Signing => "signing key",
        }
    }

    /// What does not happen while it cannot be used.
    fn loss(self) -> &'static str {
        match self {
            Self::Secrets => "no authorization header is taken or opened, and the SETs wait",
            Self::Signing => "nothing is signed, and events wait on their queue",
        }
    }
}

/// Asks the ring which keys sign, and KMS how they are.
pub(super) async fn look(stack: &Stack) -> Vec<Finding> {
    let transmitter = match stack.transmitter() {
        Ok(transmitter) => transmitter,
        Err(error) => {
            return vec![Finding::wrong("keys", format!("{error:#}"), "deploy the stack again")];
        }
    };
    let mut findings = Vec::new();
    match transmitter.keys().list().await {
        Ok(keys) => {
            for arn in in_use(&keys) {
                findings.push(look_at_one(stack, Purpose::Signing, arn).await);
            }
        }
        Err(error) => findings.push(Finding::wrong(
            "keys",
            chain(&error),
            "let your role read the stack's table",
        )),
    }
    if let Ok(arn) = stack.output("SecretsKeyArn") {
        findings.push(look_at_one(stack, Purpose::Secrets, arn).await);
    }
    findings
}

/// The keys that sign, or soon will, as KMS knows them.
fn in_use(keys: &[(RingKey, KeyState)]) -> impl Iterator<Item = &str> {
    let in_use = keys.iter().filter(|(_, state)| *state != KeyState::Past);
    in_use.map(|(key, _)| key.key.handle.as_str())
}

async fn look_at_one(stack: &Stack, purpose: Purpose, arn: &str) -> Finding {
    let described = stack.clients.kms.describe_key().key_id(arn).send().await;
    match &described {
        Ok(described) => {
            judge(purpose, arn, described.key_metadata().and_then(|key| key.key_state()))
        }
        Err(error) => Finding::wrong(
            purpose.subject(),
            format!("{arn}: {}", chain(error)),
            "let your role describe the key, and look again",
        ),
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
        assert_eq!(in_use(&keys).collect::<Vec<_>>(), ["second", "third"]);
    }

    #[test]
    fn a_key_that_is_used_must_be_enabled() {
        let arn = "arn:aws:kms:eu-west-1:123456789012:key/1";
        let judge = |purpose, state: Option<KmsState>| judge(purpose, arn, state.as_ref());
        let findings = [
            judge(Purpose::Signing, Some(KmsState::Enabled)),
            judge(Purpose::Signing, Some(KmsState::Disabled)),
            judge(Purpose::Signing, Some(KmsState::PendingDeletion)),
            judge(Purpose::Secrets, Some(KmsState::Disabled)),
            judge(Purpose::Secrets, None),
        ];
        insta::assert_snapshot!(said(&findings), @r"
        ✓ signing key  arn:aws:kms:eu-west-1:123456789012:key/1 is enabled
        ✗ signing key  arn:aws:kms:eu-west-1:123456789012:key/1 is Disabled
                       → `aws kms enable-key`; until then nothing is signed, and events wait on their queue
        ✗ signing key  arn:aws:kms:eu-west-1:123456789012:key/1 is to be deleted
                       → at once: `aws kms cancel-key-deletion`, then `aws kms enable-key`; until then nothing is signed, and events wait on their queue
        ✗ secrets key  arn:aws:kms:eu-west-1:123456789012:key/1 is Disabled
                       → `aws kms enable-key`; until then no authorization header is taken or opened, and the SETs wait
        ✗ secrets key  arn:aws:kms:eu-west-1:123456789012:key/1 is in no state
                       → `aws kms enable-key`; until then no authorization header is taken or opened, and the SETs wait
        ");
    }
}
