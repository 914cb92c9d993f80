//! A provisioning client of a load, on a connection of its own.

use std::time::{Duration, Instant};

use ::http::Method;
use anyhow::Context;
use serde_json::{Value, json};
use ssf::directory::ResourceId;

use crate::receiver::{Http, authorized};

/// Asks by SCIM, over HTTPS.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    http: Http,
    base: String,
    token: String,
}

/// An answer, and how long it took to come.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Value,
    pub(super) took: Duration,
}

impl Caller {
    /// One that talks to the SCIM service at `base` with `token`, and trusts `certificate` (PEM).
    pub(super) fn new(base: &str, token: &str, certificate: &[u8]) -> anyhow::Result<Self> {
        let http = Http::new(Some(certificate))?;
        Ok(Self { http, base: base.to_owned(), token: token.to_owned() })
    }

    /// The same with another connection.
    pub(super) fn beside(&self, certificate: &[u8]) -> anyhow::Result<Self> {
        Self::new(&self.base, &self.token, certificate)
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask(Method::DELETE, path, None).await
    }

    /// PATCH with one operation on the members of a group.
    pub(super) async fn members(
        &self,
        group: ResourceId,
        operation: Value,
    ) -> anyhow::Result<Answer> {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [operation],
        });
        self.ask(Method::PATCH, &format!("/Groups/{group}"), Some(&body)).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let request = authorized(method, &format!("{}{path}", self.base), &self.token, body)?;
        let began = Instant::now();
        let answer = self.http.send(request).await?;
        let took = began.elapsed();
        let body = match &*answer.body {
            [] => Value::Null,
            text => serde_json::from_slice(text).context("an answer is not JSON")?,
        };
        Ok(Answer { body, took })
    }
}

/// The id of a resource.
pub(super) fn id(resource: &Value) -> anyhow::Result<ResourceId> {
    resource["id"].as_str().and_then(ResourceId::parse).context("a resource has no id of ours")
}

/// Puts `text` into a query.
pub(super) fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
