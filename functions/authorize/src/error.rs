//! Error answers as OAuth has them (RFC 6749, 5.2).

use axum::{
    http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE},
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
    /// A form that cannot be read is an `invalid_request`, with the status that says why.
    fn from(problem: Problem) -> Self {
        let (status, description) = (problem.status(), problem.detail().to_owned());
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
        let mut response = (status, Json(Body { error, error_description })).into_response();
        // OAuth wants this for those who tried Basic, and HTTP for every 401.
        if status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static(r#"Basic realm="ssf", charset="UTF-8""#);
            response.headers_mut().insert(WWW_AUTHENTICATE, basic);
        }
        response
    }
}
