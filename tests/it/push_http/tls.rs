//! Whom the client believes.

use rustls::version::{TLS12, TLS13};
use ssf::delivery::{HttpsPushSettings, RootsError};
use tests::{Greeting, Setup, TestReceiver};

use super::*;

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    for version in [&TLS12, &TLS13] {
        let receiver =
            TestReceiver::start_as(Setup { tls: vec![version], ..Setup::default() }).await;
        let answer = push(&client(&receiver), &receiver.url("/")).await;
        assert_eq!(told(answer), Ok(202), "{version:?}");
    }
}

/// The `ServerHello` of a server that knows no more than TLS 1.1 (RFC 4346, 7.4.1.3).
fn hello_of_tls_1_1() -> Vec<u8> {
    let mut hello = vec![22, 3, 2, 0, 42]; // a handshake record of 42 bytes
    hello.extend([2, 0, 0, 38]); // with a ServerHello of 38 bytes
    hello.extend([3, 2]); // TLS 1.1
    hello.extend([7; 32]); // random
    hello.extend([0, 0xc0, 0x13, 0]); // no session, ECDHE-RSA with AES-128-CBC-SHA, no compression
    hello
}

#[tokio::test]
async fn what_is_not_tls_1_2_or_1_3_is_not_spoken() {
    let plain = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec();
    for (words, reason) in [
        (hello_of_tls_1_1(), "peer is incompatible: ServerDoesNotSupportTls12Or13"),
        (plain, "received corrupt message of type InvalidContentType"),
    ] {
        let setup = Setup { greeting: Greeting::Say(words), ..Setup::default() };
        let receiver = TestReceiver::start_as(setup).await;
        let answer = push(&client(&receiver), &receiver.url("/")).await;
        assert_eq!(told(answer), Err(format!("no TLS with localhost: {reason}")));
    }
}

#[tokio::test]
async fn nothing_is_sent_to_who_cannot_show_a_trusted_certificate() {
    let stranger = TestReceiver::start().await;
    let other =
        TestReceiver::start_as(Setup { names: vec!["other.example"], ..Setup::default() }).await;
    let unknown = HttpsPush::new(settings()).unwrap();
    for (client, receiver, reason) in
        [(unknown, &stranger, "UnknownIssuer"), (client(&other), &other, "other.example")]
    {
        match push(&client, &receiver.url("/")).await {
            Err(PushError::Tls { host, reason: told }) => {
                assert_eq!(host, "localhost");
                assert!(told.contains(reason), "{told}");
            }
            answer => panic!("{answer:?}"),
        }
        assert_eq!(receiver.requests().len(), 0);
    }
}

#[tokio::test]
async fn without_the_check_any_certificate_will_do() {
    for version in [&TLS12, &TLS13] {
        let setup = Setup { names: vec!["other.example"], tls: vec![version], ..Setup::default() };
        let receiver = TestReceiver::start_as(setup).await;
        let client = HttpsPush::new(settings()).unwrap();
        let endpoint = receiver.url("/");
        let push = |verify_certificate| Push {
            endpoint: &endpoint,
            authorization: None,
            set: "x",
            kind: PushKind::Event,
            verify_certificate,
        };
        assert!(client.push(&push(true)).await.is_err());
        assert_eq!(told(client.push(&push(false)).await), Ok(202));
        assert!(client.push(&push(true)).await.is_err(), "the two must not share a connection");
    }
}

#[tokio::test]
async fn plain_http_is_not_spoken() {
    let receiver = TestReceiver::start().await;
    let endpoint = receiver.url("/").as_str().replace("https:", "http:").parse().unwrap();
    let answer = push(&client(&receiver), &endpoint).await;
    let expected = "no connection to localhost: the URL is not an https URL";
    assert_eq!(told(answer), Err(expected.to_owned()));
    assert_eq!(receiver.connections(), 0);
}

#[test]
fn only_certificates_can_be_trusted() {
    let trust = |pem: &str| HttpsPushSettings::default().trust(pem.as_bytes());
    assert!(matches!(trust(""), Err(RootsError::NoCertificate)));
    assert!(matches!(trust("nonsense"), Err(RootsError::NoCertificate)));
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA";
    assert!(matches!(trust(cut), Err(RootsError::NotPem(_))));
    let bad = trust("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    assert!(matches!(HttpsPush::new(bad), Err(RootsError::BadCertificate(_))));
}
