//! Codes for who has lost the authenticator app: each is good once (NIST SP 800-63B-4, 3.1.2: look-up
//! secrets).

use super::base32;
use crate::client::{Secret, SecretHash};

/// A person has so many at first.
pub(super) const CODES: usize = 10;

/// Each is made of so many bytes: 80 bits, which nobody guesses, so that one round of a hash keeps them.
const BYTES: usize = 10;

/// New codes, as people write them down: four groups of four.
pub(super) fn fresh() -> Vec<Secret> {
    let code = || {
        let mut bytes = [0; BYTES];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system has a source of randomness");
        let digits: Vec<_> = base32::encode(&bytes).to_lowercase().chars().collect();
        let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
        Secret::new(groups.join("-"))
    };
    (0..CODES).map(|_| code()).collect()
}

/// What is kept of a code, however it is written.
pub(super) fn hash(code: &Secret) -> SecretHash {
    let code = code.expose().chars().filter(char::is_ascii_alphanumeric);
    // What is read from paper: neither digit is in a code.
    let code = code.map(|char| match char.to_ascii_lowercase() {
        '0' => 'o',
        '1' => 'l',
        char => char,
    });
    SecretHash::of(&Secret::new(code.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_easily_written_down_and_read_again() {
        let codes = fresh();
        assert_eq!(codes.len(), CODES);
        for code in &codes {
            let text = code.expose();
            assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [4; 4], "{text}");
            let kept = hash(code);
            for written in [text.to_uppercase(), text.replace('-', ""), text.replace('-', " ")] {
                assert_eq!(hash(&Secret::new(&*written)), kept);
            }
            assert_eq!(hash(&Secret::new(text.replace('o', "0").replace('l', "1"))), kept);
            let same = codes.iter().filter(|other| hash(other) == kept);
            assert_eq!(same.count(), 1);
        }
    }
}
