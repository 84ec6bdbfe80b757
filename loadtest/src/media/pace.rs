//! When the next frame is due.

use std::time::{Duration, Instant};

use crate::limits::CATCH_UP_MAX;

/// Frames at a steady rate from a moment on.
#[derive(Debug)]
pub(crate) struct Pace {
    start: Instant,
    interval: Duration,
    next: u32,
}

impl Pace {
    pub(crate) fn new(start: Instant, interval: Duration) -> Self {
        Self {
            start,
            interval,
            next: 0,
        }
    }

    pub(crate) fn next_at(&self) -> Instant {
        self.start + self.interval * self.next
    }

    /// The number of a frame that is due; call it until there is none. Who comes very late skips what was due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<u32> {
        if self.next_at() > now {
            return None;
        }
        if now - self.next_at() > CATCH_UP_MAX {
            let elapsed = now - self.start;
            let number = elapsed.as_nanos() / self.interval.as_nanos().max(1);
            self.next = u32::try_from(number).unwrap_or(u32::MAX - 1);
        }
        let number = self.next;
        self.next += 1;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_at_their_rate_and_a_long_pause_is_skipped() {
        let start = Instant::now();
        let mut pace = Pace::new(start, Duration::from_millis(20));
        assert_eq!(pace.take_due(start), Some(0));
        assert_eq!(pace.take_due(start), None);
        let late = start + Duration::from_millis(45);
        assert_eq!(pace.take_due(late), Some(1));
        assert_eq!(pace.take_due(late), Some(2));
        assert_eq!(pace.take_due(late), None);
        let very_late = start + Duration::from_secs(2);
        assert_eq!(pace.take_due(very_late), Some(100));
        assert_eq!(pace.take_due(very_late), None);
    }
}
