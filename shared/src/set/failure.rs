//! Why there is no SET yet.

use std::sync::Arc;

use crate::{Error, error::chain, queue::QueueError, table::TableError};

/// Why there is no SET. What befell several at once, each of them says.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// Something failed.
    #[error(transparent)]
    Error(Arc<Error>),
    /// Its sender called another event so before.
    #[error("was used for another event")]
    OtherContent,
    /// There was so much to do that the time was over before this was begun.
    #[error("there was no time left for it")]
    OutOfTime,
}

impl Failure {
    /// Whether the same again would fail for the same reason, as far as can be told: the message, or
    /// what is made of it, is not allowed where it must go.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::Error(error) => match &**error {
                Error::Table(TableError::Refused(_)) | Error::Queue(QueueError::Refused(_)) => true,
                // A key that cannot be used, and a row that cannot be read, somebody can mend; a full
                // partition has room again when its old SETs go.
                Error::Table(
                    TableError::Busy(_)
                    | TableError::Conflict
                    | TableError::Corrupt { .. }
                    | TableError::Full
                    | TableError::Unavailable(_),
                )
                | Error::Queue(QueueError::Unavailable(_))
                | Error::Sign(_)
                | Error::Seal(_)
                | Error::Invalid(_)
                | Error::Unauthenticated
                | Error::Forbidden { .. }
                | Error::MayNotCreate
                | Error::SubjectsByConsent
                | Error::NotPermitted
                | Error::StreamNotFound(_)
                | Error::TooManyStreams(_)
                | Error::TooSoon { .. }
                | Error::NotFound { .. }
                | Error::Refused(_)
                | Error::Scim(_) => false,
            },
            Self::OtherContent => true,
            Self::OutOfTime => false,
        }
    }
}

impl Failure {
    /// The error that it is; of one that is shared, what it says.
    pub(super) fn into_error(self) -> Error {
        let error = match self {
            Self::Error(error) => match Arc::try_unwrap(error) {
                Ok(error) => return error,
                Err(shared) => chain(&shared),
            },
            Self::OtherContent | Self::OutOfTime => chain(&self),
        };
        TableError::Unavailable(error.into()).into()
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(Arc::new(error.into()))
    }
}
