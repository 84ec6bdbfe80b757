//! Which participant's which track a frame belongs to: SFrame's KID.
//!
//! ```text
//! 23      18 17            8 7        0
//! +---------+---------------+----------+
//! |  track  |     seat      |  epoch   |   at most three bytes
//! +---------+---------------+----------+
//! ```

use crate::identity::{Seat, TrackNumber};

/// A key id: track, seat and epoch.
///
/// Source: RFC 9605, section 5.2, with 8 bits for the epoch, 10 for the index
/// and 6 for the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId {
    /// Whose frame.
    pub seat: Seat,
    /// Which of that participant's tracks.
    pub track: TrackNumber,
    /// The epoch's last 8 bits; 0 until the MLS group is there.
    pub epoch: u8,
}

const EPOCH_BITS: u32 = 8;
const SEAT_BITS: u32 = 10;
const TRACK_BITS: u32 = 6;

impl KeyId {
    /// The number that stands in the SFrame header.
    pub const fn number(self) -> u64 {
        (self.track.number() as u64) << (SEAT_BITS + EPOCH_BITS)
            | (self.seat.number() as u64) << EPOCH_BITS
            | self.epoch as u64
    }

    /// Reads the number of an SFrame header. `None` above 24 bits: no key of ours.
    pub const fn from_number(number: u64) -> Option<Self> {
        if number >> (TRACK_BITS + SEAT_BITS + EPOCH_BITS) != 0 {
            return None;
        }
        let seat = (number >> EPOCH_BITS) as u16 & ((1 << SEAT_BITS) - 1);
        let track = (number >> (SEAT_BITS + EPOCH_BITS)) as u8;
        match (Seat::new(seat), TrackNumber::new(track)) {
            (Some(seat), Some(track)) => Some(Self {
                seat,
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
        fn key_id_survives_its_number(track in 0u8..64, seat in 0u16..1_024, epoch in any::<u8>()) {
            let key_id = key_id(track, seat, epoch);
            prop_assert_eq!(KeyId::from_number(key_id.number()), Some(key_id));
        }
    }

    fn key_id(track: u8, seat: u16, epoch: u8) -> KeyId {
        KeyId {
            seat: Seat::new(seat).unwrap(),
            track: TrackNumber::new(track).unwrap(),
            epoch,
        }
    }
}
