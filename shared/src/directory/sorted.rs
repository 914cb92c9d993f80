//! Resources in the order that is asked for (RFC 7644, 3.4.2.3).

use std::cmp::Ordering;

use super::{
    Directory,
    lists::{Listed, Search},
    plan::Source,
};
use crate::{
    Error,
    scim::{
        self, ErrorKind,
        list::{SortKey, SortOrder},
    },
};

/// So many results can be sorted by an attribute that has no order of its own.
const MAX_SORT: usize = 1_000;

/// A resource, and by what it is sorted.
pub(super) struct Sorted<T> {
    pub(super) key: Option<SortKey>,
    pub(super) resource: T,
}

impl<T: Listed> Sorted<T> {
    /// Where it stands beside the one with this key and this id, which tells equals apart.
    pub(super) fn compare(&self, key: Option<&SortKey>, id: &str, order: SortOrder) -> Ordering {
        let by_key = SortKey::compare(self.key.as_ref(), key, order);
        by_key.then_with(|| self.resource.id().to_string().as_str().cmp(id))
    }
}

impl Directory {
    /// All that is asked for, sorted.
    pub(super) async fn select<T: Listed>(
        &self,
        search: &Search<'_>,
        source: &Source,
    ) -> Result<Vec<Sorted<T>>, Error> {
        let candidates = match self.candidates(search, T::KIND, source).await? {
            Some(ids) => self.read_all::<T>(&ids).await?,
            None => self.walk::<T>().await?,
        };
        let mut found = Vec::new();
        for candidate in candidates {
            if self.fits(search, &candidate).await? {
                found.push(candidate);
            }
        }
        self.sort(found, search)
    }

    /// Sorts by what is asked for; by id, which is the time of creation, else.
    fn sort<T: Listed>(&self, found: Vec<T>, search: &Search<'_>) -> Result<Vec<Sorted<T>>, Error> {
        let Some((path, order)) = search.sort else {
            return Ok(found.into_iter().map(|resource| Sorted { key: None, resource }).collect());
        };
        if found.len() > MAX_SORT && !path.is("id") && !path.is("meta.created") {
            let detail = format!("sortBy {path} works for {MAX_SORT} results at most");
            return Err(scim::Error::new(ErrorKind::TooMany, detail).into());
        }
        let (base, now) = (self.base(), self.parts().clock.now());
        let sorted = |resource: T| {
            let key = SortKey::of(&resource.view(search.client, &base, now), path);
            Sorted { key, resource }
        };
        let mut sorted: Vec<_> = found.into_iter().map(sorted).collect();
        sorted.sort_by(|one, other| {
            one.compare(other.key.as_ref(), &other.resource.id().to_string(), order)
        });
        Ok(sorted)
    }
}
