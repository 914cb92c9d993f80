//! An application on the deployed stack that hears of those who gave it their consent.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::deployed::{Deployed, on_the_stack};

const FEED_ADD: &str = "urn:ietf:params:scim:event:feed:add";
const FEED_REMOVE: &str = "urn:ietf:params:scim:event:feed:remove";
const CHANGED: &str = "urn:ietf:params:scim:event:prov:patch:notice";

/// The types of these SETs, in order.
fn types(sets: &[Value]) -> Vec<String> {
    let uri = |claims: &Value| {
        let events = claims["events"].as_object().expect("a SET has events");
        events.keys().next().expect("it has one").clone()
    };
    sets.iter().map(uri).collect()
}

impl Deployed {
    /// Gives the person a title, by the operator, and waits until that is taken in.
    async fn entitle(&self, person: &str, title: &str) {
        self.tool(&["user", "set", person, &format!("title={title}")]);
        self.is_done("IngestFifoQueueUrl").await;
    }
}

#[test]
fn an_application_hears_of_a_person_from_the_consent_until_it_is_taken_back() {
    on_the_stack(async |deployed| {
        let more = [
            "--subjects",
            "consent",
            "--scope",
            "ssf.manage openid",
            "--redirect-uri",
            "https://consents.example/cb",
        ];
        let application = deployed.sign_in_as("consents", &more).await;
        let body = json!({
            "events_requested": [FEED_ADD, FEED_REMOVE, CHANGED],
            "delivery": {
                "method": "urn:ietf:rfc:8935",
                "endpoint_url": deployed.receiver.url("/consents"),
                "authorization_header": "Bearer for-consents",
            },
        });
        application.ask(Method::POST, "/ssf/streams", Some(&body), StatusCode::CREATED).await;
        let person = deployed.person("correct horse battery");
        let consent =
            |verb: &str| deployed.tool(&["consent", verb, &person, &application.client_id]);

        deployed.entitle(&person, "nobody's business").await;
        consent("grant");
        deployed.entitle(&person, "heard of").await;
        assert_eq!(types(&deployed.pushed("consents", 2).await), [FEED_ADD, CHANGED]);
        consent("revoke");
        deployed.entitle(&person, "a secret again").await;
        // This comes behind all that was told of the person before.
        consent("grant");
        let told = deployed.pushed("consents", 4).await;
        assert_eq!(types(&told), [FEED_ADD, CHANGED, FEED_REMOVE, FEED_ADD]);
        assert!(told.iter().all(|claims| claims["sub_id"] == told[0]["sub_id"]), "{told:?}");
    });
}
