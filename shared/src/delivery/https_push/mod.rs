//! The way to the receivers: HTTPS to allowed addresses only, bounded in time and size.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT},
};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, Error as ClientError},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use tokio::time::{Instant, timeout_at};
use url::Url;

use self::connector::{Answered, Connector, find, root_cause};
use super::http::{ChosenBy, HttpPush, Push, PushAnswer, PushError, PushKind};

mod connector;
mod tls;

pub use tls::RootsError;

/// Posts SETs over HTTPS ([RFC 8935, 2.1]).
///
/// * Only to addresses that [`address::refusal`](super::address::refusal) lets through, judged
///   when a connection is made.
/// * TLS 1.2 or 1.3; HTTP/2 where the receiver offers it, else HTTP/1.1. Connections are kept for
///   the next push.
/// * No redirect is followed and no proxy asked.
/// * A connection that has answered before and breaks off may have been closed by the receiver
///   just before: the request is sent once more, on another one.
pub struct HttpsPush {
    settings: HttpsPushSettings,
    roots: RootCertStore,
    /// Made when first needed: to read the system's certificates takes longer than everything else
    /// that a function does when it starts, and most functions never call anybody.
    verifying: OnceLock<Verifying>,
    /// Made when the first client is served whose operator turned the checks off.
    unverified: OnceLock<HttpsClient>,
}

/// Those who want to see a certificate that they trust.
struct Verifying {
    push: HttpsClient,
    fetch: HttpsClient,
}

/// How to reach receivers.
#[derive(Clone, Debug)]
pub struct HttpsPushSettings {
    /// Whether receivers may be at private addresses.
    pub allow_private: bool,
    /// Certificates to trust besides the system's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// For finding the address, connecting and TLS together.
    pub connect_timeout: Duration,
    /// For a push up to the head of its answer; the body gets a second at most.
    pub total_timeout: Duration,
    /// For all of a fetch: somebody waits for what is decided by it.
    pub fetch_timeout: Duration,
}

impl Default for HttpsPushSettings {
    fn default() -> Self {
        Self {
            allow_private: false,
            extra_roots: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(15),
            fetch_timeout: Duration::from_secs(4),
        }
    }
}

impl HttpsPushSettings {
    /// Trusts the certificates in `pem`, too.
    pub fn trust(mut self, pem: &[u8]) -> Result<Self, RootsError> {
        self.extra_roots.extend(tls::certificates(pem)?);
        Ok(self)
    }
}

type HttpsClient = Client<Connector, Full<Bytes>>;

/// For the body of an answer to a push, from its head on.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);
/// More of an answer to a push is not read.
const MAX_ANSWER: usize = 20_000;
/// A longer JWKS is refused.
const MAX_FETCHED: usize = 256 * 1024;
/// An answer with longer headers is refused.
const MAX_HEAD: u32 = 64 * 1024;
const MAX_IDLE_PER_HOST: usize = 32;
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// With HTTP/2, a dead connection would hold up all requests until each of them times out.
const PING_AFTER: Duration = Duration::from_secs(5);

impl HttpsPush {
    /// A client with these settings. The system's root certificates are read when it is first used.
    pub fn new(settings: HttpsPushSettings) -> Result<Self, RootsError> {
        Ok(Self {
            roots: tls::roots(&settings.extra_roots)?,
            verifying: OnceLock::new(),
            unverified: OnceLock::new(),
            settings,
        })
    }

    fn verifying(&self) -> &Verifying {
        self.verifying.get_or_init(|| {
            let tls = Arc::new(tls::verifying(self.roots.clone()));
            Verifying {
                push: client(&self.settings, tls.clone(), self.settings.allow_private),
                fetch: client(&self.settings, tls, true),
            }
        })
    }

    fn client_for(&self, push: &Push<'_>) -> &HttpsClient {
        if push.verify_certificate {
            return &self.verifying().push;
        }
        let allow_private = self.settings.allow_private;
        self.unverified
            .get_or_init(|| client(&self.settings, Arc::new(tls::unverifying()), allow_private))
    }

    async fn send(
        &self,
        client: &HttpsClient,
        request: Request<Full<Bytes>>,
        deadline: Instant,
        within: Duration,
    ) -> Result<Response<Incoming>, PushError> {
        let sent = timeout_at(deadline, async {
            match client.request(request.clone()).await {
                Err(error) if on_used_connection(&error) => client.request(request).await,
                first => first,
            }
        });
        let response =
            sent.await.map_err(|_| PushError::Timeout(within))?.map_err(|error| failure(&error))?;
        if let Some(answered) = response.extensions().get::<Answered>() {
            answered.set();
        }
        Ok(response)
    }
}

#[async_trait]
impl HttpPush for HttpsPush {
    async fn push(&self, push: &Push<'_>) -> Result<PushAnswer, PushError> {
        let within = self.settings.total_timeout;
        let deadline = Instant::now() + within;
        let mut headers = HeaderMap::new();
        let (content_type, body) = match push.kind {
            PushKind::Event => ("application/secevent+jwt", push.set.to_owned()),
            // A JWS has no character that a form would have to escape.
            PushKind::Logout => {
                ("application/x-www-form-urlencoded", format!("logout_token={}", push.set))
            }
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = push.authorization {
            let mut value = HeaderValue::from_bytes(authorization.as_bytes())
                .map_err(|_| PushError::Broken("the authorization header is not one".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let request = request(Method::POST, push.endpoint, headers, Bytes::from(body))?;
        let response = self.send(self.client_for(push), request, deadline, within).await?;
        let (head, body) = response.into_parts();
        let mut beginning = Vec::new();
        // The status is the answer. That the body is too long, breaks off or never ends changes
        // nothing about it; what is missing of an error object is then missing.
        let until = deadline.min(Instant::now() + BODY_TIMEOUT);
        if head.status.is_success() {
            // Nobody waits for what says nothing; but a connection whose answer was read to its end
            // can be used again.
            tokio::spawn(async move {
                let _ = timeout_at(until, read(body, MAX_ANSWER, &mut Vec::new())).await;
            });
        } else {
            let _ = timeout_at(until, read(body, MAX_ANSWER, &mut beginning)).await;
        }
        Ok(PushAnswer {
            status: head.status.as_u16(),
            retry_after: text(&head.headers, RETRY_AFTER).map(str::to_owned),
            content_type: text(&head.headers, CONTENT_TYPE).map(media_type),
            body: beginning,
        })
    }

    async fn fetch(&self, url: &Url, chosen_by: ChosenBy) -> Result<Vec<u8>, PushError> {
        let within = self.settings.fetch_timeout;
        let deadline = Instant::now() + within;
        let client = match chosen_by {
            ChosenBy::Client => &self.verifying().push,
            ChosenBy::Operator => &self.verifying().fetch,
        };
        let accept = HeaderValue::from_static("application/jwk-set+json, application/json");
        let headers = HeaderMap::from_iter([(ACCEPT, accept)]);
        let request = request(Method::GET, url, headers, Bytes::new())?;
        let response = self.send(client, request, deadline, within).await?;
        if response.status() != StatusCode::OK {
            return Err(PushError::Broken(format!("the answer is {}", response.status().as_u16())));
        }
        let mut body = Vec::new();
        timeout_at(deadline, read(response.into_body(), MAX_FETCHED, &mut body))
            .await
            .map_err(|_| PushError::Timeout(within))??;
        Ok(body)
    }
}

impl fmt::Debug for HttpsPush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsPush").finish_non_exhaustive()
    }
}

fn client(
    settings: &HttpsPushSettings,
    tls: Arc<ClientConfig>,
    allow_private: bool,
) -> HttpsClient {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .http1_max_buf_size(MAX_HEAD as usize)
        .http2_max_header_list_size(MAX_HEAD)
        .http2_keep_alive_interval(PING_AFTER)
        .http2_keep_alive_timeout(PING_AFTER)
        .build(Connector::new(tls, allow_private, settings.connect_timeout))
}

fn request(
    method: Method,
    url: &Url,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, PushError> {
    let broken = |_| PushError::Broken("the URL cannot be called".to_owned());
    let uri = Uri::try_from(url.as_str()).map_err(broken)?;
    headers.insert(USER_AGENT, HeaderValue::from_static("Tocsin"));
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Adds `body` to `read`, at most `limit` bytes in all; what is longer or breaks off is an error.
async fn read(mut body: Incoming, limit: usize, read: &mut Vec<u8>) -> Result<(), PushError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| PushError::Broken(root_cause(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        let room = limit - read.len();
        read.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Err(PushError::Broken(format!("the answer is longer than {limit} bytes")));
        }
    }
    Ok(())
}

/// Whether `error` came on a connection that has carried an answer before.
fn on_used_connection(error: &ClientError) -> bool {
    let mut extensions = Extensions::new();
    if let Some(connected) = error.connect_info() {
        connected.get_extras(&mut extensions);
    }
    extensions.get().is_some_and(Answered::get)
}

fn failure(error: &ClientError) -> PushError {
    find::<PushError>(error).cloned().unwrap_or_else(|| PushError::Broken(root_cause(error)))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Without parameters, in lower case.
fn media_type(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
