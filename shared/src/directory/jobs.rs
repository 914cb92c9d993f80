//! What a deletion, or a change of many members, leaves to do: worked on at once for a moment, then by
//! the sweep. Each job can be done twice, and be left halfway.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Actor, Cause, Directory, Group, ResourceId,
    again::again,
    members::{AT_ONCE, MemberChanges, Mover, Wanted, member_key, member_of_key},
    record::{Deed, Noted},
    resource::group_difference,
    store::{JOB_PARTS, group_key, job_partition, member_partition},
    tells::Teller,
};
use crate::{
    Error, clock,
    error::chain,
    scim::ResourceType,
    sign_in::{SubjectId, consented, forget_consents, forget_tokens},
    table::{Condition, Content, Item, Key, Query, TableError, Write},
};

/// A request works on its own job for so long before it answers.
pub(crate) const AT_FIRST: Duration = Duration::from_millis(1_500);

/// What is to do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Work {
    /// Work off the journal of a group.
    Journal,
    /// Take a person that is no more out of its groups.
    UserDeleted,
    /// Let the members of a group that is no more go.
    GroupDeleted,
}

/// A row of a job.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Job {
    work: Work,
    id: ResourceId,
    actor: Actor,
    txn: String,
    at: Timestamp,
}

impl Job {
    fn new(work: Work, id: ResourceId, cause: &Cause) -> Self {
        Self { work, id, actor: cause.actor.clone(), txn: cause.txn.clone(), at: cause.at }
    }

    fn cause(&self) -> Cause {
        let Self { actor, txn, at, .. } = self;
        Cause { actor: actor.clone(), txn: txn.clone(), at: *at, replaces: false }
    }

    fn key(&self) -> Key {
        let work = match self.work {
            Work::Journal => "journal",
            Work::UserDeleted | Work::GroupDeleted => "deleted",
        };
        Key::new(job_partition(self.id.part(JOB_PARTS)), format!("{work}#{}", self.id))
    }

    fn write(&self) -> Write {
        Write::put(self.key(), Condition::Any, Content::json(self))
    }
}

pub(crate) fn journal_job_key(group: ResourceId) -> Key {
    Key::new(job_partition(group.part(JOB_PARTS)), format!("journal#{group}"))
}

/// What remembers that a journal is to be worked off.
pub(crate) fn journal_job(group: ResourceId, cause: &Cause) -> Write {
    Job::new(Work::Journal, group, cause).write()
}

/// What remembers that something of a deleted resource is left.
pub(crate) fn deletion_job(kind: ResourceType, id: ResourceId, cause: &Cause) -> Write {
    Job::new(Work::deletion(kind), id, cause).write()
}

impl Work {
    fn deletion(kind: ResourceType) -> Self {
        match kind {
            ResourceType::User => Self::UserDeleted,
            ResourceType::Group => Self::GroupDeleted,
        }
    }
}

impl Directory {
    /// Works for a moment on what a deletion left. What is not done then is left to the sweep, and
    /// so is what fails.
    pub(super) async fn clean_up(&self, kind: ResourceType, id: ResourceId, cause: &Cause) {
        let job = Job::new(Work::deletion(kind), id, cause);
        if let Err(error) = self.work_on(&job, AT_FIRST).await {
            tracing::warn!(error = chain(&error), "what is left of a deletion waits for the sweep");
        }
    }

    /// Works on the jobs that there are, for about so long; how many it finished.
    pub(super) async fn work_on_jobs(&self, time: Duration) -> Result<usize, Error> {
        let until = clock::add(self.parts().clock.now(), time);
        let mut finished = 0;
        for part in 0..JOB_PARTS {
            let page = self.parts().table.query(Query::sorted(job_partition(part), "")).await?;
            for item in page.items {
                let left = clock::since(self.parts().clock.now(), until);
                if left.is_zero() {
                    return Ok(finished);
                }
                // One that cannot be done must not keep the others from it.
                match self.work_on(&item.read()?, left).await {
                    Ok(done) => finished += usize::from(done),
                    Err(error) => tracing::error!(error = chain(&error), "cannot do a job"),
                }
            }
        }
        Ok(finished)
    }

    async fn work_on(&self, job: &Job, time: Duration) -> Result<bool, Error> {
        let done = match job.work {
            Work::Journal => self.work_off(job.id, time).await?,
            Work::UserDeleted => {
                let until = clock::add(self.parts().clock.now(), time);
                self.leave_all_groups(job, time).await? && self.forget(job.id, until).await?
            }
            Work::GroupDeleted => self.let_members_go(job, time).await?,
        };
        if done {
            self.parts().table.write_one(Write::delete(job.key(), Condition::Any)).await?;
        }
        Ok(done)
    }

    /// Takes a person that is no more out of all groups, one by one: each is changed by that, and
    /// tells so.
    async fn leave_all_groups(&self, job: &Job, time: Duration) -> Result<bool, Error> {
        let until = clock::add(self.parts().clock.now(), time);
        for group in self.group_ids_of(job.id).await? {
            if self.parts().clock.now() >= until {
                return Ok(false);
            }
            self.leave(job, group).await?;
        }
        Ok(true)
    }

    /// Removes what applications had of a person that is no more: it is dead already.
    async fn forget(&self, id: ResourceId, until: Timestamp) -> Result<bool, Error> {
        let (table, subject) = (&*self.parts().table, SubjectId::from(id));
        while forget_tokens(table, &subject).await? {
            if self.parts().clock.now() >= until {
                return Ok(false);
            }
        }
        loop {
            let (clients, more) = consented(table, &subject).await?;
            for client in &clients {
                self.let_go(id, client).await?;
            }
            forget_consents(table, &subject, &clients).await?;
            if !more || self.parts().clock.now() >= until {
                return Ok(!more);
            }
        }
    }

    async fn leave(&self, job: &Job, group: ResourceId) -> Result<(), Error> {
        let (user, cause) = (job.id, job.cause());
        let place = member_of_key(user, group);
        again(|| async {
            let rows = self.parts().table.batch_get(&[place.clone(), group_key(group)]).await?;
            let [Some(row), item] = &rows[..] else {
                // Somebody else works on the same job, and was faster.
                return Ok(());
            };
            let mut writes = vec![
                Write::delete(row.key.clone(), Condition::Version(row.version)),
                Write::delete(member_key(group, user), Condition::Any),
            ];
            if let Some(item) = item {
                writes.extend(self.one_less(item, user, &cause)?);
            }
            self.parts().table.transact(writes).await?;
            self.hand_over(&[group]).await;
            Ok(())
        })
        .await
    }

    /// What is written of a group that has lost a member, because that person is no more.
    fn one_less(&self, item: &Item, user: ResourceId, cause: &Cause) -> Result<Vec<Write>, Error> {
        let before: Group = item.read()?;
        let mut after = before.clone();
        after.member_count = after.member_count.saturating_sub(1);
        after.revision += 1;
        after.sequence += 1;
        after.last_modified = self.parts().clock.now();
        let mut gone = MemberChanges::default();
        gone.set(user, Wanted::Out);
        let mut difference = group_difference(Some(&before), Some(&after), &self.base());
        gone.tell(false, &mut difference);
        let attributes = difference.paths.clone();
        let teller = Teller { issuer: &self.parts().config.issuer, cause };
        let events = teller.group(Some(&before), Some(&after), &difference);
        let noted = Noted {
            kind: ResourceType::Group,
            id: after.id,
            sequence: after.sequence,
            deed: Deed::Changed,
            attributes,
            events: &events,
        };
        let condition = Condition::Version(item.version);
        let put = Write::put(group_key(after.id), condition, Content::json(&after));
        let mut writes = noted.writes(cause, &self.parts().config);
        writes.push(put);
        Ok(writes)
    }

    /// Lets all members of a group that is no more go.
    async fn let_members_go(&self, job: &Job, time: Duration) -> Result<bool, Error> {
        let until = clock::add(self.parts().clock.now(), time);
        let (group, cause) = (job.id, job.cause());
        loop {
            let query = Query::sorted(member_partition(group), "").limit(AT_ONCE);
            let page = self.parts().table.query(query).await?;
            let members = page.items.iter().filter_map(|item| ResourceId::parse(&item.key.sk));
            let members: Vec<_> = members.collect();
            if members.is_empty() {
                return Ok(true);
            }
            if self.parts().clock.now() >= until {
                return Ok(false);
            }
            let mut people = self.people(&members).await?;
            let mut movers = Vec::new();
            let mut writes = Vec::new();
            for member in &members {
                match people.remove(member) {
                    Some((user, version)) => {
                        movers.push(Mover { user, version, wanted: Wanted::Out });
                    }
                    // Who is no more has nothing to be told.
                    None => writes.extend(
                        [member_key(group, *member), member_of_key(*member, group)]
                            .map(|key| Write::delete(key, Condition::Any)),
                    ),
                }
            }
            let moved: Vec<_> = movers.iter().map(|mover| mover.user.id).collect();
            writes.extend(self.member_writes(group, (0, 0), movers, &cause).await?);
            match self.parts().table.transact(writes).await {
                // Somebody changes one of them: read again.
                Err(TableError::Conflict) => {}
                done => {
                    done?;
                    self.hand_over(&moved).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_found_under_one_key() {
        let id = ResourceId::fresh(&crate::ids::SequentialIds::default(), Timestamp::UNIX_EPOCH);
        let cause = Cause {
            actor: Actor::Operator,
            txn: "t".into(),
            at: Timestamp::UNIX_EPOCH,
            replaces: false,
        };
        assert_eq!(journal_job(id, &cause).key, journal_job_key(id));
    }
}
