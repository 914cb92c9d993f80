//! The façade: everything that can be asked of the product.

use std::{num::NonZero, sync::Arc};

use crate::{
    client::{JwksCache, Rate},
    clock::Clock,
    config::Config,
    delivery::{Door, HttpPush, Wakes, origin::DoorKeys},
    ids::Ids,
    queue::Queue,
    seal::Seal,
    set::{KeyRing, Signer},
    source::Tally,
    table::Table,
};

/// So many attempts to sign in are taken from one network.
const ATTEMPTS_PER_MINUTE: NonZero<u32> = NonZero::new(20).expect("is not zero");

/// A transmitter; cheap to clone. Its methods live beside what they are about.
#[derive(Clone, Debug)]
pub struct Transmitter {
    inner: Arc<Inner>,
}

/// The parts, and what is kept of them for a while.
#[derive(Debug)]
struct Inner {
    parts: Arc<Parts>,
    keys: KeyRing,
    wakes: Wakes,
    door_keys: DoorKeys,
    jwks: JwksCache,
    requests: Rate,
    claims: Rate,
    attempts: Rate,
    tally: Tally,
}

/// What a transmitter is made of.
#[derive(Clone, Debug)]
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
    /// Who keeps receivers' secrets out of sight.
    pub seal: Arc<dyn Seal>,
    /// The way to the receivers.
    pub http: Arc<dyn HttpPush>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn Ids>,
}

impl Parts {
    /// The queue behind `door`.
    pub fn door(&self, door: Door) -> &Arc<dyn Queue> {
        match door {
            Door::Fifo => &self.ingest_fifo,
            Door::Standard => &self.ingest,
        }
    }
}

impl Transmitter {
    /// A transmitter of these parts.
    pub fn new(parts: Parts) -> Self {
        let (table, signer, clock) =
            (parts.table.clone(), parts.signer.clone(), parts.clock.clone());
        let keys = KeyRing::new(table, signer, clock.clone(), parts.config.algorithm);
        let jwks = JwksCache::new(parts.http.clone(), clock.clone());
        let rate = || Rate::new(parts.config.requests_per_second, clock.clone());
        let (requests, claims) = (rate(), rate());
        let attempts = Rate::per_minute(ATTEMPTS_PER_MINUTE, parts.clock.clone());
        let (wakes, tally) = (Wakes::default(), Tally::default());
        let parts = Arc::new(parts);
        let door_keys = DoorKeys::default();
        let inner =
            Inner { parts, keys, wakes, door_keys, jwks, requests, claims, attempts, tally };
        Self { inner: Arc::new(inner) }
    }

    /// What it is made of.
    pub fn parts(&self) -> &Parts {
        &self.inner.parts
    }

    /// The same, for what shares them.
    pub fn shared_parts(&self) -> Arc<Parts> {
        self.inner.parts.clone()
    }

    /// Its keys.
    pub fn keys(&self) -> &KeyRing {
        &self.inner.keys
    }

    /// The long polls that wait in this process.
    pub(crate) fn wakes(&self) -> &Wakes {
        &self.inner.wakes
    }

    /// The key by which messages are known as ours.
    pub(crate) fn door_keys(&self) -> &DoorKeys {
        &self.inner.door_keys
    }

    /// The keys of others.
    pub(crate) fn jwks(&self) -> &JwksCache {
        &self.inner.jwks
    }

    /// What came from sources in this process.
    pub(crate) fn tally(&self) -> &Tally {
        &self.inner.tally
    }

    /// Counts the requests of each client.
    pub(crate) fn requests(&self) -> &Rate {
        &self.inner.requests
    }

    /// Counts the attempts to be a client, by the id claimed: apart from its requests, so that
    /// somebody who only knows the id cannot use them up.
    pub(crate) fn claims(&self) -> &Rate {
        &self.inner.claims
    }

    /// Counts the attempts to sign in, by the network that they come from.
    pub(crate) fn attempts(&self) -> &Rate {
        &self.inner.attempts
    }
}
