//! `/Me`: the person behind a token (RFC 7644, 3.11), who sees and changes what the operator's rules
//! allow.

use axum::extract::State;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Map, Value};
use ssf::{
    Error, Transmitter,
    config::access::Permission,
    directory::{
        Access, Actor, Cause, Directory, Given, Group, ResourceId, User, location, version,
    },
    scim::{self, ErrorKind, Mode, PatchRequest, Projection, ResourceType},
    web::{Myself, Problem, ScimBody},
};

use crate::{
    answer::Answer,
    preconditions::{expected, is_known},
    search,
    users::add_groups,
};

const KIND: ResourceType = ResourceType::User;

pub(crate) async fn read(
    State(transmitter): State<Transmitter>,
    myself: Myself,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let projection = search::projection(&uri, KIND)?;
    let user = directory.user(myself.id).await?;
    if is_known(&headers, user.revision) {
        return Ok(Answer::empty(StatusCode::NOT_MODIFIED).version(&version(user.revision)));
    }
    let (access, groups) = directory.access(&user).await?;
    Ok(answer(&directory, &user, (&access, &groups), &projection))
}

/// What the person may not write stays as it is, as what is read-only does (RFC 7644, 3.5.1).
pub(crate) async fn replace(
    State(transmitter): State<Transmitter>,
    myself: Myself,
    headers: HeaderMap,
    uri: Uri,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let projection = search::projection(&uri, KIND)?;
    let wish = scim::normalize(KIND, &body, Mode::Replace)?;
    let edit = |before: &Map<String, Value>, access: &Access| Ok(access.merged(before, &wish));
    let place = (myself.id, expected(&headers));
    changed(&directory, place, true, &projection, edit).await
}

/// A change of what the person may not write is refused, and nothing is changed.
pub(crate) async fn change(
    State(transmitter): State<Transmitter>,
    myself: Myself,
    headers: HeaderMap,
    uri: Uri,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let projection = search::projection(&uri, KIND)?;
    let patch = PatchRequest::parse(&body, KIND)?;
    let edit = |before: &Map<String, Value>, access: &Access| {
        let after = patch.apply(before)?.resource;
        match access.forbidden_change(before, &after) {
            Some(name) => {
                let detail = format!("{name} is not among what you may change of yourself");
                Err(scim::Error::new(ErrorKind::Mutability, detail).into())
            }
            None => Ok(after),
        }
    };
    let place = (myself.id, expected(&headers));
    changed(&directory, place, false, &projection, edit).await
}

pub(crate) async fn delete(
    State(transmitter): State<Transmitter>,
    myself: Myself,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let user = directory.user(myself.id).await?;
    require(&directory.access(&user).await?.0, Permission::DeleteAccount)?;
    let cause = directory.cause(Actor::Person);
    directory.user_delete(myself.id, expected(&headers), &cause).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT).because_of(&cause))
}

async fn changed(
    directory: &Directory,
    (id, revision): (ResourceId, Option<u64>),
    replaces: bool,
    projection: &Projection,
    edit: impl Fn(&Map<String, Value>, &Access) -> Result<Map<String, Value>, Error> + Send + Sync,
) -> Result<Answer, Problem> {
    let cause = Cause { replaces, ..directory.cause(Actor::Person) };
    let groups: Vec<Group> = directory.groups_of(id).await?;
    let take = |user: &mut User| {
        // By what the person is now, whoever else changes them at the same time.
        let access = user.access(directory.access_rules(), &groups);
        require(&access, Permission::EditSelf)?;
        let after = edit(&user.writable(None, cause.at), &access)?;
        user.take(after, Given::Changed, None, cause.at)
    };
    let user = directory.user_change(id, revision, &cause, take).await?.now;
    let access = user.access(directory.access_rules(), &groups);
    Ok(answer(directory, &user, (&access, &groups), projection).because_of(&cause))
}

fn require(access: &Access, permission: Permission) -> Result<(), Error> {
    access.can(permission).then_some(()).ok_or(Error::NotPermitted)
}

/// What the person may see of themselves, and of that what is asked for.
fn answer(
    directory: &Directory,
    user: &User,
    (access, groups): (&Access, &[Group]),
    projection: &Projection,
) -> Answer {
    let base = directory.base();
    let mut resource = user.resource(None, &base, directory.now());
    add_groups(&mut resource, groups, &base);
    let visible = access.projection().apply(&Value::Object(resource));
    let answer = Answer::of(projection.apply(&visible)).version(&version(user.revision));
    answer.location(&location(KIND, user.id, &base))
}
