//! What a token allows.

use serde::{Deserialize, Serialize};

/// A scope of the interoperability profile (IOP 2.7.2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Scope {
    /// Reading streams and their status.
    #[serde(rename = "ssf.read")]
    Read,
    /// Everything, and so reading and polling.
    #[serde(rename = "ssf.manage")]
    Manage,
    /// The poll endpoint.
    #[serde(rename = "ssf.manage.poll")]
    Poll,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Manage, Self::Poll];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "ssf.read",
            Self::Manage => "ssf.manage",
            Self::Poll => "ssf.manage.poll",
        }
    }

    /// The scope of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// Whether one who has this scope may do what asks for `wanted`.
    pub fn covers(self, wanted: Self) -> bool {
        self == Self::Manage || self == wanted
    }
}
