//! What a client says of itself to people.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::json::Invalid;

/// What people may be shown of a client (RFC 7591, 2). All of it may be left out. Members in other
/// languages (`client_name#de`) are not kept: nothing here would show them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ClientInformation {
    /// What it is, for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its home page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<Url>,
    /// Its logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<Url>,
    /// Whom to ask about it, as e-mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Its terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<Url>,
    /// What it does with people's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<Url>,
    /// Names the software, whatever its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// The version of the software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
}

/// A text has at most so many characters.
const MAX_CHARS: usize = 1024;

impl ClientInformation {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let texts = [
            ("description", &self.description),
            ("software_id", &self.software_id),
            ("software_version", &self.software_version),
        ];
        let contacts = self.contacts.iter().map(|contact| ("contacts", contact));
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
        for (member, text) in texts.chain(contacts) {
            if text.trim().is_empty() || text.chars().count() > MAX_CHARS {
                return Err(Invalid::new(member, "must have 1 to 1,024 characters"));
            }
        }
        let uris = [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("tos_uri", &self.tos_uri),
            ("policy_uri", &self.policy_uri),
        ];
        for (member, uri) in uris {
            // It becomes a link on a page: a `javascript:` there would be ours.
            if uri.as_ref().is_some_and(|uri| !["https", "http"].contains(&uri.scheme())) {
                return Err(Invalid::new(member, "must be an https or http URL"));
            }
        }
        Ok(())
    }
}
