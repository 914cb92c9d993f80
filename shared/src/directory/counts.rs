//! How many people and groups there are.

use super::{
    Directory, ResourceId,
    record::Deed,
    store::{COUNT_PARTS, count_key},
};
use crate::{
    Error,
    scim::ResourceType,
    table::{Condition, Content, Key, Write},
};

impl Directory {
    /// How many there are, exactly.
    pub async fn how_many(&self, kind: ResourceType) -> Result<u64, Error> {
        let keys: Vec<Key> = (0..COUNT_PARTS).map(|part| count_key(kind, part)).collect();
        let mut sum = 0;
        for item in self.parts().table.batch_get(&keys).await?.into_iter().flatten() {
            sum += item.read::<u64>()?;
        }
        Ok(sum)
    }

    /// What counts one more, or one less. A resource always falls into the same part.
    pub(super) async fn count(
        &self,
        kind: ResourceType,
        id: ResourceId,
        deed: Deed,
    ) -> Result<Write, Error> {
        let key = count_key(kind, id.part(COUNT_PARTS));
        let found = self.parts().table.get(&key).await?;
        let number: u64 = found.as_ref().map(crate::table::Item::read).transpose()?.unwrap_or(0);
        let number = match deed {
            Deed::Created => number + 1,
            Deed::Deleted => number.saturating_sub(1),
            Deed::Changed => number,
        };
        let condition = found.map_or(Condition::Absent, |item| Condition::Version(item.version));
        Ok(Write::put(key, condition, Content::json(&number)))
    }
}
