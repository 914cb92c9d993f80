//! Keys and signatures as KMS writes them (DER), read strictly.

use aws_lc_rs::rsa;
use ssf::set::KeyMaterial;

/// What comes before the point in the `SubjectPublicKeyInfo` of a P-256 key (RFC 5480, 2).
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// The key on P-256 of this `SubjectPublicKeyInfo`.
pub(super) fn p256(spki: &[u8]) -> Option<KeyMaterial> {
    KeyMaterial::p256(spki.strip_prefix(&P256_SPKI)?)
}

/// The RSA key of this `SubjectPublicKeyInfo`.
pub(super) fn rsa(spki: &[u8]) -> Option<KeyMaterial> {
    let key = rsa::PublicKey::from_der(spki).ok()?;
    let (modulus, exponent) = (key.modulus(), key.exponent());
    Some(KeyMaterial::rsa(
        modulus.big_endian_without_leading_zero(),
        exponent.big_endian_without_leading_zero(),
    ))
}

/// A signature on P-256 as a JWS has it: R and S of 32 octets each (RFC 7518, 3.4). `der` is the
/// Ecdsa-Sig-Value of RFC 3279, 2.2.3.
pub(super) fn raw_signature(der: &[u8]) -> Option<[u8; 64]> {
    let (content, rest) = element(der, SEQUENCE)?;
    let (r, content) = element(content, INTEGER)?;
    let (s, content) = element(content, INTEGER)?;
    if !rest.is_empty() || !content.is_empty() {
        return None;
    }
    let mut raw = [0; 64];
    let (left, right) = raw.split_at_mut(32);
    pad(r, left)?;
    pad(s, right)?;
    Some(raw)
}

/// The content of the element of type `tag` that `der` begins with, and what comes behind it. None
/// is longer than 127 octets here, for which one octet says the length.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = der.strip_prefix(&[tag])?.split_first()?;
    if length > 127 { None } else { rest.split_at_checked(length.into()) }
}

/// Writes a positive `integer` right-aligned into `field`.
fn pad(integer: &[u8], field: &mut [u8]) -> Option<()> {
    let magnitude = match integer {
        // A zero in front is there to make it positive, and for nothing else.
        [0, rest @ ..] if rest.first().is_some_and(|octet| *octet >= 0x80) => rest,
        [first, ..] if (1..0x80).contains(first) => integer,
        _ => return None,
    };
    let start = field.len().checked_sub(magnitude.len())?;
    field[start..].copy_from_slice(magnitude);
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The DER of a number in `octets`.
    fn integer(octets: &[u8]) -> Vec<u8> {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let mut content = octets[zeros..].to_vec();
        if content.first().is_none_or(|octet| *octet >= 0x80) {
            content.insert(0, 0);
        }
        [&[INTEGER, u8::try_from(content.len()).unwrap()], &content[..]].concat()
    }

    fn signature(r: &[u8], s: &[u8]) -> Vec<u8> {
        let content = [integer(r), integer(s)].concat();
        [&[SEQUENCE, u8::try_from(content.len()).unwrap()], &content[..]].concat()
    }

    /// Numbers of 32 octets, some of them small, none of them zero.
    fn number() -> impl Strategy<Value = [u8; 32]> {
        let zeros = prop_oneof![Just(0_usize), 0..32_usize];
        (zeros, any::<[u8; 32]>(), 1..=255_u8).prop_map(|(zeros, mut octets, first)| {
            octets[..zeros].fill(0);
            octets[zeros] = first;
            octets
        })
    }

    proptest! {
        #[test]
        fn r_and_s_keep_their_values_and_get_their_length(r in number(), s in number()) {
            let raw = raw_signature(&signature(&r, &s)).unwrap();
            prop_assert_eq!(&raw[..], &[r, s].concat()[..]);
        }

        #[test]
        fn a_signature_that_is_cut_off_or_longer_is_none(
            r in number(), s in number(), cut in any::<prop::sample::Index>(), more in any::<u8>(),
        ) {
            let mut der = signature(&r, &s);
            let cut = cut.index(der.len());
            prop_assert_eq!(raw_signature(&der[..cut]), None);
            der.push(more);
            prop_assert_eq!(raw_signature(&der), None);
        }

        #[test]
        fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(raw) = raw_signature(&octets) {
                prop_assert_eq!(signature(&raw[..32], &raw[32..]), octets);
            }
        }
    }

    #[test]
    fn der_that_der_forbids_is_none() {
        for der in [
            // Negative, zero, a zero too many, nothing.
            &[0x30, 6, 2, 1, 0x80, 2, 1, 1][..],
            &[0x30, 6, 2, 1, 0, 2, 1, 1],
            &[0x30, 7, 2, 2, 0, 1, 2, 1, 1],
            &[0x30, 5, 2, 0, 2, 1, 1],
            // The length in two octets; another type; more behind S.
            &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1],
            &[0x30, 6, 3, 1, 1, 2, 1, 1],
            &[0x30, 8, 2, 1, 1, 2, 1, 1, 5, 0],
        ] {
            assert_eq!(raw_signature(der), None, "{der:?}");
        }
        let too_large = [&[0x30, 38, 2, 33, 1][..], &[0; 32], &[2, 1, 1]].concat();
        assert_eq!(raw_signature(&too_large), None);
        assert!(raw_signature(&[0x30, 6, 2, 1, 1, 2, 1, 1]).is_some());
    }

    #[test]
    fn what_is_not_such_a_key_is_none() {
        assert_eq!(p256(&[]), None);
        assert_eq!(rsa(&[0x30, 0]), None);
        let point = [&P256_SPKI[..], &[4], &[7; 64]].concat();
        assert!(p256(&point).is_some());
        assert_eq!(p256(&point[..90]), None);
    }
}
