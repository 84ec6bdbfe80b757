//! Whose datagram is this: by 4-tuple, and for the first one by the user name of its connectivity check.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::limits::PATHS_PER_PEER_MAX;
use crate::table::PeerKey;

/// Our address and the peer's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Path {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// Addresses stay out of logs.
impl std::fmt::Debug for Path {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Path([redacted])")
    }
}

/// The owners of 4-tuples and local user fragments.
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

    fn path(port: u16) -> Path {
        Path {
            local: ([127, 0, 0, 1], 8_080).into(),
            remote: ([10, 0, 0, 1], port).into(),
        }
    }
}
