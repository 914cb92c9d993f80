//! Requests to a whole transmitter, and its answers.

use std::{collections::BTreeMap, fmt, panic::AssertUnwindSafe};

use axum::{
    Router,
    body::Body,
    extract::Request as AnyRequest,
    middleware::{Next, from_fn},
    response::IntoResponse as _,
};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{
    HeaderMap, Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE},
};
use serde_json::Value;
use ssf::{
    Transmitter,
    client::{ClientId, NewClient},
};
use tower::ServiceExt;

use crate::{Function, World};

impl World {
    /// A caller without a token.
    pub fn anyone(&self) -> Caller {
        self.caller("")
    }

    /// A caller with this access token.
    pub fn caller(&self, token: impl Into<String>) -> Caller {
        let routes = answered_by(Function::Discovery, discovery::routes())
            .merge(answered_by(Function::Authorize, authorize::routes()))
            .merge(answered_by(Function::Streams, streams::routes()))
            .merge(answered_by(Function::Poll, poll::routes()))
            .merge(answered_by(Function::Directory, directory::routes()))
            .merge(answered_by(Function::SignIn, sign_in::routes()));
        Caller { app: ssf::web::app(&self.transmitter, routes), token: token.into() }
    }

    /// A new client of this name, and a caller with its access token for `scope`.
    pub async fn signed_in(&self, name: &str, scope: &str) -> Caller {
        let secret = self.register(name, |_| {}).await;
        self.caller(self.token(name, &secret, scope).await)
    }

    /// The same, with a token that is good until it is revoked: for those who stay for long.
    pub async fn signed_in_for_good(&self, name: &str) -> Caller {
        self.register(name, |_| {}).await;
        let id = ClientId(name.to_owned());
        let token = self.transmitter.static_token_create(&id, None).await;
        self.caller(token.expect("the client is there").1.expose())
    }

    /// Registers a client whose id is its name. The answer is its secret.
    pub async fn register(&self, name: &str, change: impl FnOnce(&mut NewClient)) -> String {
        let mut wish = NewClient::new(name, vec![format!("https://{name}.example")]);
        wish.client_id = ClientId::parse(name);
        change(&mut wish);
        let (_, secret) = self.transmitter.client_create(wish).await.expect("it can be registered");
        secret.map(|secret| secret.expose().to_owned()).unwrap_or_default()
    }

    /// An access token from the token endpoint.
    pub async fn token(&self, id: &str, secret: &str, scope: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
            ("scope", scope),
        ];
        let answer = self.anyone().form("/oauth/token", &form).await;
        answer.json()["access_token"].as_str().expect("there is a token").to_owned()
    }
}

/// `routes`, with the rights of the function that has them.
fn answered_by(function: Function, routes: Router<Transmitter>) -> Router<Transmitter> {
    routes.route_layer(from_fn(move |request: AnyRequest, next: Next| async move {
        let answer = AssertUnwindSafe(function.runs(next.run(request))).catch_unwind().await;
        answer.unwrap_or_else(|_| axum::Extension(Panicked).into_response())
    }))
}

/// Marks the answer of a handler that panicked. The transmitter would make an error of it that a test
/// may take for the one it waits for.
#[derive(Clone)]
struct Panicked;

/// Somebody who sends requests.
#[derive(Clone, Debug)]
pub struct Caller {
    app: Router,
    /// The access token; may be empty.
    pub token: String,
}

impl Caller {
    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Body::empty()).await
    }

    /// POST of a JSON value.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    /// PATCH with a JSON value.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PATCH, path, body).await
    }

    /// PUT of a JSON value.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    async fn json(&self, method: Method, path: &str, body: Value) -> Answer {
        let headers = [(CONTENT_TYPE.as_str(), "application/json")];
        self.send(method, path, &headers, Body::from(body.to_string())).await
    }

    /// POST of a form.
    pub async fn form(&self, path: &str, members: &[(&str, &str)]) -> Answer {
        self.form_with(path, &[], members).await
    }

    /// POST of a form, with more headers.
    pub async fn form_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        members: &[(&str, &str)],
    ) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let body = form.extend_pairs(members).finish();
        let mut all = vec![(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.send(Method::POST, path, &all, Body::from(body)).await
    }

    /// Any request.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !self.token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("it is a request");
        let Ok(response) = self.app.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        assert!(parts.extensions.get::<Panicked>().is_none(), "the handler panicked; see above");
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("the body comes");
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// What came back. As text: the status, the headers by name, and the body, JSON set in order.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The `stream_id` in the body.
    pub fn stream_id(&self) -> String {
        self.json()["stream_id"]
            .as_str()
            .unwrap_or_else(|| panic!("no stream in {self}"))
            .to_owned()
    }

    /// The status and, of a problem, what it says of the cause: for tables.
    pub fn brief(&self) -> String {
        let body = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        let detail = body["detail"].as_str().unwrap_or_default();
        format!("{} {detail}", self.status.as_u16()).trim_end().to_owned()
    }

    /// The body, which is JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}) but: {self}"))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        let headers: BTreeMap<_, _> = self.headers.iter().map(|(k, v)| (k.as_str(), v)).collect();
        for (name, value) in headers {
            if name != CONTENT_LENGTH {
                write!(f, "\n{name}: {}", value.to_str().unwrap_or("?"))?;
            }
        }
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(mut body) => {
                // Whether it is so by itself depends on what else is built: the AWS SDK's tests have
                // `serde_json` keep the order.
                body.sort_all_objects();
                write!(f, "\n\n{body:#}")
            }
            Err(_) if self.body.is_empty() => Ok(()),
            Err(_) => write!(f, "\n\n{}", String::from_utf8_lossy(&self.body)),
        }
    }
}
