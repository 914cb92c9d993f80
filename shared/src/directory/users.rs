//! What can be done with people.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Actor, Cause, Directory, ResourceId, User,
    addresses::Moved,
    commit::{Free, Planned, Resource},
    resource::user_difference,
    store::{Named, Rows, name_key},
    tells::{Teller, Told, UserChange},
};
use crate::{
    Error,
    client::{Receiver, Reprovision},
    event::EventType,
    scim::ResourceType,
    sign_in::logouts_of,
};

/// What became of a request for a change.
#[derive(Clone, Debug)]
pub struct Changed<T> {
    /// What it is now.
    pub now: T,
    /// Whether anything is not what it was.
    pub changed: bool,
}

impl Directory {
    /// The person with this id.
    pub async fn user(&self, id: ResourceId) -> Result<User, Error> {
        Ok(self.read(id).await?.0)
    }

    /// Who is about to be made, and has an id already.
    pub(super) fn nobody(&self, cause: &Cause) -> User {
        User {
            id: ResourceId::fresh(&*self.parts().ids, self.parts().clock.now()),
            created: cause.at,
            last_modified: cause.at,
            attributes: super::UserAttributes::default(),
            lock_date: None,
            revision: 0,
            password: None,
            second_factor: None,
            external_ids: std::collections::BTreeMap::new(),
            sequence: 0,
            told_active: true,
            ends: 0,
        }
    }

    /// Makes the person that `make` gives an id to, if nobody has the name.
    pub async fn user_create(
        &self,
        cause: &Cause,
        make: impl Fn(&mut User) -> Result<(), Error>,
    ) -> Result<User, Error> {
        let mut user = self.nobody(cause);
        make(&mut user)?;
        self.create(&user, &(), cause).await
    }

    /// Does `change` to the person with this id. Where another writer is ahead, reads and changes
    /// again, so that `change` must be fit to run more than once. With `revision`, only if the person
    /// is in that state.
    pub async fn user_change(
        &self,
        id: ResourceId,
        revision: Option<u64>,
        cause: &Cause,
        change: impl Fn(&mut User) -> Result<(), Error>,
    ) -> Result<Changed<User>, Error> {
        self.change((id, revision), &(), cause, change).await
    }

    /// Deletes a person: nobody any more from now on. What is left of groups and the like goes soon.
    pub async fn user_delete(
        &self,
        id: ResourceId,
        revision: Option<u64>,
        cause: &Cause,
    ) -> Result<(), Error> {
        self.delete::<User>(id, revision, cause).await
    }

    /// Whether a new password ends all sessions. Who changes it themselves stays signed in there, and
    /// the others are ended one by one: see [`Self::change_own_password`].
    fn password_ends_sessions(&self, cause: &Cause) -> bool {
        self.parts().config.directory.end_sessions_on_password_change
            && cause.actor != Actor::Person
    }

    /// Who comes back as the person that `receiver` once made, by the resource that it wants to
    /// create: the name is that person's, so is what the client calls it, and the person is locked.
    ///
    /// `None` also where the operator has not decided so for this client.
    pub async fn former(
        &self,
        receiver: &Receiver,
        resource: &Map<String, Value>,
    ) -> Result<Option<ResourceId>, Error> {
        let name = resource.get("userName").and_then(Value::as_str).unwrap_or_default();
        if receiver.scim.reprovision != Reprovision::Adopt {
            return Ok(None);
        }
        let key = name_key(ResourceType::User, name);
        let Some(item) = self.parts().table.get(&key).await? else { return Ok(None) };
        let user = self.user(item.read::<Named>()?.id).await?;
        let called = user.external_ids.get(&receiver.id);
        let same = called.is_some() && called.map(String::as_str) == external_id(resource);
        Ok((same && user.is_locked(self.now())).then_some(user.id))
    }
}

impl Resource for User {
    /// Nothing: all of a person is attributes.
    type Request = ();

    fn name(&self) -> &str {
        &self.attributes.user_name
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
        Rows::of_user(self)
    }

    async fn is_free(&self, _: &Directory, (): &()) -> Result<Free, Error> {
        Ok(Free::Yes)
    }

    async fn plan(
        directory: &Directory,
        before: Option<&Self>,
        mut after: Option<Self>,
        (): &(),
        cause: &Cause,
    ) -> Result<Option<Planned<Self>>, Error> {
        let config = &directory.parts().config;
        let password_ends_sessions = directory.password_ends_sessions(cause);
        if let Some(after) = &mut after {
            after.told_active = !after.is_locked(cause.at);
            if before == Some(after) {
                return Ok(None);
            }
            after.revision = before.map_or(1, |before| before.revision + 1);
            after.sequence = before.map_or(1, |before| before.sequence + 1);
            after.last_modified = cause.at.max(after.created);
            if let Some(before) = before {
                after.note_end(before, cause.at, password_ends_sessions);
            }
        }
        let Some(id) = before.or(after.as_ref()).map(|user| user.id) else { return Ok(None) };
        let moved = Moved::of(before, after.as_ref());
        let (recycled, writes) = directory.look_up_addresses(id, &moved, cause).await?;
        let difference = user_difference(before, after.as_ref(), &directory.base());
        let attributes = difference.paths.clone();
        let change = UserChange {
            before,
            after: after.as_ref(),
            difference,
            recycled: &recycled,
            password_ends_sessions,
        };
        let events = Teller { issuer: &config.issuer, cause }.user(&change);
        let ends = |event: &Told| event.event_type == EventType::SESSION_REVOKED;
        let logouts = if events.iter().any(ends) {
            logouts_of(&*directory.parts().table, &id.into()).await?
        } else {
            Vec::new()
        };
        let (others, opens_journal) = (Vec::new(), false);
        Ok(Some(Planned { after, attributes, events, writes, others, logouts, opens_journal }))
    }
}

fn external_id(resource: &Map<String, Value>) -> Option<&str> {
    resource.get("externalId")?.as_str()
}
