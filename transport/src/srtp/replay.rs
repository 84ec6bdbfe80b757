//! Remembers which packets of one source were seen.

use crate::srtp::error::SrtpError;

/// A sliding window over packet indices. It remembers `64 * (WORDS - 1)` of them below the highest.
///
/// The bitmap is a ring: an index has its bit at `index modulo 64 * WORDS`, and advancing clears the words that the
/// highest index enters. So nothing is shifted.
///
/// Source: RFC 3711 section 3.3.2; the ring is that of RFC 6479.
#[derive(Debug, Clone)]
pub(crate) struct ReplayWindow<const WORDS: usize> {
    highest: Option<u64>,
    seen: [u64; WORDS],
}

impl<const WORDS: usize> ReplayWindow<WORDS> {
    /// How many indices up to the highest are remembered.
    const LEN: u64 = 64 * (WORDS as u64 - 1);

    /// A window that has seen nothing.
    pub(crate) fn new() -> Self {
        Self {
            highest: None,
            seen: [0; WORDS],
        }
    }

    /// The highest index recorded.
    pub(crate) fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Fails when the index was recorded before, or is too old to tell.
    pub(crate) fn check(&self, index: u64) -> Result<(), SrtpError> {
        let Some(highest) = self.highest else {
            return Ok(());
        };
        if index > highest {
            return Ok(());
        }
        if highest - index >= Self::LEN {
            return Err(SrtpError::TooOld);
        }
        let (word, bit) = Self::position(index);
        if self.seen[word] & bit == 0 {
            Ok(())
        } else {
            Err(SrtpError::Replayed)
        }
    }

    /// Records an index that [`check`](Self::check) has let pass and that is authentic.
    pub(crate) fn record(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => {}
            Some(highest) => {
                let words = (index / 64 - highest / 64).min(WORDS as u64);
                for step in 1..=words {
                    self.seen[((highest / 64 + step) % WORDS as u64) as usize] = 0;
                }
                self.highest = Some(index);
            }
            None => self.highest = Some(index),
        }
        let (word, bit) = Self::position(index);
        self.seen[word] |= bit;
    }

    fn position(index: u64) -> (usize, u64) {
        ((index / 64 % WORDS as u64) as usize, 1 << (index % 64))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_index_passes_once() {
        let mut window = ReplayWindow::<3>::new();
        for index in [5, 3, 4, 200, 199] {
            assert_eq!(window.check(index), Ok(()));
            window.record(index);
            assert_eq!(window.check(index), Err(SrtpError::Replayed));
        }
    }

    #[test]
    fn index_at_the_windows_edge_is_still_known() {
        let mut window = ReplayWindow::<3>::new();
        window.record(1_000);
        assert_eq!(window.check(1_000 - 127), Ok(()));
        assert_eq!(window.check(1_000 - 128), Err(SrtpError::TooOld));
    }

    #[test]
    fn a_long_jump_forgets_the_whole_window() {
        let mut window = ReplayWindow::<3>::new();
        (0..192).for_each(|index| window.record(index));
        window.record(1 << 40);
        for index in (1 << 40) - 127..1 << 40 {
            assert_eq!(window.check(index), Ok(()));
        }
    }

    proptest! {
        #[test]
        fn window_agrees_with_a_set(steps in proptest::collection::vec(-300_i64..300, 1..400), start in 0_u64..1 << 47) {
            let mut window = ReplayWindow::<3>::new();
            let mut seen = BTreeSet::new();
            let mut at = start;
            for step in steps {
                at = at.saturating_add_signed(step);
                let highest = seen.last().copied();
                let expected = match highest {
                    Some(highest) if at + 128 <= highest => Err(SrtpError::TooOld),
                    _ if seen.contains(&at) => Err(SrtpError::Replayed),
                    _ => Ok(()),
                };
                prop_assert_eq!(window.check(at), expected);
                if expected.is_ok() {
                    window.record(at);
                    seen.insert(at);
                }
                prop_assert_eq!(window.highest(), seen.last().copied());
            }
        }
    }
}
