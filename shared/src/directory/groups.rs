//! What can be done with groups.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Cause, Changed, Directory, Group, MemberRequest, ResourceId,
    commit::{Free, Planned, Resource},
    jobs::{AT_FIRST, journal_job},
    journal::Journal,
    member_request::guard,
    members::{AT_ONCE, Wanted},
    resource::group_difference,
    store::Rows,
    tells::Teller,
};
use crate::Error;

impl Directory {
    /// The group with this id.
    pub async fn group(&self, id: ResourceId) -> Result<Group, Error> {
        Ok(self.read(id).await?.0)
    }

    /// What is about to be made, and has an id already.
    pub(super) fn no_group(&self, cause: &Cause) -> Group {
        Group {
            id: ResourceId::fresh(&*self.parts().ids, self.parts().clock.now()),
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
        self.create(&group, members, cause).await
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
        self.change((id, revision), members, cause, change).await
    }

    /// Deletes a group: from now on nobody is in it. The rows of its members go soon.
    pub async fn group_delete(
        &self,
        id: ResourceId,
        revision: Option<u64>,
        cause: &Cause,
    ) -> Result<(), Error> {
        self.delete::<Group>(id, revision, cause).await
    }
}

impl Resource for Group {
    /// Who is to come and to go.
    type Request = MemberRequest;

    fn name(&self) -> &str {
        &self.display_name
    }

    fn revision(&self) -> u64 {
        self.revision
    }

    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn last_modified(&self) -> Timestamp {
        self.last_modified
    }

    fn rows(&self) -> Rows {
        Rows::of_group(self)
    }

    /// One change of many members at a time.
    async fn is_free(&self, directory: &Directory, request: &MemberRequest) -> Result<Free, Error> {
        if self.journal.is_none() || request.steps.is_empty() {
            return Ok(Free::Yes);
        }
        let done = directory.work_off(self.id, AT_FIRST * 8).await?;
        Ok(if done { Free::Then } else { Free::No })
    }

    async fn plan(
        directory: &Directory,
        before: Option<&Self>,
        mut after: Option<Self>,
        request: &MemberRequest,
        cause: &Cause,
    ) -> Result<Option<Planned<Self>>, Error> {
        let Some(id) = before.or(after.as_ref()).map(|group| group.id) else { return Ok(None) };
        let (changes, movers) = directory.resolve(id, before.is_some(), request).await?;
        if let (Some(before), Some(share)) = (before, request.guard) {
            guard(share, &changes, before.member_count)?;
        }
        let mut difference = group_difference(before, after.as_ref(), &directory.base());
        changes.tell(before.is_none(), &mut difference);
        if before.is_some() && after.is_some() && difference.paths.is_empty() {
            return Ok(None);
        }
        let sequence = before.map_or(1, |before| before.sequence + 1);
        let opens_journal = changes.len() > AT_ONCE;
        if let Some(after) = &mut after {
            after.revision = before.map_or(1, |before| before.revision + 1);
            after.sequence = sequence;
            after.last_modified = cause.at.max(after.created);
            for (_, wanted) in changes.iter() {
                after.member_count = match wanted {
                    Wanted::In => after.member_count + 1,
                    Wanted::Out => after.member_count.saturating_sub(1),
                };
            }
            after.journal = opens_journal.then_some(sequence).or(after.journal);
        }
        let teller = Teller { issuer: &directory.parts().config.issuer, cause };
        let events = teller.group(before, after.as_ref(), &difference);
        let (writes, others) = if opens_journal {
            let mut writes = Journal::writes(id, sequence, &changes, cause);
            writes.push(journal_job(id, cause));
            (writes, Vec::new())
        } else {
            let others = movers.iter().map(|mover| mover.user.id).collect();
            (directory.member_writes(id, (sequence, 0), movers, cause).await?, others)
        };
        let attributes = difference.paths;
        let logouts = Vec::new();
        Ok(Some(Planned { after, attributes, events, writes, others, logouts, opens_journal }))
    }
}
