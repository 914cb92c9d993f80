//! Public keys as receivers see them.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use crate::set::{Algorithm, KeyMaterial, PublicKey};

impl PublicKey {
    /// The key of `material`, whose private half is known by the `kid`.
    pub fn new(material: KeyMaterial) -> Self {
        let kid = material.thumbprint();
        Self { handle: kid.clone(), kid, algorithm: material.algorithm(), material }
    }

    /// Its JWK (RFC 7517): public members only.
    pub fn jwk(&self) -> Jwk<'_> {
        Jwk { material: &self.material, kid: &self.kid, r#use: "sig", alg: self.algorithm.name() }
    }
}

impl KeyMaterial {
    /// An RSA key of this modulus and exponent, big-endian.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        // RFC 7518, 2: the fewest octets that hold the value.
        let encode = |number: &[u8]| {
            let zeros = number.iter().take_while(|&&octet| octet == 0).count();
            URL_SAFE_NO_PAD.encode(&number[zeros..])
        };
        Self::Rsa { n: encode(modulus), e: encode(exponent) }
    }

    /// A P-256 key: `point` is 4, then two coordinates of 32 octets.
    pub fn p256(point: &[u8]) -> Option<Self> {
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(32)?;
        (y.len() == 32).then(|| Self::Ec {
            crv: "P-256".to_owned(),
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
        })
    }

    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ec { .. } => Algorithm::ES256,
            Self::Rsa { .. } => Algorithm::RS256,
        }
    }

    /// RFC 7638, 3: the hash of the required members, in lexicographic order.
    fn thumbprint(&self) -> String {
        // Base64url needs no escapes.
        let text = match self {
            Self::Ec { crv, x, y } => {
                format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        };
        URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
    }
}

/// A JSON Web Key that verifies.
#[derive(Debug, Serialize)]
pub struct Jwk<'a> {
    #[serde(flatten)]
    material: &'a KeyMaterial,
    kid: &'a str,
    r#use: &'static str,
    alg: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kid_is_the_thumbprint_of_rfc_7638_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L\
                 6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ\
                 5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD\
                 08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEg\
                 U8awapJzKnqDKgw";
        let material = KeyMaterial::Rsa { n: n.to_owned(), e: "AQAB".to_owned() };
        assert_eq!(PublicKey::new(material).kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn numbers_and_points_are_encoded_as_jwk_wants_them() {
        let material = KeyMaterial::rsa(&[0, 0, 200, 0], &[1, 0, 1]);
        assert_eq!(material, KeyMaterial::Rsa { n: "yAA".to_owned(), e: "AQAB".to_owned() });
        let mut point = [7; 65];
        assert_eq!(KeyMaterial::p256(&point), None);
        point[0] = 4;
        assert_eq!(KeyMaterial::p256(&point[..64]), None);
        let jwk = PublicKey::new(KeyMaterial::p256(&point).unwrap());
        insta::assert_json_snapshot!(jwk.jwk(), @r#"
        {
          "kty": "EC",
          "crv": "P-256",
          "x": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
          "y": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
          "kid": "h5bribGJCy-mgzZVQ-1bWm2V848M3HZdLsqL5QJf468",
          "use": "sig",
          "alg": "ES256"
        }
        "#);
    }
}
