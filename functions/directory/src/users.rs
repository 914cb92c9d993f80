//! People (RFC 7643, 4.1; RFC 7644, 3).

use axum::extract::{Path, State};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Map, Value, json};
use ssf::{
    Error, Transmitter,
    client::{Receiver, Secret},
    directory::{
        Actor, Cause, Directory, Given, PasswordHash, ResourceId, User, location, version,
    },
    scim::{self, ErrorKind, Mode, PatchRequest, Projection, ResourceType},
    web::{MayProvision, MayReadDirectory, Problem, ScimBody},
};

use crate::{
    answer::Answer,
    preconditions::{expected, is_known},
    search,
};

const KIND: ResourceType = ResourceType::User;

pub(crate) async fn list(
    State(transmitter): State<Transmitter>,
    MayReadDirectory(receiver): MayReadDirectory,
    uri: Uri,
) -> Result<Answer, Problem> {
    let request = search::of_query(&uri, KIND)?;
    search::answer::<User>(&Directory::of(&transmitter), &receiver, &request).await
}

pub(crate) async fn search(
    State(transmitter): State<Transmitter>,
    MayReadDirectory(receiver): MayReadDirectory,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let request = scim::ListRequest::from_search(&body, KIND)?;
    search::answer::<User>(&Directory::of(&transmitter), &receiver, &request).await
}

pub(crate) async fn read(
    State(transmitter): State<Transmitter>,
    MayReadDirectory(receiver): MayReadDirectory,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let projection = search::projection(&uri, KIND)?;
    let user = directory.user(parse(&id)?).await?;
    if is_known(&headers, user.revision) {
        return Ok(Answer::empty(StatusCode::NOT_MODIFIED).version(&version(user.revision)));
    }
    answer(&user, &directory, &receiver, &projection).await
}

pub(crate) async fn create(
    State(transmitter): State<Transmitter>,
    MayProvision(receiver): MayProvision,
    uri: Uri,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let cause = cause(&directory, &receiver, false);
    let projection = search::projection(&uri, KIND)?;
    let (user, status) = create_one(&directory, &receiver, &cause, &body).await?;
    let answer = answer(&user, &directory, &receiver, &projection).await?;
    let location = location(KIND, user.id, &directory.base());
    Ok(answer.status(status).location(&location).because_of(&cause))
}

/// Makes a person, or gives back the one that it was, where the operator wants that.
pub(crate) async fn create_one(
    directory: &Directory,
    receiver: &Receiver,
    cause: &Cause,
    body: &Value,
) -> Result<(User, StatusCode), Error> {
    let resource = scim::normalize(KIND, body, Mode::Create)?;
    let password = password(directory, receiver, &resource, None).await?;
    let take = |user: &mut User| {
        user.take(resource.clone(), Given::Whole, Some(&receiver.id), cause.at)?;
        if let Some(hash) = &password {
            user.set_password(Some(hash.clone()));
        }
        Ok(())
    };
    match directory.user_create(cause, take).await {
        Err(Error::Scim(error)) if error.kind == ErrorKind::Uniqueness => {
            match directory.former(receiver, &resource).await? {
                Some(id) => {
                    let adopted = directory.user_change(id, None, cause, take).await?;
                    Ok((adopted.now, StatusCode::OK))
                }
                None => Err(error.into()),
            }
        }
        created => Ok((created?, StatusCode::CREATED)),
    }
}

pub(crate) async fn replace(
    State(transmitter): State<Transmitter>,
    MayProvision(receiver): MayProvision,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let cause = cause(&directory, &receiver, true);
    let projection = search::projection(&uri, KIND)?;
    let user = replace_one(&directory, &receiver, &cause, (&id, expected(&headers)), &body).await?;
    Ok(answer(&user, &directory, &receiver, &projection).await?.because_of(&cause))
}

pub(crate) async fn replace_one(
    directory: &Directory,
    receiver: &Receiver,
    cause: &Cause,
    (id, revision): (&str, Option<u64>),
    body: &Value,
) -> Result<User, Error> {
    let id = parse(id)?;
    let resource = scim::normalize(KIND, body, Mode::Replace)?;
    let password = password(directory, receiver, &resource, Some(id)).await?;
    let take = |user: &mut User| {
        user.take(resource.clone(), Given::Whole, Some(&receiver.id), cause.at)?;
        if let Some(hash) = &password {
            user.set_password(Some(hash.clone()));
        }
        Ok(())
    };
    Ok(directory.user_change(id, revision, cause, take).await?.now)
}

pub(crate) async fn change(
    State(transmitter): State<Transmitter>,
    MayProvision(receiver): MayProvision,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let cause = cause(&directory, &receiver, false);
    let projection = search::projection(&uri, KIND)?;
    let user = change_one(&directory, &receiver, &cause, (&id, expected(&headers)), &body).await?;
    Ok(answer(&user, &directory, &receiver, &projection).await?.because_of(&cause))
}

pub(crate) async fn change_one(
    directory: &Directory,
    receiver: &Receiver,
    cause: &Cause,
    (id, revision): (&str, Option<u64>),
    body: &Value,
) -> Result<User, Error> {
    let id = parse(id)?;
    let patch = PatchRequest::parse(body, KIND)?;
    let client = Some(&receiver.id);
    // Only who names the password sets it; what it is to be, the request says whatever was before.
    let named = body.to_string().to_ascii_lowercase().contains("password");
    let password = if named {
        let before = directory.user(id).await?;
        let after = patch.apply(&before.writable(client, cause.at))?.resource;
        password(directory, receiver, &after, Some(id)).await?
    } else {
        None
    };
    let take = |user: &mut User| {
        let patched = patch.apply(&user.writable(client, cause.at))?;
        user.take(patched.resource, Given::Changed, client, cause.at)?;
        if let Some(hash) = &password {
            user.set_password(Some(hash.clone()));
        }
        Ok(())
    };
    Ok(directory.user_change(id, revision, cause, take).await?.now)
}

pub(crate) async fn delete(
    State(transmitter): State<Transmitter>,
    MayProvision(receiver): MayProvision,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let cause = cause(&directory, &receiver, false);
    directory.user_delete(parse(&id)?, expected(&headers), &cause).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT).because_of(&cause))
}

/// The password in `resource` as it is kept, if there is one that this client may set and that is not
/// the person's already.
async fn password(
    directory: &Directory,
    receiver: &Receiver,
    resource: &Map<String, Value>,
    id: Option<ResourceId>,
) -> Result<Option<PasswordHash>, Error> {
    let Some(password) = resource.get("password").and_then(Value::as_str) else { return Ok(None) };
    if !receiver.scim.may_set_passwords {
        // Not refused: some clients send one with everybody whom they create.
        tracing::info!(client.id = %receiver.id, "a password was sent that the client may not set");
        return Ok(None);
    }
    directory.new_password(id, Secret::new(password)).await
}

pub(crate) fn cause(directory: &Directory, receiver: &Receiver, replaces: bool) -> Cause {
    let cause = directory.cause(Actor::Client(receiver.id.clone()));
    Cause { replaces, ..cause }
}

pub(crate) fn parse(id: &str) -> Result<ResourceId, Error> {
    let no_such = || Error::NotFound { kind: "user", id: id.to_owned() };
    ResourceId::parse(id).ok_or_else(no_such)
}

async fn answer(
    user: &User,
    directory: &Directory,
    receiver: &Receiver,
    projection: &Projection,
) -> Result<Answer, Problem> {
    let body = answered(user, directory, receiver, projection).await?;
    let location = location(KIND, user.id, &directory.base());
    Ok(Answer::of(body).version(&version(user.revision)).location(&location))
}

/// The person as `receiver` sees it.
pub(crate) async fn answered(
    user: &User,
    directory: &Directory,
    receiver: &Receiver,
    projection: &Projection,
) -> Result<Value, Error> {
    let base = directory.base();
    let mut resource = user.resource(Some(&receiver.id), &base, directory.now());
    if projection.wants("groups") {
        let groups = directory.groups_of(user.id).await?;
        if !groups.is_empty() {
            let group = |group: &ssf::directory::Group| {
                json!({
                    "value": group.id,
                    "$ref": location(ResourceType::Group, group.id, &base),
                    "display": group.display_name,
                    "type": "direct",
                })
            };
            resource.insert("groups".to_owned(), groups.iter().map(group).collect());
        }
    }
    Ok(projection.apply(&Value::Object(resource)))
}
