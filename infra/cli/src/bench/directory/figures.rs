//! How long things took.

use std::time::Duration;

use serde::Serialize;

/// Many requests of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Requests {
    /// How many.
    pub count: usize,
    /// All of them together.
    pub per_second: f64,
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// 99 % of them took no longer.
    pub p99_ms: f64,
}

impl Requests {
    /// Requests that took so long each, and all in all so long.
    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
    pub(super) fn of(mut each: Vec<Duration>, all: Duration) -> Self {
        each.sort_unstable();
        let share = |part: usize| {
            let at = (each.len() * part / 100).min(each.len().saturating_sub(1));
            each.get(at).map_or(f64::NAN, |took| ms(*took))
        };
        Self {
            count: each.len(),
            per_second: each.len() as f64 / all.as_secs_f64(),
            p50_ms: share(50),
            p99_ms: share(99),
        }
    }
}

/// Milliseconds.
pub(super) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
