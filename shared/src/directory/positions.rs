//! Where the pages of a list begin: so that a walk goes on where it stopped, whatever came and went.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Directory,
    lists::{Search, Start},
    store::list,
    text::hash,
};
use crate::{
    Error,
    client::ClientId,
    clock,
    scim::{self, ErrorKind, Filter, ResourceType, list::SortKey},
    table::{Condition, Content, Key, Query, Write, class},
};

/// Where a page began is known for so long.
pub(super) const POSITION_LIVES: Duration = Duration::from_mins(15);
/// A cursor is good for so long.
pub const CURSOR_LIVES: Duration = Duration::from_hours(1);

/// A cursor has so many characters.
const CURSOR_CHARS: usize = 32;

/// How far a walk has come.
#[derive(Deserialize, Serialize)]
pub(super) struct Position {
    /// The id of the last resource.
    pub(super) after: String,
    /// By what it was sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<SortKey>,
    /// What the cursor is good for.
    pub(super) walk: String,
}

impl Directory {
    /// Behind which key the page `start` begins; `None`: there is no such page.
    pub(super) async fn position(
        &self,
        search: &Search<'_>,
        kind: ResourceType,
        start: usize,
    ) -> Result<Option<String>, Error> {
        let key = position_key(search.client, kind, start);
        if let Some(item) = self.parts().table.get(&key).await? {
            return Ok(Some(item.read::<Position>()?.after));
        }
        // Nobody has come here by walking: count from the first.
        let mut query = Query::sorted(list(kind), "");
        let mut left = start - 1;
        loop {
            query.limit = left.min(1000);
            let found = self.parts().table.query(query.clone()).await?;
            left -= found.items.len();
            let last = found.items.last().map(|item| item.key.sk.clone());
            match (left, found.next) {
                (0, _) => return Ok(last),
                (_, Some(next)) => query = query.after(next),
                (_, None) => return Ok(None),
            }
        }
    }

    /// Behind what a page by cursor begins.
    pub(super) async fn behind(
        &self,
        search: &Search<'_>,
        kind: ResourceType,
        start: &Start,
    ) -> Result<Option<Position>, Error> {
        let Start::Cursor(cursor) = start else { return Ok(None) };
        self.behind_cursor(cursor, &walk(search, kind)).await.map(Some)
    }

    /// Where a walk has come that is known by this cursor.
    pub(super) async fn behind_cursor(&self, cursor: &str, walk: &str) -> Result<Position, Error> {
        let plain = cursor.bytes().all(|byte| byte.is_ascii_hexdigit());
        if cursor.len() != CURSOR_CHARS || !plain {
            let detail = "cursor is not one of ours";
            return Err(scim::Error::new(ErrorKind::InvalidCursor, detail).into());
        }
        let Some(item) = self.parts().table.get(&cursor_key(cursor)).await? else {
            let detail = "cursor is over, or was never given";
            return Err(scim::Error::new(ErrorKind::ExpiredCursor, detail).into());
        };
        let position: Position = item.read()?;
        if position.walk != walk {
            let detail = "cursor belongs to another request";
            return Err(scim::Error::new(ErrorKind::InvalidCursor, detail).into());
        }
        Ok(position)
    }

    pub(super) async fn cursor(
        &self,
        search: &Search<'_>,
        kind: ResourceType,
        after: String,
        key: Option<SortKey>,
    ) -> Result<String, Error> {
        self.cursor_at(Position { after, key, walk: walk(search, kind) }).await
    }

    /// A cursor for who goes on from there.
    pub(super) async fn cursor_at(&self, position: Position) -> Result<String, Error> {
        let cursor = self.parts().ids.fresh().simple().to_string();
        self.keep_position(cursor_key(&cursor), &position, CURSOR_LIVES).await?;
        Ok(cursor)
    }

    pub(super) async fn keep_position(
        &self,
        key: Key,
        position: &Position,
        lives: Duration,
    ) -> Result<(), Error> {
        let expires = Some(clock::add(self.parts().clock.now(), lives));
        let content = Content { expires, ..Content::json(position) };
        self.parts().table.write_one(Write::put(key, Condition::Any, content)).await?;
        Ok(())
    }
}

fn cursor_key(cursor: &str) -> Key {
    Key::new(class::PAGE.of(cursor), "PAGE")
}

pub(super) fn position_key(client: Option<&ClientId>, kind: ResourceType, start: usize) -> Key {
    let client = client.map_or("", |client| client.0.as_str());
    Key::new(class::PAGE.of(hash(&format!("{client} {} {start}", kind.name()))), "PAGE")
}

/// What a cursor is good for: the same question of the same client.
fn walk(search: &Search<'_>, kind: ResourceType) -> String {
    let sort = search.sort.map(|(path, order)| (path.to_string(), order));
    let client = search.client.map_or("", |client| client.0.as_str());
    hash(&format!("{client} {} {:?} {sort:?}", kind.name(), search.filter.map(Fingerprint)))
}

/// A filter with its literals, which its `Debug` leaves out.
struct Fingerprint<'a>(&'a Filter);

impl std::fmt::Debug for Fingerprint<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use crate::scim::filter::Literal;
        match self.0 {
            Filter::And(parts) => f.debug_list().entries(parts.iter().map(Fingerprint)).finish(),
            Filter::Or(parts) => f.debug_set().entries(parts.iter().map(Fingerprint)).finish(),
            Filter::Not(part) => write!(f, "not {:?}", Fingerprint(part)),
            Filter::Present(path) => write!(f, "{path} pr"),
            Filter::ValuePath { path, filter } => write!(f, "{path}[{:?}]", Fingerprint(filter)),
            Filter::Compare { path, operator, value } => match value {
                Literal::Text(text) => write!(f, "{path} {operator:?} {text:?}"),
                Literal::Boolean(is) => write!(f, "{path} {operator:?} {is}"),
                Literal::Number(number) => write!(f, "{path} {operator:?} {number}"),
                Literal::Time(time) => write!(f, "{path} {operator:?} {time}"),
            },
        }
    }
}
