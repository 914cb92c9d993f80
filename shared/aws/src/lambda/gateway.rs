//! Requests as API Gateway brings them (payload format 2.0).

use std::time::Duration;

use axum::{Router, body::Body, response::IntoResponse};
use http::{Response, header::HOST};
use jiff::Timestamp;
use lambda_http::{
    RequestExt,
    request::{LambdaRequest, RequestContext},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use ssf::{
    clock::{Clock, SystemClock},
    web::{Peer, Problem},
};
use tower::ServiceExt;

/// So long before Lambda ends a function, the request that it works on is answered.
const BEFORE_THE_END: Duration = Duration::from_millis(500);

/// What the event brings, so that a request can be made of it whatever was sent: `lambda_http`
/// panics where its parts make no URL. The scheme and the host are API Gateway's, and nothing is
/// decided by them here; what may not stand in a query is encoded.
pub(super) fn harmless(event: LambdaRequest) -> LambdaRequest {
    let LambdaRequest::ApiGatewayV2(mut event) = event else { return event };
    event.headers.remove(HOST);
    event.request_context.domain_name = None;
    if let Some(path) = &mut event.raw_path
        && !path.starts_with('/')
    {
        path.insert(0, '/');
    }
    event.raw_query_string =
        event.raw_query_string.map(|query| utf8_percent_encode(&query, FOREIGN).to_string());
    LambdaRequest::ApiGatewayV2(event)
}

/// What no query has in it (RFC 3986, 3.4). What is percent-encoded stays as it is.
const FOREIGN: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The answer of `router`; in time, before Lambda ends the function and API Gateway says that nobody
/// answers.
pub(super) async fn answer(router: Router, mut request: lambda_http::Request) -> Response<Body> {
    if let Some(peer) = peer(&request) {
        request.extensions_mut().insert(peer);
    }
    let deadline = request.lambda_context_ref().map(|context| context.deadline);
    let left = deadline.and_then(|deadline| left(deadline, SystemClock.now()));
    tokio::select! {
        Ok(response) = router.oneshot(request) => response,
        () = end(left) => {
            tracing::error!("request took too long");
            Problem::overloaded().into_response()
        }
    }
}

/// How long a request may take of which Lambda says that the function ends at `deadline`, in
/// milliseconds since 1970. `None`: it does not say it.
fn left(deadline: u64, now: Timestamp) -> Option<Duration> {
    let end = i64::try_from(deadline).ok().filter(|end| *end > 0)?;
    let left = u64::try_from(end - now.as_millisecond()).unwrap_or_default();
    Some(Duration::from_millis(left).saturating_sub(BEFORE_THE_END))
}

async fn end(left: Option<Duration>) {
    match left {
        Some(left) => SystemClock.sleep(left).await,
        None => std::future::pending().await,
    }
}

/// The address that API Gateway saw.
fn peer(request: &lambda_http::Request) -> Option<Peer> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else { return None };
    context.http.source_ip.as_ref()?.parse().ok().map(Peer)
}

#[cfg(test)]
mod tests {
    use axum::{extract::RawQuery, routing::get};
    use http::{Method, StatusCode};
    use lambda_http::Context;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn event(path: &str, query: &str, headers: &Value) -> LambdaRequest {
        let event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api",
                "domainName": "api.execute-api.us-east-1.amazonaws.com",
                "http": {
                    "method": "GET",
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                },
                "requestId": "id",
                "stage": "$default",
                "timeEpoch": 1_795_301_862_748_u64,
            },
            "isBase64Encoded": false,
        });
        serde_json::from_value(event).expect("it is an event of API Gateway")
    }

    fn request(event: LambdaRequest) -> lambda_http::Request {
        harmless(event).into()
    }

    #[test]
    fn what_is_sent_as_a_url_is_a_request_whatever_it_is() {
        let host = json!({ "host": "a b", "x-forwarded-proto": "https, http" });
        for (path, query, headers, wanted) in [
            ("/ssf/streams", "stream_id=<x>", json!({}), "/ssf/streams?stream_id=%3Cx%3E"),
            ("/ssf/streams", "a=%zz&b=\"é\"", json!({}), "/ssf/streams?a=%zz&b=%22%C3%A9%22"),
            ("/ssf/streams", "", host.clone(), "/ssf/streams"),
            ("//other.example/x", "", host, "//other.example/x"),
            ("", "", json!({}), "/"),
            (":99999", "", json!({}), "/:99999"),
        ] {
            let request = request(event(path, query, &headers));
            assert_eq!(request.method(), Method::GET);
            assert_eq!(request.uri().to_string(), wanted);
        }
    }

    proptest! {
        #[test]
        fn no_path_query_or_host_makes_a_function_panic(
            path in ".*", query in ".*", host in "[ -~]*", scheme in "[ -~]*",
        ) {
            let headers = json!({ "host": host, "x-forwarded-proto": scheme });
            let request = request(event(&path, &query, &headers));
            prop_assert!(request.uri().path().starts_with('/'));
        }
    }

    #[tokio::test]
    async fn a_request_is_answered_before_lambda_ends_the_function() {
        let forever = async || std::future::pending::<()>().await;
        let said = async |RawQuery(query): RawQuery| query.unwrap_or_default();
        let router = Router::new().route("/forever", get(forever)).route("/said", get(said));
        let asked = |path: &str, deadline: u64| {
            let mut context = Context::default();
            context.deadline = deadline;
            let request = request(event(path, "a=<b>", &json!({})));
            answer(router.clone(), request.with_lambda_context(context))
        };
        let now = u64::try_from(SystemClock.now().as_millisecond()).unwrap();
        assert_eq!(asked("/forever", now + 510).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(asked("/said", now + 60_000).await.status(), StatusCode::OK);
        assert_eq!(asked("/said", 0).await.status(), StatusCode::OK, "nobody says when it ends");
    }
}
