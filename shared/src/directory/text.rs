//! Which names are the same to people.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;

/// The form by which names are compared: without regard to case, to the Unicode form, and to white
/// space around them. `Straße` and `STRASSE` are one name, and so are the two ways to write `é`.
/// It serves as a key only; the name itself is kept as it was sent.
pub(crate) fn fold(text: &str) -> String {
    // Composing can make a character that folds once more, or white space; but that is the end of it.
    fold_once(&fold_once(text))
}

fn fold_once(text: &str) -> String {
    let normalizer = ComposingNormalizer::new_nfkc();
    let folded = CaseMapper::new().fold_string(&normalizer.normalize(text)).into_owned();
    normalizer.normalize(&folded).trim().to_owned()
}

/// A short name for a text that does not tell it: keys stay short, and neither names nor addresses
/// lie about in keys and in the logs of the table's home. SHA-256, base64url, 43 characters.
pub(crate) fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// The end of an order by name: a key has a bounded length, so that a long name is cut, and told
/// apart by its hash.
pub(crate) fn sortable(name: &str) -> String {
    const MAX: usize = 256;
    let folded = fold(name);
    if folded.len() <= MAX {
        return folded;
    }
    let end = folded.floor_char_boundary(MAX);
    format!("{}{}", &folded[..end], hash(&folded))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_form_and_white_space_make_no_other_name() {
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
    }

    #[test]
    fn a_long_name_makes_a_short_key() {
        let (one, other) = (format!("{}a", "é".repeat(1000)), format!("{}b", "é".repeat(1000)));
        assert!(sortable(&one).len() < 320);
        assert_ne!(sortable(&one), sortable(&other));
        assert_eq!(sortable("Ada"), "ada");
    }

    proptest! {
        #[test]
        fn a_folded_name_is_its_own_form(name in ".{0,40}") {
            let folded = fold(&name);
            prop_assert_eq!(fold(&folded), folded);
        }
    }
}
