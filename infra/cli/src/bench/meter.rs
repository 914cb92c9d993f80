//! What a run costs this machine: processor time, memory.

use std::{fs, time::Duration};

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
