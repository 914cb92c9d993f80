//! What RFC 7644 demands of every service.

use http::Method;
use serde_json::{Value, json};

use super::{GROUP, Provisioning, USER, id, refusal, send, with_schema};

#[tokio::test]
async fn a_new_resource_has_a_place_a_version_and_a_txn() {
    let p = Provisioning::new().await;
    let body =
        with_schema(USER, json!({ "userName": "Ada", "id": "mine", "meta": {}, "groups": [] }));
    let answer = p.caller.post("/scim/v2/Users", body).await;
    assert_eq!(answer.status, 201);
    let user = answer.json();
    let place = format!("https://tocsin.example/scim/v2/Users/{}", id(&user));
    assert_ne!(user["id"], "mine");
    assert_eq!(answer.headers["location"], place.as_str());
    assert_eq!(user["meta"]["location"], place);
    assert_eq!(answer.headers["etag"], "W/\"1\"");
    assert_eq!(user["meta"]["version"], "W/\"1\"");
    assert_eq!(user["meta"]["created"], user["meta"]["lastModified"]);
    assert_eq!(answer.headers["content-type"], "application/scim+json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let txn = answer.headers["tocsin-txn"].to_str().unwrap();
    let directory = ssf::directory::Directory::of(&p.world.transmitter);
    assert_eq!(directory.txn(txn).await.unwrap()[0].id.to_string(), id(&user));
}

#[tokio::test]
async fn errors_are_told_in_scims_words_on_every_status() {
    let p = Provisioning::new().await;
    p.person("ada").await;
    let ada = json!({ "schemas": [USER], "userName": "ADA" }).to_string();
    let scim = "application/scim+json";
    let cases = [
        (Method::POST, "/Users", scim, ada.as_str(), (409, Some("uniqueness"))),
        (Method::POST, "/Users", scim, "{", (400, Some("invalidSyntax"))),
        (Method::POST, "/Users", scim, "[]", (400, Some("invalidSyntax"))),
        (Method::POST, "/Users", scim, r#"{"userName":"bob"}"#, (400, Some("invalidSyntax"))),
        (Method::POST, "/Users", "text/plain", "x", (415, None)),
        (Method::GET, "/Users/nobody", scim, "", (404, None)),
        (Method::GET, "/Nothing", scim, "", (404, None)),
        (Method::GET, "", scim, "", (404, None)),
        (Method::PUT, "/Users", scim, "{}", (405, None)),
        (Method::GET, "/Users?filter=userName", scim, "", (400, Some("invalidFilter"))),
        (Method::GET, "/Users?filter=nope%20eq%20%22x%22", scim, "", (400, Some("invalidFilter"))),
        (Method::GET, "/Users?filter=password%20eq%20%22x%22", scim, "", (403, Some("sensitive"))),
        (Method::GET, "/Users?cursor=what", scim, "", (400, Some("invalidCursor"))),
        (
            Method::GET,
            "/Users?cursor=00000000000000000000000000000000",
            scim,
            "",
            (400, Some("expiredCursor")),
        ),
        (
            Method::GET,
            "/Users?attributes=id&excludedAttributes=id",
            scim,
            "",
            (400, Some("invalidValue")),
        ),
        (Method::POST, "/Bulk", scim, "{}", (400, Some("invalidSyntax"))),
        (Method::GET, "/Me", scim, "", (404, None)),
    ];
    for (method, path, kind, body, (status, scim_type)) in cases {
        let answer = send(&p.caller, method.clone(), &format!("/scim/v2{path}"), kind, body).await;
        let wanted = (status, scim_type.map(str::to_owned));
        assert_eq!(refusal(&answer), wanted, "{method} {path} {body}: {answer}");
    }
    let stranger = p.world.anyone().get("/scim/v2/Users").await;
    assert_eq!(refusal(&stranger), (401, None));
    assert!(stranger.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
}

#[tokio::test]
async fn json_is_taken_under_each_of_its_names_and_under_none() {
    let p = Provisioning::new().await;
    for (n, kind) in
        ["application/scim+json", "application/json; charset=utf-8", ""].iter().enumerate()
    {
        let body = json!({ "schemas": [USER], "userName": format!("user{n}") }).to_string();
        let answer = send(&p.caller, Method::POST, "/scim/v2/Users", kind, &body).await;
        assert_eq!(answer.status, 201, "{kind}: {answer}");
    }
}

#[tokio::test]
async fn a_change_of_a_stale_version_is_refused_and_a_known_one_not_sent_again() {
    let p = Provisioning::new().await;
    let ada = p.person("ada").await;
    let path = format!("/scim/v2/Users/{ada}");
    let body = json!({ "schemas": [USER], "userName": "ada", "title": "Dr" }).to_string();
    let with = async |method: Method, name: &str, value: &str, body: &str| {
        let headers = [(name, value), ("content-type", "application/scim+json")];
        p.caller.send(method, &path, &headers, axum::body::Body::from(body.to_owned())).await
    };
    let known = with(Method::GET, "if-none-match", "W/\"1\"", "").await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    assert_eq!(with(Method::GET, "if-none-match", "W/\"2\"", "").await.status, 200);
    let stale = with(Method::PUT, "if-match", "W/\"7\"", &body).await;
    assert_eq!(refusal(&stale).0, 412);
    let stale = with(Method::DELETE, "if-match", "W/\"7\"", "").await;
    assert_eq!(refusal(&stale).0, 412);
    let fresh = with(Method::PUT, "if-match", "W/\"1\"", &body).await;
    assert_eq!(fresh.headers["etag"], "W/\"2\"");
    assert_eq!(with(Method::DELETE, "if-match", "*", "").await.status, 204);
}

#[tokio::test]
async fn an_answer_has_what_is_asked_for() {
    let p = Provisioning::new().await;
    let ada =
        id(&p.create(json!({ "userName": "ada", "title": "Dr", "displayName": "Ada" })).await);
    p.group("Staff", &[&ada]).await;
    let names = |resource: &Value| {
        let mut names: Vec<_> = resource.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    let one = p.get(&format!("/Users/{ada}?attributes=userName,groups.display")).await;
    assert_eq!(names(&one), ["groups", "id", "meta", "schemas", "userName"]);
    assert_eq!(one["groups"], json!([{ "display": "Staff" }]));
    let list = p.get("/Users?excludedAttributes=title,groups,meta").await;
    assert_eq!(names(&list["Resources"][0])[..3], ["active", "displayName", "id"]);
    let searched = p.caller.post(
        "/scim/v2/Users/.search",
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "attributes": ["title"], "filter": "userName eq \"ada\"", "startIndex": 1, "count": 1,
        }),
    );
    let searched = searched.await.json();
    assert_eq!(searched["Resources"][0]["title"], "Dr");
    assert_eq!(searched["totalResults"], 1);
}

#[tokio::test]
async fn a_page_is_counted_and_a_cursor_walks() {
    let p = Provisioning::new().await;
    for n in 0..5 {
        p.person(&format!("user{n}")).await;
    }
    let page = p.get("/Users?startIndex=3&count=2").await;
    assert_eq!(
        (&page["totalResults"], &page["startIndex"], &page["itemsPerPage"]),
        (&json!(5), &json!(3), &json!(2))
    );
    assert_eq!(p.get("/Users?count=0").await["Resources"], json!([]));
    assert_eq!(p.get("/Users?startIndex=-5&count=-1").await["totalResults"], 5);
    let nobody = p.get("/Users?filter=userName%20eq%20%22nobody%22").await;
    assert_eq!((&nobody["totalResults"], &nobody["Resources"]), (&json!(0), &json!([])));
    let mut path = "/Users?cursor&count=2".to_owned();
    let mut seen = 0;
    loop {
        let page = p.get(&path).await;
        seen += page["Resources"].as_array().unwrap().len();
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/Users?cursor={cursor}&count=2"),
            None => break,
        }
    }
    assert_eq!(seen, 5);
}

#[tokio::test]
async fn people_and_groups_can_be_searched_together() {
    let p = Provisioning::new().await;
    let ada = p.create(json!({ "userName": "ada", "displayName": "Same" })).await;
    p.group("Same", &[]).await;
    let search = async |body: Value| p.caller.post("/scim/v2/.search", body).await.json();
    let schemas = json!(["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]);
    let both = search(json!({ "schemas": schemas, "filter": "displayName eq \"same\"" })).await;
    let kinds: Vec<_> = both["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["meta"]["resourceType"].clone())
        .collect();
    assert_eq!(
        (both["totalResults"].clone(), kinds),
        (json!(2), vec![json!("User"), json!("Group")])
    );
    let one = search(json!({ "schemas": schemas, "filter": "userName pr" })).await;
    assert_eq!(one["Resources"][0]["id"], ada["id"], "what only one of them has selects that one");
}

#[tokio::test]
async fn operations_in_bulk_succeed_or_fail_each_for_itself() {
    let p = Provisioning::new().await;
    p.person("taken").await;
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            { "method": "POST", "path": "/Groups", "bulkId": "g",
              "data": { "schemas": [GROUP], "displayName": "Staff", "members": [{ "value": "bulkId:u" }] } },
            { "method": "POST", "path": "/Users", "bulkId": "u", "data": { "schemas": [USER], "userName": "ada" } },
            { "method": "POST", "path": "/Users", "bulkId": "t", "data": { "schemas": [USER], "userName": "taken" } },
            { "method": "POST", "path": "/Clients", "bulkId": "c", "data": {} },
            { "method": "DELETE", "path": "/Users/bulkId:c" },
        ],
    });
    let answer = p.caller.post("/scim/v2/Bulk", body).await.json();
    let statuses: Vec<_> =
        answer["Operations"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, ["201", "201", "409", "400", "400"], "{answer}");
    assert_eq!(answer["Operations"][2]["response"]["scimType"], "uniqueness");
    let no_operation = &answer["Operations"][3];
    assert_eq!((&no_operation["method"], &no_operation["bulkId"]), (&json!("POST"), &json!("c")));
    assert_eq!(no_operation["response"]["scimType"], "invalidSyntax");
    let group = answer["Operations"][0]["location"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let user = answer["Operations"][1]["location"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(p.members(&group).await, [user]);
}

#[tokio::test]
async fn who_is_deleted_is_gone_and_the_name_is_free() {
    let p = Provisioning::new().await;
    let ada = p.person("ada").await;
    let path = format!("/scim/v2/Users/{ada}");
    assert_eq!(p.caller.delete(&path).await.status, 204);
    for answer in [p.caller.get(&path).await, p.caller.delete(&path).await] {
        assert_eq!(refusal(&answer).0, 404);
    }
    assert_ne!(p.person("ADA").await, ada);
}

#[tokio::test]
async fn a_body_or_a_change_that_is_too_large_is_refused_before_anything_is_written() {
    let p = Provisioning::new().await;
    let body = format!(r#"{{"schemas":["{USER}"],"userName":"{}"}}"#, "x".repeat(1_100_000));
    let answer = send(&p.caller, Method::POST, "/scim/v2/Users", "application/json", &body).await;
    assert_eq!(refusal(&answer).0, 413);
    let group = p.group("Staff", &[]).await;
    let members: Vec<_> = (0..10_001).map(|n| json!({ "value": n.to_string() })).collect();
    p.world.table.take();
    let answer = p
        .patch(
            &format!("/Groups/{group}"),
            json!([{ "op": "add", "path": "members", "value": members }]),
        )
        .await;
    assert_eq!(refusal(&answer).0, 413);
    let counts = p.world.table.take();
    assert_eq!(counts.transactions, 0);
}
