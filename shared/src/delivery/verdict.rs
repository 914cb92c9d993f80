//! What a receiver's error code speaks of: the SET, or us.
//!
//! The codes are those of the registry that [RFC 8935, 7.1] set up, which poll uses too
//! ([RFC 8936, 2.6]), of the drafts before it, and of SSF:
//!
//! | code | from | speaks of |
//! | --- | --- | --- |
//! | `invalid_request` | RFC 8935, 2.4 | the SET |
//! | `invalid_key`, `invalid_issuer`, `invalid_audience` | RFC 8935, 2.4 | us |
//! | `authentication_failed`, `access_denied` | RFC 8935, 2.4 | us |
//! | `invalid_state` | SSF 1.0, 8.1.4 | the SET |
//! | `json`, `jwtParse`, `jwtHdr`, `setType`, `setParse`, `setData`, `dup` | drafts of RFC 8935 | the SET |
//! | `jws`, `jwe`, `jwtCrypto`, `jwtAud`, `jwtIss` | drafts of RFC 8935 | us |
//!
//! A SET that is no good is no good tomorrow. But a key set is read again, a secret corrected, an
//! audience entered: what is said of us may pass, and would be said of every SET meanwhile.

/// What an error code speaks of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// This SET alone: it is refused for good.
    OfSet,
    /// Sender, key, issuer or audience: it may be taken later.
    OfUs,
}

/// The codes that are known, without regard to case and punctuation.
const KNOWN: [(&str, Verdict); 18] = [
    ("accessdenied", Verdict::OfUs),
    ("authenticationfailed", Verdict::OfUs),
    ("dup", Verdict::OfSet),
    ("invalidaudience", Verdict::OfUs),
    ("invalidissuer", Verdict::OfUs),
    ("invalidkey", Verdict::OfUs),
    ("invalidrequest", Verdict::OfSet),
    ("invalidstate", Verdict::OfSet),
    ("json", Verdict::OfSet),
    ("jwe", Verdict::OfUs),
    ("jws", Verdict::OfUs),
    ("jwtaud", Verdict::OfUs),
    ("jwtcrypto", Verdict::OfUs),
    ("jwthdr", Verdict::OfSet),
    ("jwtiss", Verdict::OfUs),
    ("jwtparse", Verdict::OfSet),
    ("setdata", Verdict::OfSet),
    ("settype", Verdict::OfSet),
];

/// A code of a receiver's own that has one of these in it speaks of us.
const OURS: [&str; 13] = [
    "accessdenied",
    "audience",
    "auth",
    "certificate",
    "credential",
    "forbidden",
    "issuer",
    "jwks",
    "key",
    "kid",
    "sender",
    "signature",
    "transmitter",
];

impl Verdict {
    /// What `code` speaks of.
    pub(crate) fn of(code: &str) -> Self {
        let code: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
        let code = code.to_ascii_lowercase();
        let known = KNOWN.iter().find(|(known, _)| *known == code);
        let of_us = || OURS.iter().any(|part| code.contains(part));
        known
            .map_or_else(|| if of_us() { Self::OfUs } else { Self::OfSet }, |(_, verdict)| *verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{self, OfSet, OfUs};

    #[test]
    fn what_speaks_of_sender_key_issuer_or_audience_may_pass() {
        for code in [
            "authentication_failed",
            "access_denied",
            "invalid_key",
            "invalid_issuer",
            "invalid_audience",
            "Invalid_Key",
            "jwtAud",
            "jwtIss",
            "jwtCrypto",
            "jws",
            "jwe",
            "unknown_signing_key",
            "unauthorized_client",
            "InvalidSignature",
            "untrusted-transmitter",
        ] {
            assert_eq!(Verdict::of(code), OfUs, "{code}");
        }
    }

    #[test]
    fn what_speaks_of_the_set_is_final() {
        for code in [
            "invalid_request",
            "invalid_state",
            "json",
            "jwtParse",
            "jwtHdr",
            "setType",
            "setParse",
            "setData",
            "dup",
            "unknown_subject",
            "of_their_own",
            "missing_claim",
        ] {
            assert_eq!(Verdict::of(code), OfSet, "{code}");
        }
    }
}
