//! Lists: what is asked for, and how it is answered ([RFC 7644, 3.4.2 and 3.4.3], [RFC 9865]).

mod read;
mod sort;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value, json};

pub use read::sort_path;
pub(crate) use sort::SortKey;

use super::{Error, Filter, ResourceType, projection::Projection, schema::AttributePath};

/// The URN of a query in a body.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The URN of an answer.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// A list that is asked for.
#[derive(Clone)]
pub struct ListRequest {
    /// Which resources.
    pub filter: Option<Filter>,
    /// The filter as it was sent, to tell whether the next page is of the same one.
    pub filter_text: Option<String>,
    /// The attribute to sort by.
    pub sort_by: Option<AttributePath>,
    /// In which order.
    pub sort_order: SortOrder,
    /// Where the page begins.
    pub page: Page,
    /// How many resources at most; none is a question for how many there are.
    pub count: Option<u32>,
    /// What of each resource is answered.
    pub projection: Projection,
}

/// The order of a sorted list.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum SortOrder {
    /// The smallest first; without a value last.
    #[default]
    Ascending,
    /// The other way round.
    Descending,
}

/// Where a page begins.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Page {
    /// At the n-th result, counted from 1.
    Index(u64),
    /// At a cursor of ours; none for the first page.
    Cursor(Option<String>),
}

impl ListRequest {
    /// Reads the parameters of a query, already decoded. Names have any case; other parameters are
    /// ignored.
    pub fn from_query<'q>(
        pairs: impl IntoIterator<Item = (&'q str, &'q str)>,
        resource_type: ResourceType,
    ) -> Result<Self, Error> {
        read::query(pairs, resource_type)
    }

    /// Reads the body of a request to `.search`.
    pub fn from_search(message: &Value, resource_type: ResourceType) -> Result<Self, Error> {
        read::search(message, resource_type)
    }
}

/// Says what is asked for, and not whom the filter names.
impl fmt::Debug for ListRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListRequest")
            .field("filter", &self.filter)
            .field("sort_by", &self.sort_by.map(|path| path.to_string()))
            .field("sort_order", &self.sort_order)
            .field("page", &self.page)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// A page that is answered.
#[derive(Clone, Default)]
pub struct ListResponse {
    /// How many results there are in all, where it can be told.
    pub total_results: Option<u64>,
    /// The number of the first result of the page, where pages have numbers.
    pub start_index: Option<u64>,
    /// The resources, as they are answered.
    pub resources: Vec<Value>,
    /// Where the next page begins, if there is one and pages have cursors.
    pub next_cursor: Option<String>,
    /// Where the page before begins, likewise.
    pub previous_cursor: Option<String>,
}

impl ListResponse {
    /// The message. `Resources` is there even if there are none: some clients demand it.
    pub fn into_json(self) -> Value {
        let mut message = Map::from_iter([
            ("schemas".to_owned(), json!([LIST_RESPONSE])),
            ("itemsPerPage".to_owned(), self.resources.len().into()),
            ("Resources".to_owned(), self.resources.into()),
        ]);
        let rest = [
            ("totalResults", self.total_results.map(Value::from)),
            ("startIndex", self.start_index.map(Value::from)),
            ("nextCursor", self.next_cursor.map(Value::from)),
            ("previousCursor", self.previous_cursor.map(Value::from)),
        ];
        for (name, value) in rest {
            message.extend(value.map(|value| (name.to_owned(), value)));
        }
        message.into()
    }
}

/// Says how many resources there are, and nothing of them.
impl fmt::Debug for ListResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListResponse")
            .field("total_results", &self.total_results)
            .field("start_index", &self.start_index)
            .field("resources", &self.resources.len())
            .finish_non_exhaustive()
    }
}
