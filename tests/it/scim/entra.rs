//! Microsoft Entra ID, in both of its dialects.

use std::slice::from_ref;

use serde_json::{Value, json};

use super::{Provisioning, id, refusal};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

async fn active(p: &Provisioning, ada: &str) -> Value {
    p.get(&format!("/Users/{ada}")).await["active"].clone()
}

#[tokio::test]
async fn off_is_off_however_it_is_written() {
    let p = Provisioning::new().await;
    let ada = p.person("ada").await;
    let path = format!("/Users/{ada}");
    for value in [json!("False"), json!("false"), json!(false), json!("FALSE")] {
        let on =
            p.patch(&path, json!([{ "op": "Replace", "path": "active", "value": "True" }])).await;
        assert_eq!((on.status.as_u16(), active(&p, &ada).await), (200, json!(true)));
        p.patch(&path, json!([{ "op": "Replace", "path": "active", "value": value }])).await;
        assert_eq!(active(&p, &ada).await, false, "{value}");
        p.patch(&path, json!([{ "op": "replace", "value": { "active": true } }])).await;
        p.patch(&path, json!([{ "op": "replace", "value": { "active": value } }])).await;
        assert_eq!(active(&p, &ada).await, false, "without a path: {value}");
    }
    let what = p.patch(&path, json!([{ "op": "Replace", "path": "active", "value": "foo" }])).await;
    assert_eq!(refusal(&what), (400, Some("invalidValue".to_owned())));
    assert_eq!(active(&p, &ada).await, false, "never taken for true");
}

#[tokio::test]
async fn the_older_dialect_is_understood() {
    let p = Provisioning::new().await;
    let ada = id(&p
        .create(json!({
            "userName": "ada", "roles": [], "emails": [{ "type": "home", "value": "h@x.example" }],
            "meta": { "resourceType": "User" },
        }))
        .await);
    let boss = p.person("boss").await;
    let answer = p
        .patch(
            &format!("/Users/{ada}"),
            json!([
                { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "A@x.example" },
                { "op": "Replace", "path": "name.givenName", "value": "A" },
                { "op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": boss },
            ]),
        )
        .await;
    assert_eq!(answer.status, 200, "{answer}");
    let user = answer.json();
    assert_eq!(
        user["emails"][1],
        json!({ "type": "work", "value": "A@x.example" }),
        "as it was sent"
    );
    assert_eq!(user["name"]["givenName"], "A");
    let place = format!("https://tocsin.example/scim/v2/Users/{boss}");
    assert_eq!(user[ENTERPRISE]["manager"], json!({ "value": boss, "$ref": place }));
    assert_eq!(user.get("roles"), None);
}

#[tokio::test]
async fn a_value_without_a_path_may_have_paths_for_names() {
    let p = Provisioning::new().await;
    let ada = p.person("ada").await;
    let answer = p
        .patch(
            &format!("/Users/{ada}"),
            json!([{ "op": "replace", "value": {
        "displayName": "D", "name.givenName": "G", "emails[type eq \"work\"].value": "a@x.example",
        format!("{ENTERPRISE}:employeeNumber"): "7",
    } }]),
        )
        .await
        .json();
    assert_eq!(answer["displayName"], "D");
    assert_eq!(answer["name"]["givenName"], "G");
    assert_eq!(answer["emails"][0]["value"], "a@x.example");
    assert_eq!(answer[ENTERPRISE]["employeeNumber"], "7");
}

#[tokio::test]
async fn members_come_and_go_in_each_form() {
    let p = Provisioning::new().await;
    let (ada, bob) = (p.person("ada").await, p.person("bob").await);
    let group = p.group("Staff", &[]).await;
    let path = format!("/Groups/{group}");
    for remove in [
        json!({ "op": "Remove", "path": "members", "value": [{ "value": bob }] }),
        json!({ "op": "remove", "path": format!("members[value eq \"{bob}\"]") }),
    ] {
        for value in [&ada, &bob] {
            let add = json!([{ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": value }] }]);
            p.patch(&path, add).await;
        }
        assert_eq!(p.members(&group).await, [ada.clone(), bob.clone()]);
        p.patch(&path, json!([remove])).await;
        assert_eq!(p.members(&group).await, from_ref(&ada), "{remove}");
    }
}

#[tokio::test]
async fn what_it_asks_is_answered() {
    let p = Provisioning::new().await;
    let ada = id(&p
        .create(json!({
            "userName": "ada", "externalId": "e-1", "active": false,
            "emails": [{ "type": "work", "value": "a@x.example" }],
        }))
        .await);
    let group = p.group("Staff", &[&ada]).await;
    let ask = async |kind: &str, filter: &str, more: &str| {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let list = p.get(&format!("/{kind}?{more}filter={filter}")).await;
        let found = list["Resources"].as_array().unwrap();
        assert_eq!(list["totalResults"], found.len());
        found.iter().map(id).collect::<Vec<_>>()
    };
    let people = [
        "userName eq \"ADA\"",
        "externalId eq \"e-1\"",
        "emails[type eq \"work\"].value eq \"A@X.example\"",
        "active eq False",
        "active eq false and userName eq \"ada\"",
    ];
    for filter in people {
        assert_eq!(ask("Users", filter, "").await, from_ref(&ada), "{filter}");
    }
    assert!(ask("Users", "externalId eq \"E-1\"", "").await.is_empty(), "this is exact");
    let excluded = "excludedAttributes=members&";
    assert_eq!(ask("Groups", "displayName eq \"staff\"", excluded).await, from_ref(&group));
    let member = format!("id eq \"{group}\" and members eq \"{ada}\"");
    assert_eq!(ask("Groups", &member, excluded).await, from_ref(&group));
    let other = format!("id eq \"{group}\" and members eq \"{group}\"");
    assert!(ask("Groups", &other, excluded).await.is_empty());
}

#[tokio::test]
async fn an_empty_patch_is_refused_and_one_that_repeats_itself_tells_nothing() {
    let p = Provisioning::new().await;
    let ada = p.person("ada").await;
    let path = format!("/Users/{ada}");
    assert_eq!(refusal(&p.patch(&path, json!([])).await), (400, Some("invalidSyntax".to_owned())));
    let operations = json!([{ "op": "Replace", "path": "displayName", "value": "Ada" }]);
    let first = p.patch(&path, operations.clone()).await;
    let waiting = p.events_waiting().await;
    let second = p.patch(&path, operations).await;
    assert_eq!(first.headers["etag"], second.headers["etag"]);
    assert_eq!(first.json()["meta"], second.json()["meta"]);
    assert_eq!(p.events_waiting().await, waiting);
    let required = p.patch(&path, json!([{ "op": "Remove", "path": "userName" }])).await;
    assert_eq!(required.status, 400, "{required}");
}
