//! What can go wrong, free of any transport.

use std::time::Duration;

use crate::{
    json::Invalid, queue::QueueError, scim, seal::SealError, set::SignError, stream::StreamId,
    table::TableError,
};

/// Why the [`Transmitter`](crate::Transmitter) did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was sent cannot be used.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Nobody we know, or no longer.
    #[error("the access token is missing, malformed, expired, revoked or not ours")]
    Unauthenticated,
    /// Known, and not allowed: the missing scope.
    #[error("the access token lacks the scope {scope}")]
    Forbidden {
        /// What the token would need.
        scope: &'static str,
    },
    /// Known, and not allowed by the operator, whatever the token.
    #[error("the client may not create streams")]
    MayNotCreate,
    /// Known, and not allowed: people's consents decide whom the stream hears of.
    #[error("whom the stream hears of is decided by people's consents alone")]
    SubjectsByConsent,
    /// Known, and not allowed by the operator to do this for themselves.
    #[error("the access rules do not let this person do that")]
    NotPermitted,
    /// There is no such stream for this receiver, whoever else may have one.
    #[error("there is no stream {0}")]
    StreamNotFound(StreamId),
    /// The receiver has as many streams as it may have.
    #[error("the receiver already has {0} streams, as many as it may have")]
    TooManyStreams(usize),
    /// Too often; try again after this time.
    #[error("too many requests; try again in {} s", retry_after.as_secs_f64().ceil().max(1.0))]
    TooSoon {
        /// When to try again.
        retry_after: Duration,
    },
    /// There is no such thing of the operator's.
    #[error("there is no {kind} {id}")]
    NotFound {
        /// What kind of thing.
        kind: &'static str,
        /// Which one.
        id: String,
    },
    /// The operator's wish does not fit the state of things.
    #[error("{0}")]
    Refused(String),
    /// The standard for provisioning has a name for what is wrong.
    #[error(transparent)]
    Scim(#[from] scim::Error),
    /// The table failed.
    #[error("the table failed")]
    Table(#[from] TableError),
    /// A queue failed.
    #[error("a queue failed")]
    Queue(#[from] QueueError),
    /// Signing failed.
    #[error("signing failed")]
    Sign(#[from] SignError),
    /// A secret could not be sealed or opened.
    #[error("keeping a secret failed")]
    Seal(#[from] SealError),
}

impl Error {
    /// Whether the same again may succeed.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Table(
                TableError::Busy(_)
                | TableError::Conflict
                | TableError::Full
                | TableError::Unavailable(_),
            )
            | Self::Queue(QueueError::Unavailable(_))
            | Self::Sign(SignError::NoKey | SignError::Throttled(_) | SignError::Unavailable(_))
            | Self::Seal(SealError::Unavailable(_))
            | Self::TooSoon { .. } => true,
            Self::Invalid(_)
            | Self::Unauthenticated
            | Self::Forbidden { .. }
            | Self::MayNotCreate
            | Self::SubjectsByConsent
            | Self::NotPermitted
            | Self::StreamNotFound(_)
            | Self::TooManyStreams(_)
            | Self::NotFound { .. }
            | Self::Refused(_)
            | Self::Scim(_)
            | Self::Table(TableError::Corrupt { .. } | TableError::Refused(_))
            | Self::Queue(QueueError::Refused(_))
            | Self::Sign(SignError::KeyUnusable { .. })
            | Self::Seal(SealError::Unusable(_)) => false,
        }
    }
}

/// An error with its causes, for a log or a dead letter.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
