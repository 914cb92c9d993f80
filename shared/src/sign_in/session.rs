//! A session: a person who is signed in at a browser.

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    clock::{add, since},
    model::is_zero,
    sign_in::{Assurance, SignedIn, SubjectId},
};

/// A session that nobody uses for so long is over.
pub const SESSION_IDLE: Duration = Duration::from_mins(90);

/// A session is over so long after the person signed in, however much it is used.
pub const SESSION_LIFETIME: Duration = Duration::from_hours(12);

/// That a session is used is noted at most this often, to save writes: so it may be over by as much
/// earlier than [`SESSION_IDLE`] says.
const NOTED_EVERY: Duration = Duration::from_mins(5);

/// What is kept of a browser's name for itself has at most so many characters.
const MAX_USER_AGENT: usize = 256;

/// A person who is signed in at a browser. What the browser has is a secret that is nowhere here.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Session {
    /// Its name to applications (OpenID Connect Back-Channel Logout 1.0, 2.1: `sid`).
    pub sid: String,
    /// The person.
    pub subject: SubjectId,
    /// How often all that the person had open had been ended before ([`Owner::Live`](crate::sign_in::Owner::Live)).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) ends: u32,
    /// When the person last signed in with it.
    pub auth_time: Timestamp,
    /// By what means (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// How surely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// When it was last seen, give or take some minutes.
    pub last_seen: Timestamp,
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
}

/// Where a session is, as far as its person needs it to know one from another.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Place {
    /// What the browser calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The network that it asked from: see [`network`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}

impl Place {
    /// A browser that calls itself so, at this address.
    pub fn new(user_agent: Option<&str>, address: Option<IpAddr>) -> Self {
        let cut = |text: &str| text.chars().take(MAX_USER_AGENT).collect();
        Self { user_agent: user_agent.map(cut), network: address.map(network) }
    }
}

/// The network that an address is taken for: itself, or with IPv6 the 64 bits that one connection is
/// given.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionEnd {
    /// The person signed out there, or somebody else signed in. What was granted for the time after the
    /// session (`offline_access`) stays (OpenID Connect Back-Channel Logout 1.0, 2.7).
    SignedOut,
    /// The person or the operator ended it from elsewhere.
    Ended,
    /// The person has another password.
    PasswordChanged,
}

impl SessionEnd {
    /// The reason in words, for CAEP.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::SignedOut => "signed out",
            Self::Ended => "session ended",
            Self::PasswordChanged => "password changed",
        }
    }

    /// Whether what was granted for the time after the session ends as well.
    pub(super) fn ends_offline(self) -> bool {
        self != Self::SignedOut
    }
}

impl Session {
    /// How surely the person is who they say they are.
    pub fn assurance(&self) -> Assurance {
        Assurance::of(self.acr.as_deref())
    }

    /// When it is over at the latest.
    pub fn expires(&self) -> Timestamp {
        add(self.auth_time, SESSION_LIFETIME)
    }

    /// Whether it is not over at `now`, as far as it says itself.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires() && now < add(self.last_seen, SESSION_IDLE)
    }

    /// Notes that it is used at `now`; whether that is worth a write.
    pub(super) fn note(&mut self, now: Timestamp) -> bool {
        let noted = since(self.last_seen, now) >= NOTED_EVERY;
        if noted {
            self.last_seen = now;
        }
        noted
    }

    /// How the person signed in, for what is issued because of it.
    pub fn signed_in(&self) -> SignedIn {
        SignedIn {
            sid: Some(self.sid.clone()),
            auth_time: Some(self.auth_time),
            amr: self.amr.clone(),
            acr: self.acr.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn session() -> Session {
        Session {
            sid: "1".into(),
            subject: SubjectId("jane".into()),
            ends: 0,
            auth_time: at(0),
            amr: vec![],
            acr: None,
            last_seen: at(0),
            place: Place::default(),
        }
    }

    #[test]
    fn a_session_ends_after_ninety_minutes_of_nothing_and_after_twelve_hours_of_anything() {
        const IDLE: i64 = 90 * 60;
        const LIFETIME: i64 = 12 * 3600;
        let mut session = session();
        for (second, live) in [(0, true), (IDLE - 1, true), (IDLE, false), (IDLE + 1, false)] {
            assert_eq!(session.is_live(at(second)), live, "{second} s");
        }
        for second in (0..LIFETIME).step_by(600) {
            assert!(session.is_live(at(second)), "{second} s");
            session.note(at(second));
        }
        assert!(session.is_live(at(LIFETIME - 1)) && !session.is_live(at(LIFETIME)));
    }

    #[test]
    fn use_is_noted_every_five_minutes() {
        let mut session = session();
        assert!(!session.note(at(299)));
        assert_eq!(session.last_seen, at(0));
        assert!(session.note(at(300)));
        assert_eq!(session.last_seen, at(300));
    }

    #[test]
    fn a_network_is_one_connection() {
        for (address, wanted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
            ("2001:db8:0:1:ffff::", "2001:db8:0:1::/64"),
        ] {
            assert_eq!(network(address.parse().unwrap()), wanted);
        }
        let place = Place::new(Some(&"é".repeat(1000)), None);
        assert_eq!(place.user_agent.unwrap().chars().count(), MAX_USER_AGENT);
    }
}
