//! How often one client may ask.

use std::{
    fmt,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware,
    state::keyed::HashMapStateStore,
};

use crate::{
    Error,
    clock::{Clock, since},
};

/// After so many requests those who have been quiet are forgotten, so that made-up names cannot
/// fill the memory.
const FORGET_AFTER: u32 = 4096;

/// Counts what clients ask for; by itself in each process.
pub(crate) struct Rate {
    limiter: Option<Limiter>,
    asked: AtomicU32,
}

type Limiter = RateLimiter<String, HashMapStateStore<String>, Time, NoOpMiddleware<Duration>>;

impl Rate {
    /// `per_second` on average, twice as many in a burst; 0: as many as they like.
    pub(crate) fn new(per_second: u32, clock: Arc<dyn Clock>) -> Self {
        let quota = NonZero::new(per_second)
            .map(|rate| Quota::per_second(rate).allow_burst(rate.saturating_mul(TWICE)));
        Self::of(quota, clock)
    }

    /// `per_minute` on average, and as many at once.
    pub(crate) fn per_minute(per_minute: NonZero<u32>, clock: Arc<dyn Clock>) -> Self {
        Self::of(Some(Quota::per_minute(per_minute)), clock)
    }

    fn of(quota: Option<Quota>, clock: Arc<dyn Clock>) -> Self {
        let limiter = |quota| RateLimiter::new(quota, HashMapStateStore::default(), Time(clock));
        Self { limiter: quota.map(limiter), asked: AtomicU32::new(0) }
    }

    /// Counts one request of `who`; [`Error::TooSoon`] when it is one too many.
    pub(crate) fn count(&self, who: &str) -> Result<(), Error> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_AFTER == FORGET_AFTER - 1 {
            limiter.retain_recent();
        }
        limiter.check_key(&who.to_owned()).map_err(|too_soon| {
            let retry_after = too_soon.wait_time_from(limiter.clock().now());
            Error::TooSoon { retry_after }
        })
    }
}

const TWICE: NonZero<u32> = NonZero::new(2).expect("is not zero");

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rate").finish_non_exhaustive()
    }
}

/// Our clock, as governor reads one: the time since 1970.
#[derive(Clone)]
struct Time(Arc<dyn Clock>);

impl GovernorClock for Time {
    type Instant = Duration;

    fn now(&self) -> Duration {
        since(jiff::Timestamp::UNIX_EPOCH, self.0.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn allowed(rate: &Rate, who: &str) -> usize {
        (0..100).take_while(|_| rate.count(who).is_ok()).count()
    }

    #[test]
    fn a_burst_is_followed_by_the_rate() {
        let clock = Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap()));
        let rate = Rate::new(5, clock.clone());
        assert_eq!(allowed(&rate, "a"), 10);
        let Err(Error::TooSoon { retry_after }) = rate.count("a") else { panic!("one too many") };
        assert_eq!(retry_after, Duration::from_millis(200));
        clock.advance(Duration::from_secs(1));
        assert_eq!(allowed(&rate, "a"), 5);
        assert_eq!(allowed(&rate, "b"), 10);
    }

    #[test]
    fn no_rate_is_no_bound_and_names_are_forgotten() {
        let clock = Arc::new(ManualClock::new(jiff::Timestamp::UNIX_EPOCH));
        assert_eq!(allowed(&Rate::new(0, clock.clone()), "a"), 100);
        let rate = Rate::new(5, clock.clone());
        for name in 0..FORGET_AFTER - 1 {
            rate.count(&name.to_string()).unwrap();
        }
        clock.advance(Duration::from_secs(10));
        rate.count("a").unwrap();
        assert_eq!(rate.limiter.unwrap().len(), 1);
    }
}
