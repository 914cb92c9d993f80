//! What `DynamoDB` refuses, refused in every home: what passes on a laptop runs on AWS.

use std::collections::HashSet;

use super::{Change, Condition, Key, TableError, Write};

/// An item in `DynamoDB`, names and numbers of its attributes included. Its copy in the index by
/// order counts towards that too; but bodies are compressed there, and by how much is not known
/// here, so that only `DynamoDB`'s own home can tell.
const MAX_ITEM: usize = 400 * 1024;
/// The names `pk`, `sk`, `body`, … and the numbers beside them.
const ITEM_OVERHEAD: usize = 100;
const MAX_PK: usize = 2048;
/// Also of the order, which is a sort key in an index.
const MAX_SK: usize = 1024;
const MAX_TRANSACTION: usize = 100;
const MAX_TRANSACTION_SIZE: usize = 4 * 1024 * 1024;

/// The error of each write of a call that has a key twice.
pub const SAME_KEY: TableError = TableError::Refused("two writes of one call have the same key");

/// Whether a table takes `writes` in one call.
pub fn check_keys(writes: &[Write]) -> Result<(), TableError> {
    let mut keys = HashSet::with_capacity(writes.len());
    if writes.iter().all(|write| keys.insert(&write.key)) { Ok(()) } else { Err(SAME_KEY) }
}

/// Whether a table takes `writes` all at once.
pub fn check_transaction(writes: &[Write]) -> Result<(), TableError> {
    if writes.len() > MAX_TRANSACTION {
        return Err(TableError::Refused("there are more than 100 writes in one transaction"));
    }
    if writes.iter().map(size).sum::<usize>() > MAX_TRANSACTION_SIZE {
        return Err(TableError::Refused("the writes of one transaction are larger than 4 MB"));
    }
    check_keys(writes)?;
    writes.iter().try_for_each(check_part)
}

/// Whether a table takes this write by itself.
pub fn check_write(write: &Write) -> Result<(), TableError> {
    if write.change == Change::Check {
        return Err(TableError::Refused("a check is part of a transaction alone"));
    }
    check_part(write)
}

/// Whether a table takes this write as part of a transaction.
fn check_part(write: &Write) -> Result<(), TableError> {
    check_key(&write.key)?;
    let order = write.content().and_then(|content| content.order.as_deref());
    let reason = if write.change == Change::Check && write.condition == Condition::Any {
        "a check has no condition"
    } else if order.is_some_and(|order| !(1..=MAX_SK).contains(&order.len())) {
        "the order is empty or longer than 1,024 bytes"
    } else if size(write) > MAX_ITEM {
        "the item is larger than 400 KB"
    } else {
        return Ok(());
    };
    Err(TableError::Refused(reason))
}

/// Whether a table can have an item under this key.
pub fn check_key(key: &Key) -> Result<(), TableError> {
    check_partition(&key.pk)?;
    if (1..=MAX_SK).contains(&key.sk.len()) {
        Ok(())
    } else {
        Err(TableError::Refused("the sort key is empty or longer than 1,024 bytes"))
    }
}

/// Whether a table can have an item in this partition.
pub fn check_partition(pk: &str) -> Result<(), TableError> {
    if (1..=MAX_PK).contains(&pk.len()) {
        Ok(())
    } else {
        Err(TableError::Refused("the partition key is empty or longer than 2,048 bytes"))
    }
}

fn size(write: &Write) -> usize {
    let content = write
        .content()
        .map_or(0, |content| content.body.len() + content.order.as_ref().map_or(0, String::len));
    write.key.pk.len() + write.key.sk.len() + content + ITEM_OVERHEAD
}
