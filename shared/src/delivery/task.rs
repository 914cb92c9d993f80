//! What stands on the push queue.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{client::ClientId, sign_in::SubjectId, stream::StreamId};

/// What is to be sent. Tagged by version, because messages outlive a deployment.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "v")]
pub enum PushTask {
    /// The first form: a bell.
    #[serde(rename = "1")]
    V1(BellTask),
    /// That a session has ended.
    #[serde(rename = "logout-1")]
    Logout(LogoutTask),
}

/// A bell: there may be something to send in one lane of one stream.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BellTask {
    /// Which stream.
    pub stream_id: StreamId,
    /// Which lane of it.
    pub lane: u8,
    /// Which round of it: raised when the stream is enabled again, so that a lane whose bells
    /// are still waiting out a back-off gets new ones that need not.
    pub round: u32,
    /// It is put off until then: something in the lane will be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// What was put off until then is due: whoever hears it must not think that it is earlier,
    /// for clocks differ between processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// An application is to be told that a session of a person has ended (OpenID Connect Back-Channel
/// Logout 1.0). It is signed when it is sent, for a logout token is good for minutes only.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LogoutTask {
    /// The application.
    pub client: ClientId,
    /// The person.
    pub subject: SubjectId,
    /// The session.
    pub sid: String,
    /// When it ended.
    pub at: Timestamp,
}
