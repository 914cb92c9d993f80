//! Compact signatures (RFC 7515) and how they are checked.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::set::{Algorithm, KeyMaterial, PublicKey};

/// What `key` signs: header and claims, encoded.
pub(crate) fn signing_input(key: &PublicKey, typ: &str, claims: &[u8]) -> String {
    // None of the three needs escapes.
    let (alg, kid) = (key.algorithm.name(), &key.kid);
    let header = format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"{typ}"}}"#);
    // Room for the signature too: 342 characters for RSA-2048.
    let mut input = String::with_capacity((header.len() + claims.len()) * 4 / 3 + 350);
    URL_SAFE_NO_PAD.encode_string(header, &mut input);
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut input);
    input
}

/// `input`, then its signature.
pub(crate) fn append_signature(mut input: String, signature: &[u8]) -> String {
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut input);
    input
}

/// What a token says of itself; believe none of it before [`verify`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// Its type.
    pub typ: Option<String>,
    /// How it is signed.
    pub algorithm: jsonwebtoken::Algorithm,
    /// Which key signed it.
    pub kid: Option<String>,
}

impl Header {
    /// The header of `token`; `None` if that is no JWT that could be verified.
    pub fn of(token: &str) -> Option<Self> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        // RFC 7515, 4.1.11: we understand no extension, so none may be critical.
        if header.crit.is_some() {
            return None;
        }
        Some(Self { typ: header.typ, algorithm: header.alg, kid: header.kid })
    }
}

/// The claims of `token` if `key` signed it with `algorithm`. Times and names are for the caller to
/// check, by the `Clock`.
pub fn verify(
    token: &str,
    key: &DecodingKey,
    algorithm: jsonwebtoken::Algorithm,
) -> Option<Map<String, Value>> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode(token, key, &validation).ok().map(|token| token.claims)
}

impl PublicKey {
    /// The claims of `token` if this key signed it.
    pub fn verify(&self, token: &str) -> Option<Map<String, Value>> {
        let (key, algorithm) = match (&self.material, self.algorithm) {
            (KeyMaterial::Ec { x, y, .. }, Algorithm::ES256) => {
                (DecodingKey::from_ec_components(x, y), jsonwebtoken::Algorithm::ES256)
            }
            (KeyMaterial::Rsa { n, e }, Algorithm::RS256) => {
                (DecodingKey::from_rsa_components(n, e), jsonwebtoken::Algorithm::RS256)
            }
            (KeyMaterial::Ec { .. }, Algorithm::RS256)
            | (KeyMaterial::Rsa { .. }, Algorithm::ES256) => return None,
        };
        verify(token, &key.ok()?, algorithm)
    }
}
