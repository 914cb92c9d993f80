//! A walk over all people while some go and some come.

use std::collections::HashMap;

use serde::Serialize;
use ssf::directory::ResourceId;

use super::{
    caller::{Caller, id},
    people::person,
};

/// What a walk saw.
#[derive(Clone, Debug, Serialize)]
pub struct Walk {
    /// People who were there from the first page to the last.
    pub stayed: usize,
    /// Of them, those whom no page showed.
    pub missed: usize,
    /// And those whom more than one page showed.
    pub repeated: usize,
    /// People who went meanwhile.
    pub went: usize,
    /// People who came meanwhile.
    pub came: usize,
}

/// So many go, and so many come.
const CHANGES: usize = 50;

/// Walks over `ids` in pages of 100, by cursor or by number, while people go and others come. Those
/// who went are no longer among `ids`; new ones have numbers from `first` on.
pub(super) async fn walk(
    caller: &Caller,
    ids: &mut Vec<ResourceId>,
    by_cursor: bool,
    first: usize,
) -> anyhow::Result<Walk> {
    let every = (ids.len() / 100 / CHANGES).max(1);
    let mut seen: HashMap<ResourceId, usize> = HashMap::new();
    let mut came = 0;
    let mut went = 0;
    let mut place = if by_cursor { "cursor".to_owned() } else { "startIndex=1".to_owned() };
    let (mut pages, mut next) = (0, 1);
    loop {
        let page = caller.get(&format!("/Users?count=100&attributes=id&{place}")).await?.body;
        let found = page["Resources"].as_array().map_or(&[][..], Vec::as_slice);
        for person in found {
            *seen.entry(id(person)?).or_default() += 1;
        }
        next += found.len();
        let more = page["nextCursor"].as_str();
        place = match (by_cursor, more) {
            (true, Some(cursor)) => format!("cursor={cursor}"),
            (false, _) if !found.is_empty() => format!("startIndex={next}"),
            _ => break,
        };
        if pages % every == 0 && came < CHANGES {
            // One who was seen, or one who was not: by turns.
            let at = if came % 2 == 0 { came * 97 } else { ids.len() - 1 - came * 97 };
            let gone = ids.remove(at % ids.len());
            caller.delete(&format!("/Users/{gone}")).await?;
            went += 1;
            caller.post("/Users", &person(first + came)).await?;
            came += 1;
        }
        pages += 1;
    }
    let times = |id: &ResourceId| seen.get(id).copied().unwrap_or_default();
    Ok(Walk {
        stayed: ids.len(),
        missed: ids.iter().filter(|id| times(id) == 0).count(),
        repeated: ids.iter().filter(|id| times(id) > 1).count(),
        went,
        came,
    })
}
