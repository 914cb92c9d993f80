//! A stream, as its receiver sees it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use ssf::event::EventType;

/// The Stream Configuration ([SSF 1.0, 8.1.1]).
#[derive(Clone, Debug, Deserialize)]
pub struct Stream {
    /// Its name.
    pub stream_id: String,
    /// Whom its SETs are for.
    pub aud: Audience,
    /// What could be delivered.
    #[serde(default)]
    pub events_supported: BTreeSet<EventType>,
    /// What was asked for.
    #[serde(default)]
    pub events_requested: BTreeSet<EventType>,
    /// What is delivered.
    pub events_delivered: BTreeSet<EventType>,
    /// How.
    pub delivery: Delivery,
    /// The receiver's own words.
    pub description: Option<String>,
}

/// How and where SETs are delivered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Delivery {
    /// How.
    pub method: Method,
    /// Where the one who sends a request sends it.
    pub endpoint_url: String,
}

/// Who sends the requests.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Method {
    /// The transmitter (RFC 8935).
    #[serde(
        rename = "urn:ietf:rfc:8935",
        alias = "https://schemas.openid.net/secevent/risc/delivery-method/push"
    )]
    Push,
    /// The receiver (RFC 8936).
    #[serde(
        rename = "urn:ietf:rfc:8936",
        alias = "https://schemas.openid.net/secevent/risc/delivery-method/poll"
    )]
    Poll,
}

impl Method {
    /// Its short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Poll => "poll",
        }
    }
}

/// One audience or several ([RFC 7519, 4.1.3]).
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Audience {
    /// Whether `name` is one of them.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Several(several) => several.iter().any(|one| one == name),
        }
    }
}
