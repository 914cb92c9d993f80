//! The façade: everything that can be asked of the product.

use std::sync::Arc;

use crate::{
    clock::Clock, config::Config, delivery::HttpPush, ids::Ids, queue::Queue, set::Signer,
    table::Table,
};

/// A transmitter; cheap to clone. Its methods live beside what they are about.
#[derive(Clone, Debug)]
pub struct Transmitter {
    parts: Arc<Parts>,
}

/// What a transmitter is made of.
#[derive(Debug)]
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// Where the state is.
    pub table: Arc<dyn Table>,
    /// The standard door for events.
    pub ingest: Arc<dyn Queue>,
    /// The door for senders who need order.
    pub ingest_fifo: Arc<dyn Queue>,
    /// Where messages go that cannot be events, with the reason as an attribute.
    pub dead_letters: Arc<dyn Queue>,
    /// The bells of the push lanes.
    pub push: Arc<dyn Queue>,
    /// Who signs.
    pub signer: Arc<dyn Signer>,
    /// The way to the receivers.
    pub http: Arc<dyn HttpPush>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn Ids>,
}

impl Transmitter {
    /// A transmitter of these parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// What it is made of.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }
}
