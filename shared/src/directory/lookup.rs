//! People and groups by what people call them.

use super::{
    Directory, Group, ResourceId, User,
    store::{Named, name_key},
};
use crate::{Error, scim::ResourceType};

impl Directory {
    /// The person with this id or else this `userName`, whose case does not matter. An id comes
    /// first, so that nobody is taken for another by a name that is the other's id.
    pub async fn user_named(&self, text: &str) -> Result<User, Error> {
        if let Some(id) = ResourceId::parse(text) {
            match self.user(id).await {
                Err(Error::NotFound { .. }) => {}
                found => return found,
            }
        }
        match self.id_of(ResourceType::User, text).await? {
            Some(id) => self.user(id).await,
            None => Err(Error::NotFound { kind: "user", id: text.to_owned() }),
        }
    }

    /// The group with this id or else this `displayName`, whose case does not matter.
    pub async fn group_named(&self, text: &str) -> Result<Group, Error> {
        if let Some(id) = ResourceId::parse(text) {
            match self.group(id).await {
                Err(Error::NotFound { .. }) => {}
                found => return found,
            }
        }
        match self.id_of(ResourceType::Group, text).await? {
            Some(id) => self.group(id).await,
            None => Err(Error::NotFound { kind: "group", id: text.to_owned() }),
        }
    }

    /// Whose name this is.
    pub async fn id_of(&self, kind: ResourceType, name: &str) -> Result<Option<ResourceId>, Error> {
        let item = self.parts().table.get(&name_key(kind, name)).await?;
        Ok(item.map(|item| item.read::<Named>()).transpose()?.map(|named| named.id))
    }

    /// Those of these people who are there, in this order.
    pub async fn users(&self, ids: &[ResourceId]) -> Result<Vec<User>, Error> {
        let mut people = self.people(ids).await?;
        Ok(ids.iter().filter_map(|id| people.remove(id)).map(|(user, _)| user).collect())
    }
}
