//! SCIM over HTTP, as provisioning clients speak it.

mod bytes;
mod dialects;
mod discovery;
mod entra;
mod group_members;
mod judges;
mod me;
mod okta;
mod protocol;
mod rights;
mod traps;
mod ways;

use http::Method;
use serde_json::{Value, json};
use ssf::client::{ClientId, NewClient, Scope};
use tests::{Answer, Caller, World};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A provisioning client, and what it talks to.
struct Provisioning {
    world: World,
    caller: Caller,
}

impl Provisioning {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut NewClient)) -> Self {
        let world = World::with(|config| config.requests_per_second = 0);
        let caller = client(&world, "okta", change).await;
        Self { world, caller }
    }

    async fn create(&self, attributes: Value) -> Value {
        let answer = self.caller.post("/scim/v2/Users", with_schema(USER, attributes)).await;
        assert_eq!(answer.status, 201, "{answer}");
        answer.json()
    }

    async fn person(&self, name: &str) -> String {
        id(&self.create(json!({ "userName": name })).await)
    }

    async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "displayName": name, "members": members });
        let answer = self.caller.post("/scim/v2/Groups", with_schema(GROUP, body)).await;
        assert_eq!(answer.status, 201, "{answer}");
        id(&answer.json())
    }

    /// PATCH with these operations.
    async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({ "schemas": [PATCH], "Operations": operations });
        self.caller.patch(&format!("/scim/v2{path}"), body).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.caller.get(&format!("/scim/v2{path}")).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json()
    }

    /// The ids of the members of a group.
    async fn members(&self, group: &str) -> Vec<String> {
        let group = self.get(&format!("/Groups/{group}")).await;
        let members = group["members"].as_array().cloned().unwrap_or_default();
        members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect()
    }

    async fn events_waiting(&self) -> u64 {
        self.world.transmitter.parts().ingest_fifo.depth().await.unwrap()
    }
}

/// A client with the scope `scim`, and its token.
async fn client(world: &World, name: &str, change: impl FnOnce(&mut NewClient)) -> Caller {
    let wish = |wish: &mut NewClient| {
        wish.scope = vec![Scope::Scim];
        change(wish);
    };
    world.register(name, wish).await;
    let token = world.transmitter.static_token_create(&ClientId(name.to_owned()), None).await;
    world.caller(token.unwrap().1.expose())
}

fn with_schema(urn: &str, mut resource: Value) -> Value {
    resource["schemas"] = json!([urn]);
    resource
}

fn id(resource: &Value) -> String {
    resource["id"].as_str().unwrap().to_owned()
}

/// The status of an answer, what SCIM calls it, and that it is told in SCIM's way.
#[track_caller]
fn refusal(answer: &Answer) -> (u16, Option<String>) {
    assert_eq!(answer.headers["content-type"], "application/scim+json", "{answer}");
    let body = answer.json();
    assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!(body["status"], answer.status.as_str(), "a text");
    assert!(body["detail"].is_string());
    (answer.status.as_u16(), body["scimType"].as_str().map(str::to_owned))
}

/// Any request, with a body of this type.
async fn send(caller: &Caller, method: Method, path: &str, kind: &str, body: &str) -> Answer {
    let headers = [("content-type", kind)];
    let headers = if kind.is_empty() { &[][..] } else { &headers[..] };
    caller.send(method, path, headers, axum::body::Body::from(body.to_owned())).await
}
