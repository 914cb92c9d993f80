//! A function that makes the calls that its event counts, and does nothing else: what the calls of
//! another function cost by themselves. What that one needs besides is its own work.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use aws_sdk_kms::{primitives::Blob, types::MessageType};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::future::join_all;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, from_value};
use ssf::delivery::{HttpPush, HttpsPush, Push, PushKind};
use ssf_aws::{
    Clients, Resources, lambda,
    table::{ORDER_INDEX, ORDER_KEY, PARTITION_KEY, SORT_KEY},
};
use url::Url;

/// How large the body of an item is that holds a SET, compressed.
const BODY: usize = 550;
/// How large a SET is.
const SET: usize = 1_200;
/// How many items a query finds.
const FOUND: usize = 2;
/// How many messages are sent at once.
const MESSAGES: usize = 10;

type Item = HashMap<String, AttributeValue>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (environment, http) = lambda::read()?;
    let clients = Clients::new(&environment.aws);
    let caller = Caller { clients, resources: environment.resources, http };
    let caller = &caller;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Value>| {
        let (mut event, _) = event.into_parts();
        let receiver: Url = from_value(event["receiver"].take())?;
        let calls: BTreeMap<String, usize> = from_value(event["calls"].take())?;
        for (call, count) in calls {
            let made = (0..count).map(|number| caller.call(&call, number, &receiver));
            let made = join_all(made).await;
            made.into_iter().collect::<Result<(), Error>>()?;
        }
        Ok::<_, Error>(())
    }))
    .await
}

struct Caller {
    clients: Clients,
    resources: Resources,
    http: HttpsPush,
}

impl Caller {
    /// One call of this name, which is what AWS's protocols call it; a push is called `push`.
    async fn call(&self, name: &str, number: usize, receiver: &Url) -> Result<(), Error> {
        let Clients { dynamodb, sqs, kms } = &self.clients;
        let table = &self.resources.table;
        match name {
            "DynamoDB_20120810.PutItem" => {
                let request = dynamodb.put_item().table_name(table).set_item(Some(item(number)));
                let condition = "attribute_not_exists(#pk) OR #pk = :pk";
                let request = request.condition_expression(condition);
                let request = request.expression_attribute_names("#pk", PARTITION_KEY);
                request.expression_attribute_values(":pk", text(PARTITION)).send().await?;
            }
            "DynamoDB_20120810.GetItem" => {
                let request = dynamodb.get_item().table_name(table).consistent_read(true);
                request.set_key(Some(key(number))).send().await?;
            }
            "DynamoDB_20120810.BatchGetItem" => {
                let keys = (0..MESSAGES).map(key).collect();
                let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
                dynamodb.batch_get_item().request_items(table, keys.build()?).send().await?;
            }
            "DynamoDB_20120810.Query" => {
                let request = dynamodb.query().table_name(table).index_name(ORDER_INDEX);
                let request = request.consistent_read(true).limit(i32::try_from(FOUND)?);
                let request = request.key_condition_expression("#pk = :pk");
                let request = request.expression_attribute_names("#pk", PARTITION_KEY);
                request.expression_attribute_values(":pk", text(PARTITION)).send().await?;
            }
            "TrentService.Sign" => {
                let request = kms.sign().key_id(&self.resources.signing_key);
                let request = request.message_type(MessageType::Digest);
                let request = request.signing_algorithm("RSASSA_PKCS1_V1_5_SHA_256".into());
                request.message(Blob::new([7; 32])).send().await?;
            }
            "AmazonSQS.SendMessageBatch" => {
                let entry = |number: usize| {
                    let entry = SendMessageBatchRequestEntry::builder().id(number.to_string());
                    entry.message_body("a bell, or as long as one: ".repeat(4)).build()
                };
                let entries = (0..MESSAGES).map(entry).collect::<Result<_, _>>()?;
                let request = sqs.send_message_batch().queue_url(&self.resources.ingest);
                request.set_entries(Some(entries)).send().await?;
            }
            "push" => {
                let push = Push {
                    endpoint: receiver,
                    authorization: Some("Bearer of-the-receiver"),
                    set: &"s".repeat(SET),
                    kind: PushKind::Event,
                    verify_certificate: true,
                };
                self.http.push(&push).await?;
            }
            other => return Err(format!("it is not known how to call {other}").into()),
        }
        Ok(())
    }
}

const PARTITION: &str = "CALLS";

fn key(number: usize) -> Item {
    let sort = text(&format!("f67e39a0a4d34d56b3aa1bc4cff0069f#{number:06}"));
    [(PARTITION_KEY.to_owned(), text(PARTITION)), (SORT_KEY.to_owned(), sort)].into()
}

/// As an item is that holds a SET.
fn item(number: usize) -> Item {
    let mut item = key(number);
    item.insert(ORDER_KEY.to_owned(), text(&format!("01#0197f0a4d34d56b3#{number:06}")));
    item.insert("body".to_owned(), AttributeValue::B(Blob::new([7; BODY])));
    item.insert("version".to_owned(), AttributeValue::N("5012345678901234567".to_owned()));
    item
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
