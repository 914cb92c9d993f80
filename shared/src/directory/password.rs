//! Passwords: taken, hashed, and never seen again.

use std::{
    borrow::Cow,
    fmt,
    sync::{Mutex, PoisonError},
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash as PhcHash, Salt},
};
use icu_normalizer::ComposingNormalizer;
use serde::{Deserialize, Serialize};

use crate::{client::Secret, json::Invalid};

/// What is kept of a password: its Argon2id hash in the PHC string format. Its `Debug` does not
/// show it.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// No password has more bytes than this; more would only cost time.
    pub const MAX_BYTES: usize = 1024;

    /// Hashes `password`: some tens of milliseconds of processor and 19 MiB of memory, hence not
    /// for a thread on which others wait.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when the password is empty or longer than [`Self::MAX_BYTES`].
    pub fn of(password: &Secret) -> Result<Self, Invalid> {
        let refuse = |reason: &str| Invalid::new("password", reason);
        let password = composed(password.expose());
        let bytes = password.as_bytes();
        if bytes.is_empty() || bytes.len() > Self::MAX_BYTES {
            return Err(refuse("must have 1 to 1,024 bytes"));
        }
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).expect("the system has a source of randomness");
        let params = params();
        let hash = hash(&params, bytes, &salt).and_then(|hash| {
            Some(PhcHash {
                algorithm: Algorithm::Argon2id.ident(),
                version: Some(VERSION.into()),
                params: ParamsString::try_from(&params).ok()?,
                salt: Some(Salt::new(&salt).ok()?),
                hash: Some(hash),
            })
        });
        Ok(Self(hash.ok_or_else(|| refuse("cannot be hashed"))?.to_string()))
    }

    /// Whether it is of `password`. As slow as [`Self::of`].
    pub fn fits(&self, password: &Secret) -> bool {
        let found = PhcHash::new(&self.0).ok().and_then(|kept| {
            let params = Params::try_from(&kept).ok()?;
            let password = composed(password.expose());
            let hash = hash(&params, password.as_bytes(), kept.salt?.as_ref())?;
            // Compared in constant time.
            Some(kept.hash? == hash)
        });
        found.unwrap_or(false)
    }

    /// Whether it was made in another way than new ones are.
    pub(crate) fn is_outdated(&self) -> bool {
        !self.0.starts_with(&Self::of_nobody().0[..PREFIX])
    }

    /// The text that is kept.
    pub(super) fn as_kept(&self) -> &str {
        &self.0
    }

    /// What nobody has the password of: for whoever takes as long over nobody as over somebody.
    pub(crate) fn of_nobody() -> Self {
        Self(NOBODY.to_owned())
    }
}

/// A hash of zeros, which is that of no password that anybody will find.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How much of a hash says how it was made.
const PREFIX: usize = "$argon2id$v=19$m=19456,t=2,p=1$".len();

/// A password in the one form in which it is hashed (RFC 8265, 4.2.2: NFC), for keyboards write `é` in
/// two ways.
pub(super) fn composed(password: &str) -> Cow<'_, str> {
    ComposingNormalizer::new_nfc().normalize(password)
}

const VERSION: Version = Version::V0x13;

/// OWASP's smaller choice for Argon2id: 19 MiB, two passes, one lane.
fn params() -> Params {
    Params::new(19_456, 2, 1, None).expect("these are within the bounds of Argon2")
}

/// What Argon2 works in; kept, because memory of this size and alignment that comes and goes makes the
/// process grow to many times of it.
static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// One hash at a time.
fn hash(params: &Params, password: &[u8], salt: &[u8]) -> Option<Output> {
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let argon2 = Argon2::new(Algorithm::Argon2id, VERSION, params.clone());
    argon2
        .hash_password_into_with_memory(password, salt, &mut output, &mut memory[..blocks])
        .ok()?;
    Output::new(&output).ok()
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_only_and_is_never_printed() {
        let hash = PasswordHash::of(&Secret::new("correct horse battery staple")).unwrap();
        assert!(hash.fits(&Secret::new("correct horse battery staple")));
        assert!(!hash.fits(&Secret::new("correct horse battery stapler")));
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "a PHC string");
        assert_ne!(hash, PasswordHash::of(&Secret::new("correct horse battery staple")).unwrap());
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }

    #[test]
    fn a_password_is_the_same_however_it_is_typed() {
        let hash = PasswordHash::of(&Secret::new("caf\u{e9} au lait, please")).unwrap();
        assert!(hash.fits(&Secret::new("cafe\u{301} au lait, please")));
        assert!(!hash.fits(&Secret::new("cafe au lait, please")));
    }

    #[test]
    fn who_is_nobody_takes_as_long_and_fits_nothing() {
        let of = |hash: &PasswordHash| {
            let kept = PhcHash::new(&hash.0).unwrap();
            (Params::try_from(&kept).unwrap(), kept.hash.unwrap().as_ref().len())
        };
        let somebody = PasswordHash::of(&Secret::new("x")).unwrap();
        assert_eq!(of(&PasswordHash::of_nobody()), of(&somebody));
        assert!(!PasswordHash::of_nobody().fits(&Secret::new("x")));
        assert!(!somebody.is_outdated());
        let weaker = somebody.0.replace("m=19456", "m=4096");
        assert!(PasswordHash(weaker).is_outdated());
    }

    #[test]
    fn no_password_is_empty_or_endless() {
        for text in [String::new(), "x".repeat(1025)] {
            let invalid = PasswordHash::of(&Secret::new(text)).unwrap_err();
            assert_eq!(invalid.to_string(), "password: must have 1 to 1,024 bytes");
        }
        assert!(PasswordHash::of(&Secret::new("x".repeat(1024))).is_ok());
    }
}
