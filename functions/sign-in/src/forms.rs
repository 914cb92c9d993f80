//! Forms, taken only from pages of ours.
//!
//! Two things must be right. The browser says where the form was sent from (`Sec-Fetch-Site`, or
//! `Origin` where a browser does not know that), and the form has a token that follows from a cookie,
//! which no other site can read.

use std::collections::BTreeMap;

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use axum::extract::{FromRequest, Request};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header::ORIGIN};
use ssf::{
    Transmitter,
    client::Secret,
    config::Issuer,
    web::{Form, pairs},
};
use url::Url;

use crate::{failure::Failure, visitor::Visitor};

/// The member of a form that has its token.
pub(crate) const TOKEN: &str = "token";

/// The token of the forms that a browser with this cookie is given.
pub(crate) fn token(cookie: &Secret) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, cookie.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"a form of Tocsin"))
}

/// Whether a request was sent from a page of `issuer`, says the browser.
fn is_from_us(headers: &HeaderMap, issuer: &Issuer) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let ours = Url::parse(issuer.as_str()).map(|url| url.origin().ascii_serialization());
    headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()) == ours.as_deref().ok()
}

/// A form that came from a page of ours, and who sent it.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) visitor: Visitor,
    members: BTreeMap<String, String>,
}

impl FromRequest<Transmitter> for Posted {
    type Rejection = Failure;

    async fn from_request(request: Request, us: &Transmitter) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::read(&mut parts, us).await?;
        if !is_from_us(&parts.headers, &us.parts().config.issuer) {
            return Err(visitor.refused_form());
        }
        let request = Request::from_parts(parts, body);
        let form = Form::from_request(request, us).await.map_err(Failure::Problem)?;
        let Ok(members) = pairs(form.members.into_iter()) else {
            return Err(visitor.refused_form());
        };
        let sent = members.get(TOKEN).map(String::as_str).unwrap_or_default();
        let fits = |cookie: &Secret| {
            verify_slices_are_equal(token(cookie).as_bytes(), sent.as_bytes()).is_ok()
        };
        if !visitor.form_cookies().any(fits) {
            return Err(visitor.refused_form());
        }
        Ok(Self { visitor, members })
    }
}

impl Posted {
    /// A member; empty where there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.members.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A member that nobody is to see.
    pub(crate) fn secret(&self, name: &str) -> Secret {
        Secret::new(self.get(name))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_form_is_from_us_only_if_the_browser_says_so() {
        let issuer = Issuer::parse("https://id.example:8443/t/1").unwrap();
        let from = |headers: &[(&'static str, &'static str)]| {
            let headers = headers.iter().map(|(name, value)| {
                let name = http::HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            });
            is_from_us(&headers.collect(), &issuer)
        };
        assert!(from(&[("sec-fetch-site", "same-origin")]));
        assert!(from(&[("origin", "https://id.example:8443")]));
        for headers in [
            &[][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://id.example:8443")],
            &[("origin", "https://id.example")],
            &[("origin", "http://id.example:8443")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
        ] {
            assert!(!from(headers), "{headers:?}");
        }
    }

    #[test]
    fn a_token_follows_from_the_cookie_and_does_not_tell_it() {
        let (one, other) = (Secret::fresh(), Secret::fresh());
        assert_eq!(token(&one), token(&one));
        assert_ne!(token(&one), token(&other));
        assert!(!token(&one).contains(one.expose()));
    }
}
