//! Counts what AWS would charge for: requests, and units of `DynamoDB`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
            BeforeTransmitInterceptorContextRef,
        },
    },
    error::BoxError,
    operation::{
        batch_get_item::{BatchGetItemInput, BatchGetItemOutput},
        delete_item::{DeleteItemError, DeleteItemInput, DeleteItemOutput},
        get_item::GetItemOutput,
        put_item::{PutItemError, PutItemInput, PutItemOutput},
        query::QueryOutput,
        transact_write_items::{
            TransactWriteItemsError, TransactWriteItemsInput, TransactWriteItemsOutput,
        },
    },
    types::{
        AttributeValue, ConsumedCapacity, ReturnConsumedCapacity,
        ReturnValuesOnConditionCheckFailure as OnFailure,
    },
};

/// What was used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Requests, those that were tried again included, by what they asked for.
    pub requests: BTreeMap<String, u64>,
    /// Read units of the table.
    pub reads: f64,
    /// Write units of the table, those of the index included.
    pub writes: f64,
}

impl Usage {
    /// How many requests of all kinds there were.
    pub fn requests(&self) -> u64 {
        self.requests.values().sum()
    }

    /// How many of them read a table.
    pub fn read_requests(&self) -> u64 {
        self.requests_for(&READS)
    }

    /// How many of them wrote to a table.
    pub fn write_requests(&self) -> u64 {
        self.requests_for(&WRITES)
    }

    fn requests_for(&self, operations: &[&str]) -> u64 {
        operations.iter().filter_map(|name| self.requests.get(*name)).sum()
    }
}

const READS: [&str; 3] = ["BatchGetItem", "GetItem", "Query"];
const WRITES: [&str; 3] = ["DeleteItem", "PutItem", "TransactWriteItems"];
/// Other requests that are counted; what is in none of the three is not known here, nor its price.
const OTHERS: [&str; 8] = [
    "ChangeMessageVisibility",
    "Decrypt",
    "DeleteMessageBatch",
    "GenerateDataKey",
    "GetPublicKey",
    "ReceiveMessage",
    "SendMessageBatch",
    "Sign",
];

/// Counts what clients use.
///
/// Write units are as the service says. It says nothing of a write whose condition fails, and charges
/// for it: for the larger of the item that is there and the one that was to be; the second is not
/// seen here, and ours are alike. For reads the emulator says one unit whatever they read, so that
/// these are reckoned here after the developer guide: a unit for each started 4 kB of an item
/// (`GetItem`, each of `BatchGetItem`) or of all items together (`Query`), and at least one, also for
/// an item that is not there; all our reads are consistent.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Usage>>);

impl Meter {
    /// The same client of a table, counted.
    pub fn of(&self, client: &Client) -> Client {
        Client::from_conf(client.config().to_builder().interceptor(self.clone()).build())
    }

    /// The same client of queues, counted.
    pub fn of_queues(&self, client: &aws_sdk_sqs::Client) -> aws_sdk_sqs::Client {
        let counted = client.config().to_builder().interceptor(self.clone());
        aws_sdk_sqs::Client::from_conf(counted.build())
    }

    /// The same client of keys, counted.
    pub fn of_keys(&self, client: &aws_sdk_kms::Client) -> aws_sdk_kms::Client {
        let counted = client.config().to_builder().interceptor(self.clone());
        aws_sdk_kms::Client::from_conf(counted.build())
    }

    /// What was used since last asked.
    pub fn take(&self) -> Usage {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Usage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        let (total, old) = (Some(ReturnConsumedCapacity::Total), Some(OnFailure::AllOld));
        if let Some(put) = input.downcast_mut::<PutItemInput>() {
            put.return_consumed_capacity = total;
            put.return_values_on_condition_check_failure = old;
        } else if let Some(delete) = input.downcast_mut::<DeleteItemInput>() {
            delete.return_consumed_capacity = total;
            delete.return_values_on_condition_check_failure = old;
        } else if let Some(transaction) = input.downcast_mut::<TransactWriteItemsInput>() {
            transaction.return_consumed_capacity = total;
            for part in transaction.transact_items.iter_mut().flatten() {
                if let Some(put) = &mut part.put {
                    put.return_values_on_condition_check_failure.clone_from(&old);
                }
                if let Some(delete) = &mut part.delete {
                    delete.return_values_on_condition_check_failure.clone_from(&old);
                }
                if let Some(check) = &mut part.condition_check {
                    check.return_values_on_condition_check_failure.clone_from(&old);
                }
            }
        } else if let Some(batch) = input.downcast_ref::<BatchGetItemInput>() {
            // One for each, found or not; what is larger costs more when it comes.
            let keys = batch.request_items().into_iter().flat_map(HashMap::values);
            self.lock().reads += keys.map(|keys| count(keys.keys())).sum::<f64>();
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let known = [&READS[..], &WRITES, &OTHERS].concat().contains(&operation);
        assert!(known, "{target}: what it costs is not known here");
        *self.lock().requests.entry(operation.to_owned()).or_default() += 1;
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut usage = self.lock();
        let output = match context.output_or_error() {
            Ok(output) => output,
            Err(error) => {
                // What failed for another reason costs nothing.
                if let Some(error) = error.as_operation_error() {
                    usage.writes +=
                        in_vain(error.downcast_ref(), error.downcast_ref(), error.downcast_ref());
                }
                return Ok(());
            }
        };
        let units =
            |used: Option<&ConsumedCapacity>| used.and_then(ConsumedCapacity::capacity_units);
        if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            usage.writes += units(put.consumed_capacity()).expect("the service says it");
        } else if let Some(delete) = output.downcast_ref::<DeleteItemOutput>() {
            usage.writes += units(delete.consumed_capacity()).expect("the service says it");
        } else if let Some(transaction) = output.downcast_ref::<TransactWriteItemsOutput>() {
            let used = transaction.consumed_capacity().iter();
            usage.writes += used.filter_map(|used| units(Some(used))).sum::<f64>();
        } else if let Some(get) = output.downcast_ref::<GetItemOutput>() {
            usage.reads += read_units(get.item().map_or(0, size));
        } else if let Some(query) = output.downcast_ref::<QueryOutput>() {
            usage.reads += read_units(query.items().iter().map(size).sum());
        } else if let Some(batch) = output.downcast_ref::<BatchGetItemOutput>() {
            let items = batch.responses().into_iter().flat_map(HashMap::values).flatten();
            usage.reads += items.map(|item| read_units(size(item)) - 1.0).sum::<f64>();
            let unread = batch.unprocessed_keys().into_iter().flat_map(HashMap::values);
            usage.reads -= unread.map(|keys| count(keys.keys())).sum::<f64>();
        }
        Ok(())
    }
}

/// The write units of what failed on its condition.
fn in_vain(
    put: Option<&PutItemError>,
    delete: Option<&DeleteItemError>,
    transaction: Option<&TransactWriteItemsError>,
) -> f64 {
    let one = |item: Option<&HashMap<_, _>>| write_units(item.map_or(0, size));
    match (put, delete, transaction) {
        (Some(PutItemError::ConditionalCheckFailedException(failed)), ..) => one(failed.item()),
        (_, Some(DeleteItemError::ConditionalCheckFailedException(failed)), _) => {
            one(failed.item())
        }
        (.., Some(TransactWriteItemsError::TransactionCanceledException(failed))) => {
            failed.cancellation_reasons().iter().map(|reason| 2.0 * one(reason.item())).sum()
        }
        _ => 0.0,
    }
}

fn count<T>(things: &[T]) -> f64 {
    f64::from(u32::try_from(things.len()).expect("a request has few"))
}

fn write_units(bytes: usize) -> f64 {
    let units = u32::try_from(bytes.div_ceil(1024).max(1)).expect("an item has 400 kB");
    f64::from(units)
}

fn read_units(bytes: usize) -> f64 {
    let units = u32::try_from(bytes.div_ceil(4096).max(1)).expect("a page has 1 MB");
    f64::from(units)
}

/// The developer guide's "item sizes": names and values in UTF-8, a number about half a byte for
/// each digit and one more.
fn size(item: &HashMap<String, AttributeValue>) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        other => panic!("the table keeps no {other:?}"),
    };
    item.iter().map(|(name, it)| name.len() + value(it)).sum()
}

#[cfg(test)]
mod tests {
    use ssf_aws::Clients;

    use super::*;
    use crate::Emulator;

    #[tokio::test]
    #[should_panic = "DynamoDB_20120810.Scan: what it costs is not known here"]
    async fn what_has_no_price_here_is_not_taken_for_free() {
        let clients = Clients::new(&Emulator::shared().sdk_config("123456789012"));
        let table = Meter::default().of(&clients.dynamodb);
        let _ = table.scan().table_name("tocsin").send().await;
    }
}
