//! Makes connections, but only to addresses that are allowed.

use std::{
    error::Error as StdError,
    future::Future,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
    vec,
};

use http::{Uri, uri::Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector, dns::Name},
    rt::TokioIo,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::Service;

use crate::delivery::{PushError, address::refusal};

/// Finds the address, connects and speaks TLS, all of it within one time limit.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    tcp: HttpConnector<Resolver>,
    tls: Arc<ClientConfig>,
    allow_private: bool,
    limit: Duration,
}

type Pending<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl Connector {
    pub(super) fn new(tls: Arc<ClientConfig>, allow_private: bool, limit: Duration) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver { allow_private });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Shared among the addresses of a name, so that a dead one leaves time for the others.
        tcp.set_connect_timeout(Some(limit));
        Self { tcp, tls, allow_private, limit }
    }

    async fn connect(&mut self, uri: Uri, host: &str) -> Result<Secured, PushError> {
        let failed = |reason: String| PushError::Connect { host: host.to_owned(), reason };
        let refused = |kind| PushError::AddressRefused { host: host.to_owned(), kind };
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Err(failed("the URL is not an https URL".to_owned()));
        }
        // An address is not resolved, so that the resolver would not see it.
        if let Some(kind) = host.parse().ok().and_then(|ip| refusal(ip, self.allow_private)) {
            return Err(refused(kind));
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| failed("the URL does not name a host".to_owned()))?;
        let tcp = self.tcp.call(uri).await.map_err(|error| match find::<Refused>(&error) {
            Some(Refused(kind)) => refused(*kind),
            None => failed(root_cause(&error)),
        })?;
        let tls = TlsConnector::from(self.tls.clone()).connect(name, tcp.into_inner()).await;
        let tls = tls.map_err(|error| PushError::Tls {
            host: host.to_owned(),
            reason: root_cause(&error),
        })?;
        Ok(Secured { tls: TokioIo::new(tls), answered: Answered::default() })
    }
}

impl Service<Uri> for Connector {
    type Response = Secured;
    type Error = PushError;
    type Future = Pending<Secured, PushError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), PushError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let mut connector = self.clone();
        let limit = self.limit;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        Box::pin(async move {
            timeout(limit, connector.connect(uri, &host)).await.unwrap_or_else(|_| {
                Err(PushError::Connect { host, reason: format!("it took longer than {limit:?}") })
            })
        })
    }
}

/// Finds the addresses of a name and keeps those that are allowed. Asked for each connection, so
/// that a name that was fine before (DNS rebinding) gains nothing.
#[derive(Clone, Debug)]
struct Resolver {
    allow_private: bool,
}

/// All the addresses of a name are refused, the first one for being of this kind.
#[derive(Debug, thiserror::Error)]
#[error("the address is {0}")]
struct Refused(&'static str);

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = Box<dyn StdError + Send + Sync>;
    type Future = Pending<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(allowed(found, allow_private)?.into_iter())
        })
    }
}

/// Those of `addresses` that are allowed, at least one unless there was none.
fn allowed(
    addresses: impl Iterator<Item = SocketAddr>,
    allow_private: bool,
) -> Result<Vec<SocketAddr>, Refused> {
    let mut reason = None;
    let mut allowed = Vec::new();
    for address in addresses {
        match refusal(address.ip(), allow_private) {
            Some(kind) => reason = reason.or(Some(kind)),
            None => allowed.push(address),
        }
    }
    match reason {
        Some(kind) if allowed.is_empty() => Err(Refused(kind)),
        Some(_) | None => Ok(allowed),
    }
}

/// A connection that is safe to write to.
#[derive(Debug)]
pub(super) struct Secured {
    tls: TokioIo<TlsStream<TcpStream>>,
    answered: Answered,
}

/// Whether a connection has carried an answer; goes with the connection and each of its answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Answered(Arc<AtomicBool>);

impl Answered {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Connection for Secured {
    fn connected(&self) -> Connected {
        let (tcp, tls) = self.tls.inner().get_ref();
        let connected = tcp.connected().extra(self.answered.clone());
        if tls.alpn_protocol() == Some(b"h2") { connected.negotiated_h2() } else { connected }
    }
}

impl Read for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(cx, buf)
    }
}

impl Write for Secured {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write_vectored(cx, bufs)
    }
}

/// The `E` among `error` and its causes.
pub(super) fn find<'a, E: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// What the innermost cause of `error` says.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(addresses: &[&str], allow_private: bool) -> Result<Vec<String>, &'static str> {
        let addresses =
            addresses.iter().map(|ip| (ip.parse::<std::net::IpAddr>().unwrap(), 443).into());
        allowed(addresses, allow_private)
            .map(|kept| kept.iter().map(|address| address.ip().to_string()).collect())
            .map_err(|Refused(kind)| kind)
    }

    #[test]
    fn of_the_addresses_of_a_name_only_the_allowed_ones_are_called() {
        let mixed = ["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"];
        assert_eq!(kept(&mixed, false), Ok(vec!["8.8.8.8".into(), "2606:4700::1111".into()]));
        assert_eq!(kept(&["10.0.0.1", "::1"], false), Err("private"));
        assert_eq!(kept(&["169.254.169.254"], true), Err("metadata"));
        assert_eq!(kept(&["127.0.0.1"], true), Ok(vec!["127.0.0.1".into()]));
        assert_eq!(kept(&[], false), Ok(vec![]));
    }
}
