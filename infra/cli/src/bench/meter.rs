//! What a run costs: signatures, processor time, memory.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use ssf::{
    embedded::LocalSigner,
    set::{Algorithm, PublicKey, SignError, Signer},
};

/// A signer that counts its signatures.
#[derive(Debug)]
pub(super) struct CountingSigner {
    inner: LocalSigner,
    count: AtomicU64,
}

impl CountingSigner {
    pub(super) fn new(inner: LocalSigner) -> Self {
        Self { inner, count: AtomicU64::new(0) }
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn reset(&self) {
        self.count.store(0, Ordering::Relaxed);
    }
}

#[async_trait]
impl Signer for CountingSigner {
    async fn first(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.inner.first(algorithm).await
    }

    async fn generate(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.inner.generate(algorithm).await
    }

    async fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.inner.sign(key, message).await
    }

    async fn destroy(&self, key: &PublicKey) -> Result<(), SignError> {
        self.inner.destroy(key).await
    }
}

/// Linux counts processor time in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// The processor time that this process has used; zero where the system does not say it as Linux
/// does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage(Duration);

impl Usage {
    pub(super) fn now() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The name in parentheses may hold spaces; user and system time are the 12th and 13th
        // words behind it.
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks =
            rest.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok());
        Self(Duration::from_secs_f64(ticks.sum::<f64>() / TICKS_PER_SECOND))
    }

    pub(super) fn since(self, earlier: &Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The resident memory, in KiB.
    pub(super) fn memory_kib() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }
}
