//! The cookies that a browser has of us. All of them are secrets, and none of them says anything.

use http::{HeaderMap, HeaderValue, header::COOKIE};
use ssf::client::Secret;

/// The session of who is signed in.
pub(crate) const SESSION: &str = "__Host-tocsin";
/// What forms are bound to where nobody is signed in.
pub(crate) const FORM: &str = "__Host-tocsin-form";
/// That somebody has signed in here before.
pub(crate) const BROWSER: &str = "__Host-tocsin-browser";

/// A browser is known for so many seconds.
const BROWSER_LIVES: u32 = 90 * 24 * 3600;

/// The secret in the cookie of this name. A name that is there twice names nothing: one of the two is
/// not ours.
pub(crate) fn read(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) if !value.is_empty() => Some(Secret::new(value)),
        (_, _) => None,
    }
}

/// The header that gives a browser `secret`, until it is closed or, for [`BROWSER`], for months.
pub(crate) fn set(name: &str, secret: &Secret) -> Option<HeaderValue> {
    let age = if name == BROWSER { format!("; Max-Age={BROWSER_LIVES}") } else { String::new() };
    header(&format!("{name}={}; Path=/; Secure; HttpOnly; SameSite=Lax{age}", secret.expose()))
}

/// The header that takes it away.
pub(crate) fn remove(name: &str) -> Option<HeaderValue> {
    header(&format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"))
}

fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_only_once() {
        let read = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, HeaderValue::from_static(line));
            }
            super::read(&headers, SESSION).map(|secret| secret.expose().to_owned())
        };
        assert_eq!(read(&["a=b; __Host-tocsin=x=y ;__Host-tocsin-form=z"]).as_deref(), Some("x=y"));
        assert_eq!(read(&["a=b", "__Host-tocsin=x"]).as_deref(), Some("x"));
        for lines in [
            &["__Host-tocsin=x; __Host-tocsin=x"][..],
            &["__Host-tocsin=x", "__Host-tocsin=y"],
            &["__Host-tocsin="],
            &["__host-tocsin=x"],
            &["__Host-tocsin"],
            &[],
        ] {
            assert_eq!(read(lines), None, "{lines:?}");
        }
    }
}
