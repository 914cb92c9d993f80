//! What can be done with groups: one way for every change, whoever asks for it.

use std::collections::{BTreeMap, HashSet};

use super::{
    Cause, Changed, Directory, Group, ResourceId,
    jobs::{AT_FIRST, deletion_job, journal_job},
    journal::Journal,
    members::{AT_ONCE, MemberChanges, Mover, Wanted},
    record::{Deed, Noted},
    resource::group_difference,
    store::{Named, Rows, group_key, name_key, rename},
    tells::Teller,
    users::{ATTEMPTS, expect_revision, no_such},
};
use crate::{
    Error,
    client::Share,
    error::chain,
    scim::{self, ErrorKind, ResourceType},
    table::{Condition, Content, TableError, Version, Write},
};

/// So many people can come or go by one request.
pub const MAX_MEMBER_CHANGES: usize = 10_000;

/// A step of a change of members, in the order of the request.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberStep {
    /// These come.
    Add(Vec<String>),
    /// These go.
    Remove(Vec<String>),
    /// These are all there are.
    Replace(Vec<String>),
}

/// What is done with somebody who is to be a member and whom nobody knows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Unknown {
    /// Left out: ids are ours, so that an unknown one is of a deleted person.
    #[default]
    Skip,
    /// The request is refused.
    Reject,
}

/// What is to become of the members.
#[derive(Clone, Debug, Default)]
pub struct MemberRequest {
    /// The steps.
    pub steps: Vec<MemberStep>,
    /// What is done with the unknown.
    pub unknown: Unknown,
    /// The largest share of the group that may go at once; absent: all of it.
    pub guard: Option<Share>,
}

impl Directory {
    /// The group with this id.
    pub async fn group(&self, id: ResourceId) -> Result<Group, Error> {
        Ok(self.read_group(id).await?.0)
    }

    async fn read_group(&self, id: ResourceId) -> Result<(Group, Version), Error> {
        match self.parts().table.get(&group_key(id)).await? {
            Some(item) => Ok((item.read()?, item.version)),
            None => Err(no_such(ResourceType::Group, id)),
        }
    }

    /// What is about to be made, and has an id already.
    pub(super) fn no_group(&self, cause: &Cause) -> Group {
        Group {
            id: ResourceId::fresh(&*self.parts().ids, cause.at),
            created: cause.at,
            last_modified: cause.at,
            display_name: String::new(),
            description: None,
            member_count: 0,
            revision: 0,
            sequence: 0,
            journal: None,
            external_ids: BTreeMap::new(),
        }
    }

    /// Makes the group that `make` gives an id to, with these members, if no other has the name.
    pub async fn group_create(
        &self,
        cause: &Cause,
        members: &MemberRequest,
        make: impl Fn(&mut Group) -> Result<(), Error>,
    ) -> Result<Group, Error> {
        let mut group = self.no_group(cause);
        make(&mut group)?;
        for _ in 0..ATTEMPTS {
            match self.commit_group(None, Some(group.clone()), members, cause).await {
                Err(Error::Table(TableError::Conflict)) => self.refuse_taken_name(&group).await?,
                committed => return Ok(committed?.now.expect("a group was made")),
            }
        }
        Err(TableError::Conflict.into())
    }

    /// Does `change` to the group with this id, and to its members. As
    /// [`user_change`](Self::user_change).
    pub async fn group_change(
        &self,
        id: ResourceId,
        revision: Option<u64>,
        cause: &Cause,
        members: &MemberRequest,
        change: impl Fn(&mut Group) -> Result<(), Error>,
    ) -> Result<Changed<Group>, Error> {
        for _ in 0..ATTEMPTS {
            let (before, version) = self.read_group(id).await?;
            expect_revision(revision, before.revision)?;
            if before.journal.is_some() && !members.steps.is_empty() {
                // One change of many at a time.
                if !self.work_off(id, AT_FIRST * 8).await? {
                    return Err(TableError::Conflict.into());
                }
                continue;
            }
            let mut after = before.clone();
            change(&mut after)?;
            let committed =
                self.commit_group(Some((&before, version)), Some(after.clone()), members, cause);
            match committed.await {
                Ok(Changed { now, changed }) => {
                    return Ok(Changed { now: now.expect("it was not deleted"), changed });
                }
                Err(Error::Table(TableError::Conflict)) => self.refuse_taken_name(&after).await?,
                Err(error) => return Err(error),
            }
        }
        Err(TableError::Conflict.into())
    }

    /// Deletes a group: from now on nobody is in it. The rows of its members go soon.
    pub async fn group_delete(
        &self,
        id: ResourceId,
        revision: Option<u64>,
        cause: &Cause,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let (before, version) = self.read_group(id).await?;
            expect_revision(revision, before.revision)?;
            let nobody = MemberRequest::default();
            match self.commit_group(Some((&before, version)), None, &nobody, cause).await {
                Err(Error::Table(TableError::Conflict)) => {}
                committed => {
                    committed?;
                    self.clean_up(ResourceType::Group, id, cause).await;
                    return Ok(());
                }
            }
        }
        Err(TableError::Conflict.into())
    }

    /// Writes a change of a group, all that goes with it, and what it tells, at once; then hands
    /// over the events.
    async fn commit_group(
        &self,
        before: Option<(&Group, Version)>,
        mut after: Option<Group>,
        request: &MemberRequest,
        cause: &Cause,
    ) -> Result<Changed<Option<Group>>, Error> {
        let parts = self.parts();
        let kind = ResourceType::Group;
        let old = before.map(|(group, _)| group);
        let id = old.or(after.as_ref()).expect("there is one of them").id;
        let (changes, movers) = self.resolve(id, old.is_some(), request).await?;
        if let (Some(old), Some(share)) = (old, request.guard) {
            guard(share, &changes, old.member_count)?;
        }
        let mut difference = group_difference(old, after.as_ref(), &self.base());
        changes.tell(old.is_none(), &mut difference);
        if old.is_some() && after.is_some() && difference.paths.is_empty() {
            return Ok(Changed { now: after, changed: false });
        }
        let sequence = old.map_or(1, |old| old.sequence + 1);
        let many = changes.len() > AT_ONCE;
        if let Some(after) = &mut after {
            after.revision = old.map_or(1, |old| old.revision + 1);
            after.sequence = sequence;
            after.last_modified = cause.at.max(after.created);
            for (_, wanted) in changes.iter() {
                after.member_count = match wanted {
                    Wanted::In => after.member_count + 1,
                    Wanted::Out => after.member_count.saturating_sub(1),
                };
            }
            after.journal = many.then_some(sequence).or(after.journal);
        }
        let new = after.as_ref();
        let teller = Teller { issuer: &parts.config.issuer, cause };
        let events = teller.group(old, new, &difference);
        let mut writes = vec![match (&before, new) {
            (Some((_, version)), Some(new)) => {
                Write::put(group_key(id), Condition::Version(*version), Content::json(new))
            }
            (None, Some(new)) => Write::put(group_key(id), Condition::Absent, Content::json(new)),
            (Some((_, version)), None) => {
                Write::delete(group_key(id), Condition::Version(*version))
            }
            (None, None) => return Ok(Changed { now: None, changed: false }),
        }];
        let name = |group: &Group| group.display_name.clone();
        writes.extend(rename(kind, id, old.map(name).as_deref(), new.map(name).as_deref()));
        let rows = |group: Option<&Group>| group.map(Rows::of_group).unwrap_or_default();
        writes.extend(rows(new).writes(&rows(old)));
        let deed = match (old, new) {
            (None, _) => Deed::Created,
            (_, None) => Deed::Deleted,
            _ => Deed::Changed,
        };
        if deed != Deed::Changed {
            writes.push(self.count(kind, id, deed).await?);
        }
        if deed == Deed::Deleted {
            writes.push(deletion_job(kind, id, cause));
        }
        let mut told = vec![id];
        if many {
            writes.extend(Journal::writes(id, sequence, &changes, cause));
            writes.push(journal_job(id, cause));
        } else {
            told.extend(movers.iter().map(|mover| mover.user.id));
            writes.extend(self.member_writes(id, (sequence, 0), movers, cause).await?);
        }
        let attributes = difference.paths;
        let noted = Noted { kind, id, sequence, deed, attributes, events: &events };
        writes.extend(noted.writes(cause, &parts.config));
        parts.table.transact(writes).await?;
        self.hand_over(&told).await;
        if many && let Err(error) = self.work_off(id, AT_FIRST).await {
            tracing::warn!(error = chain(&error), "a change of members waits for the sweep");
        }
        Ok(Changed { now: after, changed: true })
    }

    /// Who really comes and goes: those whom somebody knows, and who are not there, or gone, already.
    pub(super) async fn resolve(
        &self,
        group: ResourceId,
        exists: bool,
        request: &MemberRequest,
    ) -> Result<(MemberChanges, Vec<Mover>), Error> {
        if request.steps.is_empty() {
            return Ok((MemberChanges::default(), Vec::new()));
        }
        let replaces = request.steps.iter().any(|step| matches!(step, MemberStep::Replace(_)));
        let all = if replaces && exists { self.all_member_rows(group).await? } else { Vec::new() };
        let mut changes = MemberChanges::default();
        let mut unknown = Vec::new();
        for step in &request.steps {
            let (users, wanted) = match step {
                MemberStep::Add(users) => (users, Wanted::In),
                MemberStep::Remove(users) => (users, Wanted::Out),
                MemberStep::Replace(users) => {
                    let others = changes.joining();
                    for user in all.iter().copied().chain(others) {
                        changes.set(user, Wanted::Out);
                    }
                    (users, Wanted::In)
                }
            };
            for user in users {
                match ResourceId::parse(user) {
                    Some(user) => changes.set(user, wanted),
                    None if wanted == Wanted::In => unknown.push(user.clone()),
                    None => {}
                }
            }
        }
        let users: Vec<_> = changes.iter().map(|(user, _)| user).collect();
        let there: HashSet<ResourceId> = if replaces {
            all.into_iter().collect()
        } else if exists {
            self.which_are_in(group, &users).await?
        } else {
            HashSet::new()
        };
        changes.retain(|user, wanted| there.contains(&user) != (wanted == Wanted::In));
        if changes.len() > MAX_MEMBER_CHANGES {
            let detail = format!("more than {MAX_MEMBER_CHANGES} members would come or go");
            return Err(scim::Error::new(ErrorKind::TooLarge, detail).into());
        }
        let moving: Vec<_> = changes.iter().map(|(user, _)| user).collect();
        let mut people = self.people(&moving).await?;
        let nobody = changes
            .iter()
            .filter(|(user, wanted)| *wanted == Wanted::In && !people.contains_key(user));
        unknown.extend(nobody.map(|(user, _)| user.to_string()));
        if request.unknown == Unknown::Reject && !unknown.is_empty() {
            let detail = format!("members names {} users that are not there", unknown.len());
            return Err(scim::Error::new(ErrorKind::InvalidValue, detail).into());
        }
        changes.retain(|user, _| people.contains_key(&user));
        let movers = changes.iter().filter_map(|(user, wanted)| {
            let (user, version) = people.remove(&user)?;
            Some(Mover { user, version, wanted })
        });
        let movers = movers.collect();
        Ok((changes, movers))
    }

    /// Refuses a name that another group has.
    async fn refuse_taken_name(&self, group: &Group) -> Result<(), Error> {
        let key = name_key(ResourceType::Group, &group.display_name);
        match self.parts().table.get(&key).await? {
            Some(item) if item.read::<Named>()?.id != group.id => {
                let detail = "displayName belongs to another group";
                Err(scim::Error::new(ErrorKind::Uniqueness, detail).into())
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A group of fewer members may lose any of them at once.
const GUARDED_FROM: u64 = 20;

/// Refuses that more of a group goes at once than `share`.
fn guard(share: Share, changes: &MemberChanges, members: u64) -> Result<(), Error> {
    let leaving = changes.iter().filter(|(_, wanted)| *wanted == Wanted::Out).count();
    let all = usize::try_from(members).unwrap_or(usize::MAX);
    if members >= GUARDED_FROM && share.is_exceeded_by(leaving, all) {
        let detail = format!(
            "{leaving} of {members} members would go at once, which the operator does not let this \
             client do"
        );
        return Err(Error::Refused(detail));
    }
    Ok(())
}
