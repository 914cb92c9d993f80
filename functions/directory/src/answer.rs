//! Answers in SCIM's form.

use axum::response::{IntoResponse, Response};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, ETAG, LOCATION},
};
use serde_json::Value;
use ssf::directory::Cause;

/// The name of the request: `tocsin txn show` says what followed from it.
const TXN: HeaderName = HeaderName::from_static("tocsin-txn");

/// A SCIM message, or nothing.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Option<Value>,
}

impl Answer {
    /// This message, with 200.
    pub(crate) fn of(body: Value) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), body: Some(body) }
    }

    /// Nothing, with this status.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: None }
    }

    /// The same with another status.
    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Because of this request.
    pub(crate) fn because_of(self, cause: &Cause) -> Self {
        self.header(TXN, &cause.txn)
    }

    /// It is about a resource in this version.
    pub(crate) fn version(self, version: &str) -> Self {
        self.header(ETAG, version)
    }

    /// It is about a resource at this place.
    pub(crate) fn location(self, location: &str) -> Self {
        self.header(LOCATION, location)
    }

    fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Some(body) => {
                let scim = HeaderValue::from_static("application/scim+json");
                (self.status, [(CONTENT_TYPE, scim)], body.to_string()).into_response()
            }
            None => self.status.into_response(),
        };
        response.headers_mut().extend(self.headers);
        response
    }
}
