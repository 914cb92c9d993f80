//! `/Me`: what a person sees and changes of themselves, by the operator's rules.

use http::Method;
use serde_json::{Value, json};
use ssf::{
    client::{ClientId, RedirectUri, ResponseType, Scope, Secret},
    config::{AccessRule, Config},
    directory::{Directory, ENTERPRISE},
    sign_in::{Challenge, CodeWish, Exchange, SignedIn, SubjectId, nothing},
};
use tests::{Answer, Caller, World};

use super::{PATCH, USER, client, id, refusal, send, with_schema};

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CB: &str = "https://app.example/cb";

/// Ada, whom a provisioning client made, and an application that acts for her.
struct Scene {
    world: World,
    provisioner: Caller,
    ada: String,
}

impl Scene {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let world = World::with(|config| {
            config.requests_per_second = 0;
            configure(config);
        });
        let provisioner = client(&world, "okta", |_| {}).await;
        let ada = json!({
            "userName": "ada", "externalId": "e-1", "nickName": "A", "title": "Countess",
            "emails": [{ "value": "ada@x.example", "type": "work" }],
            ENTERPRISE: { "department": "Engines", "costCenter": "7" },
        });
        let ada = provisioner.post("/scim/v2/Users", with_schema(USER, ada)).await;
        Self { world, provisioner, ada: id(&ada.json()) }
    }

    /// A group with ada in it.
    async fn group(&self, name: &str) {
        let group = json!({ "displayName": name, "members": [{ "value": self.ada }] });
        let body = with_schema("urn:ietf:params:scim:schemas:core:2.0:Group", group);
        assert_eq!(self.provisioner.post("/scim/v2/Groups", body).await.status, 201);
    }

    /// An application that ada lets have these.
    async fn application(&self, name: &str, scope: &[Scope]) -> Caller {
        let wish = |wish: &mut ssf::client::NewClient| {
            wish.audience = vec![];
            wish.scope = scope.to_vec();
            wish.application.redirect_uris = vec![RedirectUri::parse(CB).unwrap()];
        };
        self.world.register(name, wish).await;
        let us = &self.world.transmitter;
        let sign_in = Directory::of(us).sign_in();
        let (client, subject) = (ClientId(name.to_owned()), SubjectId(self.ada.clone()));
        sign_in.consent_grant(&subject, &client, scope, &nothing).await.unwrap();
        let wish = CodeWish {
            client: client.clone(),
            subject,
            redirect_uri: CB.to_owned(),
            response_type: ResponseType::Code,
            scope: scope.to_vec(),
            nonce: None,
            challenge: Some(Challenge::parse(CHALLENGE, Some("S256")).unwrap()),
            signed_in: SignedIn::default(),
        };
        let code: Secret = sign_in.code_issue(wish).await.unwrap();
        let exchange = Exchange { redirect_uri: Some(CB), verifier: Some(VERIFIER) };
        let tokens = sign_in.code_exchange(&client, code.expose(), exchange, &nothing).await;
        self.world.caller(tokens.unwrap().access_token.expose())
    }

    async fn me(&self) -> Caller {
        self.application("notes", &[Scope::ScimMe]).await
    }

    /// Ada as the provisioning client sees her.
    async fn ada(&self) -> Value {
        self.provisioner.get(&format!("/scim/v2/Users/{}", self.ada)).await.json()
    }
}

async fn patch(me: &Caller, operations: Value) -> Answer {
    me.patch("/scim/v2/Me", json!({ "schemas": [PATCH], "Operations": operations })).await
}

#[tokio::test]
async fn a_person_sees_what_is_commonly_known_of_them() {
    let scene = Scene::new().await;
    scene.group("Staff").await;
    let answer = scene.me().await.get("/scim/v2/Me").await;
    assert_eq!(answer.status, 200, "{answer}");
    let place = answer.headers["location"].to_str().unwrap();
    assert!(place.ends_with(&format!("/scim/v2/Users/{}", scene.ada)), "{place}");
    let seen = answer.json();
    assert_eq!(seen["id"], scene.ada.as_str());
    assert_eq!((&seen["userName"], &seen["nickName"]), (&json!("ada"), &json!("A")));
    assert_eq!(seen["groups"][0]["display"], "Staff");
    assert_eq!(seen["meta"]["resourceType"], "User");
    // What the rules do not name, and what is another's, is not there.
    assert_eq!(seen[ENTERPRISE], json!({ "department": "Engines" }));
    assert!(seen.get("externalId").is_none());
    let some = scene.me_sees("?attributes=nickName,costCenter").await;
    assert_eq!(some["nickName"], "A");
    assert!(some.get("userName").is_none() && some.get(ENTERPRISE).is_none(), "{some}");
}

impl Scene {
    async fn me_sees(&self, query: &str) -> Value {
        let me = self.application("maps", &[Scope::ScimMe]).await;
        me.get(&format!("/scim/v2/Me{query}")).await.json()
    }
}

#[tokio::test]
async fn a_person_changes_what_the_rules_let_them_and_nothing_else() {
    let scene = Scene::new().await;
    let me = scene.me().await;
    let waiting = scene.world.transmitter.parts().ingest_fifo.depth().await.unwrap();
    let answer =
        patch(&me, json!([{ "op": "replace", "path": "nickName", "value": "Countess" }])).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["nickName"].clone()),
        (200, json!("Countess"))
    );
    let txn = answer.headers["tocsin-txn"].to_str().unwrap();
    let changes = Directory::of(&scene.world.transmitter).txn(txn).await.unwrap();
    assert_eq!(
        (changes[0].actor.to_string().as_str(), &*changes[0].attributes[0]),
        ("person", "nickName")
    );
    let told = scene.world.transmitter.parts().ingest_fifo.depth().await.unwrap();
    assert!(told > waiting, "it is told as any change is");
    let before = scene.ada().await;
    for operation in [
        json!({ "op": "replace", "path": "userName", "value": "root" }),
        json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "eve@x.example" }),
        json!({ "op": "remove", "path": "title" }),
        json!({ "op": "replace", "path": "active", "value": false }),
        json!({ "op": "add", "path": "password", "value": "correct horse battery" }),
        json!({ "op": "add", "value": { ENTERPRISE: { "department": "Board" } } }),
    ] {
        let both = json!([{ "op": "replace", "path": "locale", "value": "de" }, operation]);
        let answer = patch(&me, both).await;
        assert_eq!(refusal(&answer), (400, Some("mutability".to_owned())), "{operation}");
        assert_eq!(scene.ada().await, before, "all or nothing");
    }
    // Who gives back what they have seen changes nothing of what they have not.
    let mut whole = me.get("/scim/v2/Me").await.json();
    whole["locale"] = json!("en-GB");
    whole["userName"] = json!("root");
    whole.as_object_mut().unwrap().remove("nickName");
    let answer = me.put("/scim/v2/Me", whole).await;
    assert_eq!(answer.status, 200, "{answer}");
    let mut wanted = before;
    wanted["locale"] = json!("en-GB");
    wanted.as_object_mut().unwrap().remove("nickName");
    let mut after = scene.ada().await;
    for resource in [&mut wanted, &mut after] {
        resource.as_object_mut().unwrap().remove("meta");
    }
    assert_eq!(after, wanted);
}

#[tokio::test]
async fn the_rules_of_a_group_are_for_its_members() {
    let rules = json!([
        { "read": ["user_name"] },
        { "filter": { "groups": "Staff" }, "permissions": ["edit_self"], "write": ["title"] },
    ]);
    let rules: Vec<AccessRule> = serde_json::from_value(rules).unwrap();
    let scene = Scene::with(|config| config.access_rules = rules).await;
    let me = scene.me().await;
    let change = || json!([{ "op": "replace", "path": "title", "value": "Lady" }]);
    assert_eq!(refusal(&patch(&me, change()).await).0, 403, "nobody may edit");
    assert!(me.get("/scim/v2/Me").await.json().get("title").is_none());
    scene.group("Staff").await;
    assert_eq!(patch(&me, change()).await.json()["title"], "Lady");
    let answer = send(&me, Method::DELETE, "/scim/v2/Me", "", "").await;
    assert_eq!(refusal(&answer).0, 403, "no rule lets anybody delete themselves");
    assert_eq!(scene.ada().await["title"], "Lady");
}

#[tokio::test]
async fn who_may_delete_their_account_is_gone() {
    let rules = vec![serde_json::from_value(json!({ "permissions": ["delete_account"] })).unwrap()];
    let scene = Scene::with(|config| config.access_rules = rules).await;
    let me = scene.me().await;
    let answer = send(&me, Method::DELETE, "/scim/v2/Me", "", "").await;
    assert_eq!(answer.status, 204);
    assert_eq!(scene.provisioner.get(&format!("/scim/v2/Users/{}", scene.ada)).await.status, 404);
    assert_eq!(me.get("/scim/v2/Me").await.status, 401, "and so is the token");
}

#[tokio::test]
async fn only_an_application_that_may_act_for_the_person_does() {
    let scene = Scene::new().await;
    assert_eq!(refusal(&scene.provisioner.get("/scim/v2/Me").await).0, 404, "nobody is behind it");
    let other = scene.application("other", &[Scope::OpenId, Scope::Profile]).await;
    let answer = other.get("/scim/v2/Me").await;
    assert_eq!(refusal(&answer).0, 403);
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("scope=\"scim.me\""), "{challenge}");
    let me = scene.me().await;
    assert_eq!(me.get("/scim/v2/Users").await.status, 401, "and nobody else's data is there");
    let locked = json!({ "schemas": [PATCH], "Operations": [
        { "op": "replace", "path": "active", "value": false },
    ] });
    let path = format!("/scim/v2/Users/{}", scene.ada);
    assert_eq!(scene.provisioner.patch(&path, locked).await.status, 200);
    assert_eq!(refusal(&me.get("/scim/v2/Me").await).0, 401, "off means off");
}
