//! One way for every change: what changes is planned by its kind, written at once with all that goes
//! with it, and told.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Cause, Changed, Directory, ResourceId,
    again::{Again, again},
    jobs::{AT_FIRST, deletion_job},
    lists::Listed,
    record::{Deed, Noted, Then},
    store::{Named, Rows, name_key, rename, resource_key},
    tells::Told,
};
use crate::{
    Error,
    error::chain,
    scim::{self, ErrorKind, ResourceType},
    sign_in::Logout,
    table::{Condition, Content, TableError, Version, Write},
};

/// What users and groups have in common for whoever changes them.
pub(super) trait Resource: Listed + Serialize + Sync {
    /// What can be asked for besides the attributes.
    type Request: Sync;

    /// The name that no other has.
    fn name(&self) -> &str;

    /// Its version for clients (RFC 7644, 3.14).
    fn revision(&self) -> u64;

    /// The number of what was last told of it.
    fn sequence(&self) -> u64;

    /// When it was last changed.
    fn last_modified(&self) -> Timestamp;

    /// The rows by which it is found, but for its name's.
    fn rows(&self) -> Rows;

    /// Whether it can be changed now as is asked for. Finishes, if it can, what must come first.
    fn is_free(
        &self,
        directory: &Directory,
        request: &Self::Request,
    ) -> impl Future<Output = Result<Free, Error>> + Send;

    /// What a change from `before` to `after` does; `None`: nothing.
    fn plan(
        directory: &Directory,
        before: Option<&Self>,
        after: Option<Self>,
        request: &Self::Request,
        cause: &Cause,
    ) -> impl Future<Output = Result<Option<Planned<Self>>, Error>> + Send;
}

/// Whether a resource can be changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Free {
    Yes,
    /// When it is read again.
    Then,
    /// Another change is still worked off.
    No,
}

/// What a change does.
pub(super) struct Planned<T> {
    /// The resource as it is written, if it is there afterwards.
    pub(super) after: Option<T>,
    /// The paths of the attributes that change.
    pub(super) attributes: Vec<String>,
    /// The events that follow, of the resource itself.
    pub(super) events: Vec<Told>,
    /// What is written besides.
    pub(super) writes: Vec<Write>,
    /// Others of whom something is told by that.
    pub(super) others: Vec<ResourceId>,
    /// Which applications are told that sessions have ended by it.
    pub(super) logouts: Vec<Logout>,
    /// Whether a journal is opened by it.
    pub(super) opens_journal: bool,
}

impl Directory {
    /// The resource with this id, in its state.
    pub(super) async fn read<T: Resource>(&self, id: ResourceId) -> Result<(T, Version), Error> {
        match self.parts().table.get(&resource_key(T::KIND, id)).await? {
            Some(item) => Ok((item.read()?, item.version)),
            None => Err(no_such(T::KIND, id)),
        }
    }

    /// Makes `new`, if no other has its name.
    pub(super) async fn create<T: Resource>(
        &self,
        new: &T,
        request: &T::Request,
        cause: &Cause,
    ) -> Result<T, Error> {
        again(|| async {
            let committed = self.commit(None, Some(new.clone()), request, cause).await?;
            Ok(committed.now.expect("it was made"))
        })
        .await
    }

    /// Does `change` to the resource with this id. Where another writer is ahead, reads and changes
    /// again, so that `change` must be fit to run more than once. With `revision`, only if the resource
    /// is in that state.
    pub(super) async fn change<T: Resource>(
        &self,
        (id, revision): (ResourceId, Option<u64>),
        request: &T::Request,
        cause: &Cause,
        change: impl Fn(&mut T) -> Result<(), Error>,
    ) -> Result<Changed<T>, Error> {
        again(|| async {
            let (before, version) = self.read::<T>(id).await?;
            expect_revision(revision, before.revision())?;
            match before.is_free(self, request).await? {
                Free::Yes => {}
                Free::Then => return Err(Again::Conflict),
                Free::No => return Err(Again::Failed(TableError::Conflict.into())),
            }
            let mut after = before.clone();
            change(&mut after)?;
            let before = Some((&before, version));
            let Changed { now, changed } = self.commit(before, Some(after), request, cause).await?;
            Ok(Changed { now: now.expect("it was not deleted"), changed })
        })
        .await
    }

    /// Deletes the resource with this id: it is no more from now on. What is left of it goes soon.
    pub(super) async fn delete<T: Resource<Request: Default>>(
        &self,
        id: ResourceId,
        revision: Option<u64>,
        cause: &Cause,
    ) -> Result<(), Error> {
        again(|| async {
            let (before, version) = self.read::<T>(id).await?;
            expect_revision(revision, before.revision())?;
            let nothing = T::Request::default();
            Ok(self.commit(Some((&before, version)), None, &nothing, cause).await?)
        })
        .await?;
        self.clean_up(T::KIND, id, cause).await;
        Ok(())
    }

    /// Writes a change, all that goes with it, and what it tells, at once; then hands over the events.
    async fn commit<T: Resource>(
        &self,
        before: Option<(&T, Version)>,
        after: Option<T>,
        request: &T::Request,
        cause: &Cause,
    ) -> Result<Changed<Option<T>>, Error> {
        let old = before.map(|(old, _)| old);
        let cause = &old.map_or_else(|| cause.clone(), |old| self.not_before(old, cause));
        let Some(planned) = T::plan(self, old, after, request, cause).await? else {
            return Ok(Changed { now: old.cloned(), changed: false });
        };
        let Planned { after, attributes, events, mut writes, others, logouts, opens_journal } =
            planned;
        let new = after.as_ref();
        let (kind, id) = (T::KIND, old.or(new).expect("there is one of them").id());
        let key = resource_key(kind, id);
        let (deed, write) = match (&before, new) {
            (None, Some(new)) => {
                (Deed::Created, Write::put(key, Condition::Absent, Content::json(new)))
            }
            (Some((_, version)), Some(new)) => {
                (Deed::Changed, Write::put(key, Condition::Version(*version), Content::json(new)))
            }
            (Some((_, version)), None) => {
                (Deed::Deleted, Write::delete(key, Condition::Version(*version)))
            }
            (None, None) => return Ok(Changed { now: None, changed: false }),
        };
        writes.push(write);
        writes.extend(rename(kind, id, old.map(T::name), new.map(T::name)));
        let rows = |resource: Option<&T>| resource.map(T::rows).unwrap_or_default();
        writes.extend(rows(new).writes(&rows(old)));
        if deed != Deed::Changed {
            writes.push(self.count(kind, id, deed).await?);
        }
        if deed == Deed::Deleted {
            writes.push(deletion_job(kind, id, cause));
        }
        let sequence = old.map_or(0, T::sequence) + 1;
        let noted = Noted { kind, id, sequence, deed, attributes, events: &events };
        let then = Then { feed: None, logouts };
        writes.extend(noted.writes_with(then, cause, &self.parts().config));
        match self.parts().table.transact(writes).await {
            Err(TableError::Conflict) => {
                if let Some(new) = new {
                    self.refuse_taken(new).await?;
                }
                return Err(TableError::Conflict.into());
            }
            written => drop(written?),
        }
        let told: Vec<_> = std::iter::once(id).chain(others).collect();
        self.hand_over(&told).await;
        if opens_journal && let Err(error) = self.work_off(id, AT_FIRST).await {
            tracing::warn!(error = chain(&error), "a change of members waits for the sweep");
        }
        Ok(Changed { now: after, changed: true })
    }

    /// The cause of a change of `old`, behind what made it what it is: of two changes side by side the
    /// one that began first may be the later one, and time does not go back.
    fn not_before<T: Resource>(&self, old: &T, cause: &Cause) -> Cause {
        let at = cause.at.max(old.last_modified()).max(self.now());
        Cause { at, ..cause.clone() }
    }

    /// Refuses a name that another has.
    async fn refuse_taken<T: Resource>(&self, new: &T) -> Result<(), Error> {
        let key = name_key(T::KIND, new.name());
        match self.parts().table.get(&key).await? {
            Some(item) if item.read::<Named>()?.id != new.id() => {
                let detail = match T::KIND {
                    ResourceType::User => "userName belongs to another user",
                    ResourceType::Group => "displayName belongs to another group",
                };
                Err(scim::Error::new(ErrorKind::Uniqueness, detail).into())
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn no_such(kind: ResourceType, id: ResourceId) -> Error {
    let kind = match kind {
        ResourceType::User => "user",
        ResourceType::Group => "group",
    };
    Error::NotFound { kind, id: id.to_string() }
}

/// Refuses a change of what is not in the state that it was asked for.
fn expect_revision(expected: Option<u64>, found: u64) -> Result<(), Error> {
    if expected.is_none_or(|expected| expected == found) {
        Ok(())
    } else {
        let detail = "the resource is in another version than If-Match names";
        Err(scim::Error::new(ErrorKind::PreconditionFailed, detail).into())
    }
}
