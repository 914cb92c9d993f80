//! What clients learn before they are anybody.

use http::Method;
use serde_json::json;

use super::{Provisioning, refusal, send};

#[tokio::test]
async fn anybody_may_know_what_the_service_does() {
    let p = Provisioning::new().await;
    let anyone = p.world.anyone();
    for path in ["ServiceProviderConfig", "ServiceProviderConfigs"] {
        let config = anyone.get(&format!("/scim/v2/{path}")).await.json();
        assert_eq!(config["patch"]["supported"], true);
        assert_eq!(config["pagination"]["cursor"], true);
        assert_eq!(config["filter"]["maxResults"], 200);
        assert_eq!(config["bulk"]["maxOperations"], 100);
    }
    let types = anyone.get("/scim/v2/ResourceTypes").await.json();
    assert_eq!(types["totalResults"], 2);
    assert_eq!(anyone.get("/scim/v2/ResourceTypes/User").await.json()["endpoint"], "/Users");
    let schemas = anyone.get("/scim/v2/Schemas").await.json();
    for schema in schemas["Resources"].as_array().unwrap() {
        let one = anyone.get(&format!("/scim/v2/Schemas/{}", schema["id"].as_str().unwrap())).await;
        assert_eq!(&one.json(), schema);
    }
}

#[tokio::test]
async fn what_the_service_does_is_neither_changed_nor_filtered() {
    let p = Provisioning::new().await;
    for path in ["ServiceProviderConfig", "ResourceTypes", "Schemas"] {
        let path = format!("/scim/v2/{path}");
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = send(&p.caller, method.clone(), &path, "application/json", "{}").await;
            assert_eq!(refusal(&answer).0, 405, "{method} {path}");
        }
        let filtered = p.world.anyone().get(&format!("{path}?filter=id%20eq%20%22x%22")).await;
        assert_eq!(refusal(&filtered).0, 403);
    }
    for path in ["Schemas/urn:nothing", "ResourceTypes/Device"] {
        assert_eq!(refusal(&p.world.anyone().get(&format!("/scim/v2/{path}")).await).0, 404);
    }
}

#[tokio::test]
async fn below_an_issuers_path_all_is_below_it() {
    let world = tests::World::with(|config| {
        config.issuer = ssf::config::Issuer::parse("https://tocsin.example/t/1").unwrap();
    });
    let answer = world.anyone().get("/t/1/scim/v2/ResourceTypes/User").await.json();
    let place = "https://tocsin.example/t/1/scim/v2/ResourceTypes/User";
    assert_eq!(answer["meta"]["location"], json!(place));
    assert_eq!(refusal(&world.anyone().get("/t/1/scim/v2/nope").await).0, 404);
}
