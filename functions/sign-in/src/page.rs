//! A page, and what a browser may do with it.

use axum::response::{IntoResponse, Response};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};
use maud::Markup;
use ssf::config::Config;

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    html: Markup,
    status: StatusCode,
}

impl Page {
    pub(crate) fn new(html: Markup) -> Self {
        Self { html, status: StatusCode::OK }
    }

    /// The same, with another status.
    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn into_response(self, config: &Config) -> Response {
        let logo = config.branding.logo.as_ref().map(|logo| logo.origin().ascii_serialization());
        let policy = policy(logo.as_deref());
        let mut response = (self.status, self.html.into_string()).into_response();
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            // Not `no-referrer`, with which browsers send `Origin: null` with our own forms, too.
            (REFERRER_POLICY, "same-origin"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Ok(policy) = HeaderValue::try_from(policy) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

/// What a page may load, and where its forms may go: to us alone. Browsers hold this against each
/// redirect that follows from a form, too, so that no form is answered by one that leads away (`leave`).
fn policy(logo: Option<&str>) -> String {
    let logo = logo.map(|origin| format!(" {origin}")).unwrap_or_default();
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'{logo}; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self'"
    )
}
