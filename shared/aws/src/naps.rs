//! A clock for tests.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use ssf::clock::Clock;

/// Stands still, never waits, and knows for how long it was to.
#[derive(Debug, Default)]
pub(crate) struct Naps(Mutex<Vec<Duration>>);

impl Naps {
    pub(crate) fn taken(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Clock for Naps {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }
}
