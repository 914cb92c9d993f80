//! The way from here to an application.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header::LOCATION};

use crate::{views, visitor::Visitor};

/// Sends the browser to `uri`, an address that is the application's own.
///
/// A form is not answered by a redirect: browsers hold the policy of the page that had the form against
/// each address on the way, and an application may send people on to hosts that nobody here knows. Nor
/// do they follow one to a private-use scheme without being asked. There it is a page with a link, which
/// goes on by itself.
pub(crate) fn leave(visitor: &Visitor, uri: &str) -> Response {
    let is_web = uri.starts_with("https://") || uri.starts_with("http://");
    if is_web && !visitor.by_form { redirect(uri) } else { onward(visitor, uri) }
}

/// A page that goes on to `uri` by itself.
pub(crate) fn onward(visitor: &Visitor, uri: &str) -> Response {
    visitor.answer(views::onward(visitor, uri))
}

/// Sends the browser to a page of ours.
pub(crate) fn go(visitor: &Visitor, path: &str) -> Response {
    redirect(&visitor.path(path))
}

fn redirect(uri: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(location) = HeaderValue::try_from(uri) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
