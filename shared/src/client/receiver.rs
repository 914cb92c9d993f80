//! The authenticated caller.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    Error,
    client::{ScimOptions, Scope},
    stream::DefaultSubjects,
    table::Version,
};

/// Names a client.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct ClientId(pub String);

impl ClientId {
    /// `text`, if it can name a client: 1 to 255 characters of printable ASCII, none of them a space.
    /// So outside issuers may have named it; in a key it stands last, or is a key alone, since it
    /// may hold what separates parts elsewhere.
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            matches!(text.len(), 1..=255) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An authenticated caller: a client as its operator set it up, and what its token allows.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a decision of its own")]
pub struct Receiver {
    /// The client behind it: the owner of its streams.
    pub id: ClientId,
    /// The `aud` of its SETs, at least one.
    pub audience: Vec<String>,
    /// What its token allows.
    pub scopes: BTreeSet<Scope>,
    /// Whether it may create streams.
    pub may_create: bool,
    /// What its new streams deliver.
    pub default_subjects: DefaultSubjects,
    /// Whether people's consents decide whom they deliver events about
    /// ([`ClientSubjects::Consent`](crate::client::ClientSubjects::Consent)).
    pub by_consent: bool,
    /// Which draft it was built on.
    pub profile: Profile,
    /// Whether it wants the subject repeated inside the event.
    pub subject_in_event: bool,
    /// How many streams it may have.
    pub max_streams: usize,
    /// Whether the certificates of its push endpoints are checked.
    pub verify_certificates: bool,
    /// How it is treated when it provisions the directory.
    pub scim: ScimOptions,
    /// The version of the client's row that was read when it was authenticated: what is made for it
    /// is made only if the client is there and enabled. `None`: it does not come from the table.
    pub version: Option<Version>,
}

impl Receiver {
    /// Whether its token allows what asks for `scope`; else [`Error::Forbidden`].
    pub fn require(&self, scope: Scope) -> Result<(), Error> {
        if self.scopes.iter().any(|has| has.covers(scope)) {
            Ok(())
        } else {
            Err(Error::Forbidden { scope: scope.name() })
        }
    }
}

/// Which text a receiver was built on.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// SSF 1.0.
    #[default]
    Standard,
    /// The older draft that Apple Business Manager follows: `iss`, `aud` and `format` on create,
    /// the stream's id in the body or left out, `subject` inside the event.
    Legacy,
}
