//! Keys until the MLS group is there: each participant's base key is derived
//! from the room's secret and the salt in that participant's announcement.
//!
//! This gives no forward secrecy, and any holder of the link can pose as
//! another. The MLS group ends both, and this file with them.

use std::collections::BTreeMap;

use crate::identity::{RoomId, Seat};
use crate::key_id::KeyId;
use crate::key_source::KeySource;
use crate::secret::{BaseKey, RoomSecret, Salt};

/// The room's secret and everybody's current salt.
#[derive(Debug)]
pub struct InterimKeys {
    secret: RoomSecret,
    room: RoomId,
    salts: BTreeMap<Seat, Salt>,
}

impl InterimKeys {
    /// Keys of a room in which nobody's salt is known yet.
    pub const fn new(secret: RoomSecret, room: RoomId) -> Self {
        Self {
            secret,
            room,
            salts: BTreeMap::new(),
        }
    }

    /// Takes the salt of a participant, one's own included. It replaces an
    /// earlier one, whose keys are then gone. At most 1,024 seats exist.
    pub fn insert(&mut self, seat: Seat, salt: Salt) {
        self.salts.insert(seat, salt);
    }

    /// Forgets a participant that left.
    pub fn remove(&mut self, seat: Seat) {
        self.salts.remove(&seat);
    }
}

impl KeySource for InterimKeys {
    fn base_key(&self, key_id: KeyId) -> Option<BaseKey> {
        if key_id.epoch != 0 {
            return None;
        }
        let salt = self.salts.get(&key_id.seat)?;
        Some(self.secret.interim_base_key(self.room, key_id.seat, salt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::TrackNumber;
    use crate::secret::Link;

    #[test]
    fn base_key_depends_on_room_seat_and_salt_and_not_on_track() {
        let secret = RoomSecret::from_link(&Link::new([1; 16]));
        let mut keys = InterimKeys::new(secret.clone(), RoomId::new([1; 16]));
        let mut elsewhere = InterimKeys::new(secret, RoomId::new([2; 16]));
        keys.insert(seat(1), Salt::new([1; 32]));
        keys.insert(seat(2), Salt::new([1; 32]));
        elsewhere.insert(seat(1), Salt::new([1; 32]));
        let first = *keys.base_key(key_id(1, 0, 0)).unwrap().as_bytes();

        assert_eq!(keys.base_key(key_id(1, 1, 0)).unwrap().as_bytes(), &first);
        assert_ne!(keys.base_key(key_id(2, 0, 0)).unwrap().as_bytes(), &first);
        assert_ne!(elsewhere.base_key(key_id(1, 0, 0)).unwrap().as_bytes(), &first);
        keys.insert(seat(1), Salt::new([2; 32]));
        assert_ne!(keys.base_key(key_id(1, 0, 0)).unwrap().as_bytes(), &first);
    }

    #[test]
    fn other_epochs_and_those_who_left_have_no_key() {
        let mut keys = InterimKeys::new(RoomSecret::from_link(&Link::new([1; 16])), RoomId::new([1; 16]));
        keys.insert(seat(1), Salt::new([1; 32]));
        assert!(keys.base_key(key_id(1, 0, 1)).is_none());
        keys.remove(seat(1));
        assert!(keys.base_key(key_id(1, 0, 0)).is_none());
    }

    fn seat(number: u16) -> Seat {
        Seat::new(number).unwrap()
    }

    fn key_id(number: u16, track: u8, epoch: u8) -> KeyId {
        KeyId {
            seat: seat(number),
            track: TrackNumber::new(track).unwrap(),
            epoch,
        }
    }
}
