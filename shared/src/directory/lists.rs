//! Lists of people and groups: filtered, sorted, in pages.
//!
//! A filter is answered from an index, or by a walk that is bounded, or refused: never wrongly with
//! nothing. Who walks forward, by index or by cursor, sees each resource that is there all along
//! once, whatever comes and goes meanwhile: a page begins behind the last resource of the page
//! before, and not at a number.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Directory, Group, ResourceId, User,
    candidates::MAX_WALK,
    plan::Source,
    positions::{POSITION_LIVES, Position, position_key},
};
use crate::{
    Error,
    client::ClientId,
    scim::{Filter, ResourceType, list::SortOrder, schema::AttributePath},
};

/// One page has at most so many resources.
pub const MAX_PAGE: usize = 200;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    /// Who asks: whose `externalId` counts.
    pub client: Option<&'a ClientId>,
    /// Which.
    pub filter: Option<&'a Filter>,
    /// From where on.
    pub start: Start,
    /// How many at most.
    pub count: usize,
    /// By what, and in which order.
    pub sort: Option<(AttributePath, SortOrder)>,
}

/// Where a page begins.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Start {
    /// At this place, from 1 on (RFC 7644, 3.4.2.4).
    Index(usize),
    /// At the first (RFC 9865).
    FirstByCursor,
    /// Behind a page that ended with this cursor.
    Cursor(String),
}

/// A page.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// How many there are in all, where it can be told.
    pub total: Option<u64>,
    /// Those of this page.
    pub resources: Vec<T>,
    /// For the next page, of a walk by cursor.
    pub next_cursor: Option<String>,
}

/// What lists are made of.
pub trait Listed: Clone + DeserializeOwned + Send {
    /// The type of resource.
    const KIND: ResourceType;

    /// Its id.
    fn id(&self) -> ResourceId;

    /// As its filter sees it.
    fn view(&self, client: Option<&ClientId>, base: &str, now: Timestamp) -> Map<String, Value>;
}

impl Listed for User {
    const KIND: ResourceType = ResourceType::User;

    fn id(&self) -> ResourceId {
        self.id
    }

    fn view(&self, client: Option<&ClientId>, base: &str, now: Timestamp) -> Map<String, Value> {
        self.resource(client, base, now)
    }
}

impl Listed for Group {
    const KIND: ResourceType = ResourceType::Group;

    fn id(&self) -> ResourceId {
        self.id
    }

    fn view(&self, client: Option<&ClientId>, base: &str, _: Timestamp) -> Map<String, Value> {
        self.resource(client, base)
    }
}

impl Directory {
    /// A page of what is asked for.
    pub async fn list<T: Listed>(&self, search: &Search<'_>) -> Result<Found<T>, Error> {
        let source = Source::of(search.filter, T::KIND);
        let walks = matches!(source, Source::All);
        let by_id = search.sort.is_none();
        match (&search.start, search.filter) {
            (Start::Index(start), None) if by_id => self.page_by_index(search, *start).await,
            (Start::Index(start), _) => {
                let all = self.select::<T>(search, &source).await?;
                let total = Some(all.len() as u64);
                let all = all.into_iter().map(|sorted| sorted.resource);
                let resources = all.skip(start.saturating_sub(1)).take(search.count).collect();
                Ok(Found { total, resources, next_cursor: None })
            }
            (start, _) if walks && by_id => self.page_by_cursor(search, start).await,
            (start, _) => self.page_of_few(search, start, &source).await,
        }
    }

    /// A page of all, by its number; from where the page before it ended, if that is known.
    async fn page_by_index<T: Listed>(
        &self,
        search: &Search<'_>,
        start: usize,
    ) -> Result<Found<T>, Error> {
        let total = Some(self.how_many(T::KIND).await?);
        if search.count == 0 {
            return Ok(Found { total, resources: Vec::new(), next_cursor: None });
        }
        let after = if start <= 1 { None } else { self.position(search, T::KIND, start).await? };
        let Some(after) = (if start <= 1 { Some(None) } else { after.map(Some) }) else {
            return Ok(Found { total, resources: Vec::new(), next_cursor: None });
        };
        let (resources, last) = self.rows::<T>(after, search.count).await?;
        if let Some(last) = last {
            let next = position_key(search.client, T::KIND, start + resources.len());
            let position = Position { after: last, key: None, walk: String::new() };
            self.keep_position(next, &position, POSITION_LIVES).await?;
        }
        Ok(Found { total, resources, next_cursor: None })
    }

    /// A page of a walk by cursor over all, of which a filter may leave little.
    async fn page_by_cursor<T: Listed>(
        &self,
        search: &Search<'_>,
        start: &Start,
    ) -> Result<Found<T>, Error> {
        let mut after = self.behind(search, T::KIND, start).await?.map(|behind| behind.after);
        let count = search.count.max(1);
        let mut resources = Vec::new();
        let mut looked = 0;
        while resources.len() < count && looked < MAX_WALK {
            let (rows, last) = self.rows::<T>(after.clone(), 100.min(MAX_WALK - looked)).await?;
            looked += rows.len();
            for row in rows {
                if self.fits(search, &row).await? {
                    after = Some(row.id().to_string());
                    resources.push(row);
                    if resources.len() == count {
                        break;
                    }
                }
            }
            if resources.len() == count {
                break;
            }
            match last {
                Some(last) => after = Some(last),
                None => return Ok(Found { total: None, resources, next_cursor: None }),
            }
        }
        let next_cursor = match after {
            Some(after) => Some(self.cursor(search, T::KIND, after, None).await?),
            None => None,
        };
        Ok(Found { total: None, resources, next_cursor })
    }

    /// A page by cursor of what an index yields, or of what is sorted: all of it is looked up each
    /// time, and the page begins behind the last one's end.
    async fn page_of_few<T: Listed>(
        &self,
        search: &Search<'_>,
        start: &Start,
        source: &Source,
    ) -> Result<Found<T>, Error> {
        let behind = self.behind(search, T::KIND, start).await?;
        let mut all = self.select::<T>(search, source).await?;
        let total = Some(all.len() as u64);
        if let Some(Position { after, key, .. }) = behind {
            let order = search.sort.map(|(_, order)| order).unwrap_or_default();
            // By what it is sorted, and not by where the last one stands: that one may have gone.
            all.retain(|one| one.compare(key.as_ref(), &after, order) == Ordering::Greater);
        }
        let more = all.len() > search.count;
        all.truncate(search.count);
        let next_cursor = match all.last().filter(|_| more) {
            Some(last) => {
                let (id, key) = (last.resource.id().to_string(), last.key.clone());
                Some(self.cursor(search, T::KIND, id, key).await?)
            }
            None => None,
        };
        let resources = all.into_iter().map(|sorted| sorted.resource).collect();
        Ok(Found { total, resources, next_cursor })
    }
}
