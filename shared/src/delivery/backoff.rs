//! When a push that failed is tried again, and when no more.
//!
//! | failed attempts | next try after | since the first attempt |
//! | --- | --- | --- |
//! | 1 | 1 s | 1 s |
//! | 2 | 5 s | 6 s |
//! | 3 | 15 s | 21 s |
//! | 4 | 1 min | 1 min 21 s |
//! | 5 | 3 min | 4 min 21 s |
//! | 6 | 10 min | 14 min 21 s |
//! | 7 | 30 min | 44 min 21 s |
//! | 8 | 1 h | 1 h 44 min |
//! | 9 and more | 2 h | 3 h 44 min, 5 h 44 min … 25 h 44 min |
//!
//! Each wait is up to a fifth shorter or longer, so that receivers that failed together are not
//! tried together. The attempt that fails [`EXHAUSTED_AFTER`] the first one, or later, is the last:
//! the twenty-first by the table, the twenty-fourth at most.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::{clock, delivery::Attempt};

/// How long a SET is tried before it fails for good, if others get through; and for how long nothing
/// must get through before the stream is paused.
pub const EXHAUSTED_AFTER: Duration = Duration::from_hours(24);

/// The wait after the `n`th failed attempt; the last also after all later ones.
const WAITS: [Duration; 9] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_mins(1),
    Duration::from_mins(3),
    Duration::from_mins(10),
    Duration::from_mins(30),
    Duration::from_hours(1),
    Duration::from_hours(2),
];

/// So many attempts a SET has at least.
const LEAST_ATTEMPTS: u32 = 15;

/// Whatever is wrong with us, we see within this time that it is mended.
const LONGEST_REST: Duration = Duration::from_mins(5);

/// How long to wait after `attempt` (1 is the first) has failed. `jitter` is drawn from 0 to 1.
pub fn delay(attempt: u32, jitter: f64) -> Duration {
    let place = usize::try_from(attempt).unwrap_or(usize::MAX).clamp(1, WAITS.len());
    WAITS[place - 1].mul_f64(0.8 + 0.4 * jitter.clamp(0.0, 1.0))
}

/// A number from 0 to 1, drawn by way of an identifier that nobody has used before.
pub fn jitter(fresh: Uuid) -> f64 {
    let bytes = fresh.as_bytes();
    // The last bytes of a random UUID are random throughout.
    f64::from(u16::from_be_bytes([bytes[14], bytes[15]])) / f64::from(u16::MAX)
}

/// How long a message of ours rests that came for the `receives`th time, and failed for a reason of
/// ours: a second at first, then twice as long each time, and never more than five minutes.
pub fn rest(receives: u32) -> Duration {
    let doubled = 1_u32.checked_shl(receives.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_secs(doubled.into()).min(LONGEST_REST)
}

/// Whether what has failed since `first` has failed for a day at `now`.
pub fn is_over(first: Timestamp, now: Timestamp) -> bool {
    clock::since(first, now) >= EXHAUSTED_AFTER
}

/// Whether this attempt, which failed at `now`, was the last one: a day of trying is over, and it was
/// one of tries, not one of waiting for a receiver that was away.
pub fn exhausted(attempt: Attempt, now: Timestamp) -> bool {
    attempt.number >= LEAST_ATTEMPTS && is_over(attempt.first_at, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many attempts there are when all fail at once, and how long after the first one the
    /// last one is.
    fn schedule(jitter: f64) -> (u32, Duration) {
        let first = Timestamp::UNIX_EPOCH;
        let (mut attempts, mut now) = (1, first);
        while !exhausted(Attempt { number: attempts, first_at: first }, now) {
            now = clock::add(now, delay(attempts, jitter));
            attempts += 1;
        }
        (attempts, clock::since(first, now))
    }

    #[test]
    fn a_receiver_that_never_answers_is_tried_for_a_day_and_not_too_often() {
        let minutes = |(attempts, span): (u32, Duration)| (attempts, span.as_secs() / 60);
        assert_eq!(minutes(schedule(0.0)), (24, 1_523));
        assert_eq!(minutes(schedule(0.5)), (21, 1_544));
        assert_eq!(minutes(schedule(1.0)), (19, 1_565));
    }

    #[test]
    fn what_failed_for_a_reason_of_ours_rests_for_minutes_at_most() {
        let rests = [0, 1, 2, 9, 10, 33, u32::MAX].map(|receives| rest(receives).as_secs());
        assert_eq!(rests, [1, 1, 2, 256, 300, 300, 300]);
    }

    #[test]
    fn waits_grow_and_stay_within_a_fifth_of_the_table() {
        assert_eq!(delay(1, 0.5), Duration::from_secs(1));
        assert_eq!(delay(5, 0.5), Duration::from_mins(3));
        assert_eq!(delay(9, 0.5), Duration::from_hours(2));
        assert_eq!(delay(9, 0.0), Duration::from_mins(96));
        assert_eq!(delay(9, 1.0), Duration::from_mins(144));
        assert_eq!(delay(u32::MAX, 0.5), delay(9, 0.5));
        for attempt in 1..9 {
            assert!(delay(attempt, 1.0) < delay(attempt + 1, 0.0), "after attempt {attempt}");
        }
    }
}
