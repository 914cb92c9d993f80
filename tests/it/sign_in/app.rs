//! An authenticator app, as others write them.

use aws_lc_rs::hmac;
use jiff::Timestamp;

pub(crate) struct App {
    key: Vec<u8>,
}

impl App {
    /// One that was given this key, in base 32.
    pub(crate) fn new(key: &str) -> Self {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let digits = key.chars().map(|digit| alphabet.find(digit).unwrap());
        let bits: Vec<_> =
            digits.flat_map(|digit| (0..5).rev().map(move |bit| digit >> bit & 1)).collect();
        let byte = |bits: &[usize]| bits.iter().fold(0, |byte, bit| byte << 1 | bit);
        let bytes = bits.chunks_exact(8).map(|bits| u8::try_from(byte(bits)).unwrap());
        Self { key: bytes.collect() }
    }

    /// What it shows.
    pub(crate) fn code(&self, now: Timestamp) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.key);
        let step = now.as_second() / 30;
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[19] & 15);
        let four: [u8; 4] = tag[at..at + 4].try_into().unwrap();
        format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
    }
}
