//! Connections: kept, broken, never made.

use ssf::delivery::HttpsPushSettings;
use tests::{Greeting, Reply, Setup, TestReceiver};
use tokio::net::TcpListener;

use super::*;

async fn speaking(protocol: &'static str) -> TestReceiver {
    TestReceiver::start_as(Setup { protocols: vec![protocol], ..Setup::default() }).await
}

#[tokio::test]
async fn connections_are_used_again() {
    for protocol in ["h2", "http/1.1"] {
        let receiver = speaking(protocol).await;
        let client = client(&receiver);
        receiver.reply(Reply::json(400, r#"{"err":"invalid_request"}"#));
        for status in [400, 202, 202] {
            assert_eq!(told(push(&client, &receiver.url("/")).await), Ok(status));
        }
        assert_eq!(receiver.connections(), 1, "{protocol}");
    }
}

#[tokio::test]
async fn a_receiver_that_closes_each_connection_is_served_on_new_ones() {
    let receiver = speaking("http/1.1").await;
    receiver.otherwise(Reply::status(202).header("connection", "close"));
    let client = client(&receiver);
    for _ in 0..3 {
        assert_eq!(told(push(&client, &receiver.url("/")).await), Ok(202));
    }
    assert_eq!(receiver.connections(), 3);
}

#[tokio::test]
async fn when_a_new_connection_breaks_the_push_has_failed() {
    for reply in [Reply::BreakBeforeReading, Reply::BreakAfterReading] {
        for protocol in ["h2", "http/1.1"] {
            let receiver = speaking(protocol).await;
            receiver.reply(reply.clone());
            let error = push(&client(&receiver), &receiver.url("/")).await.unwrap_err();
            assert!(matches!(error, PushError::Broken(_)), "{protocol}, {reply:?}: {error}");
            assert_eq!(receiver.connections(), 1, "{protocol}, {reply:?}");
        }
    }
}

#[tokio::test]
async fn when_a_used_connection_breaks_the_push_is_sent_once_more() {
    let receiver = speaking("http/1.1").await;
    let client = client(&receiver);
    for reply in [Reply::BreakBeforeReading, Reply::BreakAfterReading] {
        assert_eq!(told(push(&client, &receiver.url("/")).await), Ok(202));
        receiver.reply(reply);
        assert_eq!(told(push(&client, &receiver.url("/")).await), Ok(202));
    }
    assert_eq!(receiver.connections(), 3);
    receiver.otherwise(Reply::BreakAfterReading);
    assert!(push(&client, &receiver.url("/")).await.is_err());
    assert_eq!(receiver.connections(), 4, "once more, and no more");
}

#[tokio::test]
async fn a_receiver_that_hangs_up_at_once_is_not_reached() {
    let setup = Setup { greeting: Greeting::Close, ..Setup::default() };
    let receiver = TestReceiver::start_as(setup).await;
    let error = push(&client(&receiver), &receiver.url("/")).await.unwrap_err();
    assert!(matches!(error, PushError::Tls { .. }), "{error}");
}

#[tokio::test]
async fn connecting_has_a_time_limit_of_its_own() {
    let setup = Setup { greeting: Greeting::Say(Vec::new()), ..Setup::default() };
    let receiver = TestReceiver::start_as(setup).await;
    let settings = HttpsPushSettings { connect_timeout: SHORT, ..settings() };
    let answer = push(&client_with(settings, &receiver), &receiver.url("/")).await;
    let expected = "no connection to localhost: it took longer than 1s";
    assert_eq!(told(answer), Err(expected.to_owned()));
}

#[tokio::test]
async fn where_nobody_listens_there_is_no_connection() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let endpoint = format!("https://127.0.0.1:{port}/").parse().unwrap();
    let answer = push(&HttpsPush::new(settings()).unwrap(), &endpoint).await;
    let expected = "no connection to 127.0.0.1: Connection refused (os error 111)";
    assert_eq!(told(answer), Err(expected.to_owned()));
}
