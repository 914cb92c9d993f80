//! Callers of all kinds.

use axum::routing::get;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http2;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use ssf::delivery::{ChosenBy, HttpPush, HttpsPush, HttpsPushSettings, PushError};
use tempfile::TempDir;
use tokio::{
    sync::{Notify, oneshot},
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Url;

use super::*;
use crate::tls;

/// For what must run into a limit.
const SHORT: Duration = Duration::from_millis(200);

/// A server at work: `/` answers at once, `/slow` when `finish` is told.
struct Running {
    address: SocketAddr,
    data: TempDir,
    began: Arc<Notify>,
    finish: Arc<Notify>,
    stop: oneshot::Sender<()>,
    work: JoinHandle<()>,
}

async fn start(with_tls: bool, limits: Limits) -> Running {
    let data = tempfile::tempdir().unwrap();
    let config = tls::server_config(data.path(), &[], SystemClock.now()).unwrap();
    let config = with_tls.then(|| Arc::new(config));
    let server = Server::bind(([127, 0, 0, 1], 0).into(), config).await.unwrap().limits(limits);
    let address = server.local_addr().unwrap();
    let (began, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (began, finish) = (began.clone(), finish.clone());
        async move || {
            began.notify_one();
            finish.notified().await;
            "slow"
        }
    };
    let router = Router::new().route("/", get(async || "quick")).route("/slow", get(slow));
    let (stop, stopped) = oneshot::channel::<()>();
    let work = tokio::spawn(server.serve(router, async { stopped.await.unwrap_or_default() }));
    Running { address, data, began, finish, stop, work }
}

impl Running {
    fn client(&self) -> HttpsPush {
        let pem = std::fs::read(tls::certificate_path(self.data.path())).unwrap();
        HttpsPush::new(HttpsPushSettings::default().trust(&pem).unwrap()).unwrap()
    }

    fn url(&self, host: &str, path: &str) -> Url {
        format!("https://{host}:{}{path}", self.address.port()).parse().unwrap()
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn connect_h2(&self) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        let path = tls::certificate_path(self.data.path());
        roots.add(CertificateDer::from_pem_file(path).unwrap()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = "localhost".try_into().unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, self.connect().await).await.unwrap()
    }
}

async fn fetch(client: &HttpsPush, url: Url) -> Result<String, PushError> {
    let body = client.fetch(&url, ChosenBy::Operator).await?;
    Ok(String::from_utf8(body).unwrap())
}

/// Sends `request` and reads until the server closes.
async fn ask(tcp: &mut TcpStream, request: &str) -> String {
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is closed in anger is closed, too.
    let _ = tcp.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// How an answer begins, and what it holds.
fn gist(answer: &str) -> (&str, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (head.lines().next().unwrap_or_default(), body)
}

const CLOSE: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn its_own_certificate_is_all_that_a_caller_must_trust() {
    let server = start(true, Limits::default()).await;
    for host in ["localhost", "127.0.0.1"] {
        let answer = fetch(&server.client(), server.url(host, "/")).await;
        assert_eq!(answer.as_deref(), Ok("quick"), "{host}");
    }
    let stranger = HttpsPush::new(HttpsPushSettings::default()).unwrap();
    let answer = fetch(&stranger, server.url("localhost", "/")).await;
    assert!(matches!(answer, Err(PushError::Tls { .. })), "{answer:?}");
}

#[tokio::test]
async fn plain_http_is_spoken_only_without_tls() {
    let plain = start(false, Limits::default()).await;
    let answer = ask(&mut plain.connect().await, CLOSE).await;
    assert_eq!(gist(&answer), ("HTTP/1.1 200 OK", "quick"));
    let secure = start(true, Limits::default()).await;
    let answer = ask(&mut secure.connect().await, CLOSE).await;
    assert_eq!(gist(&answer), ("HTTP/1.1 400 Bad Request", "This port speaks HTTPS.\n"));
    let answer = ask(&mut secure.connect().await, "\u{1}\u{2}\u{3}\u{4}\u{5}").await;
    assert!(!answer.starts_with("HTTP"), "{answer}");
}

#[tokio::test]
async fn a_caller_that_says_nothing_or_too_slowly_is_hung_up_on() {
    let limits = Limits { handshake: SHORT, headers: SHORT, ..Limits::default() };
    for with_tls in [true, false] {
        let server = start(with_tls, limits).await;
        for words in ["", "\u{16}\u{3}\u{1}", "get / HTTP/1.1\r\nhost: loc"] {
            let answer = ask(&mut server.connect().await, words).await;
            assert!(!answer.contains("200 OK"), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_not_used_or_not_any_more_is_closed() {
    let limits = Limits { headers: SHORT, idle: SHORT, ..Limits::default() };
    let server = start(true, limits).await;
    let mut silent = server.connect_h2().await;
    assert_eq!(silent.read_to_end(&mut Vec::new()).await.unwrap_or_default(), 0);
    let io = TokioIo::new(server.connect_h2().await);
    let (mut requests, connection) =
        http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get(server.url("localhost", "/").as_str()).body(Empty::new()).unwrap();
    assert_eq!(requests.send_request(request).await.unwrap().status(), 200);
    connection.await.unwrap().unwrap();
    let server = start(false, limits).await;
    for more in ["", "GET / HTTP/1.1\r\nhost: loc"] {
        let words = format!("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n{more}");
        let answer = ask(&mut server.connect().await, &words).await;
        assert!(answer.ends_with("quick"), "{answer}");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let server = start(false, Limits { connections: 1, ..Limits::default() }).await;
    let mut first = server.connect().await;
    first
        .write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    server.began.notified().await;
    let mut second = server.connect().await;
    let mut waiting = pin!(ask(&mut second, CLOSE));
    assert!(timeout(SHORT, waiting.as_mut()).await.is_err());
    server.finish.notify_one();
    assert_eq!(gist(&waiting.await), ("HTTP/1.1 200 OK", "quick"));
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_is_in_flight() {
    for with_tls in [true, false] {
        let server = start(with_tls, Limits::default()).await;
        let (client, url) = (server.client(), server.url("localhost", "/slow"));
        let mut tcp = server.connect().await;
        let asked = tokio::spawn(async move {
            if with_tls {
                fetch(&client, url).await.unwrap()
            } else {
                ask(&mut tcp, "GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await
            }
        });
        server.began.notified().await;
        server.stop.send(()).unwrap();
        while TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(!server.work.is_finished());
        server.finish.notify_one();
        assert!(asked.await.unwrap().ends_with("slow"));
        server.work.await.unwrap();
    }
}

#[tokio::test]
async fn nobody_who_asks_for_nothing_holds_up_the_end() {
    // Any wait would be longer than the test may take.
    let forever = Duration::from_hours(1);
    let limits =
        Limits { handshake: forever, headers: forever, drain: forever, ..Limits::default() };
    for with_tls in [true, false] {
        let server = start(with_tls, limits).await;
        let silent = server.connect().await;
        let client = server.client();
        let mut used = server.connect().await;
        if with_tls {
            assert_eq!(fetch(&client, server.url("localhost", "/")).await.as_deref(), Ok("quick"));
        } else {
            used.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
            used.readable().await.unwrap();
        }
        server.stop.send(()).unwrap();
        server.work.await.unwrap();
        drop((silent, used, client));
    }
}

#[tokio::test]
async fn the_end_does_not_wait_for_ever() {
    let server = start(false, Limits { drain: SHORT, ..Limits::default() }).await;
    let mut tcp = server.connect().await;
    tcp.write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    server.began.notified().await;
    server.stop.send(()).unwrap();
    server.work.await.unwrap();
    assert_eq!(ask(&mut tcp, "").await, "");
}
