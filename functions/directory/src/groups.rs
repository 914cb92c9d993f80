//! Groups (RFC 7643, 4.2).

use http::StatusCode;
use serde_json::{Value, json};
use ssf::{
    Error,
    client::{GroupPatch, Receiver, UnknownMembers},
    directory::{
        Directory, Given, Group, MemberRequest, MemberStep, ResourceId, Unknown, location,
    },
    scim::{self, Member, MemberOperation, Mode, PatchRequest, Projection, ResourceType},
};

use crate::{
    group_members::members_location,
    resource::{At, Place, Resource, Writer},
};

const KIND: ResourceType = ResourceType::Group;

/// One group is answered with at most so many members: more would not fit into an answer of a Lambda
/// function. A group that has more is answered with how many there are, and where.
const MOST_MEMBERS: usize = 10_000;

/// The same for a group in a list.
const MOST_LISTED: usize = 1_000;

/// A change of a group with more members is answered with nothing.
const MOST_AFTER_CHANGE: u64 = 1_000;

impl Resource for Group {
    fn revision(&self) -> u64 {
        self.revision
    }

    async fn find(directory: &Directory, id: ResourceId) -> Result<Self, Error> {
        directory.group(id).await
    }

    async fn create(writer: &Writer<'_>, body: &Value) -> Result<(Self, StatusCode), Error> {
        let Writer { directory, receiver, cause } = writer;
        let resource = scim::normalize(KIND, body, Mode::Create)?;
        let members = request(receiver, vec![MemberStep::Add(members(resource.get("members")))]);
        let take =
            |group: &mut Self| group.take(resource.clone(), Given::Whole, Some(&receiver.id));
        let group = directory.group_create(cause, &members, take).await?;
        Ok((group, StatusCode::CREATED))
    }

    async fn replace(
        writer: &Writer<'_>,
        Place { id, revision }: Place,
        body: &Value,
        projection: &Projection,
    ) -> Result<Self, Error> {
        let Writer { directory, receiver, cause } = writer;
        let resource = scim::normalize(KIND, body, Mode::Replace)?;
        // Who does not want to see the members does not mean that there are none.
        let steps = if !projection.wants("members") && body.get("members").is_none() {
            Vec::new()
        } else {
            vec![MemberStep::Replace(members(resource.get("members")))]
        };
        let take =
            |group: &mut Self| group.take(resource.clone(), Given::Whole, Some(&receiver.id));
        let request = request(receiver, steps);
        Ok(directory.group_change(id, revision, cause, &request, take).await?.now)
    }

    async fn change(
        writer: &Writer<'_>,
        Place { id, revision }: Place,
        body: &Value,
    ) -> Result<Self, Error> {
        let Writer { directory, receiver, cause } = writer;
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
        let take = |group: &mut Self| {
            let patched = patch.apply(&group.writable(client))?;
            group.take(patched.resource, Given::Changed, client)
        };
        Ok(directory.group_change(id, revision, cause, &members, take).await?.now)
    }

    async fn delete(writer: &Writer<'_>, Place { id, revision }: Place) -> Result<(), Error> {
        writer.directory.group_delete(id, revision, writer.cause).await
    }

    /// With its members, if they are not too many.
    async fn shown(
        &self,
        directory: &Directory,
        receiver: &Receiver,
        projection: &Projection,
        at: At,
    ) -> Result<Value, Error> {
        let base = directory.base();
        let most = match at {
            At::Itself => MOST_MEMBERS,
            At::List => MOST_LISTED,
        };
        let mut resource = self.resource(Some(&receiver.id), &base);
        let few = self.member_count <= most as u64;
        if projection.wants("members") && !few {
            let metadata = json!({
                "memberCount": self.member_count,
                "$ref": members_location(self.id, &base),
            });
            resource.insert("membersMetadata".to_owned(), metadata);
        }
        if projection.wants("members") && self.member_count > 0 && few {
            let members = directory.members_of(self, most).await?;
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

    /// While it is small, or if the client asks for it.
    fn is_shown_after_change(&self, receiver: &Receiver, projection: &Projection) -> bool {
        let small = self.member_count <= MOST_AFTER_CHANGE || !projection.wants("members");
        let shown = match receiver.scim.group_patch {
            GroupPatch::Auto => small,
            GroupPatch::NoContent => false,
        };
        shown || projection.is_of_attributes()
    }
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
