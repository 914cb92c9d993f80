//! Where identifiers come from.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use uuid::Uuid;

/// Makes identifiers that nobody has used before.
pub trait Ids: fmt::Debug + Send + Sync {
    /// A new one.
    fn fresh(&self) -> Uuid;
}

/// Random identifiers (UUID version 4, from the system's source of randomness).
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes them")]
    fn fresh(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// 1, 2, 3 …: legible identifiers for tests.
#[derive(Debug, Default)]
pub struct SequentialIds {
    last: AtomicU64,
}

impl Ids for SequentialIds {
    fn fresh(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.last.fetch_add(1, Ordering::Relaxed) + 1))
    }
}
