//! Who may do what.

use http::Method;
use serde_json::json;
use ssf::client::Scope;

use super::{Provisioning, USER, client, refusal, send, with_schema};

#[tokio::test]
async fn who_may_read_may_not_write_and_who_has_streams_may_neither() {
    let p = Provisioning::new().await;
    let ada = p.person("ada").await;
    let reader = client(&p.world, "reader", |wish| wish.scope = vec![Scope::ScimRead]).await;
    let receiver = client(&p.world, "receiver", |wish| wish.scope = vec![Scope::Manage]).await;
    let one = format!("/scim/v2/Users/{ada}");
    assert_eq!(reader.get(&one).await.status, 200);
    assert_eq!(reader.get("/scim/v2/Groups").await.status, 200);
    let body = with_schema(USER, json!({ "userName": "eve" })).to_string();
    let writes = [
        (Method::POST, "/scim/v2/Users".to_owned()),
        (Method::PUT, one.clone()),
        (Method::PATCH, one.clone()),
        (Method::DELETE, one.clone()),
        (Method::POST, "/scim/v2/Bulk".to_owned()),
        (Method::POST, "/scim/v2/Groups".to_owned()),
    ];
    for (method, path) in writes {
        let answer = send(&reader, method.clone(), &path, "application/json", &body).await;
        assert_eq!(refusal(&answer).0, 403, "{method} {path}");
    }
    let answer = receiver.get(&one).await;
    assert_eq!(refusal(&answer).0, 403);
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("scope=\"scim.read\""), "{challenge}");
    let answer = p.caller.get("/ssf/streams").await;
    assert_eq!(answer.status, 403, "nor the other way round");
}

#[tokio::test]
async fn no_client_learns_what_another_calls_a_person() {
    let p = Provisioning::new().await;
    let entra = client(&p.world, "entra", |_| {}).await;
    let ada = super::id(&p.create(json!({ "userName": "ada", "externalId": "secret-1" })).await);
    let path = format!("/scim/v2/Users/{ada}");
    assert!(!entra.get(&path).await.to_string().contains("secret-1"));
    let filter = "/scim/v2/Users?filter=externalId%20eq%20%22secret-1%22";
    assert_eq!(entra.get(filter).await.json()["totalResults"], 0);
    assert_eq!(p.caller.get(filter).await.json()["totalResults"], 1);
    // What the other client writes leaves it.
    let body = with_schema(USER, json!({ "userName": "ada", "externalId": "e-7" }));
    assert_eq!(entra.put(&path, body).await.json()["externalId"], "e-7");
    assert_eq!(p.caller.get(&path).await.json()["externalId"], "secret-1");
}
