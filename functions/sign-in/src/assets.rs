//! What pages load: the one stylesheet, and the icon.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{
    HeaderName, HeaderValue,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};

const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");

/// Changes when they do: a page names it, so that a browser never has old ones.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, [STYLE, ICON].concat().as_bytes()));
    hash.truncate(12);
    hash
});

pub(crate) async fn style() -> Response {
    asset(STYLE, "text/css; charset=utf-8")
}

pub(crate) async fn icon() -> Response {
    asset(ICON, "image/svg+xml")
}

fn asset(text: &'static str, media_type: &'static str) -> Response {
    let header = |name: HeaderName, value| (name, HeaderValue::from_static(value));
    let headers = [
        header(CONTENT_TYPE, media_type),
        header(CACHE_CONTROL, "public, max-age=31536000, immutable"),
        header(CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        header(X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}
