//! The parameters of a request, as they come.

use std::collections::BTreeMap;

use url::form_urlencoded;

use super::{AuthorizationError, Shown};

/// Those that mean something here. All others are not looked at (RFC 6749, 3.1), so that what is
/// carried through forms cannot grow.
const KNOWN: [&str; 19] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "ui_locales",
    "acr_values",
    "claims",
    "request",
    "request_uri",
    "registration",
];

/// A parameter may have so many bytes.
const MAX_VALUE: usize = 4096;

/// The known parameters with a value, by name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Parameters {
    values: BTreeMap<&'static str, String>,
    /// The first that was there twice.
    pub(super) twice: Option<&'static str>,
    /// The first that is too long.
    pub(super) too_long: Option<&'static str>,
}

impl Parameters {
    /// Reads `pairs`. A parameter without a value is not there (RFC 6749, 3.1). One that is there
    /// twice is an error, of which the person is told if it is one of the two that say where to.
    pub(super) fn read(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Shown> {
        let mut read = Self::default();
        for (name, value) in pairs {
            let Some(name) = KNOWN.into_iter().find(|known| *known == name) else { continue };
            if value.is_empty() {
                continue;
            }
            if value.len() > MAX_VALUE {
                read.too_long = read.too_long.or(Some(name));
                continue;
            }
            if read.values.insert(name, value).is_some() {
                if ["client_id", "redirect_uri"].contains(&name) {
                    return Err(Shown::Twice(name));
                }
                read.twice = read.twice.or(Some(name));
            }
        }
        Ok(read)
    }

    /// A parameter that may be left out.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The words of a parameter that is a list; none if it is not there.
    pub(super) fn words(&self, name: &str) -> Vec<&str> {
        self.get(name).unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect()
    }

    /// A parameter that must be there, for the person to be sent anywhere.
    pub(super) fn shown(&self, name: &'static str) -> Result<&str, Shown> {
        self.get(name).ok_or(Shown::Missing(name))
    }

    pub(super) fn set(&mut self, name: &'static str, value: Option<String>) {
        match value {
            Some(value) => drop(self.values.insert(name, value)),
            None => drop(self.values.remove(name)),
        }
    }

    /// What is wrong with the parameters as such.
    pub(super) fn check(&self) -> Result<(), AuthorizationError> {
        let refuse = |text: String| Err(AuthorizationError::InvalidRequest(text));
        match (self.twice, self.too_long) {
            (Some(name), _) => refuse(format!("{name}: is there twice")),
            (None, Some(name)) => {
                refuse(format!("{name}: must not have more than {MAX_VALUE} bytes"))
            }
            (None, None) => Ok(()),
        }
    }

    /// As the query of a URL.
    pub(super) fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.values).finish()
    }
}
