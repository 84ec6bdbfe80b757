//! Who receives which source: a table of subscriptions that knows no rooms.

use std::collections::BTreeMap;

use crate::limits::TARGETS_PER_SOURCE_MAX;
use crate::table::PeerKey;

/// One publication of one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceKey {
    pub(crate) peer: PeerKey,
    /// The place of the publication in its connection.
    pub(crate) publication: u8,
}

/// One slot of one subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) peer: PeerKey,
    /// The place of the slot in its connection.
    pub(crate) slot: u8,
}

/// The source feeds as many slots as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyTargets;

/// The subscriptions of a core: each slot has at most one source.
#[derive(Debug, Default)]
pub(crate) struct Router {
    targets: BTreeMap<SourceKey, Vec<Target>>,
    sources: BTreeMap<Target, SourceKey>,
}

impl Router {
    /// The slots that a source feeds.
    pub(crate) fn targets(&self, source: SourceKey) -> &[Target] {
        self.targets.get(&source).map_or(&[], Vec::as_slice)
    }

    /// How many slots have a source.
    pub(crate) fn len(&self) -> usize {
        self.sources.len()
    }

    /// The sources that feed the slots of a subscriber, each as often as it does.
    pub(crate) fn sources(&self, subscriber: PeerKey) -> Vec<SourceKey> {
        self.sources
            .range(
                Target {
                    peer: subscriber,
                    slot: 0,
                }..=Target {
                    peer: subscriber,
                    slot: u8::MAX,
                },
            )
            .map(|(_, source)| *source)
            .collect()
    }

    /// The source that feeds a slot.
    pub(crate) fn source(&self, target: Target) -> Option<SourceKey> {
        self.sources.get(&target).copied()
    }

    /// Feeds a slot from this source and no other.
    pub(crate) fn bind(&mut self, target: Target, source: SourceKey) -> Result<(), TooManyTargets> {
        if self.source(target) == Some(source) {
            return Ok(());
        }
        if self.targets(source).len() >= TARGETS_PER_SOURCE_MAX {
            return Err(TooManyTargets);
        }
        self.unbind(target);
        self.sources.insert(target, source);
        self.targets.entry(source).or_default().push(target);
        Ok(())
    }

    /// Feeds a slot from nothing.
    pub(crate) fn unbind(&mut self, target: Target) {
        let Some(source) = self.sources.remove(&target) else {
            return;
        };
        let Some(targets) = self.targets.get_mut(&source) else {
            return;
        };
        targets.retain(|other| *other != target);
        if targets.is_empty() {
            self.targets.remove(&source);
        }
    }

    /// Forgets a peer as source and as subscriber, and names the slots of others that it fed.
    pub(crate) fn forget(&mut self, peer: PeerKey) -> Vec<Target> {
        let own: Vec<Target> = self
            .sources
            .range(Target { peer, slot: 0 }..=Target { peer, slot: u8::MAX })
            .map(|(target, _)| *target)
            .collect();
        for target in own {
            self.unbind(target);
        }
        let fed: Vec<Target> = self
            .targets
            .range(
                SourceKey { peer, publication: 0 }..=SourceKey {
                    peer,
                    publication: u8::MAX,
                },
            )
            .flat_map(|(_, targets)| targets.iter().copied())
            .collect();
        for target in &fed {
            self.unbind(*target);
        }
        fed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_one_source() {
        let mut router = Router::default();
        router.bind(target(2, 0), source(0)).unwrap();
        router.bind(target(2, 0), source(1)).unwrap();
        assert_eq!(router.targets(source(0)), []);
        assert_eq!(router.targets(source(1)), [target(2, 0)]);
    }

    #[test]
    fn nothing_remains_of_a_forgotten_peer() {
        let mut router = Router::default();
        router.bind(target(1, 0), source(0)).unwrap();
        router.bind(target(1, 3), source(2)).unwrap();
        router.bind(target(0, 0), source(1)).unwrap();
        assert_eq!(router.forget(PeerKey::of(1)), [target(0, 0)]);
        assert!(router.targets.is_empty() && router.sources.is_empty());
    }

    #[test]
    fn a_source_feeds_no_more_slots_than_it_may() {
        let mut router = Router::default();
        for peer in 0..u32::try_from(TARGETS_PER_SOURCE_MAX).unwrap() {
            router.bind(target(peer + 1, 0), source(0)).unwrap();
        }
        assert_eq!(router.bind(target(0, 1), source(0)), Err(TooManyTargets));
        assert_eq!(router.bind(target(1, 0), source(0)), Ok(()));
    }

    fn target(peer: u32, slot: u8) -> Target {
        Target {
            peer: PeerKey::of(peer),
            slot,
        }
    }

    fn source(peer: u32) -> SourceKey {
        SourceKey {
            peer: PeerKey::of(peer),
            publication: 0,
        }
    }
}
