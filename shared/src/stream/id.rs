//! The name of a stream.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::Ids;

/// Names a stream ([SSF 1.0, 8.1.1]: unreserved characters of RFC 3986 only; here at most 64).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct StreamId(String);

impl StreamId {
    /// One that nobody has used before.
    pub fn fresh(ids: &dyn Ids) -> Self {
        Self(ids.fresh().simple().to_string())
    }

    /// `text`, if it can name a stream.
    pub fn parse(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (matches!(text.len(), 1..=64) && text.bytes().all(unreserved)).then_some(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A receiver may say so many bytes when it names a stream.
const MAX_TEXT: usize = 256;

impl<'de> Deserialize<'de> for StreamId {
    /// What cannot be the id of a stream is read too: such a stream is not there, like many others.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > MAX_TEXT {
            return Err(serde::de::Error::custom("is longer than 256 bytes"));
        }
        Ok(Self(text))
    }
}
