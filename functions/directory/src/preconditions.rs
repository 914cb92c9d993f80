//! Versions in headers: `If-Match` and `If-None-Match` (RFC 7644, 3.14; RFC 9110, 13.1).

use http::{
    HeaderMap, HeaderName,
    header::{IF_MATCH, IF_NONE_MATCH},
};
use ssf::directory::version;

/// The revision that a resource must have for a change: none, if the client does not mind.
pub(crate) fn expected(headers: &HeaderMap) -> Option<u64> {
    let tags = tags(headers, &IF_MATCH)?;
    if tags.iter().any(|tag| tag == "*") {
        return None;
    }
    // What is no version of ours is one that no resource has.
    Some(tags.iter().find_map(|tag| revision(tag)).unwrap_or(u64::MAX))
}

/// The revision that a version of a resource names.
pub(crate) fn revision_of(version: &str) -> u64 {
    revision(version).unwrap_or(u64::MAX)
}

/// Whether the client has this version already.
pub(crate) fn is_known(headers: &HeaderMap, revision: u64) -> bool {
    let ours = version(revision);
    tags(headers, &IF_NONE_MATCH)
        .is_some_and(|tags| tags.iter().any(|tag| tag == "*" || weak(tag) == weak(&ours)))
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let tags: Vec<String> =
        values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect();
    (!tags.is_empty()).then_some(tags)
}

fn revision(tag: &str) -> Option<u64> {
    weak(tag).trim_matches('"').parse().ok()
}

/// Compared weakly (RFC 9110, 8.8.3.2): a mark in front does not matter.
fn weak(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("this is a header"))])
    }

    #[test]
    fn a_version_is_read_as_clients_write_it() {
        let cases = [
            (r#"W/"7""#, Some(7)),
            (r#""7""#, Some(7)),
            ("7", Some(7)),
            ("*", None),
            (r#"W/"x""#, Some(u64::MAX)),
        ];
        for (value, wanted) in cases {
            assert_eq!(expected(&headers(IF_MATCH, value)), wanted, "{value}");
        }
        assert_eq!(expected(&HeaderMap::new()), None);
    }

    #[test]
    fn a_known_version_is_recognized() {
        for (value, known) in
            [(r#"W/"7""#, true), (r#"W/"6", W/"7""#, true), ("*", true), (r#"W/"6""#, false)]
        {
            assert_eq!(is_known(&headers(IF_NONE_MATCH, value), 7), known, "{value}");
        }
        assert!(!is_known(&HeaderMap::new(), 7));
    }
}
