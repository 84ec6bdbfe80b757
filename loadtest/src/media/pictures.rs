//! Puts the packets of a slot together to pictures, in whatever order they come.

use std::collections::{BTreeMap, BTreeSet};

use super::vp8;
use crate::limits::{PICTURE_PACKETS_MAX, PICTURES_GIVEN_OUT_MAX, PICTURES_WAITING_MAX};

/// Pictures that are not whole yet, by extended timestamp.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    waiting: BTreeMap<u64, Picture>,
    /// The latest that were given out. An older one may still come whole: its packet was lost and is sent again.
    given_out: BTreeSet<u64>,
    /// Timestamps up to this one were given up, or are too old to tell.
    floor: Option<u64>,
}

#[derive(Debug, Default)]
struct Picture {
    parts: BTreeMap<u64, Vec<u8>>,
    first: Option<u64>,
    last: Option<u64>,
}

impl Picture {
    fn is_whole(&self) -> bool {
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return false;
        };
        last >= first && self.parts.len() as u64 == last - first + 1
    }
}

/// What came of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// More is missing.
    Waiting,
    /// The picture is whole.
    Whole(Vec<u8>),
    /// The packet was none of a picture, or of one that is given up.
    Refused,
}

impl Pictures {
    /// Takes a packet. Numbers and timestamps are extended.
    pub(crate) fn take(
        &mut self,
        sequence_number: u64,
        timestamp: u64,
        is_last: bool,
        payload: &[u8],
    ) -> Taken {
        let Some(part) = vp8::depacketize(payload) else {
            return Taken::Refused;
        };
        let is_old = self.floor.is_some_and(|floor| timestamp <= floor);
        if is_old || self.given_out.contains(&timestamp) {
            return Taken::Refused;
        }
        let picture = self.waiting.entry(timestamp).or_default();
        if picture.parts.len() < PICTURE_PACKETS_MAX {
            picture.parts.insert(sequence_number, part.data.to_vec());
        }
        if part.is_first {
            picture.first = Some(sequence_number);
        }
        if is_last {
            picture.last = Some(sequence_number);
        }
        if picture.is_whole() {
            let picture = self.waiting.remove(&timestamp).unwrap_or_default();
            self.given_out.insert(timestamp);
            if self.given_out.len() > PICTURES_GIVEN_OUT_MAX {
                self.floor = self.floor.max(self.given_out.pop_first());
            }
            return Taken::Whole(picture.parts.into_values().flatten().collect());
        }
        Taken::Waiting
    }

    /// Gives up what waits in vain; answers how many pictures that were.
    pub(crate) fn give_up(&mut self) -> usize {
        let mut given_up = 0;
        while self.waiting.len() > PICTURES_WAITING_MAX {
            if let Some((timestamp, _)) = self.waiting.pop_first() {
                self.floor = self.floor.max(Some(timestamp));
                given_up += 1;
            }
        }
        given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_in_any_order_make_the_picture() {
        let frame: Vec<u8> = (0..3_000_u32).map(|byte| byte as u8).collect();
        let payloads: Vec<Vec<u8>> = vp8::packetize(&frame, 7).collect();
        assert_eq!(payloads.len(), 3);
        let mut pictures = Pictures::default();
        assert_eq!(pictures.take(12, 90, true, &payloads[2]), Taken::Waiting);
        assert_eq!(pictures.take(10, 90, false, &payloads[0]), Taken::Waiting);
        assert_eq!(pictures.take(11, 90, false, &payloads[1]), Taken::Whole(frame));
        assert_eq!(
            pictures.take(11, 90, false, &payloads[1]),
            Taken::Refused,
            "a packet that comes again"
        );
    }

    #[test]
    fn a_picture_whose_packet_was_sent_again_comes_after_a_later_one() {
        let mut pictures = Pictures::default();
        let payload = vp8::packetize(&[1; 10], 1).next().unwrap();
        assert!(matches!(pictures.take(2, 180, true, &payload), Taken::Whole(_)));
        assert!(matches!(pictures.take(1, 90, true, &payload), Taken::Whole(_)));
        assert_eq!(pictures.take(2, 180, true, &payload), Taken::Refused);
    }

    #[test]
    fn what_was_given_out_is_remembered_for_a_while() {
        let mut pictures = Pictures::default();
        let payload = vp8::packetize(&[1; 10], 1).next().unwrap();
        for number in 1..=2 * PICTURES_GIVEN_OUT_MAX as u64 {
            assert!(matches!(
                pictures.take(number, number, true, &payload),
                Taken::Whole(_)
            ));
        }
        assert_eq!(pictures.given_out.len(), PICTURES_GIVEN_OUT_MAX);
        assert_eq!(pictures.take(1, 1, true, &payload), Taken::Refused);
    }

    #[test]
    fn pictures_that_never_get_whole_are_given_up() {
        let mut pictures = Pictures::default();
        let payload = vp8::packetize(&[1; 2_000], 1).next().unwrap();
        for number in 0..=PICTURES_WAITING_MAX as u64 {
            assert_eq!(
                pictures.take(10 * number, 90 * number, false, &payload),
                Taken::Waiting
            );
        }
        assert_eq!(pictures.give_up(), 1);
        assert_eq!(pictures.give_up(), 0);
        assert_eq!(pictures.take(1, 0, false, &payload), Taken::Refused);
    }

    #[test]
    fn a_picture_without_end_stays_small() {
        let mut pictures = Pictures::default();
        for number in 0..2 * PICTURE_PACKETS_MAX as u64 {
            pictures.take(number, 90, false, &[0x80, 0, 1]);
        }
        assert_eq!(pictures.waiting[&90].parts.len(), PICTURE_PACKETS_MAX);
    }
}
