//! How much may be sent again to one subscriber: a share of what it receives, and a little always.

use std::time::{Duration, Instant};

use crate::limits::{
    RETRANSMISSION_BURST_BYTES, RETRANSMISSION_FLOOR_BYTES_PER_SECOND, RETRANSMISSION_SHARE,
};

/// Bytes that may be sent again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    bytes: u64,
    filled_at: Instant,
}

impl Budget {
    /// A full budget.
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            bytes: RETRANSMISSION_BURST_BYTES,
            filled_at: now,
        }
    }

    /// So many bytes were sent for the first time.
    pub(crate) fn earn(&mut self, bytes: usize) {
        self.fill(bytes as u64 / RETRANSMISSION_SHARE);
    }

    /// Whether so many bytes may be sent again; then they are taken.
    pub(crate) fn spend(&mut self, bytes: usize, now: Instant) -> bool {
        self.earn_by_time(now);
        match self.bytes.checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes = left;
                true
            }
            None => false,
        }
    }

    fn earn_by_time(&mut self, now: Instant) {
        /// What is earned less often than this is not lost to rounding.
        const STEP: Duration = Duration::from_millis(1);
        let elapsed = now.saturating_duration_since(self.filled_at);
        if elapsed >= STEP {
            self.filled_at = now;
            let microseconds = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
            self.fill(microseconds.saturating_mul(RETRANSMISSION_FLOOR_BYTES_PER_SECOND) / 1_000_000);
        }
    }

    fn fill(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes).min(RETRANSMISSION_BURST_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::start;

    #[test]
    fn a_burst_empties_the_budget_and_sending_fills_a_share_of_it() {
        let mut budget = Budget::new(start());
        assert_eq!(
            spend_all(&mut budget, start()),
            RETRANSMISSION_BURST_BYTES / 1_000
        );
        for _ in 0..100 {
            budget.earn(1_000);
        }
        assert_eq!(spend_all(&mut budget, start()), 100 / RETRANSMISSION_SHARE);
    }

    #[test]
    fn time_alone_earns_the_floor() {
        let mut budget = Budget::new(start());
        spend_all(&mut budget, start());
        let mut sent = 0;
        for millisecond in 1..=2_000 {
            sent += spend_all(&mut budget, start() + Duration::from_millis(millisecond));
        }
        let expected = 2 * RETRANSMISSION_FLOOR_BYTES_PER_SECOND / 1_000;
        assert!((expected - 1..=expected).contains(&sent), "{sent} of {expected}");
    }

    #[test]
    fn the_budget_is_never_more_than_a_burst() {
        let mut budget = Budget::new(start());
        budget.earn(usize::MAX);
        let later = start() + Duration::from_secs(1 << 30);
        assert_eq!(spend_all(&mut budget, later), RETRANSMISSION_BURST_BYTES / 1_000);
    }

    /// How many packets of 1,000 bytes may be sent.
    fn spend_all(budget: &mut Budget, now: Instant) -> u64 {
        std::iter::from_fn(|| budget.spend(1_000, now).then_some(())).count() as u64
    }
}
