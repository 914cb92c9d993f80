//! Addresses that change hands.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Cause, Directory, ResourceId, User,
    store::{Holder, addresses, email_was_key},
    text::fold,
};
use crate::{
    Error, clock,
    table::{Condition, Content, Key, Write},
};

/// Who took over an address within this time is told to have done so.
const WAS_FOR: Duration = Duration::from_hours(90 * 24);

/// Addresses that change hands; each once, whatever its case.
pub(super) struct Moved {
    taken: Vec<String>,
    given_up: Vec<String>,
}

impl Moved {
    pub(super) fn of(before: Option<&User>, after: Option<&User>) -> Self {
        let folded = |user: Option<&User>| -> BTreeSet<String> {
            user.into_iter().flat_map(addresses).map(fold).collect()
        };
        let (had, has) = (folded(before), folded(after));
        let only = |user: Option<&User>, without: &BTreeSet<String>| {
            let mut seen = without.clone();
            let mine = user.into_iter().flat_map(addresses);
            mine.filter(|address| seen.insert(fold(address))).map(str::to_owned).collect()
        };
        Self { taken: only(after, &had), given_up: only(before, &has) }
    }
}

impl Directory {
    /// Of the addresses that a person takes, those that somebody else gave up; and what notes who
    /// has, and had, which.
    pub(super) async fn look_up_addresses(
        &self,
        id: ResourceId,
        moved: &Moved,
        cause: &Cause,
    ) -> Result<(Vec<String>, Vec<Write>), Error> {
        let keys: Vec<Key> = moved.taken.iter().map(|address| email_was_key(address)).collect();
        let mut recycled = Vec::new();
        let mut writes = Vec::new();
        let held =
            if keys.is_empty() { Vec::new() } else { self.parts().table.batch_get(&keys).await? };
        for (address, item) in moved.taken.iter().zip(held) {
            let Some(item) = item else {
                // Whoever gives it up at this moment is before, and is seen then, or behind.
                writes.push(Write::check(email_was_key(address), Condition::Absent));
                continue;
            };
            if item.read::<Holder>()?.id != id {
                recycled.push(address.clone());
            }
            // Told once, and by one of two who take it at the same time.
            writes.push(Write::delete(item.key, Condition::Version(item.version)));
        }
        let expires = Some(clock::add(cause.at, WAS_FOR));
        for address in &moved.given_up {
            let content = Content { expires, ..Content::json(&Holder { id }) };
            writes.push(Write::put(email_was_key(address), Condition::Any, content));
        }
        Ok((recycled, writes))
    }
}
