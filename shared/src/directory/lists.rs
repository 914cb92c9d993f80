//! Lists of people and groups: filtered, sorted, in pages.
//!
//! A filter is answered from an index, or by a walk that is bounded, or refused: never wrongly with
//! nothing. Who walks forward, by index or by cursor, sees each resource that is there all along
//! once, whatever comes and goes meanwhile: a page begins behind the last resource of the page
//! before, and not at a number.

use std::{cmp::Ordering, collections::BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    Directory, Group, ResourceId, User,
    members::member_key,
    plan::{Source, compared_members, mentions, name_of},
    positions::{POSITION_LIVES, Position, position_key},
    store::{
        Named, email_partition, external_id_partition, external_id_prefix, list, name_key,
        resource_key,
    },
    text::fold,
};
use crate::{
    Error,
    client::ClientId,
    scim::{self, ErrorKind, Filter, ResourceType, schema::AttributePath},
    table::{By, Key, Query},
};

/// One page has at most so many resources.
pub const MAX_PAGE: usize = 200;

/// A request looks at so many resources at most.
const MAX_WALK: usize = 10_000;

/// So many results can be sorted by an attribute that has no order of its own.
const MAX_SORT: usize = 1_000;

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
    /// By what, and whether from the last to the first.
    pub sort: Option<(AttributePath, bool)>,
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
            let descending = search.sort.as_ref().is_some_and(|(_, descending)| *descending);
            // By what it is sorted, and not by where the last one stands: that one may have gone.
            all.retain(|one| one.compare(key.as_deref(), &after, descending) == Ordering::Greater);
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

    /// All that is asked for, sorted.
    async fn select<T: Listed>(
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

    /// The ids that an index yields; `None`: there is none for it.
    fn candidates<'a>(
        &'a self,
        search: &'a Search<'_>,
        kind: ResourceType,
        source: &'a Source,
    ) -> futures_util::future::BoxFuture<'a, Result<Option<BTreeSet<ResourceId>>, Error>> {
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
    async fn ids_in(&self, mut query: Query, prefix: &str) -> Result<BTreeSet<ResourceId>, Error> {
        let mut ids = BTreeSet::new();
        loop {
            let page = self.parts().table.query(query.clone()).await?;
            let keys = page.items.iter().filter_map(|item| item.key.sk.strip_prefix(prefix));
            ids.extend(keys.filter_map(ResourceId::parse));
            match page.next {
                Some(next) if ids.len() <= MAX_WALK => query = query.after(next),
                _ => return Ok(ids),
            }
        }
    }

    /// All resources, if they are not too many.
    async fn walk<T: Listed>(&self) -> Result<Vec<T>, Error> {
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
    async fn rows<T: Listed>(
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
    async fn read_all<T: Listed>(&self, ids: &BTreeSet<ResourceId>) -> Result<Vec<T>, Error> {
        let keys: Vec<Key> = ids.iter().map(|id| resource_key(T::KIND, *id)).collect();
        let mut found = Vec::new();
        for keys in keys.chunks(100) {
            for item in self.parts().table.batch_get(keys).await?.into_iter().flatten() {
                found.push(item.read()?);
            }
        }
        Ok(found)
    }

    /// Whether a resource is one that is asked for.
    async fn fits<T: Listed>(&self, search: &Search<'_>, resource: &T) -> Result<bool, Error> {
        let Some(filter) = search.filter else { return Ok(true) };
        let mut view = resource.view(search.client, &self.base(), self.parts().clock.now());
        match T::KIND {
            ResourceType::User if mentions(filter, "groups") => {
                let groups = self.groups_of(resource.id()).await?;
                let group = |group: &Group| json!({ "value": group.id, "type": "direct" });
                view.insert("groups".to_owned(), groups.iter().map(group).collect());
            }
            ResourceType::Group if mentions(filter, "members") => {
                let members = self.compared(filter, resource.id()).await?;
                view.insert("members".to_owned(), members);
            }
            ResourceType::User | ResourceType::Group => {}
        }
        Ok(filter.matches(&Value::Object(view)))
    }

    /// Of the members of a group those whom `filter` asks about, and one more if there are any, so
    /// that it is seen that there are: nobody reads 100,000 to find one.
    async fn compared(&self, filter: &Filter, group: ResourceId) -> Result<Value, Error> {
        let asked = compared_members(filter).map_err(|()| {
            let detail = "members can be compared by `value eq` alone";
            Error::from(scim::Error::new(ErrorKind::TooMany, detail))
        })?;
        let users: Vec<_> = asked.iter().filter_map(|user| ResourceId::parse(user)).collect();
        let keys: Vec<_> = users.iter().map(|user| member_key(group, *user)).collect();
        let there = self.parts().table.batch_get(&keys).await?;
        let there = users.iter().zip(there).filter(|(_, item)| item.is_some());
        let mut members: Vec<Value> =
            there.map(|(user, _)| json!({ "value": user, "type": "User" })).collect();
        if members.is_empty() && !self.member_rows(group, None, 1).await?.0.is_empty() {
            members.push(json!({ "value": "…" }));
        }
        Ok(members.into())
    }

    /// Sorts by what is asked for; by id, which is the time of creation, else.
    fn sort<T: Listed>(&self, found: Vec<T>, search: &Search<'_>) -> Result<Vec<Sorted<T>>, Error> {
        let Some((path, descending)) = &search.sort else {
            return Ok(found.into_iter().map(|resource| Sorted { key: None, resource }).collect());
        };
        if found.len() > MAX_SORT && !path.is("id") && !path.is("meta.created") {
            let detail = format!("sortBy {path} works for {MAX_SORT} results at most");
            return Err(scim::Error::new(ErrorKind::TooMany, detail).into());
        }
        let (base, now) = (self.base(), self.parts().clock.now());
        let sorted = |resource: T| {
            let key = sort_key(&resource.view(search.client, &base, now), path);
            Sorted { key, resource }
        };
        let mut sorted: Vec<_> = found.into_iter().map(sorted).collect();
        sorted.sort_by(|one, other| {
            one.compare(other.key.as_deref(), &other.resource.id().to_string(), *descending)
        });
        Ok(sorted)
    }
}

/// A resource, and by what it is sorted.
struct Sorted<T> {
    key: Option<String>,
    resource: T,
}

impl<T: Listed> Sorted<T> {
    /// Where it stands beside the one with this key and this id, which tells equals apart. Who has no
    /// value comes last, and first where all is the other way round (RFC 7644, 3.4.2.3).
    fn compare(&self, key: Option<&str>, id: &str, descending: bool) -> Ordering {
        let by_key = match (self.key.as_deref(), key) {
            (Some(one), Some(other)) => one.cmp(other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        let by_key = if descending { by_key.reverse() } else { by_key };
        by_key.then_with(|| self.resource.id().to_string().as_str().cmp(id))
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

/// By what a resource is sorted (RFC 7644, 3.4.2.3): of several values by the primary one, else the
/// first.
fn sort_key(view: &Map<String, Value>, path: &AttributePath) -> Option<String> {
    let attribute = path.attribute_in(view)?;
    let one = match attribute {
        Value::Array(values) => {
            let primary = values.iter().find(|value| value["primary"] == true);
            primary.or(values.first())?
        }
        value => value,
    };
    let value = match path.sub_attribute {
        Some(sub) => one.get(sub.name)?,
        None if one.is_object() => one.get("value")?,
        None => one,
    };
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(if path.leaf().case_exact { text } else { fold(&text) })
}
