//! How long the keys of an epoch are kept, and when the next are used to send.

use std::time::Duration;

/// How long old keys still open, because frames sealed with them are under way.
pub const OLD_KEYS_LIFE: Duration = Duration::from_secs(10);

/// How long old keys still open after somebody was removed: one second for all to switch, one for frames under way.
pub const OLD_KEYS_LIFE_AFTER_REMOVE: Duration = Duration::from_secs(2);

/// Epochs whose keys are kept at once. The 8 bits of an epoch in a key id stay unambiguous far beyond it.
pub const EPOCHS_MAX: usize = 8;

/// How long to wait for everybody to be ready before one sends with new keys.
pub const SWITCH_DELAY: Duration = Duration::from_millis(500);

/// Which epochs have keys.
#[derive(Debug, Default)]
pub struct Epochs {
    /// Epoch, and when it is forgotten. The newest comes last and is never forgotten.
    kept: Vec<(u64, Option<Duration>)>,
    /// The epoch to send with, once this moment has come.
    switch: Option<(u64, Duration)>,
}

impl Epochs {
    /// Begins an epoch; returns those to forget at once.
    pub fn begin(&mut self, epoch: u64, has_removed: bool, now: Duration) -> Vec<u64> {
        let life = if has_removed {
            OLD_KEYS_LIFE_AFTER_REMOVE
        } else {
            OLD_KEYS_LIFE
        };
        let forget_at = now.saturating_add(life);
        for (_, due) in &mut self.kept {
            *due = Some(due.map_or(forget_at, |due| due.min(forget_at)));
        }
        self.kept.push((epoch, None));
        self.switch = Some((epoch, now.saturating_add(SWITCH_DELAY)));
        let excess = self.kept.len().saturating_sub(EPOCHS_MAX);
        self.kept.drain(..excess).map(|(epoch, _)| epoch).collect()
    }

    /// Everybody is ready for this epoch; returns whether to send with it now.
    pub fn ready(&mut self, epoch: u64) -> bool {
        if self.switch.is_some_and(|(awaited, _)| awaited == epoch) {
            self.switch = None;
            return true;
        }
        false
    }

    /// The epoch whose time to be sent with has come.
    pub fn switch(&mut self, now: Duration) -> Option<u64> {
        let (epoch, due) = self.switch?;
        if due > now {
            return None;
        }
        self.switch = None;
        Some(epoch)
    }

    /// The epochs whose time is over.
    pub fn forget(&mut self, now: Duration) -> Vec<u64> {
        let is_over = |due: &Option<Duration>| due.is_some_and(|due| due <= now);
        let over = self.kept.iter().filter(|(_, due)| is_over(due));
        let over = over.map(|(epoch, _)| *epoch).collect();
        self.kept.retain(|(_, due)| !is_over(due));
        over
    }

    /// All epochs, which are forgotten with this.
    pub fn clear(&mut self) -> Vec<u64> {
        self.switch = None;
        self.kept.drain(..).map(|(epoch, _)| epoch).collect()
    }

    /// When something is due.
    pub fn due(&self) -> Option<Duration> {
        let forgets = self.kept.iter().filter_map(|(_, due)| *due);
        forgets.chain(self.switch.map(|(_, due)| due)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn old_keys_live_ten_seconds_and_two_after_a_removal() {
        let mut epochs = Epochs::default();
        epochs.begin(1, false, Duration::ZERO);
        epochs.begin(2, false, SECOND);
        assert_eq!(epochs.forget(SECOND * 10), Vec::<u64>::new());
        epochs.begin(3, true, SECOND * 10);
        assert_eq!(
            epochs.forget(SECOND * 11),
            vec![1],
            "what was over earlier stays earlier"
        );
        assert_eq!(epochs.forget(SECOND * 12), vec![2]);
        assert_eq!(
            epochs.forget(SECOND * 1_000),
            Vec::<u64>::new(),
            "the newest stays"
        );
    }

    #[test]
    fn more_than_eight_epochs_are_never_kept() {
        let mut epochs = Epochs::default();
        for epoch in 1..=8 {
            assert_eq!(epochs.begin(epoch, false, SECOND), Vec::<u64>::new());
        }
        assert_eq!(epochs.begin(9, false, SECOND), vec![1]);
    }

    #[test]
    fn sending_switches_when_all_are_ready_or_after_half_a_second_and_once() {
        let mut epochs = Epochs::default();
        epochs.begin(1, false, Duration::ZERO);
        assert_eq!(epochs.switch(SWITCH_DELAY - Duration::from_nanos(1)), None);
        assert_eq!(epochs.switch(SWITCH_DELAY), Some(1));
        assert!(!epochs.ready(1));
        epochs.begin(2, false, SECOND);
        assert!(!epochs.ready(1), "of an epoch that is over");
        assert!(epochs.ready(2));
        assert_eq!(epochs.switch(SECOND * 9), None);
    }
}
