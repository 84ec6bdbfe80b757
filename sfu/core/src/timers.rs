//! One deadline for each peer, in order of time.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::table::PeerKey;

/// The next deadline of every peer.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Instant, PeerKey)>,
    /// The entry of each peer in `by_time`, by its key.
    armed: Vec<Option<Instant>>,
}

impl Timers {
    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Makes sure that the peer is woken no later than `at`.
    pub(crate) fn arm_no_later(&mut self, key: PeerKey, at: Instant) {
        let index = key.index();
        if self.armed.len() <= index {
            self.armed.resize(index + 1, None);
        }
        let Some(armed) = self.armed.get_mut(index) else {
            return;
        };
        match *armed {
            Some(before) if before <= at => return,
            Some(before) => {
                self.by_time.remove(&(before, key));
            }
            None => {}
        }
        *armed = Some(at);
        self.by_time.insert((at, key));
    }

    /// Takes one peer whose deadline has come.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<PeerKey> {
        let (at, key) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.forget(key);
        Some(key)
    }

    /// Forgets the deadline of a peer.
    pub(crate) fn forget(&mut self, key: PeerKey) {
        if let Some(at) = self.armed.get_mut(key.index()).and_then(Option::take) {
            self.by_time.remove(&(at, key));
        }
    }
}
