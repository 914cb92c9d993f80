//! Whether a resource is one that is asked for.

use serde_json::{Value, json};

use super::{
    Directory, Group, ResourceId,
    lists::{Listed, Search},
    members::member_key,
    plan::{compared_members, mentions},
};
use crate::{
    Error,
    scim::{self, ErrorKind, Filter, ResourceType},
};

impl Directory {
    /// Whether a resource is one that is asked for.
    pub(super) async fn fits<T: Listed>(
        &self,
        search: &Search<'_>,
        resource: &T,
    ) -> Result<bool, Error> {
        let Some(filter) = search.filter else { return Ok(true) };
        let mut view = resource.view(search.client, &self.base(), self.parts().clock.now());
        match T::KIND {
            ResourceType::User if mentions(filter, "groups") => {
                let groups = self.groups_of(resource.id()).await?;
                let group = |group: &Group| json!({ "value": group.id, "type": "direct" });
                view.insert("groups".to_owned(), groups.iter().map(group).collect());
            }
            ResourceType::Group if mentions(filter, "members") => {
                let members = self.compared(filter, resource.id()).await?;
                view.insert("members".to_owned(), members);
            }
            ResourceType::User | ResourceType::Group => {}
        }
        Ok(filter.matches(&Value::Object(view)))
    }

    /// Of the members of a group those whom `filter` asks about, and one more if there are any, so
    /// that it is seen that there are: nobody reads 100,000 to find one.
    async fn compared(&self, filter: &Filter, group: ResourceId) -> Result<Value, Error> {
        let asked = compared_members(filter).map_err(|()| {
            let detail = "members can be compared by `value eq` alone";
            Error::from(scim::Error::new(ErrorKind::TooMany, detail))
        })?;
        let users: Vec<_> = asked.iter().filter_map(|user| ResourceId::parse(user)).collect();
        let keys: Vec<_> = users.iter().map(|user| member_key(group, *user)).collect();
        let there = self.parts().table.batch_get(&keys).await?;
        let there = users.iter().zip(there).filter(|(_, item)| item.is_some());
        let mut members: Vec<Value> =
            there.map(|(user, _)| json!({ "value": user, "type": "User" })).collect();
        if members.is_empty() && !self.member_rows(group, None, 1).await?.0.is_empty() {
            members.push(json!({ "value": "…" }));
        }
        Ok(members.into())
    }
}
