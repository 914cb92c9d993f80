//! What `DynamoDB`'s errors mean.

use std::error::Error as StdError;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
};
use ssf::table::TableError;

use super::row::Attributes;

/// What went wrong with a request. All that is not said to be otherwise may be over soon: the SDK
/// has tried again by then, as often and as long as it may.
pub(super) fn of<E, R>(error: SdkError<E, R>) -> TableError
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error.code() {
        Some("ConditionalCheckFailedException") => TableError::Conflict,
        Some("ItemCollectionSizeLimitExceededException") => PARTITION_FULL,
        Some("ValidationException") => invalid(error.message()),
        _ => TableError::Unavailable(error.into()),
    }
}

/// What went wrong with a transaction, which says so for each of its parts.
pub(super) fn of_transaction<R>(error: SdkError<TransactWriteItemsError, R>) -> TableError
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
        error.as_service_error()
    else {
        return of(error);
    };
    let mut conflict = false;
    for reason in canceled.cancellation_reasons() {
        match reason.code() {
            // A transaction that was in the way each time that we tried says nothing of a condition.
            None | Some("None" | "TransactionConflict") => {}
            Some("ConditionalCheckFailed") => conflict = true,
            Some("ItemCollectionSizeLimitExceeded") => return PARTITION_FULL,
            Some("ValidationError") => return invalid(reason.message()),
            // Throttled: nothing was looked at, so that a conflict beside it may be none.
            Some(_) => return TableError::Unavailable(error.into()),
        }
    }
    if conflict { TableError::Conflict } else { TableError::Unavailable(error.into()) }
}

/// Whether a write was not done only because a transaction with the same item was under way. No
/// condition was looked at: the same write may be done a moment later.
pub(super) fn is_in_the_way(error: &impl ProvideErrorMetadata) -> bool {
    error.code() == Some("TransactionConflictException")
}

/// The same, of a transaction.
pub(super) fn is_in_the_way_of_all(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        return is_in_the_way(error);
    };
    let reasons = canceled.cancellation_reasons().iter();
    let mut reasons = reasons.filter_map(|reason| reason.code()).filter(|code| *code != "None");
    let first = reasons.next();
    first == Some("TransactionConflict") && reasons.all(|code| code == "TransactionConflict")
}

/// The item because of which the condition of a put did not hold.
pub(super) fn item_in_the_way(error: &PutItemError) -> Option<&Attributes> {
    match error {
        PutItemError::ConditionalCheckFailedException(failed) => failed.item(),
        _ => None,
    }
}

const PARTITION_FULL: TableError = TableError::Refused("the partition holds 10 GB, all it can");

fn invalid(message: Option<&str>) -> TableError {
    let is_large = message.is_some_and(|message| message.to_lowercase().contains("size"));
    TableError::Refused(if is_large {
        "the item, or one of its keys, is larger than DynamoDB allows"
    } else {
        "DynamoDB says that the request is not valid"
    })
}
