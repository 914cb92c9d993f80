//! What stands on the push queue.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::stream::StreamId;

/// A bell: there may be something to send in one lane of one stream. Tagged by version, because
/// messages outlive a deployment.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "v")]
pub enum PushTask {
    /// The first form.
    #[serde(rename = "1")]
    V1 {
        /// Which stream.
        stream_id: StreamId,
        /// Which lane of it.
        lane: u8,
        /// Which round of it: raised when the stream is enabled again, so that a lane whose bells
        /// are still waiting out a back-off gets new ones that need not.
        round: u32,
        /// It is put off until then: something in the lane will be tried again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Timestamp>,
        /// What was put off until then is due: whoever hears it must not think that it is earlier,
        /// for clocks differ between processes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Timestamp>,
    },
}
