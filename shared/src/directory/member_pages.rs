//! The members of a group, page by page: for groups that have more than an answer holds.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{
    Directory, Group, ResourceId,
    jobs::AT_FIRST,
    journal::Journal,
    members::{MemberRow, Wanted, member_key},
    positions::Position,
    text::hash,
};
use crate::{Error, client::ClientId};

/// That somebody is in a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Membership {
    /// The group.
    pub group: ResourceId,
    /// The person.
    pub member: ResourceId,
    /// Since when.
    pub since: Timestamp,
}

impl Directory {
    /// A page of the members of a group, in the order in which they joined, behind the page that ended
    /// with `cursor`; and the cursor for the next page, if there is one. A page holds about `count`: a
    /// change of many that is still worked off is all on the last one.
    pub async fn members_page(
        &self,
        client: &ClientId,
        group: ResourceId,
        cursor: Option<&str>,
        count: usize,
    ) -> Result<(Group, Vec<Membership>, Option<String>), Error> {
        let walk = hash(&format!("{client} members of {group}"));
        let after = match cursor {
            Some(cursor) => Some(self.behind_cursor(cursor, &walk).await?.after),
            None => None,
        };
        let mut found = self.group(group).await?;
        if found.journal.is_some() && self.work_off(group, AT_FIRST).await? {
            found = self.group(group).await?;
        }
        let journal = self.journal(&found).await?;
        let wanted = journal.as_ref().map(Journal::wanted).unwrap_or_default();
        let (items, next) = self.member_rows(group, after, count.max(1)).await?;
        let mut members = Vec::new();
        for item in &items {
            let Some(member) = ResourceId::parse(&item.key.sk) else { continue };
            if wanted.get(&member) != Some(&Wanted::Out) {
                members.push(Membership { group, member, since: item.read::<MemberRow>()?.since });
            }
        }
        let next = match next {
            Some(after) => Some(self.cursor_at(Position { after, key: None, walk }).await?),
            None => None,
        };
        if let (None, Some(journal)) = (&next, &journal) {
            let joining: Vec<_> = journal.joining().collect();
            let there: HashSet<_> = self.which_are_in(group, &joining).await?;
            let joining = joining.into_iter().filter(|member| !there.contains(member));
            let since = found.last_modified;
            members.extend(joining.map(|member| Membership { group, member, since }));
        }
        Ok((found, members, next))
    }

    /// Whether somebody is in a group, as the group is now.
    pub async fn membership(
        &self,
        group: ResourceId,
        member: ResourceId,
    ) -> Result<Option<Membership>, Error> {
        let found = self.group(group).await?;
        let journal = self.journal(&found).await?;
        let wanted = journal.as_ref().and_then(|journal| journal.wanted().get(&member).copied());
        let row = self.parts().table.get(&member_key(group, member)).await?;
        let since = match (wanted, row) {
            (Some(Wanted::Out), _) | (None, None) => return Ok(None),
            (_, Some(row)) => row.read::<MemberRow>()?.since,
            (Some(Wanted::In), None) => found.last_modified,
        };
        Ok(Some(Membership { group, member, since }))
    }
}
