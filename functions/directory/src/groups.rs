//! Groups (RFC 7643, 4.2; RFC 7644, 3).

use axum::extract::{Path, State};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};
use ssf::{
    Error, Transmitter,
    client::{GroupPatch, Receiver, UnknownMembers},
    directory::{
        Cause, Changed, Directory, Given, Group, MemberRequest, MemberStep, ResourceId, Unknown,
        location, version,
    },
    scim::{self, Member, MemberOperation, Mode, PatchRequest, Projection, ResourceType},
    web::{MayProvision, MayReadDirectory, Problem, ScimBody},
};

use crate::{
    answer::Answer,
    preconditions::{expected, is_known},
    search,
    users::cause,
};

const KIND: ResourceType = ResourceType::Group;

/// One group is answered with at most so many members: more would not fit into an answer of a Lambda
/// function. A group that has more is answered without.
const MOST_MEMBERS: usize = 10_000;

/// The same for a group in a list.
pub(crate) const MOST_LISTED: usize = 1_000;

/// A change of a group with more members is answered with nothing.
const MOST_AFTER_CHANGE: u64 = 1_000;

pub(crate) async fn list(
    State(transmitter): State<Transmitter>,
    MayReadDirectory(receiver): MayReadDirectory,
    uri: Uri,
) -> Result<Answer, Problem> {
    let request = search::of_query(&uri, KIND)?;
    search::answer::<Group>(&Directory::of(&transmitter), &receiver, &request).await
}

pub(crate) async fn search(
    State(transmitter): State<Transmitter>,
    MayReadDirectory(receiver): MayReadDirectory,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let request = scim::ListRequest::from_search(&body, KIND)?;
    search::answer::<Group>(&Directory::of(&transmitter), &receiver, &request).await
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
    let group = directory.group(parse(&id)?).await?;
    if is_known(&headers, group.revision) {
        return Ok(Answer::empty(StatusCode::NOT_MODIFIED).version(&version(group.revision)));
    }
    answer(&group, &directory, &receiver, &projection).await
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
    let group = create_one(&directory, &receiver, &cause, &body).await?;
    let answer = answer(&group, &directory, &receiver, &projection).await?;
    Ok(answer.status(StatusCode::CREATED).because_of(&cause))
}

pub(crate) async fn create_one(
    directory: &Directory,
    receiver: &Receiver,
    cause: &Cause,
    body: &Value,
) -> Result<Group, Error> {
    let resource = scim::normalize(KIND, body, Mode::Create)?;
    let members = request(receiver, vec![MemberStep::Add(members(resource.get("members")))]);
    let take = |group: &mut Group| group.take(resource.clone(), Given::Whole, Some(&receiver.id));
    directory.group_create(cause, &members, take).await
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
    // Who does not want to see the members does not mean that there are none.
    let keeps = !projection.wants("members") && body.get("members").is_none();
    let place = (id.as_str(), expected(&headers));
    let changed = replace_one(&directory, &receiver, &cause, place, (&body, keeps)).await?;
    after_change(&changed.now, &directory, &receiver, &projection, &cause).await
}

pub(crate) async fn replace_one(
    directory: &Directory,
    receiver: &Receiver,
    cause: &Cause,
    (id, revision): (&str, Option<u64>),
    (body, keeps): (&Value, bool),
) -> Result<Changed<Group>, Error> {
    let id = parse(id)?;
    let resource = scim::normalize(KIND, body, Mode::Replace)?;
    let steps = if keeps {
        Vec::new()
    } else {
        vec![MemberStep::Replace(members(resource.get("members")))]
    };
    let take = |group: &mut Group| group.take(resource.clone(), Given::Whole, Some(&receiver.id));
    directory.group_change(id, revision, cause, &request(receiver, steps), take).await
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
    let place = (id.as_str(), expected(&headers));
    let changed = change_one(&directory, &receiver, &cause, place, &body).await?;
    after_change(&changed.now, &directory, &receiver, &projection, &cause).await
}

pub(crate) async fn change_one(
    directory: &Directory,
    receiver: &Receiver,
    cause: &Cause,
    (id, revision): (&str, Option<u64>),
    body: &Value,
) -> Result<Changed<Group>, Error> {
    let id = parse(id)?;
    let patch = PatchRequest::parse(body, KIND)?;
    let ids = |members: &[Member]| members.iter().map(|member| member.value.clone()).collect();
    let step = |operation: &MemberOperation| match operation {
        MemberOperation::Add(members) => MemberStep::Add(ids(members)),
        MemberOperation::Remove(ids) => MemberStep::Remove(ids.clone()),
        MemberOperation::RemoveAll => MemberStep::Replace(Vec::new()),
        MemberOperation::Replace(members) => MemberStep::Replace(ids(members)),
    };
    let mut members = request(receiver, patch.members().iter().map(step).collect());
    members.guard = receiver.scim.wipe_guard;
    let client = Some(&receiver.id);
    let take = |group: &mut Group| {
        let patched = patch.apply(&group.writable(client))?;
        group.take(patched.resource, Given::Changed, client)
    };
    directory.group_change(id, revision, cause, &members, take).await
}

pub(crate) async fn delete(
    State(transmitter): State<Transmitter>,
    MayProvision(receiver): MayProvision,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let cause = cause(&directory, &receiver, false);
    directory.group_delete(parse(&id)?, expected(&headers), &cause).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT).because_of(&cause))
}

fn request(receiver: &Receiver, steps: Vec<MemberStep>) -> MemberRequest {
    let unknown = match receiver.scim.unknown_members {
        UnknownMembers::Skip => Unknown::Skip,
        UnknownMembers::Reject => Unknown::Reject,
    };
    MemberRequest { steps, unknown, ..MemberRequest::default() }
}

/// The ids of the members of a resource in its canonical form.
fn members(members: Option<&Value>) -> Vec<String> {
    let members = members.and_then(Value::as_array).into_iter().flatten();
    members.filter_map(|member| member["value"].as_str()).map(str::to_owned).collect()
}

pub(crate) fn parse(id: &str) -> Result<ResourceId, Error> {
    let no_such = || Error::NotFound { kind: "group", id: id.to_owned() };
    ResourceId::parse(id).ok_or_else(no_such)
}

/// What a change is answered with: the whole group while it is small, or if the client asks for it.
async fn after_change(
    group: &Group,
    directory: &Directory,
    receiver: &Receiver,
    projection: &Projection,
    cause: &Cause,
) -> Result<Answer, Problem> {
    let small = group.member_count <= MOST_AFTER_CHANGE || !projection.wants("members");
    let shown = match receiver.scim.group_patch {
        GroupPatch::Auto => small,
        GroupPatch::NoContent => false,
    };
    if shown || projection.is_of_attributes() {
        let answer = answer(group, directory, receiver, projection).await?;
        return Ok(answer.because_of(cause));
    }
    let empty = Answer::empty(StatusCode::NO_CONTENT).version(&version(group.revision));
    Ok(empty.because_of(cause))
}

async fn answer(
    group: &Group,
    directory: &Directory,
    receiver: &Receiver,
    projection: &Projection,
) -> Result<Answer, Problem> {
    let body = answered(group, directory, receiver, projection, MOST_MEMBERS).await?;
    let location = location(KIND, group.id, &directory.base());
    Ok(Answer::of(body).version(&version(group.revision)).location(&location))
}

/// The group as `receiver` sees it; with its members, if they are not more than `most`.
pub(crate) async fn answered(
    group: &Group,
    directory: &Directory,
    receiver: &Receiver,
    projection: &Projection,
    most: usize,
) -> Result<Value, Error> {
    let base = directory.base();
    let mut resource = group.resource(Some(&receiver.id), &base);
    let few = group.member_count <= most as u64;
    if projection.wants("members") && group.member_count > 0 && few {
        let members = directory.members_of(group, most).await?;
        let member = |user: &ResourceId| {
            json!({
                "value": user,
                "$ref": location(ResourceType::User, *user, &base),
                "type": "User",
            })
        };
        resource.insert("members".to_owned(), members.iter().map(member).collect());
    }
    Ok(projection.apply(&Value::Object(resource)))
}
