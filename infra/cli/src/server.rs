//! Serves a router over HTTPS, or plain HTTP, to callers that may be slow, silent or many.

use std::{
    future::Future,
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use rustls::ServerConfig;
use ssf::{
    clock::{Clock, SystemClock},
    error::chain,
    web::Peer,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::Service;

#[cfg(test)]
mod tests;

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    limits: Limits,
}

/// What callers may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time; more wait until one ends.
    pub connections: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the headers of the first request on a connection.
    pub headers: Duration,
    /// For those of each further one.
    pub idle: Duration,
    /// For what is in flight at the end.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            handshake: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            drain: Duration::from_secs(10),
        }
    }
}

/// A request with longer headers is answered with 431.
const MAX_HEAD: u32 = 64 * 1024;
/// On one connection with HTTP/2.
const MAX_CONCURRENT_REQUESTS: u32 = 128;
/// A caller with HTTP/2 that is gone without a word is noticed after twice this time.
const PING_AFTER: Duration = Duration::from_secs(15);
/// When no connection can be taken (too many open files), one may have ended after this time.
const BREATHER: Duration = Duration::from_millis(100);

impl Server {
    /// Listens at `address`; without `tls` for plain HTTP.
    pub async fn bind(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, tls, limits: Limits::default() })
    }

    /// The same with other limits.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves `router` until `shutdown` is there; then takes no more requests, finishes those in
    /// flight, and returns.
    pub async fn serve(self, router: Router, shutdown: impl Future<Output = ()>) {
        let (stop, stopping) = watch::channel(());
        let caller =
            Caller { tls: self.tls.map(TlsAcceptor::from), router, limits: self.limits, stopping };
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let next = async {
                let place = places.clone().acquire_owned().await;
                (place, accept(&self.listener).await)
            };
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                (place, tcp) = next => {
                    let caller = caller.clone();
                    connections.spawn(async move {
                        caller.serve(tcp).await;
                        drop(place);
                    });
                }
            }
        }
        drop((self.listener, caller));
        stop.send_replace(());
        let drained =
            timeout(self.limits.drain, async { while connections.join_next().await.is_some() {} });
        if drained.await.is_err() {
            tracing::warn!(connections = connections.len(), "requests in flight were cut off");
        }
    }
}

/// The next connection, whatever happens before it comes.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => return tcp,
            Err(error) => match error.kind() {
                // The caller was gone before its turn came.
                ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset => {}
                _ => {
                    tracing::warn!(error = chain(&error), "no connection can be taken");
                    SystemClock.sleep(BREATHER).await;
                }
            },
        }
    }
}

/// What every connection needs.
#[derive(Clone)]
struct Caller {
    tls: Option<TlsAcceptor>,
    router: Router,
    limits: Limits,
    stopping: watch::Receiver<()>,
}

impl Caller {
    async fn serve(mut self, mut tcp: TcpStream) {
        let Ok(peer) = tcp.peer_addr() else { return };
        let peer = Peer(peer.ip());
        // Answers are written whole; waiting for more to send would only delay them.
        let _ = tcp.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.serve_http(tcp, peer, false).await;
        };
        let handshake = timeout(self.limits.handshake, async {
            if is_plain_http(&tcp).await? {
                return refuse_plain_http(&mut tcp).await.map(|()| None);
            }
            tls.accept(tcp).await.map(Some)
        });
        let stream = tokio::select! {
            stream = handshake => stream,
            _ = self.stopping.changed() => return,
        };
        match stream {
            Ok(Ok(Some(stream))) => {
                let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                self.serve_http(stream, peer, is_h2).await;
            }
            Ok(Ok(None)) => tracing::debug!("a caller spoke plain HTTP"),
            Ok(Err(error)) => tracing::debug!(error = chain(&error), "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn serve_http(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
        peer: Peer,
        is_h2: bool,
    ) {
        let (requests, mut seen) = watch::channel(0_u64);
        let router = self.router;
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            requests.send_modify(|count| *count += 1);
            router.clone().call(request)
        });
        let builder = builder(self.limits, is_h2);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let quiet = async {
            let mut limit = self.limits.headers;
            while timeout(limit, seen.changed()).await.is_ok() {
                limit = self.limits.idle;
            }
        };
        tokio::select! {
            // That it broke is the caller's business.
            _ = connection.as_mut() => return,
            () = quiet => {}
            _ = self.stopping.changed() => {}
        }
        // Where nothing was ever asked, nothing is in flight, and there may not even be a caller
        // who could agree to an end.
        if *requests.borrow() > 0 {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// For one version of HTTP, so that no caller is waited for to show which one it speaks.
fn builder(limits: Limits, is_h2: bool) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_buf_size(MAX_HEAD as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PING_AFTER)
        .max_concurrent_streams(MAX_CONCURRENT_REQUESTS)
        .max_header_list_size(MAX_HEAD);
    if is_h2 { builder.http2_only() } else { builder.http1_only() }
}

/// Whether the caller begins with a letter, as HTTP methods do and TLS does not.
async fn is_plain_http(tcp: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    tcp.peek(&mut first).await?;
    Ok(first[0].is_ascii_uppercase())
}

/// Says so, since most likely a person mistyped the URL.
async fn refuse_plain_http(tcp: &mut TcpStream) -> io::Result<()> {
    const ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
        content-length: 24\r\nconnection: close\r\n\r\nThis port speaks HTTPS.\n";
    // Closing before the request was read would take the answer away again.
    let _ = tcp.read(&mut [0; 4_096]).await?;
    tcp.write_all(ANSWER).await?;
    tcp.shutdown().await
}
