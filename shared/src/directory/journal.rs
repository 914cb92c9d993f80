//! A change of so many members that no transaction holds it: decided at once, worked off in parts.
//!
//! The transaction that decides writes down who comes and who goes; from then on all who read the
//! group see it so. The rows of the members follow, a few at a time, and whoever is interrupted
//! leaves to another what is left.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Actor, Cause, Directory, Group, ResourceId,
    again::again,
    members::{AT_ONCE, MemberChanges, Mover, Wanted},
    store::{group_key, journal_partition},
};
use crate::{
    Error, clock,
    table::{Condition, Content, Key, Query, TableError, Write},
};

/// How many names one row of a journal holds: well below the 400 kB of an item.
const NAMES: usize = 2_000;

/// A row of a journal.
#[derive(Debug, Deserialize, Serialize)]
struct JournalRow {
    actor: Actor,
    txn: String,
    at: Timestamp,
    changes: Vec<(ResourceId, Wanted)>,
}

/// A journal that is open.
pub(crate) struct Journal {
    sequence: u64,
    rows: Vec<(Key, JournalRow)>,
}

impl Journal {
    /// What writes it down, as part of the change `sequence` of the group.
    pub(crate) fn writes(
        group: ResourceId,
        sequence: u64,
        changes: &MemberChanges,
        cause: &Cause,
    ) -> Vec<Write> {
        let all: Vec<_> = changes.iter().collect();
        let row = |(place, part): (usize, &[(ResourceId, Wanted)])| {
            let row = JournalRow {
                actor: cause.actor.clone(),
                txn: cause.txn.clone(),
                at: cause.at,
                changes: part.to_vec(),
            };
            let key = Key::new(journal_partition(group), format!("{sequence:012}#{place:03}"));
            Write::put(key, Condition::Any, Content::json(&row))
        };
        all.chunks(NAMES).enumerate().map(row).collect()
    }

    /// Who comes and who goes.
    pub(crate) fn wanted(&self) -> HashMap<ResourceId, Wanted> {
        self.rows.iter().flat_map(|(_, row)| row.changes.iter().copied()).collect()
    }

    /// Those who come, in order.
    pub(crate) fn joining(&self) -> impl Iterator<Item = ResourceId> {
        let changes = self.rows.iter().flat_map(|(_, row)| row.changes.iter());
        changes.filter(|(_, wanted)| *wanted == Wanted::In).map(|(user, _)| *user)
    }
}

impl Directory {
    /// The journal of a group, if one is open.
    pub(crate) async fn journal(&self, group: &Group) -> Result<Option<Journal>, Error> {
        let Some(sequence) = group.journal else { return Ok(None) };
        let prefix = format!("{sequence:012}#");
        let query = Query::sorted(journal_partition(group.id), prefix);
        let items = self.parts().table.query_all(query).await?.into_iter();
        let rows = items.map(|item| Ok((item.key.clone(), item.read()?)));
        Ok(Some(Journal { sequence, rows: rows.collect::<Result<_, TableError>>()? }))
    }

    /// Works on the journal of a group, for about so long, and says whether none is open any more.
    pub(crate) async fn work_off(&self, id: ResourceId, time: Duration) -> Result<bool, Error> {
        let until = clock::add(self.parts().clock.now(), time);
        let Some(item) = self.parts().table.get(&group_key(id)).await? else { return Ok(true) };
        let group: Group = item.read()?;
        let Some(journal) = self.journal(&group).await? else { return Ok(true) };
        let mut place = 0;
        for (key, row) in journal.rows {
            let cause = Cause { actor: row.actor, txn: row.txn, at: row.at, replaces: false };
            for part in row.changes.chunks(AT_ONCE) {
                if self.parts().clock.now() >= until {
                    return Ok(false);
                }
                self.move_members(id, (journal.sequence, place), part, &cause).await?;
                place += part.len();
            }
            // From here on nobody does this part again.
            self.parts().table.write_one(Write::delete(key, Condition::Any)).await?;
        }
        self.close_journal(id, journal.sequence).await?;
        Ok(true)
    }

    /// Lets those people join or leave who have not yet.
    async fn move_members(
        &self,
        group: ResourceId,
        from: (u64, usize),
        changes: &[(ResourceId, Wanted)],
        cause: &Cause,
    ) -> Result<(), Error> {
        let users: Vec<_> = changes.iter().map(|(user, _)| *user).collect();
        again(|| async {
            let there = self.which_are_in(group, &users).await?;
            let mut people = self.people(&users).await?;
            let movers = changes.iter().filter_map(|(user, wanted)| {
                if there.contains(user) == (*wanted == Wanted::In) {
                    return None;
                }
                let (user, version) = people.remove(user)?;
                Some(Mover { user, version, wanted: *wanted })
            });
            let movers: Vec<_> = movers.collect();
            let moving: Vec<_> = movers.iter().map(|mover| mover.user.id).collect();
            if moving.is_empty() {
                return Ok(());
            }
            let writes = self.member_writes(group, from, movers, cause).await?;
            self.parts().table.transact(writes).await?;
            self.hand_over(&moving).await;
            Ok(())
        })
        .await
    }

    async fn close_journal(&self, id: ResourceId, sequence: u64) -> Result<(), Error> {
        again(|| async {
            let Some(item) = self.parts().table.get(&group_key(id)).await? else { return Ok(()) };
            let mut group: Group = item.read()?;
            if group.journal != Some(sequence) {
                return Ok(());
            }
            group.journal = None;
            let put =
                Write::put(group_key(id), Condition::Version(item.version), Content::json(&group));
            let job = super::jobs::journal_job_key(id);
            let delete = Write::delete(job, Condition::Any);
            self.parts().table.transact(vec![put, delete]).await?;
            Ok(())
        })
        .await
    }
}
