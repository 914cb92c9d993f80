//! The HTTP API of the deployed stack, where it is more than the functions behind it.

use http::{Method, StatusCode, header::ALLOW};

use crate::deployed::on_the_stack;

#[test]
fn a_method_that_a_path_does_not_have_is_refused_with_those_that_it_has() {
    on_the_stack(async |deployed| {
        for (method, path, wanted) in [
            (Method::POST, "/.well-known/ssf-configuration", "GET,HEAD"),
            (Method::DELETE, "/jwks.json", "GET,HEAD"),
            (Method::GET, "/oauth/token", "POST"),
            (Method::PUT, "/ssf/subjects/add", "POST"),
            (Method::DELETE, "/ssf/status", "GET,HEAD,POST"),
            (Method::GET, "/ssf/poll/a-stream", "POST"),
        ] {
            let response = deployed.respond(method.clone(), path, None, None).await;
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(response.headers()[ALLOW], wanted, "{method} {path}");
        }
        let response = deployed.respond(Method::GET, "/nothing", None, None).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    });
}
