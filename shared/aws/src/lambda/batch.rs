//! Batches of messages, as Lambda brings them from SQS.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::Timestamp;
use ssf::{
    delivery::Door,
    queue::{QueueKind, Received},
};

use crate::queue::{kind_of, sender};

/// Messages of one queue.
#[derive(Debug)]
pub struct Batch {
    /// The messages, in order.
    pub messages: Vec<Received>,
    door: Door,
}

impl Batch {
    /// What `event` brings.
    pub fn of(event: SqsEvent) -> Self {
        let arn = event.records.first().and_then(|record| record.event_source_arn.as_deref());
        let door = match kind_of(arn.unwrap_or_default()) {
            QueueKind::Fifo => Door::Fifo,
            QueueKind::Standard => Door::Standard,
        };
        Self { messages: event.records.into_iter().map(received).collect(), door }
    }

    /// The door through which they came, if they are events.
    pub fn door(&self) -> Door {
        self.door
    }
}

fn received(message: SqsMessage) -> Received {
    let mut attributes = message.attributes;
    let sent_at = attributes.get("SentTimestamp").and_then(|text| text.parse().ok());
    let receives = attributes.get("ApproximateReceiveCount").and_then(|text| text.parse().ok());
    Received {
        id: message.message_id.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
        group: attributes.remove("MessageGroupId"),
        attributes: message
            .message_attributes
            .into_iter()
            .filter_map(|(name, attribute)| Some((name, attribute.string_value?)))
            .collect(),
        sender: attributes.get("SenderId").map(|id| sender(id)),
        sent_at: sent_at
            .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
            .unwrap_or_default(),
        sequence: attributes.remove("SequenceNumber"),
        receives: receives.unwrap_or(1),
        receipt: message.receipt_handle.unwrap_or_default(),
    }
}

/// Says which messages must come again.
pub(super) fn response(again: Vec<String>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    response.set_failures(again);
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn batch(queue: &str, attributes: &serde_json::Value) -> Batch {
        let event = json!({ "Records": [{
            "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
            "body": "{}",
            "attributes": attributes,
            "messageAttributes": {
                "reason": { "stringValue": "why", "dataType": "String" },
                "picture": { "binaryValue": "AA==", "dataType": "Binary" },
            },
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:123456789012:{queue}"),
            "awsRegion": "us-east-1",
        }]});
        Batch::of(serde_json::from_value(event).unwrap())
    }

    #[test]
    fn what_lambda_brings_is_what_the_queue_holds() {
        let taken = batch(
            "ingest.fifo",
            &json!({
                "ApproximateReceiveCount": "3",
                "SentTimestamp": "1795301862748",
                "SequenceNumber": "18849496460467696128",
                "MessageGroupId": "jane",
                "SenderId": "AROAIENQZJOLO23YVJ4VO:session-1",
            }),
        );
        assert_eq!(taken.door(), Door::Fifo);
        assert_eq!(
            taken.messages,
            [Received {
                id: "059f36b4-87a3-44ab-83d2-661975830a7d".to_owned(),
                body: "{}".to_owned(),
                group: Some("jane".to_owned()),
                attributes: [("reason".to_owned(), "why".to_owned())].into(),
                sender: Some("AROAIENQZJOLO23YVJ4VO".to_owned()),
                sent_at: Timestamp::from_millisecond(1_795_301_862_748).unwrap(),
                sequence: Some("18849496460467696128".to_owned()),
                receives: 3,
                receipt: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a".to_owned(),
            }]
        );
        let standard = batch("ingest", &json!({ "ApproximateReceiveCount": "1" }));
        assert_eq!(standard.door(), Door::Standard);
        assert_eq!((&standard.messages[0].group, &standard.messages[0].sender), (&None, &None));
        let user = batch("ingest", &json!({ "SenderId": "AIDAIENQZJOLO23YVJ4VO" }));
        assert_eq!(user.messages[0].sender.as_deref(), Some("AIDAIENQZJOLO23YVJ4VO"));
    }

    #[test]
    fn those_that_must_come_again_are_named_and_only_they() {
        let said = serde_json::to_value(response(vec!["b".to_owned()])).unwrap();
        assert_eq!(said, json!({ "batchItemFailures": [{ "itemIdentifier": "b" }] }));
        let said = serde_json::to_value(response(Vec::new())).unwrap();
        assert_eq!(said, json!({ "batchItemFailures": [] }));
    }
}
