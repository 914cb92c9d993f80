//! The people and groups of the directory as models.

use serde_json::{Value, json};
use ssf::{
    client::Secret,
    directory::{
        Actor, Directory, ENTERPRISE, Given, Group, MemberRequest, MemberStep, PasswordHash,
        ResourceId, User,
    },
    model::Attribute,
};

use super::{Kept, contract};
use crate::sign_in::{Scene, id};

const TOCSIN_USER: &str = "urn:tocsin:params:scim:schemas:extension:1.0:User";

/// The people of the directory.
struct Users<'a>(&'a Scene);

impl Users<'_> {
    fn directory(&self) -> Directory {
        Directory::of(&self.0.world.transmitter)
    }
}

/// A thing that is not there is quietly not deleted.
#[track_caller]
fn gone(deleted: &Result<(), ssf::Error>) {
    assert!(matches!(deleted, Ok(()) | Err(ssf::Error::NotFound { .. })), "{deleted:?}");
}

impl Kept for Users<'_> {
    type Id = ResourceId;

    fn attributes(&self) -> &'static [Attribute] {
        &User::ATTRIBUTES
    }

    fn base(&self) -> [&'static str; 2] {
        ["id", "created"]
    }

    fn hidden(&self) -> &'static [&'static str] {
        &["password", "external_ids", "sequence"]
    }

    /// Somebody of whom all is known, in a group.
    async fn make(&self) -> ResourceId {
        let directory = self.directory();
        let name = self.0.world.transmitter.parts().ids.fresh().simple().to_string();
        let resource = json!({
            "userName": name, "displayName": "Ada", "nickName": "A", "title": "Countess",
            "name": {
                "formatted": "Ada Lovelace", "givenName": "Ada", "familyName": "Lovelace",
                "middleName": "King",
            },
            "profileUrl": "https://ada.example", "userType": "Employee",
            "preferredLanguage": "en", "locale": "en-GB", "timezone": "Europe/London",
            "emails": [{ "value": "a@x.example" }, { "value": "b@x.example", "primary": true }],
            "phoneNumbers": [{ "value": "+4930123" }],
            "photos": [{ "value": "https://ada.example/1" }],
            "addresses": [{
                "formatted": "1 Main St", "streetAddress": "1 Main St", "postalCode": "1",
                "locality": "London", "region": "London", "country": "GB",
            }],
            ENTERPRISE: {
                "employeeNumber": "7", "costCenter": "c", "organization": "o", "division": "d",
                "department": "Engines", "manager": { "value": "m" },
            },
            TOCSIN_USER: { "lockDate": "2099-01-01T00:00:00Z" },
        });
        let cause = directory.cause(Actor::Operator);
        let resource = resource.as_object().unwrap();
        let make = |user: &mut User| {
            user.set_password(Some(PasswordHash::of(&Secret::new("correct horse"))?));
            user.take(resource.clone(), Given::Whole, Some(&id("okta")), cause.at)
        };
        let user = directory.user_create(&cause, make).await.unwrap();
        let group = Groups(self.0).with(&format!("of {name}"), &[user.id]).await;
        assert_eq!(directory.groups_of(user.id).await.unwrap()[0].id, group);
        user.id
    }

    async fn get(&self, id: &ResourceId) -> Option<Value> {
        let user = self.directory().user(*id).await.ok()?;
        let groups = self.directory().groups_of(*id).await.unwrap();
        let groups: Vec<_> = groups.iter().map(|group| group.id).collect();
        Some(user.as_model(&groups).into())
    }

    async fn change(&self, id: &ResourceId) {
        let cause = self.directory().cause(Actor::Operator);
        let change = |user: &mut User| {
            user.attributes.title = Some("Lady".to_owned());
            Ok(())
        };
        self.directory().user_change(*id, None, &cause, change).await.unwrap();
    }

    async fn delete(&self, id: &ResourceId) {
        let cause = self.directory().cause(Actor::Operator);
        gone(&self.directory().user_delete(*id, None, &cause).await);
    }
}

/// The groups of the directory.
struct Groups<'a>(&'a Scene);

impl Groups<'_> {
    fn directory(&self) -> Directory {
        Directory::of(&self.0.world.transmitter)
    }

    async fn with(&self, name: &str, members: &[ResourceId]) -> ResourceId {
        let cause = self.directory().cause(Actor::Operator);
        let steps = vec![MemberStep::Add(members.iter().map(ToString::to_string).collect())];
        let members = MemberRequest { steps, ..MemberRequest::default() };
        let make = |group: &mut Group| {
            name.clone_into(&mut group.display_name);
            group.description = Some("who are here".to_owned());
            Ok(())
        };
        self.directory().group_create(&cause, &members, make).await.unwrap().id
    }
}

impl Kept for Groups<'_> {
    type Id = ResourceId;

    fn attributes(&self) -> &'static [Attribute] {
        &Group::ATTRIBUTES
    }

    fn base(&self) -> [&'static str; 2] {
        ["id", "created"]
    }

    fn hidden(&self) -> &'static [&'static str] {
        &["external_ids", "sequence", "revision", "member_count"]
    }

    async fn make(&self) -> ResourceId {
        let directory = self.directory();
        let name = self.0.world.transmitter.parts().ids.fresh().simple().to_string();
        let cause = directory.cause(Actor::Operator);
        let make = |user: &mut User| {
            name.clone_into(&mut user.attributes.user_name);
            Ok(())
        };
        let user = directory.user_create(&cause, make).await.unwrap();
        self.with(&name, &[user.id]).await
    }

    async fn get(&self, id: &ResourceId) -> Option<Value> {
        let group = self.directory().group(*id).await.ok()?;
        let members = self.directory().members_of(&group, 100).await.unwrap();
        Some(group.as_model(&members).into())
    }

    async fn change(&self, id: &ResourceId) {
        let cause = self.directory().cause(Actor::Operator);
        let change = |group: &mut Group| {
            group.description = Some("who are there".to_owned());
            Ok(())
        };
        let members = MemberRequest::default();
        self.directory().group_change(*id, None, &cause, &members, change).await.unwrap();
    }

    async fn delete(&self, id: &ResourceId) {
        let cause = self.directory().cause(Actor::Operator);
        gone(&self.directory().group_delete(*id, None, &cause).await);
    }
}

#[tokio::test]
async fn people_keep_the_contract() {
    let scene = Scene::new().await;
    contract(&scene, Users(&scene)).await;
}

#[tokio::test]
async fn groups_keep_the_contract() {
    let scene = Scene::new().await;
    contract(&scene, Groups(&scene)).await;
}

#[tokio::test]
async fn a_person_has_all_attributes_and_is_found_by_id_and_by_name() {
    let scene = Scene::new().await;
    let users = Users(&scene);
    let id = users.make().await;
    let view = users.get(&id).await.unwrap();
    for attribute in User::ATTRIBUTES {
        assert!(view.get(attribute.name).is_some(), "{}", attribute.name);
    }
    let name = view["user_name"].as_str().unwrap().to_uppercase();
    assert_eq!(users.directory().user_named(&name).await.unwrap().id, id);
    assert_eq!(users.directory().user_named(&id.to_string()).await.unwrap().id, id);
    let group: ResourceId = serde_json::from_value(view["groups"][0].clone()).unwrap();
    let group = Groups(&scene).get(&group).await.unwrap();
    assert_eq!(group["members"], json!([id]), "two views of one fact");
    let by_name = users.directory().group_named(group["display_name"].as_str().unwrap()).await;
    assert_eq!(json!(by_name.unwrap().id), group["id"]);
}
