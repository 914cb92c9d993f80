//! What is done on a schedule: inactivity, what got stuck, what is over.

use ssf::{Error, Transmitter, delivery::Swept, error::chain};

/// One run; bounded, and the next goes on where this one stopped.
pub async fn handle(transmitter: &Transmitter) -> Result<Swept, Error> {
    let swept = transmitter.sweep().await;
    match &swept {
        Ok(swept) => tracing::info!(?swept, "swept"),
        Err(error) => tracing::error!(error = chain(error), "cannot sweep"),
    }
    swept
}
