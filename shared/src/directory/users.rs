//! What can be done with people: one way for every change, whoever asks for it.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Map, Value};

use super::{
    Actor, Cause, Directory, ResourceId, User,
    jobs::deletion_job,
    record::{Deed, Noted},
    resource::user_difference,
    store::{Holder, Named, Rows, addresses, email_was_key, name_key, rename, user_key},
    tells::{Teller, UserChange},
    text::fold,
};
use crate::{
    Error,
    client::{Receiver, Reprovision},
    clock,
    scim::{self, ErrorKind, ResourceType},
    table::{Condition, Content, Key, TableError, Version, Write},
};

/// How often a change is tried when others change the same.
pub(super) const ATTEMPTS: usize = 8;

/// Who took over an address within this time is told to have done so.
const WAS_FOR: Duration = Duration::from_hours(90 * 24);

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
        Ok(self.read_user(id).await?.0)
    }

    pub(crate) async fn read_user(&self, id: ResourceId) -> Result<(User, Version), Error> {
        match self.parts().table.get(&user_key(id)).await? {
            Some(item) => Ok((item.read()?, item.version)),
            None => Err(no_such(ResourceType::User, id)),
        }
    }

    /// Who is about to be made, and has an id already.
    pub(super) fn nobody(&self, cause: &Cause) -> User {
        User {
            id: ResourceId::fresh(&*self.parts().ids, cause.at),
            created: cause.at,
            last_modified: cause.at,
            attributes: super::UserAttributes::default(),
            lock_date: None,
            revision: 0,
            password: None,
            external_ids: std::collections::BTreeMap::new(),
            sequence: 0,
            told_active: true,
            open_since: None,
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
        for _ in 0..ATTEMPTS {
            match self.commit_user(None, Some(user.clone()), cause).await {
                Err(Error::Table(TableError::Conflict)) => self.refuse_taken(&user).await?,
                committed => return Ok(committed?.expect("a person was made")),
            }
        }
        Err(TableError::Conflict.into())
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
        for _ in 0..ATTEMPTS {
            let (before, version) = self.read_user(id).await?;
            expect_revision(revision, before.revision)?;
            let mut after = before.clone();
            change(&mut after)?;
            after.told_active = !after.is_locked(cause.at);
            if after == before {
                return Ok(Changed { now: before, changed: false });
            }
            match self.commit_user(Some((&before, version)), Some(after.clone()), cause).await {
                Ok(now) => {
                    return Ok(Changed { now: now.expect("it was not deleted"), changed: true });
                }
                Err(Error::Table(TableError::Conflict)) => self.refuse_taken(&after).await?,
                Err(error) => return Err(error),
            }
        }
        Err(TableError::Conflict.into())
    }

    /// Deletes a person: nobody any more from now on. What is left of groups and the like goes soon.
    pub async fn user_delete(
        &self,
        id: ResourceId,
        revision: Option<u64>,
        cause: &Cause,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let (before, version) = self.read_user(id).await?;
            expect_revision(revision, before.revision)?;
            match self.commit_user(Some((&before, version)), None, cause).await {
                Err(Error::Table(TableError::Conflict)) => {}
                committed => {
                    committed?;
                    self.clean_up(ResourceType::User, id, cause).await;
                    return Ok(());
                }
            }
        }
        Err(TableError::Conflict.into())
    }

    /// Writes a change of a person, all that goes with it, and what it tells, at once; then hands
    /// over the events.
    async fn commit_user(
        &self,
        before: Option<(&User, Version)>,
        mut after: Option<User>,
        cause: &Cause,
    ) -> Result<Option<User>, Error> {
        let parts = self.parts();
        let old = before.map(|(user, _)| user);
        let id = old.or(after.as_ref()).expect("there is one of them").id;
        let sequence = old.map_or(1, |old| old.sequence + 1);
        if let Some(after) = &mut after {
            after.revision = old.map_or(1, |old| old.revision + 1);
            after.sequence = sequence;
            after.last_modified = cause.at.max(after.created);
            after.told_active = !after.is_locked(cause.at);
            if let Some(old) = old {
                after.note_end(old, cause.at, self.password_ends_sessions(cause));
            }
        }
        let new = after.as_ref();
        let moved = Moved::of(old, new);
        let (recycled, mut writes) = self.look_up_addresses(id, &moved, cause).await?;
        let difference = user_difference(old, new, &self.base());
        let attributes = difference.paths.clone();
        let change = UserChange {
            before: old,
            after: new,
            difference,
            recycled: &recycled,
            password_ends_sessions: self.password_ends_sessions(cause),
        };
        let events = Teller { issuer: &parts.config.issuer, cause }.user(&change);
        writes.push(match (&before, new) {
            (Some((_, version)), Some(new)) => {
                Write::put(user_key(id), Condition::Version(*version), Content::json(new))
            }
            (None, Some(new)) => Write::put(user_key(id), Condition::Absent, Content::json(new)),
            (Some((_, version)), None) => Write::delete(user_key(id), Condition::Version(*version)),
            (None, None) => return Ok(None),
        });
        let name = |user: &User| user.attributes.user_name.clone();
        writes.extend(rename(
            ResourceType::User,
            id,
            old.map(name).as_deref(),
            new.map(name).as_deref(),
        ));
        let rows = |user: Option<&User>| user.map(Rows::of_user).unwrap_or_default();
        writes.extend(rows(new).writes(&rows(old)));
        let deed = match (old, new) {
            (None, _) => Deed::Created,
            (_, None) => Deed::Deleted,
            _ => Deed::Changed,
        };
        if deed != Deed::Changed {
            writes.push(self.count(ResourceType::User, id, deed).await?);
        }
        if deed == Deed::Deleted {
            writes.push(deletion_job(ResourceType::User, id, cause));
        }
        let noted =
            Noted { kind: ResourceType::User, id, sequence, deed, attributes, events: &events };
        writes.extend(noted.writes(cause, &parts.config));
        parts.table.transact(writes).await?;
        self.hand_over(&[id]).await;
        Ok(after)
    }

    /// Whether a new password ends all sessions. Who changes it themselves stays signed in there, and
    /// the others are ended one by one: see [`Self::change_own_password`].
    fn password_ends_sessions(&self, cause: &Cause) -> bool {
        self.parts().config.directory.end_sessions_on_password_change
            && cause.actor != Actor::Person
    }

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
            let Some(item) = item else { continue };
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

    /// Refuses a name that somebody else has.
    async fn refuse_taken(&self, user: &User) -> Result<(), Error> {
        let key = name_key(ResourceType::User, &user.attributes.user_name);
        match self.parts().table.get(&key).await? {
            Some(item) if item.read::<Named>()?.id != user.id => {
                let detail = "userName belongs to another user";
                Err(scim::Error::new(ErrorKind::Uniqueness, detail).into())
            }
            Some(_) | None => Ok(()),
        }
    }
}

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

fn external_id(resource: &Map<String, Value>) -> Option<&str> {
    resource.get("externalId")?.as_str()
}

pub(super) fn no_such(kind: ResourceType, id: ResourceId) -> Error {
    let kind = match kind {
        ResourceType::User => "user",
        ResourceType::Group => "group",
    };
    Error::NotFound { kind, id: id.to_string() }
}

/// Refuses a change of what is not in the state that it was asked for.
pub(super) fn expect_revision(expected: Option<u64>, found: u64) -> Result<(), Error> {
    if expected.is_none_or(|expected| expected == found) {
        Ok(())
    } else {
        let detail = "the resource is in another version than If-Match names";
        Err(scim::Error::new(ErrorKind::PreconditionFailed, detail).into())
    }
}
