//! What makes a function's routes whole.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, Uri,
    header::{CACHE_CONTROL, WWW_AUTHENTICATE},
    uri::PathAndQuery,
};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use url::Url;

use crate::{
    Transmitter,
    web::{Problem, paths, problem::ScimError},
};

/// Beyond the longest poll, a request may take this long.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// `routes`, below the issuer's path and at its well-known places, with an answer for everything
/// that goes wrong around a handler: unknown paths, wrong methods, panics, slowness.
pub fn app(transmitter: &Transmitter, routes: Router<Transmitter>) -> Router {
    let prefix = issuer_path(transmitter);
    let routes = routes
        .fallback(async || Problem::no_such_path())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(transmitter.clone());
    let below_issuer = async move |mut request: Request| {
        let Some(path) = local(request.uri().path(), &prefix) else {
            return Problem::no_such_path().into_response();
        };
        *request.uri_mut() = with_path(request.uri(), &path);
        let Ok(response) = routes.clone().oneshot(request).await;
        response
    };
    Router::new()
        .fallback(below_issuer)
        .layer(from_fn_with_state(transmitter.clone(), in_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(transmitter.clone(), finish))
}

/// The issuer's path as it stands in a request, without a terminating `/`.
fn issuer_path(transmitter: &Transmitter) -> String {
    let issuer = Url::parse(transmitter.parts().config.issuer.as_str());
    let url = issuer.expect("an issuer is a URL");
    url.path().trim_end_matches('/').to_owned()
}

/// What `path` is below an issuer whose path is `prefix`; `None` when it is not.
///
/// Well-known documents are between host and path ([SSF 1.0, 7.2.1], RFC 8414, 3.1), and also at
/// the end, where older receivers look.
fn local(path: &str, prefix: &str) -> Option<String> {
    const WELL_KNOWN: [&str; 5] = [
        paths::SSF_CONFIGURATION,
        paths::SSE_CONFIGURATION,
        paths::AUTHORIZATION_SERVER,
        paths::OPENID_CONFIGURATION,
        paths::PROTECTED_RESOURCE,
    ];
    let inserted = |place: &&&str| path.strip_prefix(**place) == Some(prefix);
    if let Some(place) = WELL_KNOWN.iter().find(inserted) {
        return Some((*place).to_owned());
    }
    let rest = path.strip_prefix(prefix)?;
    rest.starts_with('/').then(|| rest.to_owned())
}

/// Whether `path` is one of SCIM's, whose clients read SCIM's errors alone.
fn is_scim(path: &str, prefix: &str) -> bool {
    let below = path.strip_prefix(prefix).and_then(|path| path.strip_prefix(paths::SCIM));
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn with_path(uri: &Uri, path: &str) -> Uri {
    let path = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    let path = PathAndQuery::try_from(path);
    parts.path_and_query = Some(path.expect("the end of a valid path is one"));
    Uri::from_parts(parts).expect("only the path is another")
}

async fn in_time(State(us): State<Transmitter>, request: Request, next: Next) -> Response {
    let parts = us.parts();
    tokio::select! {
        response = next.run(request) => response,
        () = parts.clock.sleep(parts.config.poll_wait + REQUEST_TIME) => {
            tracing::error!("request took too long");
            Problem::overloaded().into_response()
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(panic = message, "request panicked");
    Problem::internal().into_response()
}

async fn finish(State(us): State<Transmitter>, request: Request, next: Next) -> Response {
    let is_scim = is_scim(request.uri().path(), &issuer_path(&us));
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<ScimError>().filter(|_| is_scim) {
        response = error.tell(response);
    }
    let headers = response.headers_mut();
    // Tokens, configurations and errors are nobody's to keep; what may be kept says so itself.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // RFC 9728, 5.1: a refused caller learns where to get what it lacks.
    if let Some(challenge) = headers.get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok())
        && challenge.starts_with("Bearer")
    {
        let url = well_known(&us, paths::PROTECTED_RESOURCE);
        let challenge = format!(r#"{challenge}, resource_metadata="{url}""#);
        if let Ok(value) = HeaderValue::try_from(challenge) {
            headers.insert(WWW_AUTHENTICATE, value);
        }
    }
    response
}

/// The URL of the well-known document `place`: inserted between the issuer's host and path.
fn well_known(transmitter: &Transmitter, place: &str) -> String {
    let issuer = &transmitter.parts().config.issuer;
    let host = issuer.as_str().trim_end_matches('/');
    let host = host.strip_suffix(issuer.path()).unwrap_or(host);
    format!("{host}{place}{}", issuer.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_below_the_issuer_or_well_known() {
        let cases = [
            ("/ssf/streams", "", Some("/ssf/streams")),
            ("/.well-known/ssf-configuration", "", Some("/.well-known/ssf-configuration")),
            ("/.well-known/ssf-configuration/", "", Some("/.well-known/ssf-configuration/")),
            ("/t/1/ssf/streams", "/t/1", Some("/ssf/streams")),
            ("/.well-known/ssf-configuration/t/1", "/t/1", Some("/.well-known/ssf-configuration")),
            ("/t/1/.well-known/ssf-configuration", "/t/1", Some("/.well-known/ssf-configuration")),
            ("/.well-known/ssf-configuration", "/t/1", None),
            ("/.well-known/jwks.json/t/1", "/t/1", None),
            ("/t/12/ssf/streams", "/t/1", None),
            ("/t/1", "/t/1", None),
            ("/ssf/streams", "/t/1", None),
        ];
        for (path, prefix, wanted) in cases {
            assert_eq!(local(path, prefix).as_deref(), wanted, "{path} below {prefix}");
        }
    }

    #[test]
    fn a_new_path_keeps_the_query() {
        let uri = Uri::from_static("/t/ssf/streams?stream_id=1%20");
        assert_eq!(with_path(&uri, "/ssf/streams"), "/ssf/streams?stream_id=1%20");
        let uri = Uri::from_static("https://example.org/t/jwks.json");
        assert_eq!(with_path(&uri, "/jwks.json"), "https://example.org/jwks.json");
    }
}
