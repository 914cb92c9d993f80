//! What is known afterwards: who changed what, and which events followed.

use super::{
    Change, Directory, ResourceId,
    store::{audit_partition, txn_partition},
};
use crate::{
    Error,
    table::{Item, Query},
};

impl Directory {
    /// All changes of a person or a group that are remembered, from the first to the last.
    pub async fn history(&self, id: ResourceId) -> Result<Vec<Change>, Error> {
        self.changes(audit_partition(id)).await
    }

    /// The last `limit` changes, the last first.
    pub(crate) async fn recent(&self, id: ResourceId, limit: usize) -> Result<Vec<Change>, Error> {
        let query = Query::sorted(audit_partition(id), "").backwards().limit(limit.max(1));
        let page = self.parts().table.query(query).await?;
        Ok(page.items.iter().map(Item::read).collect::<Result<_, _>>()?)
    }

    /// What one request changed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it changed nothing, or too long ago.
    pub async fn txn(&self, txn: &str) -> Result<Vec<Change>, Error> {
        let changes = self.changes(txn_partition(txn)).await?;
        if changes.is_empty() {
            return Err(Error::NotFound { kind: "txn", id: txn.to_owned() });
        }
        Ok(changes)
    }

    async fn changes(&self, partition: String) -> Result<Vec<Change>, Error> {
        let items = self.parts().table.query_all(Query::sorted(partition, "")).await?;
        Ok(items.iter().map(Item::read).collect::<Result<_, _>>()?)
    }
}
