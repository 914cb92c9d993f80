//! Trying again while another writer is ahead.

use crate::{Error, table::TableError};

/// How often a change is tried when others change the same.
const ATTEMPTS: usize = 8;

/// Why an attempt did not succeed.
#[derive(Debug)]
pub(super) enum Again {
    /// Another writer was ahead: read again, decide again.
    Conflict,
    /// It would not be otherwise another time.
    Failed(Error),
}

impl From<Error> for Again {
    fn from(error: Error) -> Self {
        match error {
            Error::Table(TableError::Conflict) => Self::Conflict,
            error => Self::Failed(error),
        }
    }
}

impl From<TableError> for Again {
    fn from(error: TableError) -> Self {
        Error::from(error).into()
    }
}

/// Makes attempts until one succeeds, fails, or there have been enough of them. Each reads what it
/// decides by.
pub(super) async fn again<T, F>(attempt: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Again>>,
{
    for _ in 0..ATTEMPTS {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(Again::Conflict) => {}
            Err(Again::Failed(error)) => return Err(error),
        }
    }
    Err(TableError::Conflict.into())
}
