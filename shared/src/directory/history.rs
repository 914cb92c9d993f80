//! What is known afterwards: who changed what, and which events followed.

use super::{
    Change, Directory, ResourceId,
    store::{audit_partition, txn_partition},
};
use crate::{Error, table::Query};

impl Directory {
    /// All changes of a person or a group that are remembered, from the first to the last.
    pub async fn history(&self, id: ResourceId) -> Result<Vec<Change>, Error> {
        self.changes(audit_partition(id)).await
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
        let mut query = Query::sorted(partition, "");
        let mut changes = Vec::new();
        loop {
            let page = self.parts().table.query(query.clone()).await?;
            for item in page.items {
                changes.push(item.read()?);
            }
            match page.next {
                Some(next) => query = query.after(next),
                None => return Ok(changes),
            }
        }
    }
}
