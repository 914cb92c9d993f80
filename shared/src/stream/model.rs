//! A stream, as it is kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    client::{ClientId, Profile, Receiver},
    event::EventType,
    seal::Sealed,
    stream::{DefaultSubjects, StreamId},
    subject::{Shape, Subject},
};

/// An agreement with one receiver: which events, about whom, delivered how ([SSF 1.0, 8.1.1]).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a decision of its own")]
pub struct Stream {
    /// Its name.
    pub id: StreamId,
    /// Whose it is.
    pub owner: ClientId,
    /// The `aud` of its SETs; never changes.
    pub audience: Vec<String>,
    /// Whether SETs go out.
    pub status: Status,
    /// Its client is disabled: it is as if it were paused, whatever its status says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// Why it has this status, in the words of who set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the receiver asked for, known to us or not, in its order; `None`: it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_requested: Option<Vec<EventType>>,
    /// What it gets: exactly the requested types that are supported, and that it may have.
    pub events_delivered: BTreeSet<EventType>,
    /// How it gets them.
    pub delivery: Delivery,
    /// The receiver's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The subject format that a receiver of the older draft asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// What it delivers about subjects that were never named.
    pub default_subjects: DefaultSubjects,
    /// Whether consents decide whom it delivers events about, and not the receiver; see
    /// [`Receiver::by_consent`]. Never changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_consent: bool,
    /// The shapes of the subjects that were named: added where the default is NONE, removed where
    /// it is ALL. A shape stays when its last subject goes; it costs one look-up, and the number of
    /// shapes is bounded.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub shapes: BTreeSet<Shape>,
    /// See [`Receiver::profile`].
    #[serde(default)]
    pub profile: Profile,
    /// See [`Receiver::subject_in_event`].
    #[serde(default)]
    pub subject_in_event: bool,
    /// See [`Receiver::verify_certificates`].
    pub verify_certificates: bool,
    /// Whether it may have whole resources ([`EventType::is_full`]): as its client could when it was
    /// created, or since the operator last decided. It stands here so that an event needs no read
    /// of the client, and a receiver that changes its stream at the same moment brings nothing back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scim_full: bool,
    /// How many lanes its SETs are spread over, besides lane 0, at least 1; see [`Stream::lane`].
    pub lanes: u8,
    /// Raised when it is enabled again, or delivered another way; see
    /// [`crate::delivery::PushTask`].
    pub round: u32,
    /// When the round began: what failed before counts no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_began: Option<Timestamp>,
    /// The lanes that rest, for nothing got through there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rests: BTreeMap<u8, Rest>,
    /// Nothing has got through since then: when a push failed, and none has succeeded since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing_since: Option<Timestamp>,
    /// Raised when it is disabled, and when it asks for other types. Each SET remembers by which
    /// revision it was issued. Not a time: clocks differ between processes.
    #[serde(default)]
    pub revision: u32,
    /// It was disabled since: SETs of earlier revisions are not delivered any more, and neither are
    /// those that are issued yet by whoever still takes it for enabled.
    #[serde(default)]
    pub void_before: u32,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_modified: Timestamp,
}

/// How many different shapes of subjects one stream may name. Each costs a look-up per event, for
/// every event of the stream's types, so that one receiver must not be able to slow the others.
pub const MAX_SHAPES: usize = 16;

impl Stream {
    /// Whether it belongs to `receiver`, and is still there for it.
    pub fn is_of(&self, receiver: &Receiver) -> bool {
        self.owner == receiver.id && self.status != Status::DisabledDeleted
    }

    /// Its status, as far as delivery is concerned.
    pub fn standing(&self) -> Status {
        match self.status {
            Status::Enabled if self.suspended => Status::Paused,
            status => status,
        }
    }

    /// Whether events are taken for it: delivered at once, or held.
    pub fn takes_events(&self) -> bool {
        match self.status {
            Status::Enabled | Status::Paused => true,
            Status::Disabled | Status::DisabledDeleted => false,
        }
    }

    /// The lane in which SETs about `subject` go. SETs of one lane are delivered in order, so those
    /// about one subject must share a lane, for good, by whichever of its names they are told (see
    /// [`Subject::order_digest`]): the number of lanes is settled when the
    /// stream is created. Lane 0 is for SETs about the stream itself, which so do not wait behind
    /// a subject's, and can be found while those are held.
    pub fn lane(&self, subject: &Subject) -> u8 {
        if *subject == Subject::stream(&self.id) {
            0
        } else {
            1 + subject.order_digest().bucket(self.lanes)
        }
    }

    /// From `now` on its SETs are delivered anew: what waited for its next attempt waits no longer.
    pub(crate) fn begin_round(&mut self, now: Timestamp) {
        self.round += 1;
        self.round_began = Some(now);
        self.rests.clear();
        self.nothing_since = None;
    }

    /// Whether it is the same as `other`, whatever pushes have noted of the receiver.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        let (rests, nothing_since) = (other.rests.clone(), other.nothing_since);
        Self { rests, nothing_since, ..self.clone() } == *other
    }

    /// All its lanes.
    pub fn all_lanes(&self) -> std::ops::RangeInclusive<u8> {
        0..=self.lanes
    }
}

/// How long a lane rests. Until then its bells are answered by a look at the stream alone, so that a
/// receiver that is away costs little, however much there is for it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rest {
    /// Until then.
    pub until: Timestamp,
    /// How often in a row nothing got through.
    pub times: u32,
}

/// Whether SETs go out ([SSF 1.0, 8.1.2.1]).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// They are delivered.
    Enabled,
    /// They are held until it is enabled.
    Paused,
    /// There are none.
    Disabled,
    /// Deletion was asked for: like disabled, then gone. Receivers neither see nor set it.
    DisabledDeleted,
}

impl Status {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled | Self::DisabledDeleted => "disabled",
        }
    }
}

/// How SETs reach the receiver ([SSF 1.0, 6.1]).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum Delivery {
    /// The receiver asks for them (RFC 8936).
    Poll {
        /// By which name the receiver asked for it.
        family: UriFamily,
    },
    /// They are posted to the receiver (RFC 8935).
    Push {
        /// By which name the receiver asked for it.
        family: UriFamily,
        /// Where to.
        endpoint_url: Endpoint,
        /// The value of the `Authorization` header, sealed for the stream.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authorization_header: Option<Sealed>,
    },
}

impl Delivery {
    /// The URI that names the method, of the family that the receiver used.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Poll { family: UriFamily::Rfc } => "urn:ietf:rfc:8936",
            Self::Poll { family: UriFamily::Risc } => {
                "https://schemas.openid.net/secevent/risc/delivery-method/poll"
            }
            Self::Push { family: UriFamily::Rfc, .. } => "urn:ietf:rfc:8935",
            Self::Push { family: UriFamily::Risc, .. } => {
                "https://schemas.openid.net/secevent/risc/delivery-method/push"
            }
        }
    }

    /// Whether SETs are posted.
    pub fn is_push(&self) -> bool {
        matches!(self, Self::Push { .. })
    }
}

/// Where SETs are pushed to: a URL, and how the receiver wrote it, which is what it is shown again
/// ([SSF 1.0, 8.1.1]).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint {
    text: String,
    url: Url,
}

impl Endpoint {
    /// The URL itself.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How the receiver wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for Endpoint {
    type Error = url::ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(Self { url: Url::parse(&text)?, text })
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.text
    }
}

/// The two sets of names that delivery methods go by.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UriFamily {
    /// `urn:ietf:rfc:8935` and `urn:ietf:rfc:8936`.
    Rfc,
    /// The URIs of the older drafts.
    Risc,
}
