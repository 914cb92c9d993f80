//! Which names are the same to people.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Names and addresses are the same where SCIM's filters say that they are equal.
pub(crate) use crate::scim::fold;

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
    use super::*;

    #[test]
    fn a_long_name_makes_a_short_key() {
        let (one, other) = (format!("{}a", "é".repeat(1000)), format!("{}b", "é".repeat(1000)));
        assert!(sortable(&one).len() < 320);
        assert_ne!(sortable(&one), sortable(&other));
        assert_eq!(sortable("Ada"), "ada");
    }
}
