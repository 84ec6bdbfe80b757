//! The paths at which a peer was seen, and the one that its media goes to.

use std::time::Instant;

use crate::limits::{CONSENT_TIMEOUT, PATHS_MAX, PATHS_MET_MAX};
use crate::path::Path;

/// The paths of one transport.
///
/// Media goes to one of them, and only while the peer consents (RFC 7675): its authenticated checks, or its
/// answers to ours, keep coming over that very path. Media also goes only where the peer was *proven* to be: a
/// nomination alone does not say that, because a lite agent makes no checks of its own, and who has overheard one
/// check can send it again from any address that it likes to see flooded. What is authentic and new, media or the end of
/// the handshake, it cannot send.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    known: Vec<Known>,
    /// How many different ones there were.
    met: usize,
    /// The path that showed life last.
    latest: Option<Path>,
    /// The path that the controlling side chose last.
    nominated: Option<Path>,
    destination: Option<Path>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    path: Path,
    /// When its last authenticated check or answer came; `None` when simulated, where consent never ends.
    checked_at: Option<Instant>,
    /// Whether the peer was proven to be there.
    is_proven: bool,
}

impl Known {
    fn has_consent(&self, now: Instant) -> bool {
        self.checked_at
            .is_none_or(|at| now.saturating_duration_since(at) < CONSENT_TIMEOUT)
    }
}

impl Paths {
    /// The one path of a simulation.
    pub(crate) fn fixed(path: Path) -> Self {
        Self {
            known: vec![Known {
                path,
                checked_at: None,
                is_proven: true,
            }],
            met: 1,
            destination: Some(path),
            ..Self::default()
        }
    }

    /// Whether no check has ever validated any path.
    pub(crate) const fn is_untouched(&self) -> bool {
        self.met == 0
    }

    /// Whether a check has validated this path.
    pub(crate) fn contains(&self, path: Path) -> bool {
        self.destination == Some(path) || self.known.iter().any(|known| known.path == path)
    }

    /// Whether there is room for this path, if need be in the place of one on which no check came for long.
    pub(crate) fn has_room_for(&self, path: Path, now: Instant) -> bool {
        let may_be_met = self.known.len() < PATHS_MAX || self.replaceable(now).is_some();
        self.contains(path) || (may_be_met && self.met < PATHS_MET_MAX)
    }

    fn replaceable(&self, now: Instant) -> Option<usize> {
        let dead = |known: &Known| !known.has_consent(now) && self.destination != Some(known.path);
        let indexed = self.known.iter().enumerate().filter(|(_, known)| dead(known));
        indexed
            .min_by_key(|(_, known)| known.checked_at)
            .map(|(index, _)| index)
    }

    /// An authenticated check or answer came over this path, for which there [is room](Self::has_room_for).
    pub(crate) fn checked(&mut self, path: Path, now: Instant) {
        self.latest = Some(path);
        if let Some(known) = self.known.iter_mut().find(|known| known.path == path) {
            // Somebody else may be there since.
            known.is_proven &= known.has_consent(now);
            known.checked_at = Some(now);
            return;
        }
        if self.known.len() >= PATHS_MAX
            && let Some(index) = self.replaceable(now)
        {
            self.known.swap_remove(index);
        }
        self.met += 1;
        self.known.push(Known {
            path,
            checked_at: Some(now),
            is_proven: false,
        });
    }

    /// A part of the handshake came over this path.
    pub(crate) fn heard(&mut self, path: Path) {
        self.latest = Some(path);
    }

    /// The controlling side chose this path.
    pub(crate) fn nominate(&mut self, path: Path) {
        self.nominated = Some(path);
    }

    /// Something authentic and new has come over this path, so the peer is there. Media follows if this is also the
    /// path that the controlling side chose.
    ///
    /// Browsers send reports over the pair they have selected at least every second, so a true move takes effect
    /// that fast.
    pub(crate) fn prove(&mut self, path: Path, now: Instant) {
        if self.destination == Some(path) {
            return;
        }
        let consenting = |known: &&mut Known| known.path == path && known.has_consent(now);
        if let Some(known) = self.known.iter_mut().find(consenting) {
            known.is_proven = true;
            if self.nominated == Some(path) || self.destination.is_none() {
                self.destination = Some(path);
            }
        }
    }

    /// The controlling side is we: we have made the check ourselves, and the answer came from there.
    pub(crate) fn choose(&mut self, path: Path) {
        self.nominated = Some(path);
        if let Some(known) = self.known.iter_mut().find(|known| known.path == path) {
            known.is_proven = true;
            self.destination = Some(path);
        }
    }

    /// The end of the handshake, which cannot be forged, has come over the latest path.
    pub(crate) fn prove_latest(&mut self) {
        let Some(path) = self.latest else { return };
        if let Some(known) = self.known.iter_mut().find(|known| known.path == path) {
            known.is_proven = true;
            self.destination = Some(path);
        }
    }

    /// Where media goes: a path that the peer was proven to be at, and on which it consents.
    pub(crate) const fn destination(&self) -> Option<Path> {
        self.destination
    }

    /// Where the handshake goes. Before there is proof any path that a check has validated will do: browsers begin
    /// the handshake before they nominate.
    pub(crate) fn handshake(&self) -> Option<Path> {
        self.destination.or(self.nominated).or(self.latest)
    }

    /// A path is over: its connection was closed. Media moves to another proven path, if there is one.
    pub(crate) fn close(&mut self, path: Path, now: Instant) {
        self.known.retain(|known| known.path != path);
        for chosen in [&mut self.latest, &mut self.nominated] {
            if *chosen == Some(path) {
                *chosen = None;
            }
        }
        if self.destination == Some(path) {
            self.destination = None;
            self.fall_back(now);
        }
    }

    /// Ends media to a path on which consent has run out; it moves to another proven path, if there is one.
    pub(crate) fn expire(&mut self, now: Instant) {
        if self
            .destination_known()
            .is_some_and(|known| !known.has_consent(now))
        {
            self.destination = None;
            self.fall_back(now);
        }
    }

    /// Until when media may go where it goes.
    pub(crate) fn consent_until(&self) -> Option<Instant> {
        Some(self.destination_known()?.checked_at? + CONSENT_TIMEOUT)
    }

    fn destination_known(&self) -> Option<&Known> {
        let path = self.destination?;
        self.known.iter().find(|known| known.path == path)
    }

    fn fall_back(&mut self, now: Instant) {
        let usable = self
            .known
            .iter()
            .filter(|known| known.is_proven && known.has_consent(now));
        self.destination = usable
            .max_by_key(|known| known.checked_at)
            .map(|known| known.path);
    }
}

#[cfg(test)]
mod tests;
