//! The parameters of a request that a browser brings, as they come.

use std::collections::{BTreeMap, BTreeSet};

use url::form_urlencoded;

use crate::json::Invalid;

/// A parameter may have so many bytes.
const MAX_VALUE: usize = 4096;

/// The known parameters with a value, by name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Parameters {
    values: BTreeMap<&'static str, String>,
    twice: BTreeSet<&'static str>,
    too_long: BTreeSet<&'static str>,
}

impl Parameters {
    /// Reads those of `pairs` that are `known`. All others are not looked at (RFC 6749, 3.1), so that
    /// what is carried through forms cannot grow. A parameter without a value is not there.
    pub(super) fn read(
        known: &[&'static str],
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut read = Self::default();
        for (name, value) in pairs {
            let Some(name) = known.iter().copied().find(|known| *known == name) else { continue };
            if value.is_empty() {
                continue;
            }
            if value.len() > MAX_VALUE {
                read.too_long.insert(name);
                continue;
            }
            if read.values.insert(name, value).is_some() {
                read.twice.insert(name);
            }
        }
        read
    }

    /// Whether a parameter was there twice.
    pub(super) fn is_twice(&self, name: &str) -> bool {
        self.twice.contains(name)
    }

    /// A parameter that may be left out.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The words of a parameter that is a list; none if it is not there.
    pub(super) fn words(&self, name: &str) -> Vec<&str> {
        self.get(name).unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect()
    }

    pub(super) fn set(&mut self, name: &'static str, value: Option<String>) {
        match value {
            Some(value) => drop(self.values.insert(name, value)),
            None => drop(self.values.remove(name)),
        }
    }

    /// What is wrong with the parameters as such: which, and why.
    pub(super) fn fault(&self) -> Option<Invalid> {
        let twice = self.twice.first().map(|name| Invalid::new(*name, "is there twice"));
        let reason = "must not have more than 4096 bytes";
        twice.or_else(|| self.too_long.first().map(|name| Invalid::new(*name, reason)))
    }

    /// As the query of a URL.
    pub(super) fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.values).finish()
    }
}
