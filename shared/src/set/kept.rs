//! How the table keeps a SET: readable, so that it compresses.
//!
//! Base64 hides from a compressor what SETs have in common. So header and claims are kept as the
//! texts that they encode, under the names of the JSON serialization of a JWS ([RFC 7515, 7.2.2]).
//! A token that would not come back byte for byte is kept as it is.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::SignedToken;

/// A longer token stays as it is: quotes and backslashes double in JSON, which could bring an item
/// over the 400 KB that it may have.
const MAX_READABLE: usize = 128 * 1024;

#[derive(Deserialize, Serialize)]
struct Readable<'a> {
    protected: String,
    payload: String,
    signature: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Compact(SignedToken),
    Readable(Readable<'static>),
}

pub(super) fn serialize<S: Serializer>(
    token: &SignedToken,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match Readable::of(token) {
        Some(readable) => readable.serialize(serializer),
        None => token.serialize(serializer),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SignedToken, D::Error> {
    Ok(match Kept::deserialize(deserializer)? {
        Kept::Compact(token) => token,
        Kept::Readable(readable) => readable.token(),
    })
}

impl<'a> Readable<'a> {
    fn of(token: &'a SignedToken) -> Option<Self> {
        let mut parts = token.as_str().split('.');
        let (protected, payload) = (decoded(parts.next()?)?, decoded(parts.next()?)?);
        let readable = Self { protected, payload, signature: parts.next()?.into() };
        let is_short = token.as_str().len() <= MAX_READABLE;
        (is_short && readable.token() == *token).then_some(readable)
    }

    fn token(&self) -> SignedToken {
        let Self { protected, payload, signature } = self;
        let mut token =
            String::with_capacity((protected.len() + payload.len()) * 4 / 3 + signature.len() + 8);
        URL_SAFE_NO_PAD.encode_string(protected, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        token.push('.');
        token.push_str(signature);
        SignedToken(token)
    }
}

fn decoded(part: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[derive(Deserialize, Serialize)]
    #[serde(transparent)]
    struct Item(#[serde(with = "super")] SignedToken);

    fn kept(token: &str) -> Value {
        let kept = serde_json::to_value(Item(SignedToken(token.to_owned()))).unwrap();
        let back: Item = serde_json::from_value(kept.clone()).unwrap();
        assert_eq!(back.0.as_str(), token);
        kept
    }

    #[test]
    fn a_token_is_kept_readable() {
        // {"alg":"ES256"} and {"iss":"ü"}
        assert_eq!(
            kept("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiLDvCJ9.c2ln"),
            json!({
                "protected": r#"{"alg":"ES256"}"#,
                "payload": r#"{"iss":"ü"}"#,
                "signature": "c2ln",
            })
        );
    }

    #[test]
    fn a_token_that_would_not_come_back_is_kept_as_it_is() {
        let long = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode("\"".repeat(100_000)));
        for token in [
            "",
            "e30",
            "e30.e30",
            "e30.e30.c2ln.more",
            "e30=.e30.c2ln",
            "not base64.e30.c2ln",
            // Bits behind the end: another encoding of the same bytes.
            "e31.e30.c2ln",
            // Not UTF-8.
            "e30._w.c2ln",
            &long,
        ] {
            assert_eq!(kept(token), json!(token), "{token:.40}");
        }
    }
}
