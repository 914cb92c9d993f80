//! What is done on a schedule: inactivity, what got stuck, what is over; and what the directory leaves
//! to it.

use ssf::{Error, Transmitter, delivery::Swept, directory::Directory, error::chain};

/// One run; bounded, and the next goes on where this one stopped.
pub async fn handle(transmitter: &Transmitter) -> Result<Swept, Error> {
    // What the directory has to tell must not wait for what gets stuck elsewhere, nor the other way
    // round.
    let kept = Box::pin(Directory::of(transmitter).keep()).await;
    match &kept {
        Ok(kept) => tracing::info!(?kept, "kept the directory"),
        Err(error) => tracing::error!(error = chain(error), "cannot keep the directory"),
    }
    let swept = transmitter.sweep().await;
    match &swept {
        Ok(swept) => tracing::info!(?swept, "swept"),
        Err(error) => tracing::error!(error = chain(error), "cannot sweep"),
    }
    kept.and(swept)
}
