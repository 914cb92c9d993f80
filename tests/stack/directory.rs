//! The directory on the deployed stack: who is provisioned over SCIM, and what is told of it.

use http::{Method, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tests::world::caep;

use crate::deployed::{Deployed, on_the_stack};

impl Deployed {
    /// A new provisioning client, with a token that is good until it is revoked.
    pub(crate) fn provisioner(&self, name: &str, more: &[&str]) -> String {
        let create = ["client", "create", "--name", name, "--scope", "scim", "--static-token"];
        let client = self.tool(&[&create, more].concat());
        let token = client["static_token"].as_str().expect("it has a token").to_owned();
        self.secrets.lock().expect("nobody panics here").push(token.clone());
        token
    }

    /// Asks SCIM with this token; the status, the `Tocsin-Txn` and the answer.
    async fn scim(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> (StatusCode, String, Value) {
        let body = body.map(|body| ("application/scim+json", body.to_string()));
        let path = format!("/scim/v2{path}");
        let answer = self.respond(method, &path, Some(format!("Bearer {token}")), body).await;
        let header = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        if !answer.body().is_empty() {
            assert_eq!(header(CONTENT_TYPE.as_str()), "application/scim+json", "{answer:?}");
        }
        let value = serde_json::from_slice(answer.body()).unwrap_or_default();
        (answer.status(), header("tocsin-txn"), value)
    }
}

#[test]
fn who_joins_a_group_and_is_locked_by_scim_is_told_to_receivers() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("told-of-people").await;
        receiver.push_stream(&["token-claims-change", "session-revoked"]).await;
        let token = deployed.provisioner("Entra", &[]);
        let ask = async |method, path: &str, body: Value, wanted: StatusCode| {
            let (status, txn, answer) = deployed.scim(method, path, &token, Some(body)).await;
            assert_eq!(status, wanted, "{answer} {}", deployed.logs("directory"));
            (txn, answer)
        };
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "provisioned@example.com",
            "externalId": "of-entra",
            "emails": [{ "value": "provisioned@example.com", "primary": true }],
        });
        let (_, user) = ask(Method::POST, "/Users", user, StatusCode::CREATED).await;
        let id = user["id"].as_str().unwrap();
        let base = format!("{}/scim/v2", deployed.output("Issuer"));
        assert_eq!(deployed.output("ScimUrl"), base);
        assert_eq!(user["meta"]["location"], format!("{base}/Users/{id}"));
        let group = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": "On the stack",
            "members": [{ "value": id }],
        });
        let (joined, _) = ask(Method::POST, "/Groups", group, StatusCode::CREATED).await;
        let lock = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "Replace", "path": "active", "value": "False" }],
        });
        let (locked, user) =
            ask(Method::PATCH, &format!("/Users/{id}"), lock, StatusCode::OK).await;
        assert_eq!(
            (&user["active"], &user["groups"][0]["display"]),
            (&json!(false), &json!("On the stack"))
        );

        let sets = deployed.pushed("told-of-people", 2).await;
        let told: Vec<_> = sets
            .iter()
            .map(|claims| {
                let events = claims["events"].as_object().unwrap();
                (events.keys().next().unwrap().clone(), claims["txn"].as_str().unwrap().to_owned())
            })
            .collect();
        let wanted = [(caep("token-claims-change"), joined), (caep("session-revoked"), locked)];
        assert_eq!(told, wanted, "in order, each by the request that it follows from");

        let filter = "/Users?filter=externalId%20eq%20%22of-entra%22";
        let (status, _, found) = deployed.scim(Method::GET, filter, &token, None).await;
        assert_eq!((status, &found["Resources"][0]["id"]), (StatusCode::OK, &json!(id)), "{found}");
    });
}

/// Whatever is below the base URL, the function itself says it, in SCIM's form.
#[test]
fn scim_answers_for_all_that_is_below_its_base_url() {
    on_the_stack(async |deployed| {
        let receiver = deployed.sign_in("no-provisioner").await;
        for (path, token, wanted) in [
            ("/Users", receiver.token.as_str(), StatusCode::FORBIDDEN),
            ("/Users", "of-nobody", StatusCode::UNAUTHORIZED),
            ("/Users/a/b/c", &receiver.token, StatusCode::NOT_FOUND),
            ("/ServiceProviderConfig", "", StatusCode::OK),
            ("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "", StatusCode::OK),
            ("", "", StatusCode::NOT_FOUND),
        ] {
            let (status, _, answer) = deployed.scim(Method::GET, path, token, None).await;
            assert_eq!(status, wanted, "{path}: {answer}");
            let is_error = answer["schemas"][0] == "urn:ietf:params:scim:api:messages:2.0:Error";
            assert_eq!(is_error, wanted != StatusCode::OK, "{path}: {answer}");
        }
    });
}
