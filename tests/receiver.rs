//! A receiver that can misbehave: a real HTTPS server that answers as it is told.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method, Request, Response, Uri, Version};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::PrivateKeyDer,
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;
use url::Url;

/// A receiver of pushes on a port of its own. It answers 202 unless told otherwise, and stops when
/// it is dropped.
#[derive(Debug)]
pub struct TestReceiver {
    address: SocketAddr,
    certificate: String,
    desk: Arc<Desk>,
    listening: JoinHandle<()>,
}

/// What a receiver is to be like.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The names in its certificate.
    pub names: Vec<&'static str>,
    /// The HTTP versions that it offers in TLS; the first that the caller knows, too, is spoken.
    pub protocols: Vec<&'static str>,
    /// The versions of TLS that it speaks.
    pub tls: Vec<&'static SupportedProtocolVersion>,
    /// What it does with a new connection.
    pub greeting: Greeting,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            names: vec!["localhost", "127.0.0.1"],
            protocols: vec!["h2", "http/1.1"],
            tls: vec![&TLS12, &TLS13],
            greeting: Greeting::Tls,
        }
    }
}

/// What a receiver does with a new connection.
#[derive(Clone, Debug)]
pub enum Greeting {
    /// Closes it.
    Close,
    /// Keeps it and says these bytes, if any, and no more.
    Say(Vec<u8>),
    /// Speaks TLS.
    Tls,
}

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers it.
    Answer {
        /// The status code.
        status: u16,
        /// Headers.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: Bytes,
    },
    /// Answers it with a body that has no end.
    Endless(u16),
    /// Answers it with a body of which this part comes, and then nothing.
    Stalled(u16, &'static str),
    /// Breaks the connection before reading the body.
    BreakBeforeReading,
    /// Breaks the connection after reading the body.
    BreakAfterReading,
    /// Never answers.
    Silence,
}

impl Reply {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &str) -> Self {
        Self::status(status).header("content-type", "application/json").body(body.to_owned())
    }

    /// The same answer with a header more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }

    /// The same answer with this body.
    #[must_use]
    pub fn body(mut self, text: impl Into<Bytes>) -> Self {
        if let Self::Answer { body, .. } = &mut self {
            *body = text.into();
        }
        self
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: Method,
    /// The path and the query.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
    /// On which connection, counted from 1.
    pub connection: usize,
    /// In which version of HTTP.
    pub version: Version,
}

/// Where requests come in and replies are chosen.
#[derive(Debug)]
struct Desk {
    script: Mutex<VecDeque<Reply>>,
    otherwise: Mutex<Reply>,
    otherwise_at: Mutex<BTreeMap<String, Reply>>,
    connections: AtomicUsize,
    received: watch::Sender<Vec<Received>>,
}

impl TestReceiver {
    /// A well-behaved receiver.
    pub async fn start() -> Self {
        Self::start_as(Setup::default()).await
    }

    /// A receiver like this.
    pub async fn start_as(setup: Setup) -> Self {
        let names = setup.names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let own = rcgen::generate_simple_self_signed(names).expect("the names are fit");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let desk = Arc::new(Desk {
            script: Mutex::default(),
            otherwise: Mutex::new(Reply::status(202)),
            otherwise_at: Mutex::default(),
            connections: AtomicUsize::new(0),
            received: watch::Sender::new(Vec::new()),
        });
        let certificate = own.cert.pem();
        let tls = Arc::new(server_config(&setup, own));
        let listening = tokio::spawn(listen(listener, tls, setup.greeting, desk.clone()));
        Self { address, certificate, desk, listening }
    }

    /// The URL of something at this receiver, by name.
    pub fn url(&self, path: &str) -> Url {
        self.url_at("localhost", path)
    }

    /// The same, with the host spelled in another way.
    pub fn url_at(&self, host: &str, path: &str) -> Url {
        format!("https://{host}:{}{path}", self.address.port()).parse().expect("a URL")
    }

    /// The certificate to trust, as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Replies so to the next request that has no reply yet.
    pub fn reply(&self, reply: Reply) {
        locked(&self.desk.script).push_back(reply);
    }

    /// Replies so to all requests for which there is no other.
    pub fn otherwise(&self, reply: Reply) {
        *locked(&self.desk.otherwise) = reply;
    }

    /// The same, for requests to `path` alone.
    pub fn otherwise_at(&self, path: &str, reply: Reply) {
        locked(&self.desk.otherwise_at).insert(path.to_owned(), reply);
    }

    /// How many connections came in so far.
    pub fn connections(&self) -> usize {
        self.desk.connections.load(Ordering::SeqCst)
    }

    /// The requests that were read so far.
    pub fn requests(&self) -> Vec<Received> {
        self.desk.received.borrow().clone()
    }

    /// How many requests were read so far.
    pub fn count(&self) -> usize {
        self.desk.received.borrow().len()
    }

    /// The requests that were read, as soon as there are `count`.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut received = self.desk.received.subscribe();
        let enough = received.wait_for(|received| received.len() >= count).await;
        enough.expect("the desk lives as long as the receiver").clone()
    }
}

impl Drop for TestReceiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn server_config(setup: &Setup, own: rcgen::CertifiedKey<rcgen::KeyPair>) -> ServerConfig {
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a PKCS #8 key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&setup.tls)
        .expect("the provider has suites for these versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.into()], key)
        .expect("the key is that of the certificate");
    config.alpn_protocols = setup.protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

/// Dropping this ends all connections, too.
async fn listen(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    greeting: Greeting,
    desk: Arc<Desk>,
) {
    let mut connections = JoinSet::new();
    while let Ok((tcp, _)) = listener.accept().await {
        let number = desk.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let (tls, greeting, desk) = (tls.clone(), greeting.clone(), desk.clone());
        connections.spawn(async move {
            match greeting {
                Greeting::Close => Ok(()),
                Greeting::Say(words) => say(tcp, &words).await,
                Greeting::Tls => serve(tcp, tls, number, desk).await,
            }
        });
    }
}

async fn say(mut tcp: TcpStream, words: &[u8]) -> io::Result<()> {
    tcp.write_all(words).await?;
    tcp.read_to_end(&mut Vec::new()).await.map(|_| ())
}

async fn serve(
    tcp: TcpStream,
    tls: Arc<ServerConfig>,
    number: usize,
    desk: Arc<Desk>,
) -> io::Result<()> {
    let stream = TlsAcceptor::from(tls).accept(tcp).await?;
    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request| answer(request, number, desk.clone()));
    let io = TokioIo::new(stream);
    if h2 {
        http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await
    } else {
        http1::Builder::new().serve_connection(io, service).await
    }
    .map_err(io::Error::other)
}

type Body = BoxBody<Bytes, Infallible>;

/// The answer, or an error, which breaks the connection.
async fn answer(
    request: Request<Incoming>,
    connection: usize,
    desk: Arc<Desk>,
) -> io::Result<Response<Body>> {
    let reply = locked(&desk.script).pop_front();
    let here = || locked(&desk.otherwise_at).get(request.uri().path()).cloned();
    let reply = reply.or_else(here).unwrap_or_else(|| locked(&desk.otherwise).clone());
    if let Reply::BreakBeforeReading = reply {
        return Err(io::Error::other("as told"));
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let received = Received {
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        connection,
        version: head.version,
    };
    desk.received.send_modify(|all| all.push(received));
    let frame = |text: &'static [u8]| Ok(Frame::data(Bytes::from_static(text)));
    let (status, headers, body) = match reply {
        Reply::Answer { status, headers, body } => (status, headers, Full::new(body).boxed()),
        Reply::BreakAfterReading | Reply::BreakBeforeReading => {
            return Err(io::Error::other("as told"));
        }
        Reply::Endless(status) => {
            let body = stream::repeat_with(move || frame(&[b'x'; 1_000]));
            (status, Vec::new(), BodyExt::boxed(StreamBody::new(body)))
        }
        Reply::Silence => std::future::pending().await,
        Reply::Stalled(status, beginning) => {
            let body = stream::iter([frame(beginning.as_bytes())]).chain(stream::pending());
            (status, Vec::new(), BodyExt::boxed(StreamBody::new(body)))
        }
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(body).map_err(io::Error::other)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
