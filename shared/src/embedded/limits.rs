//! What `DynamoDB` and SQS refuse, refused here too: what passes on a laptop runs on AWS.

use std::{collections::HashSet, time::Duration};

use super::QueueKind;
use crate::{
    queue::{Message, QueueError},
    table::{TableError, Write},
};

/// An item in `DynamoDB`, names and numbers of its attributes included.
const MAX_ITEM: usize = 400 * 1024;
/// The names `pk`, `sk`, `body`, … and the numbers beside them.
const ITEM_OVERHEAD: usize = 100;
const MAX_PK: usize = 2048;
/// Also of the order, which is a sort key in an index.
const MAX_SK: usize = 1024;
const MAX_TRANSACTION: usize = 100;
const MAX_TRANSACTION_SIZE: usize = 4 * 1024 * 1024;

const MAX_BODY: usize = 256 * 1024;
const MAX_ATTRIBUTES: usize = 10;
const MAX_DELAY: Duration = Duration::from_mins(15);
const MAX_VISIBILITY: Duration = Duration::from_hours(12);
const MAX_NAME: usize = 128;
const MAX_ATTRIBUTE_NAME: usize = 256;

/// The error of each write of a call that has a key twice.
pub(super) const SAME_KEY: TableError =
    TableError::Refused("two writes of one call have the same key");

/// Whether a table takes `writes` in one call.
pub(super) fn check_keys(writes: &[Write]) -> Result<(), TableError> {
    let mut keys = HashSet::with_capacity(writes.len());
    if writes.iter().all(|write| keys.insert(&write.key)) { Ok(()) } else { Err(SAME_KEY) }
}

/// Whether a table takes `writes` all at once.
pub(super) fn check_transaction(writes: &[Write]) -> Result<(), TableError> {
    if writes.len() > MAX_TRANSACTION {
        return Err(TableError::Refused("there are more than 100 writes in one transaction"));
    }
    if writes.iter().map(size).sum::<usize>() > MAX_TRANSACTION_SIZE {
        return Err(TableError::Refused("the writes of one transaction are larger than 4 MB"));
    }
    check_keys(writes)?;
    writes.iter().try_for_each(check_write)
}

/// Whether a table takes this write.
pub(super) fn check_write(write: &Write) -> Result<(), TableError> {
    let order = write.content.as_ref().and_then(|content| content.order.as_deref());
    let reason = if !(1..=MAX_PK).contains(&write.key.pk.len()) {
        "the partition key is empty or longer than 2,048 bytes"
    } else if !(1..=MAX_SK).contains(&write.key.sk.len()) {
        "the sort key is empty or longer than 1,024 bytes"
    } else if order.is_some_and(|order| !(1..=MAX_SK).contains(&order.len())) {
        "the order is empty or longer than 1,024 bytes"
    } else if size(write) > MAX_ITEM {
        "the item is larger than 400 KB"
    } else {
        return Ok(());
    };
    Err(TableError::Refused(reason))
}

fn size(write: &Write) -> usize {
    let content = write
        .content
        .as_ref()
        .map_or(0, |content| content.body.len() + content.order.as_ref().map_or(0, String::len));
    write.key.pk.len() + write.key.sk.len() + content + ITEM_OVERHEAD
}

/// Whether a queue of this kind takes this message.
pub(super) fn check_message(message: &Message, kind: QueueKind) -> Result<(), QueueError> {
    let reason = if message.body.is_empty() {
        "the body is empty"
    } else if message.body.len() > MAX_BODY {
        "the body is larger than 256 KiB"
    } else if !message.body.chars().all(is_allowed) {
        "the body has a control character"
    } else if message.attributes.len() > MAX_ATTRIBUTES {
        "there are more than ten attributes"
    } else if !message.attributes.iter().all(|(name, value)| is_attribute(name, value)) {
        "an attribute has an unusable name or no value"
    } else {
        return check_kind(message, kind);
    };
    Err(QueueError::Refused(reason))
}

fn check_kind(message: &Message, kind: QueueKind) -> Result<(), QueueError> {
    let reason = match kind {
        QueueKind::Fifo => {
            if !message.group.as_deref().is_some_and(is_name) {
                "a FIFO queue needs a group of 1 to 128 visible ASCII characters"
            } else if !message.deduplication.as_deref().is_none_or(is_name) {
                "a deduplication id has 1 to 128 visible ASCII characters"
            } else if !message.delay.is_zero() {
                "a FIFO queue delays no single message"
            } else {
                return Ok(());
            }
        }
        QueueKind::Standard => {
            if message.group.is_some() {
                "a standard queue knows no groups"
            } else if message.deduplication.is_some() {
                "a standard queue does not deduplicate"
            } else if message.delay > MAX_DELAY {
                "the delay is longer than 15 minutes"
            } else {
                return Ok(());
            }
        }
    };
    Err(QueueError::Refused(reason))
}

/// Whether a queue hides messages for so long.
pub(super) fn check_visibility(visibility: Duration) -> Result<(), QueueError> {
    if visibility > MAX_VISIBILITY {
        return Err(QueueError::Refused("the visibility timeout is longer than 12 hours"));
    }
    Ok(())
}

/// The characters of XML 1.0, which SQS was built on.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_attribute(name: &str, value: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=MAX_ATTRIBUTE_NAME).contains(&name.len())
        && name.bytes().all(allowed)
        && !value.is_empty()
        && value.chars().all(is_allowed)
}
