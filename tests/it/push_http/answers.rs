//! The request, and what is made of the answer.

use std::time::{Duration, Instant};

use http::HeaderValue;
use insta::assert_snapshot;
use jiff::Timestamp;
use ssf::{
    delivery::{Attempt, PushAnswer, PushOutcome},
    set::SetError,
};
use tests::{Received, Reply, Setup, TestReceiver};

use super::*;

/// The request as text. The port, which is never the same, is cut off.
fn text(request: &Received) -> String {
    let headers = request.headers.iter().map(|(name, value)| {
        let value = value.to_str().unwrap();
        let value = if name == "host" { value.split(':').next().unwrap() } else { value };
        format!("{name}: {value}\n")
    });
    let Received { method, uri, version, body, .. } = request;
    format!("{method} {} {version:?}\n{}\n{body}", uri.path(), headers.collect::<String>())
}

#[tokio::test]
async fn a_push_over_http_1_is_the_request_of_rfc_8935() {
    let setup = Setup { protocols: vec!["http/1.1"], ..Setup::default() };
    let receiver = TestReceiver::start_as(setup).await;
    let answer = push(&client(&receiver), &receiver.url("/events")).await;
    assert_eq!(told(answer), Ok(202));
    assert_snapshot!(text(&receiver.requests()[0]), @"
    POST /events HTTP/1.1
    content-type: application/secevent+jwt
    accept: application/json
    authorization: Bearer s3cret
    user-agent: Tocsin
    host: localhost
    content-length: 13

    one.two.three
    ");
}

#[tokio::test]
async fn a_push_over_http_2_is_the_request_of_rfc_8935() {
    let receiver = TestReceiver::start().await;
    let answer = push(&client(&receiver), &receiver.url("/events?tenant=1")).await;
    assert_eq!(told(answer), Ok(202));
    let request = &receiver.requests()[0];
    assert_eq!(request.uri.query(), Some("tenant=1"));
    assert_snapshot!(text(request), @"
    POST /events HTTP/2.0
    content-type: application/secevent+jwt
    accept: application/json
    authorization: Bearer s3cret
    user-agent: Tocsin
    content-length: 13

    one.two.three
    ");
}

#[tokio::test]
async fn the_authorization_header_is_sent_verbatim_or_not_at_all() {
    let receiver = TestReceiver::start().await;
    let (client, endpoint) = (client(&receiver), receiver.url("/"));
    for authorization in
        [Some("Bearer a.b-c"), Some("Basic dTpw"), Some("anything  at all, ü"), None]
    {
        let push = Push {
            endpoint: &endpoint,
            authorization,
            set: "x",
            kind: PushKind::Event,
            verify_certificate: true,
        };
        client.push(&push).await.unwrap();
        let request = receiver.requests().pop().unwrap();
        let sent = request.headers.get("authorization");
        assert_eq!(sent.map(HeaderValue::as_bytes), authorization.map(str::as_bytes));
    }
    let bad = Push {
        endpoint: &endpoint,
        authorization: Some("Bearer a\r\nx: y"),
        set: "x",
        kind: PushKind::Event,
        verify_certificate: true,
    };
    let error = told(client.push(&bad).await).unwrap_err();
    assert_eq!(error, "the exchange broke off: the authorization header is not one");
}

#[tokio::test]
async fn a_logout_token_is_sent_in_a_form() {
    let receiver = TestReceiver::start().await;
    let push = Push {
        endpoint: &receiver.url("/out?tenant=1"),
        authorization: None,
        set: "one.two-.three_",
        kind: PushKind::Logout,
        verify_certificate: true,
    };
    assert_eq!(told(client(&receiver).push(&push).await), Ok(202));
    let request = receiver.requests().pop().unwrap();
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(request.body, "logout_token=one.two-.three_");
    assert_eq!(request.headers.get("authorization"), None);
}

#[tokio::test]
async fn an_answer_is_told_as_it_came() {
    let receiver = TestReceiver::start().await;
    let body = r#"{"err":"invalid_key","description":"no such key"}"#;
    receiver.reply(
        Reply::status(400)
            .header("content-type", "Application/JSON; charset=utf-8")
            .header("retry-after", "120")
            .body(body),
    );
    let answer = push(&client(&receiver), &receiver.url("/")).await.unwrap();
    assert_eq!(
        answer,
        PushAnswer {
            status: 400,
            retry_after: Some("120".to_owned()),
            content_type: Some("application/json".to_owned()),
            body: body.into(),
        }
    );
}

#[tokio::test]
async fn whatever_retry_after_says_the_wait_is_bounded() {
    let receiver = TestReceiver::start().await;
    let client = client(&receiver);
    let now = Timestamp::from_second(784_111_777).unwrap();
    for (retry_after, seconds) in [
        ("0", Some(1)),
        ("30", Some(30)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
        ("Sat, 05 Nov 1994 08:49:37 GMT", Some(1)),
        ("1000000000", Some(3_600)),
        ("garbage", None),
    ] {
        receiver.reply(Reply::status(503).header("retry-after", retry_after));
        let answer = push(&client, &receiver.url("/")).await;
        let attempt = Attempt { number: 1, first_at: now };
        let after = seconds.map(Duration::from_secs);
        let description = "the receiver answered 503".to_owned();
        let error = SetError { err: "push_failed".to_owned(), description };
        assert_eq!(
            PushOutcome::of(&answer, attempt, now),
            PushOutcome::Retry { after, error },
            "{retry_after}"
        );
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let receiver = TestReceiver::start().await;
    let elsewhere = receiver.url("/elsewhere");
    for status in [301, 302, 303, 307, 308] {
        receiver.reply(Reply::status(status).header("location", elsewhere.as_str()));
        assert_eq!(told(push(&client(&receiver), &receiver.url("/")).await), Ok(status));
    }
    assert!(receiver.requests().iter().all(|request| request.uri.path() == "/"));
    assert_eq!(receiver.requests().len(), 5);
}

#[tokio::test]
async fn of_a_long_body_20_kilobytes_are_read() {
    for protocol in ["h2", "http/1.1"] {
        let receiver =
            TestReceiver::start_as(Setup { protocols: vec![protocol], ..Setup::default() }).await;
        let client = client(&receiver);
        receiver.reply(Reply::status(400).body(vec![b'x'; 1_000_000]));
        receiver.reply(Reply::Endless(400));
        for status in [400, 400] {
            let answer = push(&client, &receiver.url("/")).await.unwrap();
            assert_eq!((answer.status, answer.body.len()), (status, 20_000), "{protocol}");
        }
        assert_eq!(told(push(&client, &receiver.url("/")).await), Ok(202));
    }
}

#[tokio::test]
async fn when_a_body_stalls_the_status_is_the_answer_all_the_same() {
    for protocol in ["h2", "http/1.1"] {
        let receiver =
            TestReceiver::start_as(Setup { protocols: vec![protocol], ..Setup::default() }).await;
        receiver.reply(Reply::Stalled(400, "and then"));
        let answer = push(&client(&receiver), &receiver.url("/")).await.unwrap();
        assert_eq!((answer.status, answer.body), (400, b"and then".to_vec()), "{protocol}");
    }
}

/// Of a receiver that answers and keeps the connection open, 15 s a SET were lost.
#[tokio::test]
async fn nobody_waits_for_the_body_of_an_answer_for_more_than_a_second() {
    for protocol in ["h2", "http/1.1"] {
        let receiver =
            TestReceiver::start_as(Setup { protocols: vec![protocol], ..Setup::default() }).await;
        let client = client(&receiver);
        for status in [202, 400] {
            receiver.reply(Reply::Stalled(status, "and then"));
            let began = Instant::now();
            assert_eq!(told(push(&client, &receiver.url("/")).await), Ok(status), "{protocol}");
            assert!(began.elapsed() < AMPLE / 2, "{protocol}");
        }
    }
}

#[tokio::test]
async fn no_answer_in_time_is_a_timeout() {
    let receiver = TestReceiver::start().await;
    receiver.reply(Reply::Silence);
    let answer = push(&hurried(&receiver), &receiver.url("/")).await;
    assert_eq!(answer, Err(PushError::Timeout(SHORT)));
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    for protocol in ["h2", "http/1.1"] {
        let receiver =
            TestReceiver::start_as(Setup { protocols: vec![protocol], ..Setup::default() }).await;
        receiver.reply(Reply::status(202).header("x-long", &"x".repeat(1_000_000)));
        let answer = push(&client(&receiver), &receiver.url("/")).await;
        assert!(matches!(answer, Err(PushError::Broken(_))), "{protocol}: {answer:?}");
    }
}
