//! The directory: people, groups, and what their changes tell.

mod concurrent;
mod consents;
mod delivered;
mod groups;
mod lists;
mod told;
mod txn;
mod users;

use serde_json::{Map, Value, json};
use ssf::{
    Error,
    client::ClientId,
    directory::{
        Actor, Changed, Directory, Given, Group, MemberRequest, MemberStep, ResourceId, User,
    },
    scim::ErrorKind,
    table::{Item, Query, class},
};
use tests::World;

/// A world with a directory.
struct House {
    world: World,
    directory: Directory,
}

impl House {
    fn new() -> Self {
        let world = World::new();
        let directory = Directory::of(&world.transmitter);
        Self { world, directory }
    }

    /// What follows from changes and is still to be done.
    async fn outbox(&self) -> Vec<Item> {
        let mut rows = Vec::new();
        for part in 0..16 {
            let query = Query::sorted(class::OUTBOX.of(format_args!("{part:02}")), "");
            rows.extend(self.world.transmitter.parts().table.query(query).await.unwrap().items);
        }
        rows
    }

    /// Makes a person with these attributes.
    async fn create(&self, attributes: Value) -> User {
        self.try_create(attributes).await.unwrap()
    }

    async fn try_create(&self, attributes: Value) -> Result<User, Error> {
        let cause = self.directory.cause(Actor::Operator);
        let make = |user: &mut User| user.take(map(&attributes), Given::Whole, None, cause.at);
        self.directory.user_create(&cause, make).await
    }

    /// A person of this name.
    async fn person(&self, name: &str) -> User {
        self.create(json!({ "userName": name })).await
    }

    /// Gives a person these attributes, and no others.
    async fn replace(&self, id: ResourceId, attributes: Value) -> Result<Changed<User>, Error> {
        let cause = self.directory.cause(Actor::Operator);
        let change = |user: &mut User| user.take(map(&attributes), Given::Whole, None, cause.at);
        self.directory.user_change(id, None, &cause, change).await
    }

    async fn delete(&self, id: ResourceId) {
        let cause = self.directory.cause(Actor::Operator);
        self.directory.user_delete(id, None, &cause).await.unwrap();
    }

    /// Makes a group of this name with these members.
    async fn group(&self, name: &str, members: &[ResourceId]) -> Group {
        self.try_group(name, members).await.unwrap()
    }

    async fn try_group(&self, name: &str, members: &[ResourceId]) -> Result<Group, Error> {
        let cause = self.directory.cause(Actor::Operator);
        let request = request(vec![MemberStep::Add(texts(members))]);
        let resource = map(&json!({ "displayName": name }));
        let make = |group: &mut Group| group.take(resource.clone(), Given::Whole, None);
        self.directory.group_create(&cause, &request, make).await
    }

    /// Changes who is in a group.
    async fn members(&self, group: ResourceId, steps: Vec<MemberStep>) -> Changed<Group> {
        let cause = self.directory.cause(Actor::Operator);
        let request = request(steps);
        let change = self.directory.group_change(group, None, &cause, &request, |_| Ok(()));
        change.await.unwrap()
    }

    /// The messages that are on the FIFO queue, as pairs of the end of the type and the message; takes
    /// them away.
    async fn told(&self) -> Vec<(String, Value)> {
        let queue = &self.world.transmitter.parts().ingest_fifo;
        let mut told = Vec::new();
        loop {
            let found = queue.receive(100, std::time::Duration::from_secs(30)).await.unwrap();
            if found.is_empty() {
                return told;
            }
            let receipts = found.iter().map(|message| message.receipt.clone()).collect();
            queue.delete(receipts).await.unwrap();
            for message in found {
                let message: Value = serde_json::from_str(&message.body).unwrap();
                let uri = message["events"].as_object().unwrap().keys().next().unwrap();
                let kind = uri.strip_prefix("urn:ietf:params:scim:event:");
                let kind = kind.unwrap_or_else(|| uri.rsplit('/').next().unwrap());
                told.push((kind.to_owned(), message));
            }
        }
    }

    /// The same, the types alone.
    async fn told_types(&self) -> Vec<String> {
        self.told().await.into_iter().map(|(kind, _)| kind).collect()
    }
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn texts(ids: &[ResourceId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn request(steps: Vec<MemberStep>) -> MemberRequest {
    MemberRequest { steps, ..MemberRequest::default() }
}

/// What SCIM calls it.
#[track_caller]
fn kind_of<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
    match result.unwrap_err() {
        Error::Scim(error) => error.kind,
        error => panic!("{error:?}"),
    }
}

fn client(name: &str) -> ClientId {
    ClientId(name.to_owned())
}
