//! The HTTPS client of a receiver.

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use ::http::{
    HeaderValue, Method, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, USER_AGENT},
};
use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

/// A longer answer is not read: a poll may bring many SETs, and nothing else is long.
const MAX_ANSWER: usize = 32 << 20;

/// Longer than a transmitter makes a long poll wait.
const PATIENCE: Duration = Duration::from_secs(90);

/// Speaks HTTPS; cheap to clone.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// A good answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its body.
    pub body: Bytes,
    /// When the one who answers thinks it is.
    pub date: Option<SystemTime>,
}

/// An answer that is not good.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{asked} is answered with {status}{}", self.said())]
pub struct Refused {
    /// What was asked.
    pub asked: String,
    /// The status of the answer.
    pub status: StatusCode,
    /// What it says, if it says it in a way that we know.
    pub reason: Option<String>,
}

impl Refused {
    fn said(&self) -> String {
        self.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"))
    }
}

impl Http {
    /// Trusts what the system trusts, and the certificates in `ca` (PEM).
    pub fn new(ca: Option<&[u8]>) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in CertificateDer::pem_slice_iter(ca.unwrap_or_default()) {
            roots.add(certificate?)?;
        }
        let tls = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        // A request is written head first; its body must not wait until that is acknowledged.
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_only()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client })
    }

    /// A JSON document that anybody may read.
    pub async fn document<T: DeserializeOwned>(&self, url: &str) -> anyhow::Result<T> {
        let request = Request::get(url).body(Full::default())?;
        self.send(request).await?.read(url)
    }

    /// Sends a request; any answer but a 2xx is [`Refused`].
    pub async fn send(&self, mut request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let asked = format!("{} {}", request.method(), request.uri());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static("Tocsin"));
        let answer = timeout(PATIENCE, async {
            let response = self.client.request(request).await.map_err(|error| unreached(&error))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let body = body.map_err(anyhow::Error::from_boxed)?;
            let date = head.headers.get(DATE).and_then(|date| date.to_str().ok());
            let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
            anyhow::Ok((head.status, body.to_bytes(), date))
        });
        let answer =
            answer.await.unwrap_or_else(|_| bail!("no answer in {} s", PATIENCE.as_secs()));
        let (status, body, date) = answer.with_context(|| format!("{asked} failed"))?;
        if !status.is_success() {
            return Err(Refused { asked, status, reason: reason(&body) }.into());
        }
        Ok(Answer { body, date })
    }
}

impl Answer {
    /// What the body says.
    pub fn read<T: DeserializeOwned>(&self, url: &str) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body).with_context(|| format!("cannot use what {url} says"))
    }
}

/// A request with a JSON body, if any, and an access token.
pub(crate) fn authorized(
    method: Method,
    url: &str,
    token: &str,
    body: Option<&Value>,
) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut bearer = HeaderValue::try_from(format!("Bearer {token}"))?;
    bearer.set_sensitive(true);
    let mut request = Request::builder().method(method).uri(url).header(AUTHORIZATION, bearer);
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    Ok(request.body(body.into())?)
}

/// RFC 9457, else RFC 6749, 5.2.
fn reason(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let reason = ["detail", "error_description", "title", "error"]
        .into_iter()
        .find_map(|name| body.get(name)?.as_str())?;
    Some(reason.to_owned())
}

/// What went wrong, in words for people.
fn unreached(error: &(dyn Error + 'static)) -> anyhow::Error {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    let tls = root.downcast_ref::<rustls::Error>().or_else(|| {
        root.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref::<rustls::Error>()
    });
    match tls {
        Some(rustls::Error::InvalidCertificate(_)) => {
            anyhow!("its certificate is not trusted; `listen` takes another one to trust by --ca")
        }
        Some(other) => anyhow!("{other}"),
        None => anyhow!("{root}"),
    }
}
