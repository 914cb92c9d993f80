//! What makes each function do all that it is there for.

use std::sync::{Mutex, MutexGuard};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use ssf::{
    stream::StreamId,
    table::{Condition, Content, Item, Key, Query, Table as _, Write, class},
};
use ssf_aws::DynamoDbTable;
use tests::{
    Reply,
    world::{caep, session_revoked},
};

use crate::{
    deployed::{Deployed, fresh, wait_until},
    operation::disable_keys,
    pages::{self, Browser},
    receiver::Caller,
};

/// Of the person who signs in.
const PASSWORD: &str = "correct horse battery";
/// Where the application is.
const BACK: &str = "https://policies.example/cb";
/// Where it is told that a session has ended.
const LOGOUT: &str = "/policies/logout";

/// Receivers and streams on which all functions have something to do.
pub(crate) struct Scene<'a> {
    deployed: &'a Deployed,
    pub(crate) receiver: Caller<'a>,
    /// Of a client that provisions.
    provisioner: String,
    /// Somebody who can sign in, and an application to sign in to.
    person: String,
    application: String,
    pushed: String,
    polled: String,
    table: DynamoDbTable,
    ring: Item,
    /// What the API has answered.
    statuses: Mutex<Vec<StatusCode>>,
}

impl<'a> Scene<'a> {
    pub(crate) async fn set(deployed: &'a Deployed) -> Self {
        let receiver = deployed.sign_in("policies").await;
        let pushed = receiver.push_stream(&["session-revoked"]).await;
        let polled = receiver.poll_stream(&["session-revoked"]).await;
        for queue in ["IngestQueueUrl", "IngestFifoQueueUrl", "PushQueueUrl"] {
            deployed.soon_again(queue);
        }
        let table = deployed.table();
        let ring = table.get(&ring()).await.unwrap().expect("somebody has signed");
        // Then there is always a SET that waits for it.
        deployed.receiver.otherwise(Reply::status(503));
        let statuses = Mutex::default();
        let provisioner = deployed.provisioner("provisions", &["--may-set-passwords"]);
        let person = deployed.person(PASSWORD);
        // Whoever is away, this one is told when its people have gone.
        deployed.receiver.otherwise_at(LOGOUT, Reply::status(200));
        let logout = deployed.receiver.url(LOGOUT);
        let create = ["client", "create", "--name", "To sign in to", "--public"];
        let to = ["--redirect-uri", BACK, "--backchannel-logout-uri", logout.as_str()];
        let made = deployed.tool(&[&create[..], &to].concat());
        let application = made["client_id"].as_str().expect("it has an id").to_owned();
        let scene = Self {
            deployed,
            receiver,
            provisioner,
            person,
            application,
            pushed,
            polled,
            table,
            ring,
            statuses,
        };
        scene.verify(&scene.pushed).await;
        wait_until("a SET that waits", async || !scene.waiting().await.is_empty()).await;
        scene
    }

    /// Makes `function` do what it needs the right to do `action` to `resource` for, among others.
    pub(crate) async fn act(&self, function: &str, action: &str, resource: &str) {
        if action == "kms:GetPublicKey" {
            self.write(Write::delete(ring(), Condition::Any)).await;
        }
        if action == "dynamodb:GetItem" || action.starts_with("kms:") {
            // It remembers neither keys nor secrets.
            self.deployed.kill(function);
        }
        match function {
            "discovery" | "authorize" | "poll" | "streams" | "directory" | "sign-in" => {
                self.be_asked(function).await;
            }
            "ingest" if action == "sqs:ChangeMessageVisibility" => {
                self.fail_to_sign(resource).await;
            }
            "ingest" => self.emit(),
            "push" => self.verify(&self.pushed).await,
            "sweep" => self.sweep().await,
            other => panic!("who is {other}?"),
        }
    }

    /// The same with all rights: then it goes well.
    pub(crate) async fn act_well(&self, function: &str) {
        self.statuses().clear();
        self.act(function, "", "").await;
        let statuses = std::mem::take(&mut *self.statuses());
        let well = statuses.iter().all(StatusCode::is_success);
        assert!(well, "{function} answers with {statuses:?}");
        for queue in ["IngestQueueUrl", "IngestFifoQueueUrl"] {
            self.deployed.is_done(queue).await;
        }
    }

    fn statuses(&self) -> MutexGuard<'_, Vec<StatusCode>> {
        self.statuses.lock().expect("nobody panics here")
    }

    /// Gives the functions their keys back.
    pub(crate) async fn tidy_up(&self) {
        self.write(put(&self.ring, self.ring.body.clone())).await;
    }

    /// Asks `function` through the API.
    async fn be_asked(&self, function: &str) {
        match function {
            "discovery" => {
                let answer = self.deployed.respond(Method::GET, "/jwks.json", None, None).await;
                self.statuses().push(answer.status());
            }
            "authorize" => {
                for (status, _) in [self.receiver.grant().await, self.receiver.introspect().await] {
                    self.statuses().push(status);
                }
                self.exchange_twice().await;
            }
            "poll" => self.poll().await,
            "directory" => self.provision().await,
            "sign-in" => self.visit().await,
            "streams" => self.manage().await,
            other => panic!("nobody asks {other}"),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        self.ask_as(&self.receiver.token, method, path, Some(body)).await
    }

    async fn ask_as(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.deployed.ask(method, path, Some(token), body).await;
        self.statuses().push(status);
        answer
    }

    async fn verify(&self, stream: &str) {
        self.ask(Method::POST, "/ssf/verification", &json!({ "stream_id": stream })).await;
    }

    async fn poll(&self) {
        self.verify(&self.polled).await;
        let path = format!("/ssf/poll/{}", self.polled);
        let now = json!({ "returnImmediately": true });
        let answer = self.ask(Method::POST, &path, &now).await;
        let jtis: Vec<&String> =
            answer["sets"].as_object().into_iter().flat_map(|sets| sets.keys()).collect();
        self.ask(Method::POST, &path, &json!({ "returnImmediately": true, "ack": jtis })).await;
    }

    async fn manage(&self) {
        let delivery = json!({
            "method": "urn:ietf:rfc:8935",
            "endpoint_url": self.deployed.receiver.url("/policies"),
            "authorization_header": "Bearer for-policies",
        });
        for types in [
            vec![caep("session-revoked"), caep("credential-change")],
            vec![caep("session-revoked")],
        ] {
            let change = json!({ "stream_id": self.pushed, "events_requested": types, "delivery": delivery });
            self.ask(Method::PATCH, "/ssf/streams", &change).await;
        }
        self.verify(&self.pushed).await;
        let new = json!({ "events_requested": [], "delivery": delivery });
        let made = self.ask(Method::POST, "/ssf/streams", &new).await;
        if let Some(id) = made["stream_id"].as_str() {
            let path = format!("/ssf/streams?stream_id={id}");
            let gone = self.deployed.ask(Method::DELETE, &path, Some(&self.receiver.token), None);
            assert_eq!(gone.await.0, StatusCode::NO_CONTENT);
        }
    }

    /// Makes a person and a group, looks at both, and takes them away again.
    async fn provision(&self) {
        let ask = async |method, path: &str, body| {
            let path = format!("/scim/v2/{path}");
            self.ask_as(&self.provisioner, method, &path, body).await
        };
        let name = fresh();
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": name,
            "externalId": name,
            "emails": [{ "value": format!("{name}@example.com") }],
            "password": PASSWORD,
        });
        let user = ask(Method::POST, "Users", Some(&user)).await;
        let Some(user) = user["id"].as_str() else { return };
        let group = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": name,
            "members": [{ "value": user }],
        });
        let group = ask(Method::POST, "Groups", Some(&group)).await;
        if let Some(group) = group["id"].as_str() {
            let path = format!("Groups/{group}");
            ask(Method::GET, &path, None).await;
            ask(Method::DELETE, &path, None).await;
        }
        // An application is told when its people are locked out.
        let mut browser = Browser::new(self.deployed);
        self.enter(&mut browser, &name).await;
        let lock = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "active", "value": false }],
        });
        let path = format!("Users/{user}");
        ask(Method::PATCH, &path, Some(&lock)).await;
        ask(Method::DELETE, &path, None).await;
    }

    /// Signs a person in to the application, by a code that is exchanged for tokens; the code.
    async fn enter(&self, browser: &mut Browser<'_>, person: &str) -> Option<String> {
        let ask = pages::ask(&self.application, BACK);
        let code = browser.code(&ask, person, PASSWORD).await?;
        let status = self.exchange(&code).await;
        self.statuses().push(status);
        Some(code)
    }

    /// Exchanges a code for tokens, and once more, which ends them and is told.
    async fn exchange_twice(&self) {
        let mut browser = Browser::new(self.deployed);
        if let Some(code) = self.enter(&mut browser, &self.person).await {
            self.exchange(&code).await;
        }
    }

    async fn exchange(&self, code: &str) -> StatusCode {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "authorization_code"),
                ("client_id", &self.application),
                ("code", code),
                ("redirect_uri", BACK),
                ("code_verifier", pages::VERIFIER),
            ])
            .finish();
        let form = ("application/x-www-form-urlencoded", form);
        self.deployed.respond(Method::POST, "/oauth/token", None, Some(form)).await.status()
    }

    /// Signs in to an application, looks at the account and at what a second factor needs, and signs
    /// out, which the application is told.
    async fn visit(&self) {
        let mut browser = Browser::new(self.deployed);
        self.enter(&mut browser, &self.person).await;
        let account = browser.get("/account").await;
        self.statuses().push(account.status);
        let app = browser.get("/account/authenticator").await;
        self.statuses().push(app.status);
        // Its key is opened before a code is looked at, by whoever does not remember it.
        self.deployed.kill("sign-in");
        let members = [("code", "no code"), ("password", PASSWORD)];
        browser.submit(&app, "/account/authenticator", &members).await;
        browser.submit(&account, "/sign-out", &[]).await;
    }

    /// What a function that died left behind of the directory: an event that nobody sent, and a change
    /// of many members that nobody worked off.
    async fn leave_behind(&self) {
        let (at, id) = ("2026-01-01T00:00:00Z", "01941f29-7c00-7000-8000-000000000000");
        let cause = json!({ "actor": "operator", "txn": "left-behind", "at": at });
        let event = session_revoked("policies@example.com").to_string();
        let outgoing = json!({ "at": at, "messages": [[fresh(), event]] });
        let group = json!({
            "id": id, "created": at, "last_modified": at, "display_name": "left behind",
            "member_count": 0, "revision": 1, "sequence": 1, "journal": 1,
        });
        let with = |more: Value| {
            let mut row = cause.clone();
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row
        };
        let rows = [
            (Key::new(class::GROUP.of(id), "GROUP"), group),
            (
                Key::new(class::JOURNAL.of(id), "000000000001#000"),
                with(json!({ "changes": [[id, "in"]] })),
            ),
            (
                Key::new(class::JOB.of("00"), format!("journal#{id}")),
                with(json!({ "work": "journal", "id": id })),
            ),
            (Key::new(class::OUTBOX.of("00"), format!("{id}#000000000001")), outgoing),
        ];
        for (key, body) in rows {
            self.write(Write::put(key, Condition::Any, Content::json(&body))).await;
        }
    }

    /// An event of each kind that is looked at in another way, and something that is none.
    fn emit(&self) {
        let event = session_revoked("policies@example.com");
        let mut account = event.clone();
        account["events"] =
            json!({ "https://schemas.openid.net/secevent/risc/event-type/account-enabled": {} });
        for message in [event, account, json!({})] {
            self.deployed.send("IngestQueueUrl", &message, None);
        }
    }

    /// An event comes through the queue `arn`, and cannot be signed.
    async fn fail_to_sign(&self, arn: &str) {
        let disabled = disable_keys(self.deployed).await;
        let event = session_revoked("policies@example.com");
        self.deployed.proxy.take_calls();
        let is_fifo = arn.rsplit('.').next() == Some("fifo");
        let queue = if is_fifo { "IngestFifoQueueUrl" } else { "IngestQueueUrl" };
        self.deployed.send(queue, &event, is_fifo.then_some("policies"));
        wait_until("a message that is put off", async || self.deployed.put_off(queue) > 0).await;
        self.deployed.undo_from(disabled);
    }

    /// Sweeps when a SET is long overdue, a stream is listed that is not there any more, and the
    /// directory has left something to do.
    async fn sweep(&self) {
        self.leave_behind().await;
        let listed = Content { body: "{}".to_owned(), ..Content::default() };
        let gone = Key::new("STREAMS", "00000000000000000000000000000000");
        self.write(Write::put(gone, Condition::Any, listed)).await;
        for item in self.waiting().await {
            let mut token: Value = serde_json::from_str(&item.body).unwrap();
            token["next_attempt"] = json!("2026-01-01T00:00:00Z");
            self.write(put(&item, token.to_string())).await;
        }
        let sweep = json!({ "FunctionName": self.deployed.function("sweep"), "Payload": "{}" });
        self.deployed.boto3.call("lambda", "invoke", &sweep);
    }

    /// Lets everything go at once, and returns when nothing waits for the receiver any more, which must accept it.
    pub(crate) async fn is_delivered(&self) {
        for status in ["paused", "enabled"] {
            self.receiver.set_status(&self.pushed, status).await;
        }
        wait_until("all SETs to be delivered", async || self.waiting().await.is_empty()).await;
    }

    /// The SETs that wait for the receiver.
    async fn waiting(&self) -> Vec<Item> {
        let partition = format!("SET#{}", StreamId::parse(&self.pushed).unwrap());
        self.table.query(Query::ordered(partition, "")).await.unwrap().items
    }

    async fn write(&self, write: Write) {
        self.table.write(vec![write]).await.pop().unwrap().unwrap();
    }
}

/// Where the keys are kept.
fn ring() -> Key {
    Key::new("KEYS", "RING")
}

/// Writes `item` with another body.
fn put(item: &Item, body: String) -> Write {
    let content = Content { body, order: item.order.clone(), expires: item.expires };
    Write::put(item.key.clone(), Condition::Any, content)
}
