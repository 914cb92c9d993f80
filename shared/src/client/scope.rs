//! What a token allows.

use serde::{Deserialize, Serialize};

/// What a client or a person's application may ask for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Scope {
    /// Reading streams and their status (IOP 2.7.2).
    #[serde(rename = "ssf.read")]
    Read,
    /// Everything about streams, and so reading and polling (IOP 2.7.2).
    #[serde(rename = "ssf.manage")]
    Manage,
    /// The poll endpoint (IOP 2.7.2).
    #[serde(rename = "ssf.manage.poll")]
    Poll,
    /// Reading and writing the directory by SCIM (RFC 7644, 2).
    #[serde(rename = "scim")]
    Scim,
    /// Reading the directory by SCIM.
    #[serde(rename = "scim.read")]
    ScimRead,
    /// Reading and writing by SCIM what the person may of themselves (RFC 7644, 3.11).
    #[serde(rename = "scim.me")]
    ScimMe,
    /// Who the person is (OpenID Connect Core 1.0, 3.1.2.1).
    #[serde(rename = "openid")]
    OpenId,
    /// The person's names and the like (OpenID Connect Core 1.0, 5.4).
    #[serde(rename = "profile")]
    Profile,
    /// The person's e-mail address.
    #[serde(rename = "email")]
    Email,
    /// The person's telephone number.
    #[serde(rename = "phone")]
    Phone,
    /// The person's postal address.
    #[serde(rename = "address")]
    Address,
    /// The groups that the person is a member of.
    #[serde(rename = "groups")]
    Groups,
    /// Refresh tokens that outlive the person's session (OpenID Connect Core 1.0, 11).
    #[serde(rename = "offline_access")]
    OfflineAccess,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Read,
        Self::Manage,
        Self::Poll,
        Self::Scim,
        Self::ScimRead,
        Self::ScimMe,
        Self::OpenId,
        Self::Profile,
        Self::Email,
        Self::Phone,
        Self::Address,
        Self::Groups,
        Self::OfflineAccess,
    ];

    /// Those that a client can have by itself, without a person.
    pub const OF_CLIENTS: [Self; 5] =
        [Self::Read, Self::Manage, Self::Poll, Self::Scim, Self::ScimRead];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "ssf.read",
            Self::Manage => "ssf.manage",
            Self::Poll => "ssf.manage.poll",
            Self::Scim => "scim",
            Self::ScimRead => "scim.read",
            Self::ScimMe => "scim.me",
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Address => "address",
            Self::Groups => "groups",
            Self::OfflineAccess => "offline_access",
        }
    }

    /// The scope of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// Whether one who has this scope may do what asks for `wanted`. Streams and the directory are
    /// apart: whoever manages the one has no right to the other.
    pub fn covers(self, wanted: Self) -> bool {
        self == wanted
            || matches!(
                (self, wanted),
                (Self::Manage, Self::Read | Self::Poll) | (Self::Scim, Self::ScimRead)
            )
    }

    /// Whether it is about streams, which only a client with an audience can have.
    pub fn is_of_streams(self) -> bool {
        matches!(self, Self::Read | Self::Manage | Self::Poll)
    }

    /// Whether a client can have it by itself, without a person.
    pub fn is_of_clients(self) -> bool {
        Self::OF_CLIENTS.contains(&self)
    }
}

/// `scopes` as OAuth writes them (RFC 6749, 3.3).
pub fn scope_text(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_the_directory_are_apart() {
        use Scope::{Manage, Poll, Read, Scim, ScimRead};
        for has in Scope::ALL {
            for wanted in Scope::ALL {
                let more = [(Manage, Read), (Manage, Poll), (Scim, ScimRead)];
                let covers = has == wanted || more.contains(&(has, wanted));
                assert_eq!(has.covers(wanted), covers, "{has:?} {wanted:?}");
            }
        }
    }

    #[test]
    fn a_scope_is_written_as_it_is_named() {
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.name());
            assert_eq!(Scope::parse(scope.name()), Some(scope));
        }
        assert_eq!(Scope::parse("ssf.write"), None);
    }
}
