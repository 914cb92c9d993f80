//! What a change would do, without doing it.

use super::{
    Cause, Deed, Directory, Group, MemberRequest, ResourceId, User,
    addresses::Moved,
    resource::{group_difference, user_difference},
    tells::{Teller, Told, UserChange},
};
use crate::{Error, event::EventType};

/// What a change would do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Preview {
    /// What would be done; `None`: nothing, it is so already.
    pub deed: Option<Deed>,
    /// The paths of the attributes that would not be what they are.
    pub attributes: Vec<String>,
    /// The types of the events that would be told, in order.
    pub event_types: Vec<EventType>,
}

impl Preview {
    fn of(is_new: bool, attributes: Vec<String>, events: Vec<Told>) -> Self {
        let deed = Some(if is_new { Deed::Created } else { Deed::Changed });
        let event_types = events.into_iter().map(|event| event.event_type).collect();
        Self { deed, attributes, event_types }
    }
}

impl Directory {
    /// What [`user_change`](Self::user_change) of the person `id` would do, or
    /// [`user_create`](Self::user_create) if there is no id.
    pub async fn user_preview(
        &self,
        id: Option<ResourceId>,
        cause: &Cause,
        change: impl Fn(&mut User) -> Result<(), Error>,
    ) -> Result<Preview, Error> {
        let before = match id {
            Some(id) => Some(self.user(id).await?),
            None => None,
        };
        let mut after = before.clone().unwrap_or_else(|| self.nobody(cause));
        change(&mut after)?;
        after.told_active = !after.is_locked(cause.at);
        if before.as_ref() == Some(&after) {
            return Ok(Preview::default());
        }
        let old = before.as_ref();
        let moved = Moved::of(old, Some(&after));
        let (recycled, _) = self.look_up_addresses(after.id, &moved, cause).await?;
        let difference = user_difference(old, Some(&after), &self.base());
        let attributes = difference.paths.clone();
        let config = &self.parts().config;
        let change = UserChange {
            before: old,
            after: Some(&after),
            difference,
            recycled: &recycled,
            password_ends_sessions: config.directory.end_sessions_on_password_change,
        };
        let events = Teller { issuer: &config.issuer, cause }.user(&change);
        Ok(Preview::of(old.is_none(), attributes, events))
    }

    /// What [`group_change`](Self::group_change) of the group `id` would do, or
    /// [`group_create`](Self::group_create) if there is no id; without what would be told of its
    /// members.
    pub async fn group_preview(
        &self,
        id: Option<ResourceId>,
        cause: &Cause,
        members: &MemberRequest,
        change: impl Fn(&mut Group) -> Result<(), Error>,
    ) -> Result<Preview, Error> {
        let before = match id {
            Some(id) => Some(self.group(id).await?),
            None => None,
        };
        let mut after = before.clone().unwrap_or_else(|| self.no_group(cause));
        change(&mut after)?;
        let old = before.as_ref();
        let (changes, _) = self.resolve(after.id, old.is_some(), members).await?;
        let mut difference = group_difference(old, Some(&after), &self.base());
        changes.tell(old.is_none(), &mut difference);
        if old.is_some() && difference.paths.is_empty() {
            return Ok(Preview::default());
        }
        let teller = Teller { issuer: &self.parts().config.issuer, cause };
        let events = teller.group(old, Some(&after), &difference);
        Ok(Preview::of(old.is_none(), difference.paths, events))
    }
}
