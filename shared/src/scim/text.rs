//! Which texts are the same, and which points in time.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;
use jiff::{Timestamp, civil, tz::TimeZone};

/// The form by which texts are compared where case does not matter: without regard to case, to the
/// Unicode form, and to white space around them. `Straße` and `STRASSE` are one, and so are the two
/// ways to write `é`. It serves to compare only; the text itself is kept as it was sent.
pub fn fold(text: &str) -> String {
    without_case(text).trim().to_owned()
}

fn without_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let once = |text: &str| {
        let normalizer = ComposingNormalizer::new_nfkc();
        let folded = CaseMapper::new().fold_string(&normalizer.normalize(text)).into_owned();
        normalizer.normalize(&folded).into_owned()
    };
    // Composing can make a character that folds once more, or white space; but that is the end of it.
    once(&once(text))
}

/// The form by which texts are equal or in order: as they are if their case matters, else [folded](fold).
pub(super) fn whole(text: &str, case_exact: bool) -> Cow<'_, str> {
    if case_exact { Cow::Borrowed(text) } else { Cow::Owned(fold(text)) }
}

/// The form by which one text is part of another; white space is part of it too.
pub(super) fn part(text: &str, case_exact: bool) -> Cow<'_, str> {
    if case_exact { Cow::Borrowed(text) } else { Cow::Owned(without_case(text)) }
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_form_and_white_space_make_no_other_text() {
        let same = [
            ("Ada", "ADA"),
            ("straße", "STRASSE"),
            ("e\u{301}", "\u{e9}"),
            ("\u{c9}", "e\u{301}"),
            ("\u{fb01}n", "FIN"),
            ("ΣΑΣ", "σας"),
            ("Ａｄａ", "ada"),
            (" ada ", "ada"),
        ];
        for (one, other) in same {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_ne!(fold("ada"), fold("ad a"));
        assert_ne!(fold("e"), fold("é"));
        assert_eq!((part(" A", false), part(" A", true)), (" a".into(), " A".into()));
        assert_eq!((whole(" A", false), whole(" A", true)), ("a".into(), " A".into()));
    }

    proptest! {
        #[test]
        fn a_folded_text_is_its_own_form(text in ".{0,40}") {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded);
        }
    }

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
