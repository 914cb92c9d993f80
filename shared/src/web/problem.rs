//! The one place that turns an error into HTTP.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Error,
    json::Invalid,
    queue::QueueError,
    scim::{self, ErrorKind},
    seal::SealError,
    set::SignError,
    table::TableError,
};

/// An error answer: `application/problem+json` (RFC 9457).
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: Option<String>,
    member: Option<String>,
    // What SCIM calls it, where it has a word of its own.
    scim_type: Option<&'static str>,
    // Logged once, when the answer is made; never sent.
    cause: Option<Box<Error>>,
}

/// What went wrong, as far as a program can act on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Invalid,
    Unauthenticated { credentials: bool },
    Forbidden { scope: Option<&'static str> },
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    Conflict,
    PreconditionFailed,
    TooLarge,
    UnsupportedMediaType,
    TooManyRequests { retry_after: Duration },
    Internal,
    NotImplemented,
    Unavailable,
}

impl Problem {
    /// No access token was sent, or not in a way that we know (RFC 6750, 3.1).
    pub fn without_credentials() -> Self {
        Self::of(Kind::Unauthenticated { credentials: false })
            .because("an access token must be in the Authorization header, as Bearer")
    }

    /// Nothing is at this path.
    pub fn no_such_path() -> Self {
        Self::of(Kind::NotFound).because("there is nothing at this path")
    }

    /// Something is at this path, and does not take this method.
    pub fn method_not_allowed() -> Self {
        Self::of(Kind::MethodNotAllowed).because("the header Allow names the methods")
    }

    /// The body is not of the media type `wanted`.
    pub fn unsupported_media_type(wanted: &str) -> Self {
        Self::of(Kind::UnsupportedMediaType).because(format!("the body must be {wanted}"))
    }

    /// The body is over `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::of(Kind::TooLarge).because(format!("the body is over {limit} bytes"))
    }

    /// The request did not come within a time that is meant to be enough.
    pub fn request_timeout() -> Self {
        Self::of(Kind::RequestTimeout).because("the body did not come in time")
    }

    /// The answer could not be made within the time that a request may take.
    pub fn overloaded() -> Self {
        Self::of(Kind::Unavailable)
    }

    /// Our own fault, which is all that is said.
    pub fn internal() -> Self {
        Self::of(Kind::Internal)
    }

    /// A part of a standard that we leave out.
    pub fn not_implemented() -> Self {
        Self::of(Kind::NotImplemented).because("this part of the standard is not offered")
    }

    /// Its status code.
    pub fn status(&self) -> StatusCode {
        self.kind.words().0
    }

    /// What went wrong, in words; empty when it is ours to know.
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }

    /// The problem as a message of SCIM (RFC 7644, 3.12).
    pub fn scim(&self) -> Value {
        self.as_scim().message(self.status())
    }

    fn as_scim(&self) -> ScimError {
        let (_, _, title) = self.kind.words();
        ScimError {
            detail: self.detail.clone().unwrap_or_else(|| title.to_owned()),
            scim_type: self.scim_type.or(self.kind.scim_type()),
        }
    }

    fn of(kind: Kind) -> Self {
        Self { kind, detail: None, member: None, scim_type: None, cause: None }
    }

    fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Invalid(_) => Kind::Invalid,
            Error::Unauthenticated => Kind::Unauthenticated { credentials: true },
            Error::Forbidden { scope } => Kind::Forbidden { scope: Some(scope) },
            Error::MayNotCreate | Error::NotPermitted | Error::SubjectsByConsent => {
                Kind::Forbidden { scope: None }
            }
            Error::StreamNotFound(_) | Error::NotFound { .. } => Kind::NotFound,
            Error::TooManyStreams(_) | Error::Refused(_) => Kind::Conflict,
            Error::Scim(error) => of_scim(error.kind),
            Error::TooSoon { retry_after } => Kind::TooManyRequests { retry_after: *retry_after },
            Error::Table(
                TableError::Busy(_)
                | TableError::Conflict
                | TableError::Full
                | TableError::Unavailable(_),
            )
            | Error::Queue(QueueError::Unavailable(_))
            | Error::Sign(SignError::NoKey | SignError::Throttled(_) | SignError::Unavailable(_))
            | Error::Seal(SealError::Unavailable(_)) => Kind::Unavailable,
            Error::Table(TableError::Corrupt { .. } | TableError::Refused(_))
            | Error::Queue(QueueError::Refused(_))
            | Error::Sign(SignError::KeyUnusable { .. })
            | Error::Seal(SealError::Unusable(_)) => Kind::Internal,
        };
        if kind.words().0.is_server_error() {
            return Self { cause: Some(Box::new(error)), ..Self::of(kind) };
        }
        match error {
            Error::Invalid(invalid) => {
                let Invalid { member, reason } = invalid;
                if member == "." {
                    return Self::of(kind).because(format!("the body {reason}"));
                }
                let problem = Self::of(kind).because(format!("{member} {reason}"));
                Self { member: Some(member), ..problem }
            }
            Error::Scim(error) => {
                Self { scim_type: error.kind.scim_type(), ..Self::of(kind).because(error.detail) }
            }
            error => Self::of(kind).because(error.to_string()),
        }
    }
}

impl From<scim::Error> for Problem {
    fn from(error: scim::Error) -> Self {
        Error::from(error).into()
    }
}

/// The status of a refusal of SCIM (RFC 7644, 3.12).
fn of_scim(kind: ErrorKind) -> Kind {
    match kind {
        ErrorKind::InvalidFilter
        | ErrorKind::TooMany
        | ErrorKind::Mutability
        | ErrorKind::InvalidSyntax
        | ErrorKind::InvalidPath
        | ErrorKind::NoTarget
        | ErrorKind::InvalidValue
        | ErrorKind::InvalidVersion
        | ErrorKind::InvalidCursor
        | ErrorKind::ExpiredCursor
        | ErrorKind::InvalidCount => Kind::Invalid,
        ErrorKind::Uniqueness => Kind::Conflict,
        ErrorKind::Sensitive => Kind::Forbidden { scope: None },
        ErrorKind::NotFound => Kind::NotFound,
        ErrorKind::PreconditionFailed => Kind::PreconditionFailed,
        ErrorKind::TooLarge => Kind::TooLarge,
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Error::from(invalid).into()
    }
}

impl Kind {
    /// The status, the end of the `type` and the title.
    fn words(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Invalid => {
                (StatusCode::BAD_REQUEST, "invalid", "The request cannot be used as it is")
            }
            Self::Unauthenticated { .. } => {
                (StatusCode::UNAUTHORIZED, "unauthenticated", "A valid access token is needed")
            }
            Self::Forbidden { .. } => {
                (StatusCode::FORBIDDEN, "forbidden", "The access token does not allow this")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such thing"),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This path does not take this method",
            ),
            Self::RequestTimeout => {
                (StatusCode::REQUEST_TIMEOUT, "request-timeout", "The request took too long")
            }
            Self::Conflict => {
                (StatusCode::CONFLICT, "conflict", "This does not fit the state of things")
            }
            Self::PreconditionFailed => {
                (StatusCode::PRECONDITION_FAILED, "precondition-failed", "It has another version")
            }
            Self::NotImplemented => {
                (StatusCode::NOT_IMPLEMENTED, "not-implemented", "This is not offered")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body has the wrong media type",
            ),
            Self::TooManyRequests { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests")
            }
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here")
            }
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again in a moment")
            }
        }
    }

    /// RFC 6750, 3: what a caller lacks, for the header `WWW-Authenticate`.
    fn challenge(self) -> Option<String> {
        match self {
            // 3.1: no error code when no credentials were sent.
            Self::Unauthenticated { credentials: false } => Some(r#"Bearer realm="ssf""#.into()),
            Self::Unauthenticated { credentials: true } => {
                Some(r#"Bearer realm="ssf", error="invalid_token""#.into())
            }
            Self::Forbidden { scope } => {
                let scope = scope.map(|scope| format!(r#", scope="{scope}""#)).unwrap_or_default();
                Some(format!(r#"Bearer realm="ssf", error="insufficient_scope"{scope}"#))
            }
            Self::Invalid
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::Conflict
            | Self::PreconditionFailed
            | Self::NotImplemented
            | Self::TooLarge
            | Self::UnsupportedMediaType
            | Self::TooManyRequests { .. }
            | Self::Internal
            | Self::Unavailable => None,
        }
    }

    /// What SCIM calls what is not its own error.
    fn scim_type(self) -> Option<&'static str> {
        match self {
            Self::Invalid => Some("invalidSyntax"),
            _ => None,
        }
    }

    /// After how many whole seconds to try again.
    fn retry_after(self) -> Option<u64> {
        match self {
            Self::TooManyRequests { retry_after } => {
                let begun = u64::from(retry_after.subsec_nanos() > 0);
                Some((retry_after.as_secs() + begun).max(1))
            }
            Self::Unavailable => Some(1),
            Self::Invalid
            | Self::Unauthenticated { .. }
            | Self::Forbidden { .. }
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::Conflict
            | Self::PreconditionFailed
            | Self::NotImplemented
            | Self::TooLarge
            | Self::UnsupportedMediaType
            | Self::Internal => None,
        }
    }
}

/// A problem as SCIM tells it (RFC 7644, 3.12); goes along with each answer, and takes the place of its
/// body below SCIM's base.
#[derive(Clone, Debug)]
pub(super) struct ScimError {
    detail: String,
    scim_type: Option<&'static str>,
}

impl ScimError {
    fn message(&self, status: StatusCode) -> Value {
        let mut message = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": status.as_str(),
            "detail": self.detail,
        });
        if let Some(scim_type) = self.scim_type {
            message["scimType"] = scim_type.into();
        }
        message
    }

    /// The answer, told so.
    pub(super) fn tell(&self, response: Response) -> Response {
        let (mut parts, _) = response.into_parts();
        let body = self.message(parts.status).to_string();
        parts.headers.remove(CONTENT_LENGTH);
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/scim+json"));
        Response::from_parts(parts, body.into())
    }
}

/// The members of RFC 9457, 3.1, and ours: the JSON member that is wrong.
#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Some(error) = &self.cause {
            tracing::error!(error = crate::error::chain(&**error), "request failed");
        }
        let (status, name, title) = self.kind.words();
        let body = Body {
            r#type: format!("urn:tocsin:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: self.detail.as_deref(),
            member: self.member.as_deref(),
        };
        let mut response = (status, axum::Json(body)).into_response();
        response.extensions_mut().insert(self.as_scim());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(challenge) = self.kind.challenge() {
            let value = HeaderValue::try_from(challenge).expect("scopes are plain ASCII");
            headers.insert(WWW_AUTHENTICATE, value);
        }
        if let Some(seconds) = self.kind.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// The status line, the headers that matter and the body, if it is ours.
    async fn answer(problem: impl Into<Problem>) -> String {
        let response = problem.into().into_response();
        let mut text = response.status().to_string();
        for name in [WWW_AUTHENTICATE, RETRY_AFTER] {
            if let Some(value) = response.headers().get(&name) {
                write!(text, "\n{name}: {}", value.to_str().unwrap()).unwrap();
            }
        }
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        format!("{text}\n{}", str::from_utf8(&body).unwrap())
    }

    #[tokio::test]
    async fn what_the_caller_did_is_explained() {
        insta::assert_snapshot!(answer(Invalid::new("delivery.method", "is missing")).await, @r#"
        400 Bad Request
        {"type":"urn:tocsin:problem:invalid","title":"The request cannot be used as it is","status":400,"detail":"delivery.method is missing","member":"delivery.method"}
        "#);
        insta::assert_snapshot!(answer(Invalid::new(".", "is not JSON")).await, @r#"
        400 Bad Request
        {"type":"urn:tocsin:problem:invalid","title":"The request cannot be used as it is","status":400,"detail":"the body is not JSON"}
        "#);
        insta::assert_snapshot!(answer(Problem::without_credentials()).await, @r#"
        401 Unauthorized
        www-authenticate: Bearer realm="ssf"
        {"type":"urn:tocsin:problem:unauthenticated","title":"A valid access token is needed","status":401,"detail":"an access token must be in the Authorization header, as Bearer"}
        "#);
        insta::assert_snapshot!(answer(Error::Unauthenticated).await, @r#"
        401 Unauthorized
        www-authenticate: Bearer realm="ssf", error="invalid_token"
        {"type":"urn:tocsin:problem:unauthenticated","title":"A valid access token is needed","status":401,"detail":"the access token is missing, malformed, expired, revoked or not ours"}
        "#);
        insta::assert_snapshot!(answer(Error::Forbidden { scope: "ssf.manage" }).await, @r#"
        403 Forbidden
        www-authenticate: Bearer realm="ssf", error="insufficient_scope", scope="ssf.manage"
        {"type":"urn:tocsin:problem:forbidden","title":"The access token does not allow this","status":403,"detail":"the access token lacks the scope ssf.manage"}
        "#);
        let retry_after = Duration::from_millis(1001);
        insta::assert_snapshot!(answer(Error::TooSoon { retry_after }).await, @r#"
        429 Too Many Requests
        retry-after: 2
        {"type":"urn:tocsin:problem:too-many-requests","title":"Too many requests","status":429,"detail":"too many requests; try again in 2 s"}
        "#);
        insta::assert_snapshot!(answer(Error::TooManyStreams(10)).await, @r#"
        409 Conflict
        {"type":"urn:tocsin:problem:conflict","title":"This does not fit the state of things","status":409,"detail":"the receiver already has 10 streams, as many as it may have"}
        "#);
    }

    #[tokio::test]
    async fn what_we_did_is_not() {
        let unavailable = TableError::Unavailable("secret".into());
        insta::assert_snapshot!(answer(Error::from(unavailable)).await, @r#"
    503 Service Unavailable
    retry-after: 1
    {"type":"urn:tocsin:problem:unavailable","title":"Try again in a moment","status":503}
    "#);
        let (pk, sk, source) = ("secret".into(), "secret".into(), "secret".into());
        let corrupt = TableError::Corrupt { pk, sk, source };
        insta::assert_snapshot!(answer(Error::from(corrupt)).await, @r#"
        500 Internal Server Error
        {"type":"urn:tocsin:problem:internal","title":"Something went wrong here","status":500}
        "#);
    }
}
