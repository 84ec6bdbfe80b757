//! Which participant's which track a frame belongs to: SFrame's KID.
//!
//! ```text
//! 23      18 17            8 7        0
//! +---------+---------------+----------+
//! |  track  |     leaf      |  epoch   |   at most three bytes
//! +---------+---------------+----------+
//! ```

use crate::identity::{Leaf, TrackNumber};

/// A key id: track, leaf and epoch.
///
/// Source: RFC 9605, section 5.2, with 8 bits for the epoch, 10 for the index
/// and 6 for the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId {
    /// Whose frame.
    pub leaf: Leaf,
    /// Which of that participant's tracks.
    pub track: TrackNumber,
    /// The last 8 bits of the group's epoch.
    pub epoch: u8,
}

const EPOCH_BITS: u32 = 8;
const LEAF_BITS: u32 = 10;
const TRACK_BITS: u32 = 6;

impl KeyId {
    /// The number that stands in the SFrame header.
    pub const fn number(self) -> u64 {
        (self.track.number() as u64) << (LEAF_BITS + EPOCH_BITS)
            | (self.leaf.number() as u64) << EPOCH_BITS
            | self.epoch as u64
    }

    /// Reads the number of an SFrame header. `None` above 24 bits: no key of ours.
    pub const fn from_number(number: u64) -> Option<Self> {
        if number >> (TRACK_BITS + LEAF_BITS + EPOCH_BITS) != 0 {
            return None;
        }
        let leaf = (number >> EPOCH_BITS) as u16 & ((1 << LEAF_BITS) - 1);
        let track = (number >> (LEAF_BITS + EPOCH_BITS)) as u8;
        match (Leaf::new(leaf), TrackNumber::new(track)) {
            (Some(leaf), Some(track)) => Some(Self {
                leaf,
                track,
                epoch: number as u8,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn highest_key_id_takes_three_bytes() {
        let highest = key_id(63, 1_023, 255);
        assert_eq!(highest.number(), 0xff_ffff);
        assert_eq!(KeyId::from_number(0xff_ffff), Some(highest));
        assert_eq!(KeyId::from_number(0x100_0000), None);
    }

    proptest! {
        #[test]
        fn key_id_survives_its_number(track in 0u8..64, leaf in 0u16..1_024, epoch in any::<u8>()) {
            let key_id = key_id(track, leaf, epoch);
            prop_assert_eq!(KeyId::from_number(key_id.number()), Some(key_id));
        }
    }

    fn key_id(track: u8, leaf: u16, epoch: u8) -> KeyId {
        KeyId {
            leaf: Leaf::new(leaf).unwrap(),
            track: TrackNumber::new(track).unwrap(),
            epoch,
        }
    }
}
