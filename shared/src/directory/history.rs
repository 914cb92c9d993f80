//! What is known afterwards: who changed what, and which events followed.

use super::{
    Change, Directory, ResourceId,
    record::changes_of_txn,
    store::{audit_partition, txn_partition},
};
use crate::{
    Error,
    table::{Item, Query},
};

impl Directory {
    /// All changes of a person or a group that are remembered, from the first to the last.
    pub async fn history(&self, id: ResourceId) -> Result<Vec<Change>, Error> {
        let query = Query::sorted(audit_partition(id), "");
        let items = self.parts().table.query_all(query).await?;
        Ok(items.iter().map(Item::read).collect::<Result<_, _>>()?)
    }

    /// The last `limit` changes, the last first.
    pub(crate) async fn recent(&self, id: ResourceId, limit: usize) -> Result<Vec<Change>, Error> {
        let query = Query::sorted(audit_partition(id), "").backwards().limit(limit.max(1));
        let page = self.parts().table.query(query).await?;
        Ok(page.items.iter().map(Item::read).collect::<Result<_, _>>()?)
    }

    /// What one request changed, and the events that follow; of a group's change also those about
    /// members who come or go.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it changed nothing, or too long ago.
    pub async fn txn(&self, txn: &str) -> Result<Vec<Change>, Error> {
        let query = Query::sorted(txn_partition(txn), "");
        let changes = changes_of_txn(&self.parts().table.query_all(query).await?)?;
        if changes.is_empty() {
            return Err(Error::NotFound { kind: "txn", id: txn.to_owned() });
        }
        Ok(changes)
    }
}
