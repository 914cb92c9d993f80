//! Base 32 (RFC 4648, 6), as authenticator apps show keys: without padding.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// `bytes` in groups of five bits.
pub(super) fn encode(bytes: &[u8]) -> String {
    let digits = (bytes.len() * 8).div_ceil(5);
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| (byte >> (7 - at % 8)) & 1);
    let digit = |at: usize| (0..5).fold(0, |value, n| value << 1 | bit(at * 5 + n));
    (0..digits).map(|at| char::from(ALPHABET[usize::from(digit(at))])).collect()
}

/// What [`encode`] made the text of; `None` where that is nothing. Bits that fill no byte are left out.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut value, mut bits) = (Vec::new(), 0_u16, 0);
    for digit in text.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == digit)?;
        value = (value << 5) | u16::try_from(digit).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.extend(u8::try_from(value >> bits));
            value &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_are_read_and_written() {
        // RFC 4648, 10, without the padding.
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(decode(&encode(&[0xff; 20])).unwrap(), [0xff; 20]);
        for text in ["mzxw6", "MZXW6===", "M1", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
