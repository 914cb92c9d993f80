//! What a person has besides a password to sign in with: an authenticator app, and codes for who has
//! lost it.

mod base32;
mod recovery;
mod totp;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::ResourceId;
use crate::{
    client::{Secret, SecretHash},
    config::Config,
    seal::Sealed,
};

/// What is kept of a person's authenticator app and recovery codes. Its `Debug` shows no secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SecondFactor {
    /// Since when it counts.
    pub since: Timestamp,
    /// The key of the app.
    pub(super) key: Sealed,
    /// The step of the code that was taken last (RFC 6238, 5.2).
    pub(super) last_step: u64,
    /// What is kept of the recovery codes that were not used yet.
    pub(super) recovery: Vec<SecretHash>,
}

impl SecondFactor {
    /// How many recovery codes are left.
    pub fn recovery_codes(&self) -> usize {
        self.recovery.len()
    }

    /// New recovery codes in the place of all there are.
    pub(super) fn renew(&mut self) -> Vec<Secret> {
        let codes = recovery::fresh();
        self.recovery = codes.iter().map(recovery::hash).collect();
        codes
    }

    /// Takes the recovery code, if it is one.
    pub(super) fn use_up(&mut self, code: &Secret) -> bool {
        let hash = recovery::hash(code);
        let before = self.recovery.len();
        self.recovery.retain(|kept| *kept != hash);
        self.recovery.len() < before
    }

    /// Takes the code of the app, whose key is `key`, if it is right and was not taken before.
    pub(super) fn take(&mut self, key: &Secret, code: &Secret, now: Timestamp) -> bool {
        let step = totp::step_of(key, &digits(code), now, self.last_step);
        self.last_step = step.unwrap_or(self.last_step);
        step.is_some()
    }
}

/// Whether it can be the code of an app; what cannot is taken for a recovery code.
pub(super) fn is_of_app(code: &Secret) -> bool {
    let code = digits(code);
    code.len() == totp::DIGITS && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// A code as it is compared: apps show it in two groups.
fn digits(code: &Secret) -> String {
    code.expose().chars().filter(|char| !char.is_whitespace()).collect()
}

/// A key that an authenticator app is to have. It counts only once the app has shown a right code.
#[derive(Clone, Debug)]
pub struct NewAuthenticator {
    /// The key in base 32, for who types it.
    pub key: Secret,
    /// The same for who scans it: the `otpauth` URI that apps know.
    pub uri: Secret,
    /// The key as it is kept; nobody else can read it.
    pub sealed: Sealed,
}

/// A key that nobody has had before.
pub(super) fn fresh_key() -> Secret {
    totp::fresh()
}

/// The step of `code`, if the app with this key shows it at `now`.
pub(super) fn first_step(key: &Secret, code: &Secret, now: Timestamp) -> Option<u64> {
    totp::step_of(key, &digits(code), now, 0)
}

/// Where the key of a person's app belongs, for the seal.
pub(super) fn context(id: ResourceId) -> String {
    format!("authenticator/{id}")
}

/// The URI by which apps take a key: who it is for, and how codes follow from it.
pub(super) fn uri(config: &Config, user_name: &str, key: &Secret) -> Secret {
    let name = config.branding.name.as_deref().unwrap_or_else(|| config.issuer.host());
    let (name, user_name, key) = (escape(name), escape(user_name), key.expose());
    Secret::new(format!(
        "otpauth://totp/{name}:{user_name}?secret={key}&issuer={name}&algorithm=SHA1&digits=6&period=30"
    ))
}

/// As a part of a URI (RFC 3986, 2.1): some apps take `+` for what it is.
fn escape(text: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Issuer;

    #[test]
    fn an_app_is_told_whose_key_it_is() {
        let mut config = Config::new(Issuer::parse("https://id.example:8443/t").unwrap());
        let key = Secret::new("MZXW6YTB");
        let rest = "secret=MZXW6YTB&issuer=id.example&algorithm=SHA1&digits=6&period=30";
        let uri = super::uri(&config, "ada", &key);
        assert_eq!(uri.expose(), format!("otpauth://totp/id.example:ada?{rest}"));
        config.branding.name = Some("Müller & Söhne: A".to_owned());
        let uri = super::uri(&config, "ada@example.com", &key);
        let begin = "otpauth://totp/M%C3%BCller%20%26%20S%C3%B6hne%3A%20A:ada%40example.com?";
        assert!(uri.expose().starts_with(begin), "{}", uri.expose());
    }

    #[test]
    fn nothing_secret_is_printed() {
        let mut factor = SecondFactor {
            since: Timestamp::UNIX_EPOCH,
            key: Sealed::new("sealed"),
            last_step: 7,
            recovery: Vec::new(),
        };
        let codes = factor.renew();
        let text = format!("{factor:?} {codes:?}");
        assert!(!text.contains("sealed"), "{text}");
        assert!(codes.iter().all(|code| !text.contains(code.expose())), "{text}");
    }
}
