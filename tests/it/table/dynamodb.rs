//! What is true of the table in `DynamoDB` beyond the contract.

use std::sync::Arc;

use ssf::clock::Clock;
use ssf_aws::{Clients, DynamoDbTable};
use tests::{
    Emulator,
    emulator::{create_table, fresh_account},
};

/// An empty table in an account of its own.
pub(super) async fn fresh_table(clock: Arc<dyn Clock>) -> DynamoDbTable {
    let client = Clients::new(&Emulator::shared().sdk_config(&fresh_account())).dynamodb;
    create_table(&client, "tocsin").await;
    DynamoDbTable::new(client, "tocsin", clock)
}
