//! What is asked for of the members of a group, and who really comes and goes by it.

use std::collections::HashSet;

use super::{
    Directory, ResourceId,
    members::{MemberChanges, Mover, Wanted},
};
use crate::{
    Error,
    client::Share,
    scim::{self, ErrorKind},
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
}

/// A group of fewer members may lose any of them at once.
const GUARDED_FROM: u64 = 20;

/// Refuses that more of a group goes at once than `share`.
pub(super) fn guard(share: Share, changes: &MemberChanges, members: u64) -> Result<(), Error> {
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
