//! Everything that is looked at. Each part asks, and leaves the judging to functions that ask nobody.

mod issuer;
mod keys;
mod policy;
mod queues;
mod stack;

use super::finding::Finding;
use crate::{receiver::Http, stack::Stack};

/// Looks at all of it.
pub(super) async fn all(stack: &Stack) -> Vec<Finding> {
    let mut findings = vec![
        stack::state(&stack.status),
        stack::alarms(stack.parameter("AlarmTopicArn")),
        stack::operators(stack.parameter("OperatorRoleArns")),
    ];
    let mut jwks = None;
    match Http::new(None) {
        Ok(http) => {
            findings.extend(issuer::look(stack, &http, &mut jwks).await);
            findings.extend(issuer::look_at_others(stack, &http).await);
        }
        Err(error) => findings.push(Finding::wrong(
            "issuer",
            format!("HTTPS does not work on this machine: {error:#}"),
            "install the certificates that your system trusts (ca-certificates)",
        )),
    }
    findings.extend(keys::look(stack, jwks.as_ref()).await);
    findings.extend(queues::look(stack).await);
    findings
}
