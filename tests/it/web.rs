//! Bad input, wherever it comes in, and what goes wrong around a handler.

use std::{fmt::Write, time::Duration};

use axum::{Router, body::Body, routing::get};
use futures_util::{FutureExt, StreamExt, stream};
use http::{Method, Request, StatusCode};
use insta::assert_snapshot;
use tests::{Answer, World};
use tower::ServiceExt;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn large() -> Body {
    Body::from(format!(r#"{{"description":"{}"}}"#, "a".repeat(256 * 1024)))
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_problems_too() {
    let world = World::new();
    assert_snapshot!(world.anyone().get("/nothing").await, @r#"
    404 Not Found
    cache-control: no-store
    content-type: application/problem+json

    {
      "detail": "there is nothing at this path",
      "status": 404,
      "title": "There is no such thing",
      "type": "urn:tocsin:problem:not-found"
    }
    "#);
    assert_snapshot!(world.anyone().delete("/jwks.json").await, @r#"
    405 Method Not Allowed
    allow: GET,HEAD
    cache-control: no-store
    content-type: application/problem+json

    {
      "detail": "the header Allow names the methods",
      "status": 405,
      "title": "This path does not take this method",
      "type": "urn:tocsin:problem:method-not-allowed"
    }
    "#);
    let allowed = async |path: &str| {
        let answer = world.anyone().send(Method::TRACE, path, &[], Body::empty()).await;
        assert_eq!(answer.status, 405, "{path}");
        answer.headers["allow"].to_str().unwrap().to_owned()
    };
    assert_eq!(allowed("/ssf/streams").await, "GET,HEAD,POST,PATCH,PUT,DELETE");
    assert_eq!(allowed("/ssf/status").await, "GET,HEAD,POST");
    assert_eq!(allowed("/ssf/subjects/add").await, "POST");
    assert_eq!(allowed("/ssf/poll/x").await, "POST");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_name() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(40), "]".repeat(40));
    let cases = [
        "",
        "{",
        "[]",
        r#""text""#,
        r#"{"description":1}"#,
        r#"{"description":"a","description":"b"}"#,
        r#"{"delivery":{"method":"urn:ietf:rfc:8935"}}"#,
        r#"{"delivery":{"method":7}}"#,
        "{\"description\":\"\u{0}\"}",
        &deep,
    ];
    let mut lines = String::new();
    for case in cases {
        let answer = alice.send(Method::POST, "/ssf/streams", &JSON, case.to_owned().into()).await;
        let body = answer.json();
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{case}");
        writeln!(lines, "{} [{}] {}", body["status"], body["member"], body["detail"]).unwrap();
    }
    assert_snapshot!(lines, @r#"
    400 [null] "the body is not JSON at line 1, column 0"
    400 [null] "the body is not JSON at line 1, column 1"
    400 [null] "the body must be an object"
    400 [null] "the body must be an object"
    400 ["description"] "description is integer, expected a string"
    400 ["description"] "description is there twice"
    400 ["delivery.endpoint_url"] "delivery.endpoint_url is missing"
    400 ["delivery.method"] "delivery.method is integer, expected a string"
    400 [null] "the body is not JSON at line 1, column 17"
    400 ["a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"] "a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0] is nested too deeply"
    "#);
    let not_text = alice.send(Method::POST, "/ssf/streams", &JSON, vec![b'"', 0xff, b'"'].into());
    assert_eq!(not_text.await.status, 400);
}

#[tokio::test]
async fn bodies_are_of_a_known_type_and_a_sane_size() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let mut lines = String::new();
    for media_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/merge-patch+json",
        "text/json",
        "application/x-www-form-urlencoded",
    ] {
        let headers = [("content-type", media_type)];
        let answer = alice.send(Method::POST, "/ssf/streams", &headers, "{}".into()).await;
        writeln!(lines, "{} {media_type}", answer.status.as_u16()).unwrap();
    }
    assert_snapshot!(lines, @"
    201 application/json
    201 Application/JSON; charset=utf-8
    201 application/merge-patch+json
    415 text/json
    415 application/x-www-form-urlencoded
    ");
    // As the standards' own examples send it.
    for headers in [&[("content-type", "")][..], &[]] {
        let answer = alice.send(Method::POST, "/ssf/streams", headers, "{}".into()).await;
        assert_eq!(answer.status, 201, "{headers:?}");
    }
    let text = [("content-type", "text/plain")];
    let text = alice.send(Method::POST, "/ssf/poll/x", &text, "{}".into()).await;
    assert_snapshot!(text, @r#"
    415 Unsupported Media Type
    cache-control: no-store
    content-type: application/problem+json

    {
      "detail": "the body must be application/json",
      "status": 415,
      "title": "The body has the wrong media type",
      "type": "urn:tocsin:problem:unsupported-media-type"
    }
    "#);
    let too_large = alice.send(Method::POST, "/ssf/streams", &JSON, large()).await;
    assert_snapshot!(too_large, @r#"
    413 Payload Too Large
    cache-control: no-store
    content-type: application/problem+json

    {
      "detail": "the body is over 262144 bytes",
      "status": 413,
      "title": "The body is too large",
      "type": "urn:tocsin:problem:too-large"
    }
    "#);
}

#[tokio::test]
async fn a_query_is_read_as_strictly_as_a_body() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let twice = alice.get("/ssf/streams?stream_id=a&stream_id=b").await;
    assert_eq!((twice.status.as_u16(), &twice.json()["member"]), (400, &"stream_id".into()));
    let missing = alice.get("/ssf/status").await;
    assert_eq!((missing.status.as_u16(), &missing.json()["member"]), (400, &"stream_id".into()));
}

/// A function whose handlers misbehave.
fn misbehaving(world: &World) -> Router {
    let routes = Router::new()
        .route("/panics", get(async || -> StatusCode { panic!("secret") }))
        .route("/hangs", get(async || std::future::pending::<StatusCode>().await))
        .route("/works", get(async || "fine"))
        .route("/reads", axum::routing::post(async |_: ssf::web::Json<()>| "read"));
    ssf::web::app(&world.transmitter, routes)
}

async fn answer(app: Router, request: Request<Body>) -> Answer {
    let Ok(response) = app.oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body }
}

fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_panic_is_a_500_that_says_nothing_and_the_process_lives_on() {
    let world = World::new();
    let app = misbehaving(&world);
    assert_snapshot!(answer(app.clone(), request("/panics")).await, @r#"
    500 Internal Server Error
    cache-control: no-store
    content-type: application/problem+json

    {
      "status": 500,
      "title": "Something went wrong here",
      "type": "urn:tocsin:problem:internal"
    }
    "#);
    assert_eq!(answer(app, request("/works")).await.status, 200);
}

/// What `request` gets when nothing happens but that seconds pass: nothing, until they have.
async fn after(world: &World, request: Request<Body>, seconds: u64) -> Answer {
    let mut answer = std::pin::pin!(answer(misbehaving(world), request));
    assert!(answer.as_mut().now_or_never().is_none());
    world.clock.advance(Duration::from_secs(seconds - 1));
    assert!(answer.as_mut().now_or_never().is_none());
    world.clock.advance(Duration::from_secs(1));
    answer.await
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let world = World::new();
    let start = stream::iter([Ok::<_, std::io::Error>("{")]);
    let body = Body::from_stream(start.chain(stream::pending()));
    let request =
        Request::post("/reads").header("content-type", "application/json").body(body).unwrap();
    assert_snapshot!(after(&world, request, 10).await, @r#"
    408 Request Timeout
    cache-control: no-store
    content-type: application/problem+json

    {
      "detail": "the body did not come in time",
      "status": 408,
      "title": "The request took too long",
      "type": "urn:tocsin:problem:request-timeout"
    }
    "#);
}

#[tokio::test]
async fn a_handler_that_hangs_is_given_up() {
    let world = World::new();
    let longest_poll = world.transmitter.parts().config.poll_wait.as_secs();
    assert_snapshot!(after(&world, request("/hangs"), longest_poll + 30).await, @r#"
    503 Service Unavailable
    cache-control: no-store
    content-type: application/problem+json
    retry-after: 1

    {
      "status": 503,
      "title": "Try again in a moment",
      "type": "urn:tocsin:problem:unavailable"
    }
    "#);
}
