//! Peers in numbered places, so that a packet finds its subscribers without a search.

use std::collections::BTreeMap;

use crate::command::PeerId;

/// The place of a peer in the table. It is given away again after its peer was removed, so every table that
/// holds one forgets it together with the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PeerKey(u32);

impl PeerKey {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    #[cfg(test)]
    pub(crate) const fn of(index: u32) -> Self {
        Self(index)
    }
}

/// The peers of a core.
#[derive(Debug)]
pub(crate) struct Table<T> {
    places: Vec<Option<T>>,
    free: Vec<PeerKey>,
    by_id: BTreeMap<PeerId, PeerKey>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            by_id: BTreeMap::new(),
        }
    }
}

impl<T> Table<T> {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn key(&self, id: PeerId) -> Option<PeerKey> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn get(&self, key: PeerKey) -> Option<&T> {
        self.places.get(key.index())?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: PeerKey) -> Option<&mut T> {
        self.places.get_mut(key.index())?.as_mut()
    }

    /// Two values at once; `None` also when they are the same.
    pub(crate) fn pair_mut(&mut self, one: PeerKey, other: PeerKey) -> Option<(&mut T, &mut T)> {
        let pair = self.places.get_disjoint_mut([one.index(), other.index()]).ok()?;
        let [one, other] = pair;
        Some((one.as_mut()?, other.as_mut()?))
    }

    /// Gives the value a place. The id must not be in the table.
    pub(crate) fn insert(&mut self, id: PeerId, value: T) -> PeerKey {
        let key = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            // The table is bounded by `PEERS_MAX`, so its length fits.
            PeerKey(u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX))
        });
        if let Some(place) = self.places.get_mut(key.index()) {
            *place = Some(value);
        }
        self.by_id.insert(id, key);
        key
    }

    pub(crate) fn remove(&mut self, id: PeerId) -> Option<(PeerKey, T)> {
        let key = self.by_id.remove(&id)?;
        let value = self.places.get_mut(key.index())?.take()?;
        self.free.push(key);
        Some((key, value))
    }
}
