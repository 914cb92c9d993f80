//! What is counted and timed while the transmitter works.
//!
//! Each figure is an event of `tracing` with the target [`TARGET`], so that it costs nothing where
//! nobody listens. Never a subject and never a secret is in one.

use std::time::Duration;

use crate::{
    source::{Reason, Source},
    stream::StreamId,
};

/// The target of the events. Their members: `metric`, the name; `value`; `unit`, as CloudWatch has
/// it; `stream`, for those that tell streams apart; and
/// `source` and `reason`, for those that tell sources apart.
pub const TARGET: &str = "ssf::metric";

/// All that is counted and timed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Metric {
    /// From when a queue took an event to when a receiver had its SET; milliseconds.
    DeliveryLatency,
    /// Records of sources of which nothing is told, by source and reason.
    EnvelopesDropped,
    /// Envelopes of sources that were understood, by source.
    EnvelopesTaken,
    /// Events for which every stream that wants them has its SET.
    EventsAccepted,
    /// Messages that must come again.
    EventsFailed,
    /// Messages that cannot be events.
    EventsRefused,
    /// How old the first change of the directory is whose events are not on the queue; seconds.
    OutboxAge,
    /// Pushes that did not end well, and SETs that a polling receiver did not take, by stream.
    PushFailures,
    /// SETs that a receiver has.
    SetsDelivered,
    /// SETs that were signed and stored.
    SetsIssued,
    /// How long a signature takes; milliseconds.
    SignLatency,
    /// Signatures that the signer did not give because it was asked too often.
    SignThrottles,
    /// How old the first SET is that is not delivered, in each lane of an enabled push stream;
    /// seconds.
    UndeliveredAge,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::DeliveryLatency,
        Self::EnvelopesDropped,
        Self::EnvelopesTaken,
        Self::EventsAccepted,
        Self::EventsFailed,
        Self::EventsRefused,
        Self::OutboxAge,
        Self::PushFailures,
        Self::SetsDelivered,
        Self::SetsIssued,
        Self::SignLatency,
        Self::SignThrottles,
        Self::UndeliveredAge,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::DeliveryLatency => "DeliveryLatency",
            Self::EnvelopesDropped => "EnvelopesDropped",
            Self::EnvelopesTaken => "EnvelopesTaken",
            Self::EventsAccepted => "EventsAccepted",
            Self::EventsFailed => "EventsFailed",
            Self::EventsRefused => "EventsRefused",
            Self::OutboxAge => "OutboxAge",
            Self::PushFailures => "PushFailures",
            Self::SetsDelivered => "SetsDelivered",
            Self::SetsIssued => "SetsIssued",
            Self::SignLatency => "SignLatency",
            Self::SignThrottles => "SignThrottles",
            Self::UndeliveredAge => "UndeliveredAge",
        }
    }
}

/// So many more.
pub(crate) fn count(metric: Metric, number: usize) {
    if number > 0 {
        tracing::info!(target: TARGET, metric = metric.name(), value = number, unit = "Count");
    }
}

/// One more at `stream`.
pub(crate) fn count_at(metric: Metric, stream: &StreamId) {
    let name = metric.name();
    tracing::info!(target: TARGET, metric = name, value = 1, unit = "Count", stream = %stream);
}

/// An envelope of `source` was understood, and nothing is told of its records for these reasons.
pub(crate) fn count_envelope(source: Source, dropped: &[Reason]) {
    let (name, source) = (Metric::EnvelopesTaken.name(), source.name());
    tracing::info!(target: TARGET, metric = name, value = 1, unit = "Count", source);
    let name = Metric::EnvelopesDropped.name();
    for reason in dropped {
        let reason = reason.name();
        tracing::info!(target: TARGET, metric = name, value = 1, unit = "Count", source, reason);
    }
}

/// It is so old.
pub(crate) fn age(metric: Metric, age: Duration) {
    let (metric, value) = (metric.name(), age.as_secs());
    tracing::info!(target: TARGET, metric, value, unit = "Seconds");
}

/// It took so long.
pub(crate) fn time(metric: Metric, took: Duration) {
    let value = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(target: TARGET, metric = metric.name(), value, unit = "Milliseconds");
}
