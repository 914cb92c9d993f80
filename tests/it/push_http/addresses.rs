//! Where the client does not go.

use ssf::delivery::HttpsPushSettings;
use tests::{Setup, TestReceiver};

use super::*;

#[tokio::test]
async fn an_address_that_is_not_allowed_is_not_even_called() {
    let setup = Setup { names: vec!["localhost", "127.0.0.1", "::1"], ..Setup::default() };
    let receiver = TestReceiver::start_as(setup).await;
    let careful = client_with(HttpsPushSettings { allow_private: false, ..settings() }, &receiver);
    for (spelled, host) in [
        ("127.0.0.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("[::1]", "::1"),
        // A name, known to be bad only when it is resolved.
        ("localhost", "localhost"),
    ] {
        let endpoint = receiver.url_at(spelled, "/");
        let refused = PushError::AddressRefused { host: host.to_owned(), kind: "loopback" };
        assert_eq!(push(&careful, &endpoint).await, Err(refused.clone()), "{spelled}");
        let unchecked = Push {
            endpoint: &endpoint,
            authorization: None,
            set: "x",
            kind: PushKind::Event,
            verify_certificate: false,
        };
        assert_eq!(careful.push(&unchecked).await, Err(refused), "{spelled} without certificates");
    }
    assert_eq!(receiver.connections(), 0);
    for host in ["127.0.0.1", "localhost"] {
        let answer = push(&client(&receiver), &receiver.url_at(host, "/")).await;
        assert_eq!(told(answer), Ok(202), "{host}, allowed");
    }
}

#[tokio::test]
async fn the_operators_leave_does_not_reach_to_metadata() {
    let client = HttpsPush::new(settings()).unwrap();
    for (endpoint, kind) in [
        ("https://169.254.169.254/", "metadata"),
        ("https://[fd00:ec2::254]/", "metadata"),
        ("https://[::ffff:169.254.169.254]/", "IPv4-mapped"),
        ("https://[64:ff9b::169.254.169.254]/", "metadata"),
        ("https://0.0.0.0/", "unspecified"),
        ("https://[ff02::1]/", "multicast"),
    ] {
        match push(&client, &endpoint.parse().unwrap()).await {
            Err(PushError::AddressRefused { kind: told, .. }) => assert_eq!(told, kind),
            answer => panic!("{endpoint}: {answer:?}"),
        }
    }
}
