//! What SCIM uses of the table.

use serde_json::{Value, json};
use ssf::client::{ClientId, Scope};
use tests::{Caller, World};

use super::Counted;

/// A client that provisions, as Entra ID and Okta do: with a token that is good until it is revoked.
pub(crate) async fn provisioner(world: &World) -> Caller {
    let scim = |wish: &mut ssf::client::NewClient| {
        wish.scope.clear();
        wish.scope.extend([Scope::Scim]);
    };
    world.register("entra", scim).await;
    let id = ClientId("entra".to_owned());
    let (_, token) = world.transmitter.static_token_create(&id, None).await.unwrap();
    world.caller(token.expose())
}

/// A person as provisioning clients send one.
pub(crate) fn person(number: usize) -> Value {
    let name = format!("jane.smith.{number}@customer.example.com");
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "externalId": format!("00u1abcd{number:012}"),
        "displayName": "Jane Smith",
        "name": { "givenName": "Jane", "familyName": "Smith" },
        "emails": [{ "value": name, "type": "work", "primary": true }],
        "active": true,
    })
}

/// What changes one attribute.
pub(crate) fn patch(op: &str, path: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": op, "path": path, "value": value }],
    })
}

const USERS: &str = "/scim/v2/Users";
const GROUPS: &str = "/scim/v2/Groups";

#[tokio::test]
async fn each_operation_of_scim_uses_what_it_used_before() {
    let mut counted = Counted::new().await;
    let entra = provisioner(&counted.world).await;
    let c = &mut counted;
    let id = |resource: &Value| resource["id"].as_str().unwrap().to_owned();
    let jane = id(&c.ask("create a person", &entra, "POST", USERS, person(1)).await);
    let john = id(&c.ask("create another", &entra, "POST", USERS, person(2)).await);
    let place = format!("{USERS}/{jane}");
    c.ask("read a person", &entra, "GET", &place, json!({})).await;
    let asked = |filter: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("filter", filter)
            .finish();
        format!("{USERS}?{query}")
    };
    let by_name = asked("userName eq \"jane.smith.1@customer.example.com\"");
    c.ask("find one by userName", &entra, "GET", &by_name, json!({})).await;
    let by_id = asked("externalId eq \"00u1abcd000000000001\"");
    c.ask("find one by externalId", &entra, "GET", &by_id, json!({})).await;
    c.ask("list a page of two", &entra, "GET", USERS, json!({})).await;
    let title = patch("replace", "title", json!("Head of Anything"));
    c.ask("change an attribute", &entra, "PATCH", &place, title.clone()).await;
    c.ask("change nothing", &entra, "PATCH", &place, title).await;
    let lock = patch("replace", "active", json!(false));
    c.ask("lock a person", &entra, "PATCH", &place, lock).await;

    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Everybody",
    });
    let group = id(&c.ask("create a group", &entra, "POST", GROUPS, group).await);
    let place_of_group = format!("{GROUPS}/{group}");
    let add = |user: &str| patch("add", "members", json!([{ "value": user }]));
    c.ask("add a member", &entra, "PATCH", &place_of_group, add(&jane)).await;
    c.ask("add another", &entra, "PATCH", &place_of_group, add(&john)).await;
    c.ask("read a group of two", &entra, "GET", &place_of_group, json!({})).await;
    let remove = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "remove", "path": format!("members[value eq \"{john}\"]") }],
    });
    c.ask("remove a member", &entra, "PATCH", &place_of_group, remove).await;
    c.ask("delete a member", &entra, "DELETE", &place, json!({})).await;
    c.ask("delete a person", &entra, "DELETE", &format!("{USERS}/{john}"), json!({})).await;
    c.ask("delete a group", &entra, "DELETE", &place_of_group, json!({})).await;
    insta::assert_snapshot!(counted.lines, @r"
                            writes  units   reads  units
create a person                  3     23       6      7
create another                   3     23       6      7
read a person                    1      1       4      5
find one by userName             1      1       5      6
find one by externalId           1      1       5      6
list a page of two               1      1       7     24
change an attribute              3     10       5      6
change nothing                   1      1       4      5
lock a person                    3     10       6      7
create a group                   3     17       4      5
add a member                     4     22       9     10
add another                      4     22       9     10
read a group of two              1      1       4      5
remove a member                  4     22       9     10
delete a member                  6     40      12     14
delete a person                  4     26      10     11
delete a group                   4     20       6      7
");
}
