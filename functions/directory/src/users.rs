//! People (RFC 7643, 4.1).

use http::StatusCode;
use serde_json::{Map, Value, json};
use ssf::{
    Error,
    client::{Receiver, Secret},
    directory::{Directory, Given, Group, PasswordHash, ResourceId, User, location},
    scim::{self, ErrorKind, Mode, PatchRequest, Projection, ResourceType},
};

use crate::resource::{At, Place, Resource, Writer};

const KIND: ResourceType = ResourceType::User;

impl Resource for User {
    fn revision(&self) -> u64 {
        self.revision
    }

    async fn find(directory: &Directory, id: ResourceId) -> Result<Self, Error> {
        directory.user(id).await
    }

    /// Makes a person, or gives back the one that it was, where the operator wants that.
    async fn create(writer: &Writer<'_>, body: &Value) -> Result<(Self, StatusCode), Error> {
        let Writer { directory, receiver, cause } = writer;
        let given = Whole::read(writer, body, Mode::Create, None).await?;
        match directory.user_create(cause, |user| given.to(user, writer)).await {
            Err(Error::Scim(error)) if error.kind == ErrorKind::Uniqueness => {
                let Some(id) = directory.former(receiver, &given.resource).await? else {
                    return Err(error.into());
                };
                let take = |user: &mut Self| given.to(user, writer);
                let adopted = directory.user_change(id, None, cause, take).await?;
                Ok((adopted.now, StatusCode::OK))
            }
            created => Ok((created?, StatusCode::CREATED)),
        }
    }

    async fn replace(
        writer: &Writer<'_>,
        Place { id, revision }: Place,
        body: &Value,
        _: &Projection,
    ) -> Result<Self, Error> {
        let given = Whole::read(writer, body, Mode::Replace, Some(id)).await?;
        let take = |user: &mut Self| given.to(user, writer);
        Ok(writer.directory.user_change(id, revision, writer.cause, take).await?.now)
    }

    async fn change(
        writer: &Writer<'_>,
        Place { id, revision }: Place,
        body: &Value,
    ) -> Result<Self, Error> {
        let Writer { directory, receiver, cause } = writer;
        let patch = PatchRequest::parse(body, KIND)?;
        let client = Some(&receiver.id);
        // Only who names the password sets it; what it is to be, the request says whatever was before.
        let named = body.to_string().to_ascii_lowercase().contains("password");
        let password = if named {
            let before = directory.user(id).await?;
            let after = patch.apply(&before.writable(client, cause.at))?.resource;
            password(writer, &after, Some(id)).await?
        } else {
            None
        };
        let take = |user: &mut Self| {
            let patched = patch.apply(&user.writable(client, cause.at))?;
            user.take(patched.resource, Given::Changed, client, cause.at)?;
            set(user, password.as_ref());
            Ok(())
        };
        Ok(directory.user_change(id, revision, cause, take).await?.now)
    }

    async fn delete(writer: &Writer<'_>, Place { id, revision }: Place) -> Result<(), Error> {
        writer.directory.user_delete(id, revision, writer.cause).await
    }

    async fn shown(
        &self,
        directory: &Directory,
        receiver: &Receiver,
        projection: &Projection,
        _: At,
    ) -> Result<Value, Error> {
        let base = directory.base();
        let mut resource = self.resource(Some(&receiver.id), &base, directory.now());
        if projection.wants("groups") {
            add_groups(&mut resource, &directory.groups_of(self.id).await?, &base);
        }
        Ok(projection.apply(&Value::Object(resource)))
    }
}

/// Adds the groups that a person is in, if there are any.
pub(crate) fn add_groups(resource: &mut Map<String, Value>, groups: &[Group], base: &str) {
    let group = |group: &Group| {
        json!({
            "value": group.id,
            "$ref": location(ResourceType::Group, group.id, base),
            "display": group.display_name,
            "type": "direct",
        })
    };
    if !groups.is_empty() {
        resource.insert("groups".to_owned(), groups.iter().map(group).collect());
    }
}

/// A person that is given whole.
struct Whole {
    resource: Map<String, Value>,
    password: Option<PasswordHash>,
}

impl Whole {
    async fn read(
        writer: &Writer<'_>,
        body: &Value,
        mode: Mode,
        id: Option<ResourceId>,
    ) -> Result<Self, Error> {
        let resource = scim::normalize(KIND, body, mode)?;
        let password = password(writer, &resource, id).await?;
        Ok(Self { resource, password })
    }

    /// Makes `user` so.
    fn to(&self, user: &mut User, writer: &Writer<'_>) -> Result<(), Error> {
        let client = Some(&writer.receiver.id);
        user.take(self.resource.clone(), Given::Whole, client, writer.cause.at)?;
        set(user, self.password.as_ref());
        Ok(())
    }
}

fn set(user: &mut User, password: Option<&PasswordHash>) {
    if let Some(hash) = password {
        user.set_password(Some(hash.clone()));
    }
}

/// The password in `resource` as it is kept, if there is one that this client may set and that is not
/// the person's already.
async fn password(
    writer: &Writer<'_>,
    resource: &Map<String, Value>,
    id: Option<ResourceId>,
) -> Result<Option<PasswordHash>, Error> {
    let Writer { directory, receiver, .. } = writer;
    let Some(password) = resource.get("password").and_then(Value::as_str) else { return Ok(None) };
    if !receiver.scim.may_set_passwords {
        // Not refused: some clients send one with everybody whom they create.
        tracing::info!(client.id = %receiver.id, "a password was sent that the client may not set");
        return Ok(None);
    }
    directory.new_password(id, Secret::new(password)).await
}
