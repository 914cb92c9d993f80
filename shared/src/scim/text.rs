//! Which texts are the same, and which points in time.

use std::borrow::Cow;

use jiff::{Timestamp, civil, tz::TimeZone};

/// The form by which texts are compared: as they are if their case matters, else without it.
pub(super) fn fold(text: &str, case_exact: bool) -> Cow<'_, str> {
    if case_exact { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

/// The point in time that an `xsd:dateTime` means ([RFC 7643, 2.3.5]): as RFC 3339 writes it, and
/// without an offset in UTC.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    // An annotation, such as [Europe/Berlin], is of RFC 9557 and unknown to most.
    if text.contains('[') || !text.contains(['T', 't']) {
        return None;
    }
    text.parse().ok().or_else(|| {
        let civil: civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_are_read_with_and_without_an_offset() {
        let same = ["2026-01-02T03:04:05Z", "2026-01-02T04:04:05.000+01:00", "2026-01-02T03:04:05"];
        for text in same {
            assert_eq!(instant(text), Some("2026-01-02T03:04:05Z".parse().unwrap()), "{text}");
        }
        for wrong in ["", "2026-01-02", "soon", "2026-13-02T00:00:00Z", "2026-01-02T03:04:05Z[UTC]"]
        {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
    }
}
