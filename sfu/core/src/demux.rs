//! Whose datagram is this: by protocol and 4-tuple, and for the first one by the user name of its connectivity check.

use std::collections::HashMap;

use transport::Path;

use crate::limits::PATHS_PER_PEER_MAX;
use crate::table::PeerKey;

/// The owners of paths and local user fragments.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    by_path: HashMap<Path, PeerKey>,
    by_ufrag: HashMap<String, PeerKey>,
    /// What each peer owns, by its key.
    owned: Vec<Owned>,
}

#[derive(Debug, Default)]
struct Owned {
    ufrag: Option<String>,
    /// Oldest first.
    paths: Vec<Path>,
}

impl Demux {
    /// Whose proven path this is.
    pub(crate) fn owner(&self, path: Path) -> Option<PeerKey> {
        self.by_path.get(&path).copied()
    }

    /// Whose user fragment this is.
    pub(crate) fn ufrag_owner(&self, ufrag: &str) -> Option<PeerKey> {
        self.by_ufrag.get(ufrag).copied()
    }

    /// Gives a peer the user fragment under which its first datagram comes. The fragment must be free.
    pub(crate) fn expect(&mut self, ufrag: &str, key: PeerKey) {
        if self.owned.len() <= key.index() {
            self.owned.resize_with(key.index() + 1, Owned::default);
        }
        if let Some(owned) = self.owned.get_mut(key.index()) {
            owned.ufrag = Some(ufrag.to_owned());
        }
        self.by_ufrag.insert(ufrag.to_owned(), key);
    }

    /// Gives a peer a path that it has proven, whoever had it before. Returns whether there was room for it.
    pub(crate) fn learn(&mut self, path: Path, key: PeerKey) -> bool {
        let former = self.owner(path);
        if former == Some(key) {
            return true;
        }
        let Some(owned) = self.owned.get_mut(key.index()) else {
            return false;
        };
        if owned.paths.len() >= PATHS_PER_PEER_MAX {
            return false;
        }
        owned.paths.push(path);
        self.by_path.insert(path, key);
        if let Some(owned) = former.and_then(|former| self.owned.get_mut(former.index())) {
            owned.paths.retain(|other| *other != path);
        }
        true
    }

    /// Forgets a path, whoever had it: its connection is closed.
    pub(crate) fn forget_path(&mut self, path: Path) {
        let owner = self.by_path.remove(&path);
        if let Some(owned) = owner.and_then(|owner| self.owned.get_mut(owner.index())) {
            owned.paths.retain(|other| *other != path);
        }
    }

    /// Forgets the paths of a peer that it has no use for any more.
    pub(crate) fn retain(&mut self, key: PeerKey, is_used: impl Fn(Path) -> bool) {
        if let Some(owned) = self.owned.get_mut(key.index()) {
            owned.paths.retain(|path| {
                let keep = is_used(*path);
                if !keep {
                    self.by_path.remove(path);
                }
                keep
            });
        }
    }

    /// Forgets everything of a peer.
    pub(crate) fn forget(&mut self, key: PeerKey) {
        let Some(owned) = self.owned.get_mut(key.index()) else {
            return;
        };
        let Owned { ufrag, paths } = std::mem::take(owned);
        if let Some(ufrag) = ufrag {
            self.by_ufrag.remove(&ufrag);
        }
        for path in paths {
            self.by_path.remove(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_owns_no_more_paths_than_it_may() {
        let mut demux = Demux::default();
        let key = PeerKey::of(0);
        demux.expect("ufrag", key);
        let ports = 1..=u16::try_from(PATHS_PER_PEER_MAX).unwrap();
        assert!(ports.clone().all(|port| demux.learn(path(port), key)));
        assert!(!demux.learn(path(0), key));
        assert!(
            ports.clone().all(|port| demux.learn(path(port), key)),
            "what it has it may have again"
        );
        assert_eq!(demux.by_path.len(), PATHS_PER_PEER_MAX);
    }

    #[test]
    fn a_path_that_passes_on_is_not_forgotten_with_its_former_owner() {
        let mut demux = Demux::default();
        let (first, second) = (PeerKey::of(0), PeerKey::of(1));
        demux.expect("first", first);
        demux.expect("second", second);
        assert!(demux.learn(path(1), first));
        assert!(demux.learn(path(1), second));
        demux.forget(first);
        assert_eq!(demux.owner(path(1)), Some(second));
        assert_eq!(demux.ufrag_owner("first"), None);
        demux.forget(second);
        assert!(demux.by_path.is_empty() && demux.by_ufrag.is_empty());
    }

    #[test]
    fn the_same_addresses_over_udp_and_tcp_are_two_paths() {
        let mut demux = Demux::default();
        let (first, second) = (PeerKey::of(0), PeerKey::of(1));
        demux.expect("first", first);
        demux.expect("second", second);
        let over_tcp = Path::tcp(path(1).local, path(1).remote);
        assert!(demux.learn(path(1), first) && demux.learn(over_tcp, second));
        assert_eq!(
            (demux.owner(path(1)), demux.owner(over_tcp)),
            (Some(first), Some(second))
        );
        demux.forget_path(over_tcp);
        assert_eq!((demux.owner(path(1)), demux.owner(over_tcp)), (Some(first), None));
    }

    #[test]
    fn paths_without_use_make_room() {
        let mut demux = Demux::default();
        let key = PeerKey::of(0);
        demux.expect("ufrag", key);
        let ports = 1..=u16::try_from(PATHS_PER_PEER_MAX).unwrap();
        assert!(ports.clone().all(|port| demux.learn(path(port), key)));
        demux.retain(key, |path| path.remote.port() != 7);
        assert_eq!(demux.owner(path(7)), None);
        assert!(demux.learn(path(0), key));
        demux.forget(key);
        assert!(demux.by_path.is_empty());
    }

    fn path(port: u16) -> Path {
        Path::udp(([127, 0, 0, 1], 8_080).into(), ([10, 0, 0, 1], port).into())
    }
}
