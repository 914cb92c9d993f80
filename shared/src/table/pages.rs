//! The pages of a query, one after the other.

use super::{Item, Query, Table, TableError};

/// What is left of a query. Each page is read when it is asked for, so that whoever has seen enough
/// stops asking.
#[derive(Debug)]
pub struct Pages<'t> {
    table: &'t dyn Table,
    /// `None`: there is no more.
    query: Option<Query>,
}

impl Pages<'_> {
    /// The items of the next page, which may be none; `None`: there is no other page.
    pub async fn next(&mut self) -> Result<Option<Vec<Item>>, TableError> {
        let Some(query) = self.query.take() else { return Ok(None) };
        let page = self.table.query(query.clone()).await?;
        self.query = page.next.map(|next| query.after(next));
        Ok(Some(page.items))
    }

    /// Whether there is another page.
    pub fn has_more(&self) -> bool {
        self.query.is_some()
    }

    /// All the items, as far as `most` of them: none of further pages, and none beyond.
    pub async fn items(mut self, most: usize) -> Result<Vec<Item>, TableError> {
        let mut all = Vec::new();
        while all.len() < most
            && let Some(mut items) = self.next().await?
        {
            all.append(&mut items);
        }
        all.truncate(most);
        Ok(all)
    }
}

impl dyn Table + '_ {
    /// The pages of what `query` asks for, each of at most [`Query::limit`] items.
    pub fn pages(&self, query: Query) -> Pages<'_> {
        Pages { table: self, query: Some(query) }
    }

    /// All that `query` asks for, in as many pages as it takes: for what is known to be little.
    pub async fn query_all(&self, query: Query) -> Result<Vec<Item>, TableError> {
        self.pages(query).items(usize::MAX).await
    }
}
