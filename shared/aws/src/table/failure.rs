//! What `DynamoDB`'s errors mean.

use std::error::Error as StdError;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        batch_get_item::BatchGetItemError, delete_item::DeleteItemError, get_item::GetItemError,
        put_item::PutItemError, query::QueryError, transact_write_items::TransactWriteItemsError,
    },
    types::ThrottlingReason,
};
use ssf::table::TableError;

use super::row::Attributes;

/// What went wrong with a request. All that is not said to be otherwise may be over soon: the SDK
/// has tried again by then, as often and as long as it may.
pub(super) fn of<E, R>(error: SdkError<E, R>) -> TableError
where
    E: ProvideErrorMetadata + Throttled + StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    if error.as_service_error().is_some_and(is_busy) {
        return TableError::Busy(error.into());
    }
    match error.code() {
        Some("ConditionalCheckFailedException") => TableError::Conflict,
        Some("ItemCollectionSizeLimitExceededException") => TableError::Full,
        Some("ValidationException") if is_too_large(error.message()) => TOO_LARGE,
        _ => TableError::Unavailable(error.into()),
    }
}

/// What went wrong with a transaction, which says so for each of its parts. It does not say why a
/// part was throttled, so that a busy partition cannot be told from a busy table.
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
            Some("ItemCollectionSizeLimitExceeded") => return TableError::Full,
            Some("ValidationError") if is_too_large(reason.message()) => return TOO_LARGE,
            // Throttled: nothing was looked at, so that a conflict beside it may be none.
            Some(_) => return TableError::Unavailable(error.into()),
        }
    }
    if conflict { TableError::Conflict } else { TableError::Unavailable(error.into()) }
}

/// Why a request was throttled, if it was.
pub(super) trait Throttled {
    fn reasons(&self) -> &[ThrottlingReason];
}

macro_rules! throttled {
    ($($error:ident)*) => {
        $(
            impl Throttled for $error {
                fn reasons(&self) -> &[ThrottlingReason] {
                    match self {
                        Self::ProvisionedThroughputExceededException(error) => {
                            error.throttling_reasons()
                        }
                        Self::RequestLimitExceeded(error) => error.throttling_reasons(),
                        Self::ThrottlingException(error) => error.throttling_reasons(),
                        _ => &[],
                    }
                }
            }
        )*
    };
}

throttled! {
    BatchGetItemError DeleteItemError GetItemError PutItemError QueryError TransactWriteItemsError
}

/// Whether one partition alone was asked for too much: `TableWriteKeyRangeThroughputExceeded` and its
/// like. Where the table or the account has come to a limit as well, that is what there is to mend.
fn is_busy(error: &impl Throttled) -> bool {
    let is_key_range = |reason: &ThrottlingReason| {
        reason.reason().is_some_and(|reason| reason.ends_with("KeyRangeThroughputExceeded"))
    };
    !error.reasons().is_empty() && error.reasons().iter().all(is_key_range)
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

const TOO_LARGE: TableError =
    TableError::Refused("the item, or one of its keys, is larger than DynamoDB allows");

/// Only what is too large is so for ever; whatever else is not valid is ours to mend, and comes again
/// until then.
fn is_too_large(message: Option<&str>) -> bool {
    message.is_some_and(|message| message.to_lowercase().contains("size"))
}
