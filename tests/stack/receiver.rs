//! Receivers: what they ask the deployed API, and what is pushed to them.

use bytes::Bytes;
use http::{
    Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Map, Value, json};
use tests::Received;

use crate::deployed::{Deployed, PATIENCE, comes_true};

impl Deployed {
    /// Asks the API; the status and the JSON of the answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let body = body.map(|body| ("application/json", body.to_string()));
        self.request(method, path, token.map(|token| format!("Bearer {token}")), body).await
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        authorization: Option<String>,
        body: Option<(&str, String)>,
    ) -> (StatusCode, Value) {
        let what = format!("{method} {path}");
        let (head, body) = self.respond(method, path, authorization, body).await.into_parts();
        let value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{what}: {head:?}: {body:?}"))
        };
        (head.status, value)
    }

    /// What the API answers, as it is.
    pub(crate) async fn respond(
        &self,
        method: Method,
        path: &str,
        authorization: Option<String>,
        body: Option<(&str, String)>,
    ) -> Response<Bytes> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let (media_type, body) = body.unwrap_or(("", String::new()));
        if !media_type.is_empty() {
            request = request.header(CONTENT_TYPE, media_type);
        }
        self.send_request(request.body(Full::new(body.into())).expect("a request")).await
    }

    /// What the API answers a request for a path.
    pub(crate) async fn send_request(&self, mut request: Request<Full<Bytes>>) -> Response<Bytes> {
        let endpoint = self.emulator.endpoint();
        let port = endpoint.rsplit(':').next().expect("an endpoint has a port");
        let host = format!("{}.execute-api.localhost:{port}", self.output("ApiId"));
        request.headers_mut().insert(HOST, host.parse().expect("a host"));
        *request.uri_mut() = format!("{endpoint}{}", request.uri()).parse().expect("a URL");
        let answer = async {
            let answer = self.http.request(request).await.expect("the API answers");
            let (head, body) = answer.into_parts();
            let body = body.collect().await.expect("a whole answer").to_bytes();
            Response::from_parts(head, body)
        };
        tokio::time::timeout(PATIENCE, answer).await.expect("the API answers in time")
    }

    /// A new receiver, with an access token for all that it may do.
    pub(crate) async fn sign_in(&self, name: &str) -> Caller<'_> {
        self.sign_in_as(name, &[]).await
    }

    /// The same, made with more arguments.
    pub(crate) async fn sign_in_as(&self, name: &str, more: &[&str]) -> Caller<'_> {
        let audience = format!("https://{name}.example");
        let create = ["client", "create", "--name", name, "--audience", &audience];
        let client = self.tool(&[&create, more].concat());
        let part = |member: &str| client[member].as_str().expect("a client has it").to_owned();
        let mut caller = Caller {
            deployed: self,
            name: name.to_owned(),
            client_id: part("client_id"),
            secret: part("client_secret"),
            token: String::new(),
        };
        let (status, answer) = caller.grant().await;
        assert_eq!(status, StatusCode::OK, "{answer} {}", self.logs("authorize"));
        answer["access_token"].as_str().expect("a token").clone_into(&mut caller.token);
        let secrets = [&caller.secret, &caller.token].map(String::clone);
        self.secrets.lock().expect("nobody panics here").extend(secrets);
        caller
    }

    /// What was pushed to `name`, in the order of its arrival; what came again, too.
    pub(crate) fn arrived(&self, name: &str) -> Vec<Received> {
        let path = format!("/{name}");
        let requests = self.receiver.requests().into_iter();
        requests.filter(|request| request.uri.path() == path).collect()
    }

    /// The SETs that were pushed to `name`, once there are `count`, in the order of their arrival.
    /// Each is there once: one whose arrival we did not learn of comes again.
    pub(crate) async fn pushed(&self, name: &str, count: usize) -> Vec<Value> {
        let arrived = || {
            let mut sets: Vec<Value> = Vec::new();
            for request in self.arrived(name) {
                let claims = tests::world::claims(&request.body);
                if sets.iter().all(|one| one["jti"] != claims["jti"]) {
                    sets.push(claims);
                }
            }
            sets
        };
        if !comes_true(&mut async || arrived().len() >= count).await {
            let (there, logs) = (arrived().len(), self.logs("push"));
            panic!("{there} of {count} SETs came to {name}; push says: {logs}");
        }
        arrived()
    }
}

/// A receiver with its token.
pub(crate) struct Caller<'a> {
    deployed: &'a Deployed,
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
}

impl Caller<'_> {
    /// Asks for a token.
    pub(crate) async fn grant(&self) -> (StatusCode, Value) {
        let us = self.credentials();
        let form = format!("grant_type=client_credentials&scope=ssf.manage&{us}");
        self.post_form("/oauth/token", form).await
    }

    /// Asks about its token.
    pub(crate) async fn introspect(&self) -> (StatusCode, Value) {
        let form = format!("token={}&{}", self.token, self.credentials());
        self.post_form("/oauth/introspect", form).await
    }

    fn credentials(&self) -> String {
        format!("client_id={}&client_secret={}", self.client_id, self.secret)
    }

    async fn post_form(&self, path: &str, form: String) -> (StatusCode, Value) {
        let form = Some(("application/x-www-form-urlencoded", form));
        self.deployed.request(Method::POST, path, None, form).await
    }

    /// Asks with its token; the answer must be `wanted`.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        wanted: StatusCode,
    ) -> Value {
        let asked = self.deployed.ask(method.clone(), path, Some(&self.token), body);
        let (status, answer) = asked.await;
        assert_eq!(status, wanted, "{method} {path}: {answer}");
        answer
    }

    /// A stream that is pushed to it, with these types of CAEP; its id.
    pub(crate) async fn push_stream(&self, types: &[&str]) -> String {
        let mut body = tests::world::poll_stream(types);
        body["delivery"] = json!({
            "method": "urn:ietf:rfc:8935",
            "endpoint_url": self.deployed.receiver.url(&format!("/{}", self.name)),
            "authorization_header": format!("Bearer for-{}", self.name),
        });
        self.create(&body).await
    }

    /// A stream that it polls; its id.
    pub(crate) async fn poll_stream(&self, types: &[&str]) -> String {
        self.create(&tests::world::poll_stream(types)).await
    }

    async fn create(&self, body: &Value) -> String {
        let stream = self.ask(Method::POST, "/ssf/streams", Some(body), StatusCode::CREATED).await;
        stream["stream_id"].as_str().expect("a stream has an id").to_owned()
    }

    /// What it polls of a stream: the SETs by their names.
    pub(crate) async fn poll(&self, stream: &str) -> Map<String, Value> {
        let now = json!({ "returnImmediately": true });
        let path = format!("/ssf/poll/{stream}");
        let mut answer = self.ask(Method::POST, &path, Some(&now), StatusCode::OK).await;
        match answer["sets"].take() {
            Value::Object(sets) => sets,
            other => panic!("no SETs but {other}"),
        }
    }

    /// Adds somebody to those whom a stream is about.
    pub(crate) async fn add_subject(&self, stream: &str, email: &str) {
        let subject = json!({ "format": "email", "email": email });
        let body = json!({ "stream_id": stream, "subject": subject });
        self.ask(Method::POST, "/ssf/subjects/add", Some(&body), StatusCode::OK).await;
    }

    /// Sets the status of a stream.
    pub(crate) async fn set_status(&self, stream: &str, status: &str) {
        let body = json!({ "stream_id": stream, "status": status });
        self.ask(Method::POST, "/ssf/status", Some(&body), StatusCode::OK).await;
    }
}
