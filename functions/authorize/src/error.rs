//! Error answers as OAuth has them (RFC 6749, 5.2).

use axum::{
    extract::Request,
    http::{
        HeaderValue, StatusCode,
        header::{AUTHORIZATION, WWW_AUTHENTICATE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use ssf::{
    Error,
    client::OAuthError,
    web::{Json, Problem},
};

/// Why a client does not get what it wants.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// OAuth has a word for it.
    OAuth {
        /// The status.
        status: StatusCode,
        /// The word.
        error: &'static str,
        /// For people.
        description: String,
    },
    /// OAuth has none: too often, or our own fault.
    Problem(Problem),
}

impl From<OAuthError> for Refusal {
    fn from(refused: OAuthError) -> Self {
        let description = refused.to_string();
        let (status, error) = match refused {
            OAuthError::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client"),
            OAuthError::InvalidRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            OAuthError::InvalidGrant => (StatusCode::BAD_REQUEST, "invalid_grant"),
            OAuthError::InvalidScope => (StatusCode::BAD_REQUEST, "invalid_scope"),
            OAuthError::UnauthorizedClient => (StatusCode::BAD_REQUEST, "unauthorized_client"),
            OAuthError::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            OAuthError::Other(error) => return error.into(),
        };
        Self::OAuth { status, error, description }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Problem(error.into())
    }
}

impl From<Problem> for Refusal {
    /// A form that cannot be read is an `invalid_request`; a body that is no form at all, too
    /// (RFC 6749, 5.2, knows no other status for it).
    fn from(problem: Problem) -> Self {
        let description = problem.detail().to_owned();
        let status = match problem.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::BAD_REQUEST,
            status => status,
        };
        Self::OAuth { status, error: "invalid_request", description }
    }
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, error_description) = match self {
            Self::OAuth { status, error, description } => (status, error, description),
            Self::Problem(problem) => return problem.into_response(),
        };
        (status, Json(Body { error, error_description })).into_response()
    }
}

/// Tells a client that tried the header `Authorization` in vain how that is done (RFC 6749, 5.2). To
/// others it would be no help: a browser would ask a person for a password.
pub(crate) async fn challenge(request: Request, next: Next) -> Response {
    let tried = request.headers().contains_key(AUTHORIZATION);
    let mut response = next.run(request).await;
    if tried && response.status() == StatusCode::UNAUTHORIZED {
        let basic = HeaderValue::from_static(r#"Basic realm="ssf", charset="UTF-8""#);
        response.headers_mut().insert(WWW_AUTHENTICATE, basic);
    }
    response
}
