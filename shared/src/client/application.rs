//! What a client is to the people who sign in to it.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    client::{ClientId, RedirectUri},
    delivery::address,
    json::Invalid,
};

/// How people sign in to a client; all empty for one that nobody signs in to.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Application {
    /// Where people may be sent back to with a code (RFC 7591, 2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<RedirectUri>,
    /// Where people may be sent after they signed out (OpenID Connect RP-Initiated Logout 1.0, 3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where it is told that a session has ended (OpenID Connect Back-Channel Logout 1.0, 2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<Url>,
    /// Whether it needs to be told which session that is. It is told in any case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
    /// The clients that its tokens about people are for, the `aud` of these tokens; empty: itself.
    /// Not to be taken for [`Client::audience`](crate::client::Client::audience), which is the
    /// `aud` of its SETs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_audience: Vec<ClientId>,
    /// Whether people are not asked for their consent, because the operator gave it for them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preconsent: bool,
    /// Whether it may ask for codes without PKCE. Only for one that has a secret or a key, and whose
    /// software cannot do better.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pkce_optional: bool,
}

/// A client has at most so many addresses of a kind.
const MAX_URIS: usize = 50;

impl Application {
    /// Whether it fits a client to which people sign in, or do not.
    pub(super) fn check(&self, signs_in: bool) -> Result<(), Invalid> {
        let refuse = |member: &str, reason: &str| Err(Invalid::new(member, reason));
        match (signs_in, self.redirect_uris.is_empty()) {
            (true, true) => {
                return refuse("redirect_uris", "must have a value with authorization_code");
            }
            (false, false) => {
                return refuse("redirect_uris", "are of no use without authorization_code");
            }
            (true, false) | (false, true) => {}
        }
        for (member, uris) in [
            ("redirect_uris", &self.redirect_uris),
            ("post_logout_redirect_uris", &self.post_logout_redirect_uris),
        ] {
            if uris.len() > MAX_URIS {
                return refuse(member, "must not have more than 50 values");
            }
        }
        for (member, given) in [
            ("post_logout_redirect_uris", !self.post_logout_redirect_uris.is_empty()),
            ("backchannel_logout_uri", self.backchannel_logout_uri.is_some()),
            ("token_audience", !self.token_audience.is_empty()),
            ("preconsent", self.preconsent),
            ("pkce_optional", self.pkce_optional),
        ] {
            if given && !signs_in {
                return refuse(member, "is of no use without authorization_code");
            }
        }
        match &self.backchannel_logout_uri {
            Some(uri) => address::check_url(uri.as_str(), true)
                .map(drop)
                .map_err(|reason| Invalid::new("backchannel_logout_uri", reason))?,
            None if self.backchannel_logout_session_required => {
                let member = "backchannel_logout_session_required";
                return refuse(member, "is of no use without backchannel_logout_uri");
            }
            None => {}
        }
        if self.token_audience.iter().any(|id| ClientId::parse(&id.0).is_none()) {
            return refuse("token_audience", "must name clients by their ids");
        }
        Ok(())
    }
}
