//! How often something may go wrong: counts per key in fixed windows, in a table of bounded size.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Counts events per key. A key's window opens with its first event and lasts `window`; when `count_max` events
/// lie in it, the key has to wait for its end. At most `keys_max` keys are remembered, the oldest give way.
#[derive(Debug)]
pub struct Tries<K> {
    window: Duration,
    count_max: u32,
    keys_max: usize,
    counts: BTreeMap<K, Window>,
    /// The same keys in the order in which their windows end, each once.
    order: VecDeque<(Duration, K)>,
}

#[derive(Debug)]
struct Window {
    count: u32,
    ends: Duration,
}

impl<K: Ord + Copy> Tries<K> {
    /// An empty table.
    pub const fn new(count_max: u32, window: Duration, keys_max: usize) -> Self {
        Self {
            window,
            count_max,
            keys_max,
            counts: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// How long this key has to wait before its next try; `None` where it may try now.
    pub fn wait(&self, key: &K, now: Duration) -> Option<Duration> {
        let window = self.counts.get(key)?;
        (window.ends > now && window.count >= self.count_max).then(|| window.ends.saturating_sub(now))
    }

    /// Counts one event of this key.
    pub fn count(&mut self, key: K, now: Duration) {
        self.forget_ended(now);
        if let Some(window) = self.counts.get_mut(&key) {
            window.count = window.count.saturating_add(1);
            return;
        }
        if self.counts.len() >= self.keys_max
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
        }
        let ends = now.saturating_add(self.window);
        self.counts.insert(key, Window { count: 1, ends });
        self.order.push_back((ends, key));
    }

    /// Forgets the keys whose windows are over.
    pub fn forget_ended(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(ends, _)| *ends <= now) {
            if let Some((_, key)) = self.order.pop_front() {
                self.counts.remove(&key);
            }
        }
    }

    /// How many keys are remembered.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether no key is remembered.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_key_waits_for_the_end_of_its_window_after_too_many() {
        let mut tries = Tries::new(2, SECOND * 60, 10);
        tries.count("a", SECOND);
        assert_eq!(tries.wait(&"a", SECOND), None);
        tries.count("a", SECOND * 11);
        assert_eq!(tries.wait(&"a", SECOND * 11), Some(SECOND * 50));
        assert_eq!(tries.wait(&"b", SECOND * 11), None);
        assert_eq!(tries.wait(&"a", SECOND * 61), None);
    }

    #[test]
    fn a_window_that_ended_starts_again_from_nothing() {
        let mut tries = Tries::new(2, SECOND * 60, 10);
        tries.count("a", SECOND);
        tries.count("a", SECOND);
        tries.count("a", SECOND * 61);
        assert_eq!(tries.wait(&"a", SECOND * 61), None);
    }

    #[test]
    fn the_table_stays_bounded_and_the_oldest_give_way() {
        let mut tries = Tries::new(1, SECOND * 60, 3);
        for key in 0..10 {
            tries.count(key, SECOND * key);
        }
        assert_eq!(tries.len(), 3);
        assert_eq!(tries.wait(&6, SECOND * 10), None);
        assert!(tries.wait(&7, SECOND * 10).is_some());
        tries.forget_ended(SECOND * 100);
        assert!(tries.is_empty());
    }
}
