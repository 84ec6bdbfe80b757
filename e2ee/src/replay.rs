//! Which counters of one key were already seen.

use crate::limits::REPLAY_WINDOW;

const WORDS: usize = (REPLAY_WINDOW / 64) as usize;

/// Why a counter is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayRefusal {
    /// It was recorded before. Browsers deliver some frames twice, so this alone is no attack.
    Duplicate,
    /// It lies behind the window, where we no longer know.
    TooOld,
}

/// A window over the counters of one key: check, then decrypt, then record.
///
/// Source: RFC 9605, section 9.3.
#[derive(Debug, Clone, Default)]
pub struct ReplayWindow {
    highest: Option<u64>,
    /// A ring: counter `n` has bit `n % REPLAY_WINDOW`.
    seen: [u64; WORDS],
}

impl ReplayWindow {
    /// Whether a frame with this counter may be opened. Changes nothing,
    /// because the counter is not authentic before the frame opened.
    pub fn check(&self, counter: u64) -> Result<(), ReplayRefusal> {
        match self.highest {
            Some(highest) if counter <= highest => {
                if highest - counter >= REPLAY_WINDOW {
                    Err(ReplayRefusal::TooOld)
                } else if self.is_seen(counter) {
                    Err(ReplayRefusal::Duplicate)
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }

    /// Notes a counter whose frame opened.
    pub fn record(&mut self, counter: u64) {
        match self.highest {
            None => self.highest = Some(counter),
            Some(highest) if counter > highest => {
                self.clear_after(highest, counter);
                self.highest = Some(counter);
            }
            Some(highest) if highest - counter >= REPLAY_WINDOW => return,
            Some(_) => {}
        }
        let (word, bit) = place(counter);
        self.seen[word] |= bit;
    }

    /// The highest counter recorded.
    pub const fn highest(&self) -> Option<u64> {
        self.highest
    }

    fn is_seen(&self, counter: u64) -> bool {
        let (word, bit) = place(counter);
        self.seen[word] & bit != 0
    }

    /// Empties the places that counters above `highest`, up to `counter`, will take.
    fn clear_after(&mut self, highest: u64, counter: u64) {
        if counter - highest >= REPLAY_WINDOW {
            self.seen = [0; WORDS];
            return;
        }
        for skipped in highest + 1..=counter {
            let (word, bit) = place(skipped);
            self.seen[word] &= !bit;
        }
    }
}

const fn place(counter: u64) -> (usize, u64) {
    let index = counter % REPLAY_WINDOW;
    ((index / 64) as usize, 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop, prop_assert_eq, proptest};
    use std::collections::BTreeSet;

    #[test]
    fn counter_is_accepted_once() {
        let mut window = ReplayWindow::default();
        assert_eq!(window.check(5), Ok(()));
        assert_eq!(window.check(5), Ok(()), "checking records nothing");
        window.record(5);
        assert_eq!(window.check(5), Err(ReplayRefusal::Duplicate));
        assert_eq!(window.check(4), Ok(()));
    }

    #[test]
    fn window_reaches_back_1023_counters() {
        let mut window = ReplayWindow::default();
        window.record(2_000);
        assert_eq!(window.check(977), Ok(()));
        assert_eq!(window.check(976), Err(ReplayRefusal::TooOld));
    }

    #[test]
    fn highest_possible_counter_does_not_wrap() {
        let mut window = ReplayWindow::default();
        window.record(u64::MAX);
        assert_eq!(window.check(0), Err(ReplayRefusal::TooOld));
        assert_eq!(window.check(u64::MAX), Err(ReplayRefusal::Duplicate));
    }

    proptest! {
        #[test]
        fn window_agrees_with_a_set_of_all_counters(counters in prop::collection::vec(0u64..5_000, 1..300)) {
            let mut window = ReplayWindow::default();
            let mut all = BTreeSet::new();
            for counter in counters {
                let expected = match all.last() {
                    Some(last) if last - counter.min(*last) >= REPLAY_WINDOW => Err(ReplayRefusal::TooOld),
                    _ if all.contains(&counter) => Err(ReplayRefusal::Duplicate),
                    _ => Ok(()),
                };
                prop_assert_eq!(window.check(counter), expected);
                if expected.is_ok() {
                    window.record(counter);
                    all.insert(counter);
                }
            }
        }
    }
}
