//! Counts what `DynamoDB` would charge for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
        },
    },
    error::BoxError,
    operation::{
        batch_get_item::BatchGetItemOutput,
        delete_item::{DeleteItemInput, DeleteItemOutput},
        get_item::GetItemOutput,
        put_item::{PutItemInput, PutItemOutput},
        query::QueryOutput,
        transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput},
    },
    types::{AttributeValue, ConsumedCapacity, ReturnConsumedCapacity},
};

/// What was used of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Requests that were answered.
    pub requests: u64,
    /// Read units.
    pub reads: f64,
    /// Write units, those of the index included.
    pub writes: f64,
}

/// Counts what a client uses.
///
/// Write units are as the service says. For reads the emulator says one unit whatever they read, so
/// that these are reckoned here after the developer guide: a unit for each started 4 kB of an item
/// (`GetItem`, each of `BatchGetItem`) or of all items together (`Query`), and at least one; all our
/// reads are consistent. A key of `BatchGetItem` without an item is a unit too, and is not seen here.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Usage>>);

impl Meter {
    /// The same client, counted.
    pub fn of(&self, client: &Client) -> Client {
        Client::from_conf(client.config().to_builder().interceptor(self.clone()).build())
    }

    /// What was used since last asked.
    pub fn take(&self) -> Usage {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
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
        let total = Some(ReturnConsumedCapacity::Total);
        if let Some(put) = input.downcast_mut::<PutItemInput>() {
            put.return_consumed_capacity = total;
        } else if let Some(delete) = input.downcast_mut::<DeleteItemInput>() {
            delete.return_consumed_capacity = total;
        } else if let Some(transaction) = input.downcast_mut::<TransactWriteItemsInput>() {
            transaction.return_consumed_capacity = total;
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut usage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        usage.requests += 1;
        let Ok(output) = context.output_or_error() else { return Ok(()) };
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
            usage.reads += items.map(|item| read_units(size(item))).sum::<f64>();
        }
        Ok(())
    }
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
