//! What goes wrong, as a page.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use ssf::{Error, Transmitter, error::chain, web::Problem};

use crate::{
    texts::{Language, fill},
    views,
};

/// Why there is no answer that was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A page that says so.
    Page(Box<Response>),
    /// Nothing that a person did.
    Problem(Problem),
}

impl Failure {
    /// The page for `error`, which is logged if it is ours.
    pub(crate) fn of(error: &Error, language: Language, us: &Transmitter) -> Self {
        let texts = language.texts();
        let wait = match error {
            Error::TooSoon { retry_after } => Some(*retry_after),
            _ => None,
        };
        let (status, title, text) = if let Some(wait) = wait {
            let text = fill(texts.wait, &[&seconds(wait).to_string()]);
            (StatusCode::TOO_MANY_REQUESTS, texts.wait_title, text)
        } else if error.retryable() {
            tracing::warn!(error = chain(error), "a page cannot be shown now");
            (StatusCode::SERVICE_UNAVAILABLE, texts.busy_title, texts.busy.to_owned())
        } else {
            tracing::error!(error = chain(error), "a page cannot be shown");
            (StatusCode::INTERNAL_SERVER_ERROR, texts.failed_title, texts.failed.to_owned())
        };
        let page = views::plain_message(us, language, title, &[&text]).status(status);
        let mut response = page.into_response(&us.parts().config);
        if let Some(wait) = wait {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(wait)));
        }
        Self::Page(Box::new(response))
    }
}

/// A time in whole seconds, and at least one.
pub(crate) fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0).max(u64::from(wait.is_zero()))
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Page(page) => *page,
            Self::Problem(problem) => problem.into_response(),
        }
    }
}
