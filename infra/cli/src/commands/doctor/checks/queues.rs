//! The queues: who may send to them, and what waits.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use ssf::error::chain;

use super::policy::{self, Flaw};
use crate::{commands::doctor::finding::Finding, stack::Stack};

/// A queue of the stack.
#[derive(Clone, Copy, Debug)]
struct Watched {
    subject: &'static str,
    /// Where the stack says its URL.
    output: &'static str,
    /// Where what is in it is there for an operator, not for a function: what to do about it.
    for_operator: Option<&'static str>,
}

const INGEST: Watched =
    Watched { subject: "ingest queue", output: "IngestQueueUrl", for_operator: None };
const INGEST_FIFO: Watched =
    Watched { subject: "ingest queue (FIFO)", output: "IngestFifoQueueUrl", for_operator: None };
const PUSH: Watched = Watched { subject: "push queue", output: "PushQueueUrl", for_operator: None };
const DEAD_LETTERS: Watched = Watched {
    subject: "dead letters",
    output: "DeadLetterQueueUrl",
    for_operator: Some("`tocsin --stack … dead-letter list` says why"),
};
const INGEST_FIFO_DEAD_LETTERS: Watched = Watched {
    subject: "dead letters (FIFO)",
    output: "IngestFifoDeadLetterQueueUrl",
    for_operator: Some("see the alarm ingest-fifo-dead-letters in the runbook"),
};
const PUSH_DEAD_LETTERS: Watched = Watched {
    subject: "dead letters (push)",
    output: "PushDeadLetterQueueUrl",
    for_operator: Some("see the alarm push-dead-letters in the runbook"),
};

type Attributes = HashMap<QueueAttributeName, String>;

/// Asks SQS for the attributes of each.
pub(super) async fn look(stack: &Stack) -> Vec<Finding> {
    let mut findings = Vec::new();
    for queue in
        [INGEST, INGEST_FIFO, PUSH, DEAD_LETTERS, INGEST_FIFO_DEAD_LETTERS, PUSH_DEAD_LETTERS]
    {
        findings.push(look_at_one(stack, queue).await);
    }
    findings
}

async fn look_at_one(stack: &Stack, queue: Watched) -> Finding {
    let Watched { subject, output, .. } = queue;
    let url = match stack.output(output) {
        Ok(url) => url,
        Err(error) => return Finding::wrong(subject, error.to_string(), "deploy the stack again"),
    };
    let asked = stack.clients.sqs.get_queue_attributes().queue_url(url);
    match asked.attribute_names(QueueAttributeName::All).send().await {
        Ok(answer) => judge(queue, &answer.attributes.unwrap_or_default()),
        Err(error) => Finding::wrong(
            subject,
            chain(&error),
            "let your role read the attributes of the queue, and look again",
        ),
    }
}

/// Its policy first: what waits matters less.
fn judge(queue: Watched, attributes: &Attributes) -> Finding {
    let policy = attributes.get(&QueueAttributeName::Policy);
    let flaw = policy.map_or(Some(Flaw::PlainText), |policy| policy::judge(policy));
    if let Some(flaw) = flaw {
        return judge_policy(queue.subject, flaw);
    }
    let waiting = attributes.get(&QueueAttributeName::ApproximateNumberOfMessages);
    let waiting = waiting.and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    if let Some(remedy) = queue.for_operator.filter(|_| waiting > 0) {
        return Finding::odd(queue.subject, format!("about {waiting} messages"), remedy);
    }
    Finding::good(queue.subject, format!("about {waiting} messages wait"))
}

fn judge_policy(subject: &'static str, flaw: Flaw) -> Finding {
    match flaw {
        Flaw::OpenToAll => Finding::wrong(
            subject,
            "anybody in the world may send to it",
            "take the statement out of the queue's policy; the template's own are made by the \
             parameters UpstreamAccountIds, AllowEventBridge and AllowSns",
        ),
        Flaw::PlainText => Finding::odd(
            subject,
            "takes messages that are sent without TLS",
            "deploy the stack again with the parameter RequireTls=true: its queue policy then \
             refuses what is sent without TLS",
        ),
        Flaw::Unreadable => {
            Finding::wrong(subject, "its policy cannot be read", "deploy the stack again")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::said;

    const CLOSED: &str = r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"sqs:*",
        "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;
    const OPEN: &str = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*"}]}"#;

    fn found(queue: Watched, policy: Option<&str>, waiting: &str) -> Finding {
        let depth = QueueAttributeName::ApproximateNumberOfMessages;
        let policy = policy.map(|policy| (QueueAttributeName::Policy, policy.to_owned()));
        judge(queue, &[(depth, waiting.to_owned())].into_iter().chain(policy).collect())
    }

    #[test]
    fn a_queue_is_closed_to_strangers_and_to_plain_text() {
        let findings = [
            found(INGEST, Some(CLOSED), "7"),
            found(INGEST_FIFO, Some(OPEN), "0"),
            found(PUSH, None, "0"),
            found(DEAD_LETTERS, Some("no policy"), "1"),
        ];
        insta::assert_snapshot!(said(&findings), @r"
        ✓ ingest queue         about 7 messages wait
        ✗ ingest queue (FIFO)  anybody in the world may send to it
                               → take the statement out of the queue's policy; the template's own are made by the parameters UpstreamAccountIds, AllowEventBridge and AllowSns
        ! push queue           takes messages that are sent without TLS
                               → deploy the stack again with the parameter RequireTls=true: its queue policy then refuses what is sent without TLS
        ✗ dead letters         its policy cannot be read
                               → deploy the stack again
        ");
    }

    #[test]
    fn dead_letters_are_there_for_somebody_to_look_at() {
        let findings = [
            found(DEAD_LETTERS, Some(CLOSED), "0"),
            found(DEAD_LETTERS, Some(CLOSED), "3"),
            found(PUSH_DEAD_LETTERS, Some(CLOSED), "1"),
        ];
        insta::assert_snapshot!(said(&findings), @r"
        ✓ dead letters         about 0 messages wait
        ! dead letters         about 3 messages
                               → `tocsin --stack … dead-letter list` says why
        ! dead letters (push)  about 1 messages
                               → see the alarm push-dead-letters in the runbook
        ");
    }
}
