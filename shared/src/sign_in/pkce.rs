//! Proof Key for Code Exchange (RFC 7636): whoever brings a code must be who asked for it.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::json::Invalid;

/// How a challenge follows from its verifier. There is one method: with `plain` the challenge would
/// be the secret itself (OAuth 2.1, 7.5.1).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ChallengeMethod {
    /// Its SHA-256 (RFC 7636, 4.2).
    S256,
}

/// A code challenge by S256.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Challenge(String);

impl Challenge {
    /// The challenge of a request, whose members are `code_challenge` and `code_challenge_method`.
    /// Without a method it would be `plain` (RFC 7636, 4.3), which is refused.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, Invalid> {
        if method != Some("S256") {
            return Err(Invalid::new("code_challenge_method", "must be S256"));
        }
        match URL_SAFE_NO_PAD.decode(challenge) {
            Ok(hash) if hash.len() == 32 => Ok(Self(challenge.to_owned())),
            Ok(_) | Err(_) => Err(Invalid::new(
                "code_challenge",
                "must be a SHA-256 in base64url without padding",
            )),
        }
    }

    /// Whether it follows from `verifier`; takes equally long whatever the answer.
    pub fn is_of(&self, verifier: &str) -> bool {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let equal = verify_slices_are_equal(self.0.as_bytes(), hash.as_bytes()).is_ok();
        equal && (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn a_challenge_follows_from_its_verifier_alone() {
        let challenge = Challenge::parse(CHALLENGE, Some("S256")).unwrap();
        assert!(challenge.is_of(VERIFIER));
        for verifier in ["", CHALLENGE, &VERIFIER[1..], &format!("{VERIFIER}a")] {
            assert!(!challenge.is_of(verifier), "{verifier}");
        }
        let short = "short";
        let of_short = URL_SAFE_NO_PAD.encode(digest(&SHA256, short.as_bytes()));
        let challenge = Challenge::parse(&of_short, Some("S256")).unwrap();
        assert!(!challenge.is_of(short), "a verifier has at least 43 characters");
    }

    #[test]
    fn plain_and_what_is_no_hash_are_refused() {
        for method in [None, Some("plain"), Some("s256"), Some("")] {
            assert!(Challenge::parse(CHALLENGE, method).is_err(), "{method:?}");
        }
        for challenge in
            ["", "x", &CHALLENGE[1..], &format!("{CHALLENGE}="), VERIFIER.trim_end_matches('k')]
        {
            assert!(Challenge::parse(challenge, Some("S256")).is_err(), "{challenge}");
        }
    }
}
