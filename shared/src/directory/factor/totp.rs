//! Codes that an authenticator app shows (RFC 6238): six digits, another each thirty seconds.

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use jiff::Timestamp;

use super::base32;
use crate::client::Secret;

/// How long a code is shown, in seconds (RFC 6238, 4.1: X).
const STEP: i64 = 30;

/// A code has so many digits (RFC 4226, 5.3).
pub(super) const DIGITS: usize = 6;

/// A key has as many bytes as what HMAC-SHA-1 makes (RFC 4226, 4: R6).
const KEY: usize = 20;

/// A clock may be so many steps ahead of ours, or behind it (RFC 6238, 5.2).
const DRIFT: u64 = 1;

/// A key that nobody can guess, in base 32.
pub(super) fn fresh() -> Secret {
    let mut key = [0; KEY];
    aws_lc_rs::rand::fill(&mut key).expect("the system has a source of randomness");
    Secret::new(base32::encode(&key))
}

/// The step of `code`, if it is one of `key` at `now`, or a step before or after it, and later than
/// `last`, the step of the code that was taken last: so that each is taken once (RFC 6238, 5.2).
pub(super) fn step_of(key: &Secret, code: &str, now: Timestamp, last: u64) -> Option<u64> {
    let key = base32::decode(key.expose())?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let now = u64::try_from(now.as_second().div_euclid(STEP)).ok()?;
    let steps = now.saturating_sub(DRIFT)..=now.saturating_add(DRIFT);
    let mut found = None;
    // All of them, so that it takes equally long.
    for step in steps {
        let fits = verify_slices_are_equal(hotp(&key, step).as_bytes(), code.as_bytes()).is_ok();
        if fits && step > last {
            found = found.or(Some(step));
        }
    }
    found
}

/// RFC 4226, 5.3.
fn hotp(key: &hmac::Key, counter: u64) -> String {
    let tag = hmac::sign(key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().map_or(0, |last| last & 0xf));
    let bytes = tag.iter().skip(offset).take(4);
    let number = bytes.fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:0width$}", number % 1_000_000, width = DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn key() -> Secret {
        Secret::new(base32::encode(b"12345678901234567890"))
    }

    #[test]
    fn codes_are_those_of_the_standards() {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345678901234567890");
        // RFC 4226, appendix D.
        let codes: Vec<_> = (0..10).map(|counter| hotp(&key, counter)).collect();
        let wanted = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        assert_eq!(codes, wanted);
        // RFC 6238, appendix B: the last six of its eight digits.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = u64::try_from(second / STEP).unwrap();
            assert_eq!(step_of(&self::key(), code, at(second), 0), Some(step), "{second} s");
        }
    }

    #[test]
    fn a_clock_may_be_a_step_ahead_or_behind_and_no_more() {
        // The code of the steps from 1,111,111,080 s on.
        let code = "081804";
        let first = 1_111_111_080;
        for (second, taken) in [
            (first - 31, false),
            (first - 30, true),
            (first, true),
            (first + 59, true),
            (first + 60, false),
        ] {
            let step = step_of(&key(), code, at(second), 0);
            assert_eq!(step.is_some(), taken, "{second} s");
        }
        assert_eq!(step_of(&key(), code, at(-1), 0), None);
    }

    #[test]
    fn a_code_is_taken_once_and_none_before_it_after_it() {
        let (now, step) = (at(1_111_111_109), 37_037_036);
        assert_eq!(step_of(&key(), "081804", now, step - 1), Some(step));
        for last in [step, step + 1] {
            assert_eq!(step_of(&key(), "081804", now, last), None);
        }
        for code in ["", "81804", "0818040", "081805", "É81804"] {
            assert_eq!(step_of(&key(), code, now, 0), None, "{code}");
        }
    }

    #[test]
    fn a_key_has_160_bits_and_another_each_time() {
        let (one, other) = (fresh(), fresh());
        assert_ne!(one, other);
        assert_eq!(base32::decode(one.expose()).unwrap().len(), KEY);
    }
}
