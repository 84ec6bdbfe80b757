//! Which packets of one SSRC did not come, and when to ask for them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::limits::{MISSING_MAX, REORDER_DELAY, REQUESTS_PER_PACKET_MAX};

/// The missing packets of one SSRC, by extended sequence number.
#[derive(Debug, Clone)]
pub(crate) struct Gaps {
    /// In rising order.
    missing: VecDeque<Missing>,
    /// For how long a missing packet is asked for.
    patience: Duration,
    due: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Missing {
    number: u64,
    since: Instant,
    ask_at: Instant,
    /// How often it was asked for, and when last.
    requests: u8,
    asked_at: Option<Instant>,
}

/// A missing packet that came after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// On its own, only late.
    Late,
    /// After it was asked for. The time since the request, where there was only one.
    Repaired(Option<Duration>),
}

impl Gaps {
    /// No gaps yet, of a stream whose packets are worth waiting for for so long.
    pub(crate) const fn new(patience: Duration) -> Self {
        Self {
            missing: VecDeque::new(),
            patience,
            due: None,
        }
    }

    /// When [`take_due`](Self::take_due) wants to be called.
    pub(crate) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Another stream begins: nothing of the one before is missed any more.
    pub(crate) fn forget(&mut self) {
        self.missing.clear();
        self.due = None;
    }

    /// A packet came that leaves out the numbers from `first` up to `next`, which is its own. Returns how many are
    /// given up at once: too many to ask for, like after a pause of the network.
    pub(crate) fn skipped(&mut self, first: u64, next: u64, now: Instant) -> u64 {
        let skipped = next.saturating_sub(first);
        if skipped == 0 {
            return 0;
        }
        if self.missing.len() as u64 + skipped > MISSING_MAX as u64 {
            let given_up = self.missing.len() as u64 + skipped;
            self.missing.clear();
            self.due = None;
            return given_up;
        }
        let ask_at = now + REORDER_DELAY;
        self.missing.extend((first..next).map(|number| Missing {
            number,
            since: now,
            ask_at,
            requests: 0,
            asked_at: None,
        }));
        self.due = Some(self.due.map_or(ask_at, |due| due.min(ask_at)));
        0
    }

    /// A packet came. `None` when it was not missing.
    pub(crate) fn came(&mut self, number: u64, now: Instant) -> Option<Came> {
        let place = self
            .missing
            .binary_search_by_key(&number, |missing| missing.number)
            .ok()?;
        let missing = self.missing.remove(place)?;
        Some(match (missing.requests, missing.asked_at) {
            (0, _) | (_, None) => Came::Late,
            (1, Some(asked_at)) => Came::Repaired(Some(now.saturating_duration_since(asked_at))),
            _ => Came::Repaired(None),
        })
    }

    /// Hands the sequence numbers that are to be asked for now to `ask`, and counts them as asked for once more.
    /// Returns how many are given up.
    pub(crate) fn take_due(&mut self, round_trip: Duration, now: Instant, mut ask: impl FnMut(u16)) -> u64 {
        if self.due.is_none_or(|due| due > now) {
            return 0;
        }
        let patience = self.patience;
        let before = self.missing.len();
        let mut due: Option<Instant> = None;
        self.missing.retain_mut(|missing| {
            if missing.ask_at <= now {
                let age = now.saturating_duration_since(missing.since);
                // It is waited for as long as the last request may still be answered.
                if missing.requests >= REQUESTS_PER_PACKET_MAX || age > patience {
                    return false;
                }
                missing.requests += 1;
                missing.asked_at = Some(now);
                missing.ask_at = now + round_trip;
                ask(missing.number as u16);
            }
            due = Some(due.map_or(missing.ask_at, |due| due.min(missing.ask_at)));
            true
        });
        self.due = due;
        (before - self.missing.len()) as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::testing::start;

    const PATIENCE: Duration = Duration::from_millis(500);
    const ROUND_TRIP: Duration = Duration::from_millis(100);

    #[test]
    fn a_packet_that_is_only_late_is_not_asked_for() {
        let mut gaps = Gaps::new(PATIENCE);
        gaps.skipped(10, 12, start());
        assert_eq!(asked(&mut gaps, start()), []);
        assert_eq!(gaps.came(10, start()), Some(Came::Late));
        assert_eq!(gaps.came(10, start()), None);
        assert_eq!(asked(&mut gaps, start() + REORDER_DELAY), [11]);
    }

    #[test]
    fn a_missing_packet_is_asked_for_once_a_round_trip_until_it_comes() {
        let mut gaps = Gaps::new(PATIENCE);
        gaps.skipped(65_536, 65_537, start());
        let first = start() + REORDER_DELAY;
        assert_eq!(asked(&mut gaps, first), [0]);
        assert_eq!(gaps.due(), Some(first + ROUND_TRIP));
        assert_eq!(asked(&mut gaps, first + ROUND_TRIP / 2), []);
        let mut again = gaps.clone();
        let came = again.came(65_536, first + Duration::from_millis(70));
        assert_eq!(came, Some(Came::Repaired(Some(Duration::from_millis(70)))));
        assert_eq!(asked(&mut gaps, first + ROUND_TRIP), [0]);
        let came = gaps.came(65_536, first + ROUND_TRIP * 2);
        assert_eq!(came, Some(Came::Repaired(None)), "which request was answered?");
        assert_eq!(asked(&mut gaps, first + ROUND_TRIP * 9), []);
        assert_eq!(gaps.due(), None);
    }

    #[test]
    fn a_packet_that_never_comes_is_given_up() {
        for round_trip in [1, 20, 100, 400].map(Duration::from_millis) {
            let mut gaps = Gaps::new(PATIENCE);
            gaps.skipped(1, 2, start());
            let (mut requests, mut last) = (0, start());
            let given_up = loop {
                let Some(due) = gaps.due() else {
                    panic!("it ends by being given up")
                };
                let given_up = gaps.take_due(round_trip, due, |_| {
                    requests += 1;
                    last = due;
                });
                if given_up > 0 {
                    assert!(due >= last + round_trip, "the last request may be answered");
                    break given_up;
                }
            };
            assert_eq!((given_up, gaps.due()), (1, None));
            assert!((1..=REQUESTS_PER_PACKET_MAX).contains(&requests));
            assert!(last <= start() + PATIENCE);
        }
    }

    #[test]
    fn more_than_can_be_asked_for_is_given_up_at_once() {
        let mut gaps = Gaps::new(PATIENCE);
        let most = MISSING_MAX as u64;
        assert_eq!(gaps.skipped(1, 1 + most, start()), 0);
        assert_eq!(gaps.skipped(2 + most, 3 + most, start()), most + 1);
        assert_eq!(gaps.due(), None);
        assert_eq!(gaps.skipped(10_000, 12_000 + most, start()), 2_000 + most);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, rng_seed: RngSeed::Fixed(5), ..ProptestConfig::default()
        })]

        #[test]
        fn every_skipped_packet_comes_or_is_given_up(
            steps in prop::collection::vec((0_u64..4, any::<bool>(), 0_u64..60), 1..200),
        ) {
            let mut gaps = Gaps::new(PATIENCE);
            let (mut now, mut next, mut open) = (start(), 1_u64 << 16, std::collections::BTreeSet::new());
            let mut given_up = 0;
            for (skip, fills, milliseconds) in steps {
                now += Duration::from_millis(milliseconds);
                prop_assert_eq!(gaps.skipped(next, next + skip, now), 0);
                open.extend(next..next + skip);
                next += skip + 1;
                let mut asked = Vec::new();
                given_up += gaps.take_due(ROUND_TRIP, now, |number| asked.push(number));
                for number in asked {
                    prop_assert!(open.iter().any(|open| *open as u16 == number), "only what is missing");
                }
                if fills && let Some(number) = open.pop_first() && gaps.came(number, now).is_none() {
                    given_up -= 1;
                }
            }
            prop_assert_eq!(gaps.missing.len() as u64 + given_up, open.len() as u64);
        }
    }

    fn asked(gaps: &mut Gaps, now: Instant) -> Vec<u16> {
        let mut asked = Vec::new();
        assert_eq!(gaps.take_due(ROUND_TRIP, now, |number| asked.push(number)), 0);
        asked
    }
}
