//! Where the resources of a list are looked for: in an index, or among all.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;

use super::{
    Directory, ResourceId,
    lists::{Listed, Search},
    plan::{Source, name_of},
    store::{
        Named, email_partition, external_id_partition, external_id_prefix, list, name_key,
        resource_key,
    },
    text::fold,
};
use crate::{
    Error,
    scim::{self, ErrorKind, ResourceType},
    table::{By, Key, Query},
};

/// A request looks at so many resources at most.
pub(super) const MAX_WALK: usize = 10_000;

impl Directory {
    /// The ids that an index yields; `None`: there is none for it.
    pub(super) fn candidates<'a>(
        &'a self,
        search: &'a Search<'_>,
        kind: ResourceType,
        source: &'a Source,
    ) -> BoxFuture<'a, Result<Option<BTreeSet<ResourceId>>, Error>> {
        Box::pin(async move {
            let table = &self.parts().table;
            let parse = |id: &String| ResourceId::parse(id);
            let ids = match source {
                Source::All => return Ok(None),
                Source::Id(id) => parse(id).into_iter().collect(),
                Source::Name(name) => {
                    let item = table.get(&name_key(kind, name)).await?;
                    let named = item.map(|item| item.read::<Named>()).transpose()?;
                    named.map(|named| named.id).into_iter().collect()
                }
                Source::ExternalId(text) => match search.client {
                    Some(client) => {
                        let prefix = external_id_prefix(kind);
                        let partition = external_id_partition(client, text);
                        self.ids_in(Query::sorted(partition, prefix.as_str()), &prefix).await?
                    }
                    None => BTreeSet::new(),
                },
                Source::Email(address) => {
                    self.ids_in(Query::sorted(email_partition(address), ""), "").await?
                }
                Source::MembersOf(group) => match parse(group) {
                    Some(group) => self.all_member_rows(group).await?.into_iter().collect(),
                    None => BTreeSet::new(),
                },
                Source::GroupsOf(user) => match parse(user) {
                    Some(user) => self.group_ids_of(user).await?.into_iter().collect(),
                    None => BTreeSet::new(),
                },
                Source::NamePrefix(prefix) => {
                    self.ids_in(Query::ordered(list(kind), fold(prefix)), "").await?
                }
                Source::Union(sources) => {
                    let mut ids = BTreeSet::new();
                    for source in sources {
                        ids.extend(
                            self.candidates(search, kind, source).await?.unwrap_or_default(),
                        );
                    }
                    ids
                }
            };
            if ids.len() > MAX_WALK {
                return Err(too_many(kind));
            }
            Ok(Some(ids))
        })
    }

    /// The ids that the sort keys of this range end with.
    async fn ids_in(&self, query: Query, prefix: &str) -> Result<BTreeSet<ResourceId>, Error> {
        // More than are looked at, so that it is seen that there are too many: one of them may say
        // who had an address last.
        let items = self.parts().table.pages(query).items(MAX_WALK + 2).await?;
        let keys = items.iter().filter_map(|item| item.key.sk.strip_prefix(prefix));
        Ok(keys.filter_map(ResourceId::parse).collect())
    }

    /// All resources, if they are not too many.
    pub(super) async fn walk<T: Listed>(&self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let (mut rows, last) = self.rows::<T>(after, 1000).await?;
            all.append(&mut rows);
            after = last;
            if after.is_none() {
                return Ok(all);
            }
            if all.len() >= MAX_WALK {
                return Err(too_many(T::KIND));
            }
        }
    }

    /// Resources in the order of their creation, behind `after`, and behind which key there are more.
    pub(super) async fn rows<T: Listed>(
        &self,
        after: Option<String>,
        count: usize,
    ) -> Result<(Vec<T>, Option<String>), Error> {
        let query = Query::sorted(list(T::KIND), "").limit(count.clamp(1, 1000));
        let page = self.parts().table.query(Query { after, by: By::Sort, ..query }).await?;
        let ids = page.items.iter().filter_map(|item| ResourceId::parse(&item.key.sk)).collect();
        Ok((self.read_all(&ids).await?, page.next))
    }

    /// Those of `ids` that are there, by id.
    pub(super) async fn read_all<T: Listed>(
        &self,
        ids: &BTreeSet<ResourceId>,
    ) -> Result<Vec<T>, Error> {
        let keys: Vec<Key> = ids.iter().map(|id| resource_key(T::KIND, *id)).collect();
        let mut found = Vec::new();
        for keys in keys.chunks(100) {
            for item in self.parts().table.batch_get(keys).await?.into_iter().flatten() {
                found.push(item.read()?);
            }
        }
        Ok(found)
    }
}

/// What is refused because it would take too long.
fn too_many(kind: ResourceType) -> Error {
    let name = name_of(kind);
    let detail = format!(
        "the filter would look at more than {MAX_WALK} resources: compare id, {name}, externalId or \
         emails by eq, or ask by cursor"
    );
    scim::Error::new(ErrorKind::TooMany, detail).into()
}
