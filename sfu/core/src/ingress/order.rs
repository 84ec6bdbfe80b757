//! Numbers the packets of one SSRC so that dropped padding leaves no hole.
//!
//! Chromium pads on the media's own SSRC while no retransmission is negotiated, and a receiver would count
//! a dropped padding packet as lost. The numbers are worked out once here; every slot only adds its offset.

use rtp::seq;

use crate::limits::REORDER_WINDOW;

const WORDS: usize = (REORDER_WINDOW / 64) as usize;

/// Where a packet stands in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A media packet and its number, contiguous over closed padding.
    Media(u64),
    /// Padding whose hole is closed.
    PaddingClosed,
    /// Padding that came after later media, whose hole stays.
    PaddingLate,
    /// It came before, at first or as a retransmission.
    Repeated,
    /// Too far back to tell.
    TooLate,
}

/// The order of one SSRC.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// The highest extended sequence number, padding included.
    latest: u64,
    /// The highest extended sequence number of media.
    latest_media: u64,
    /// How many paddings were closed.
    closed: u64,
    /// Which numbers up to `latest` are closed paddings.
    paddings: Window,
    /// Which of them came at all.
    came: Window,
}

/// A bit for each of the last `REORDER_WINDOW` numbers, at `number % window`.
#[derive(Debug, Clone)]
struct Window([u64; WORDS]);

impl Order {
    /// The order of a stream whose first packet carries this sequence number.
    pub(crate) fn starting_at(sequence_number: u16) -> Self {
        let first = seq::start(sequence_number);
        Self {
            latest: first - 1,
            latest_media: first - 1,
            closed: 0,
            paddings: Window([0; WORDS]),
            came: Window([0; WORDS]),
        }
    }

    /// Extends a sequence number of this stream.
    pub(crate) fn extend(&self, sequence_number: u16) -> u64 {
        seq::extend(sequence_number, self.latest)
    }

    /// The highest extended sequence number so far, padding included.
    pub(crate) const fn latest(&self) -> u64 {
        self.latest
    }

    /// Finds the place of a packet with this extended sequence number.
    pub(crate) fn place(&mut self, number: u64, is_padding: bool) -> Place {
        if number > self.latest {
            self.paddings.advance(self.latest, number);
            self.came.advance(self.latest, number);
            self.latest = number;
        } else if self.latest - number >= REORDER_WINDOW {
            return Place::TooLate;
        }
        if self.came.is_set(number) {
            return Place::Repeated;
        }
        self.came.set(number);
        if is_padding {
            if number < self.latest_media {
                return Place::PaddingLate;
            }
            self.paddings.set(number);
            self.closed += 1;
            return Place::PaddingClosed;
        }
        self.latest_media = self.latest_media.max(number);
        let closed_later = (number + 1..=self.latest)
            .filter(|later| self.paddings.is_set(*later))
            .count() as u64;
        Place::Media(number - (self.closed - closed_later))
    }
}

impl Window {
    /// Forgets what the numbers behind `latest` and up to `number` push out.
    fn advance(&mut self, latest: u64, number: u64) {
        if number - latest >= REORDER_WINDOW {
            self.0 = [0; WORDS];
        } else {
            for passed in latest + 1..=number {
                let (word, bit) = position(passed);
                self.0[word] &= !bit;
            }
        }
    }

    fn set(&mut self, number: u64) {
        let (word, bit) = position(number);
        self.0[word] |= bit;
    }

    const fn is_set(&self, number: u64) -> bool {
        let (word, bit) = position(number);
        self.0[word] & bit != 0
    }
}

const fn position(number: u64) -> (usize, u64) {
    let index = number % REORDER_WINDOW;
    ((index / 64) as usize, 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    #[test]
    fn padding_between_media_is_closed() {
        let mut order = Order::starting_at(10);
        assert_eq!(place(&mut order, 10, false), Place::Media(seq::start(10)));
        assert_eq!(place(&mut order, 11, true), Place::PaddingClosed);
        assert_eq!(place(&mut order, 12, true), Place::PaddingClosed);
        assert_eq!(place(&mut order, 13, false), Place::Media(seq::start(11)));
    }

    #[test]
    fn late_media_keeps_the_place_it_had_before_the_padding() {
        let mut order = Order::starting_at(10);
        place(&mut order, 10, false);
        place(&mut order, 12, true);
        assert_eq!(place(&mut order, 13, false), Place::Media(seq::start(12)));
        assert_eq!(place(&mut order, 11, false), Place::Media(seq::start(11)));
    }

    #[test]
    fn padding_after_later_media_leaves_its_hole() {
        let mut order = Order::starting_at(10);
        place(&mut order, 10, false);
        place(&mut order, 12, false);
        assert_eq!(place(&mut order, 11, true), Place::PaddingLate);
        assert_eq!(place(&mut order, 13, false), Place::Media(seq::start(13)));
    }

    #[test]
    fn each_number_has_its_place_once() {
        let mut order = Order::starting_at(10);
        place(&mut order, 10, false);
        place(&mut order, 12, true);
        place(&mut order, 14, false);
        assert_eq!(place(&mut order, 10, false), Place::Repeated);
        assert_eq!(place(&mut order, 12, true), Place::Repeated);
        assert_eq!(place(&mut order, 11, false), Place::Media(seq::start(11)));
        assert_eq!(place(&mut order, 11, false), Place::Repeated);
        assert_eq!(
            place(&mut order, 13, false),
            Place::Media(seq::start(12)),
            "in its place behind closed padding"
        );
    }

    #[test]
    fn what_is_behind_the_window_is_too_late() {
        let mut order = Order::starting_at(5_000);
        place(&mut order, 5_000, false);
        assert_eq!(
            order.place(seq::start(5_000) - REORDER_WINDOW, false),
            Place::TooLate
        );
        assert!(matches!(
            order.place(seq::start(5_000) - REORDER_WINDOW + 1, false),
            Place::Media(_)
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default()
        })]

        #[test]
        fn places_rise_with_the_sequence_and_have_no_hole_but_lost_packets_and_late_padding(
            first: u16,
            packets in prop::collection::vec((any::<bool>(), 0_u64..6, 0_u8..10), 1..300),
        ) {
            // Each packet is padding or not, delayed by up to five places, and lost now and then.
            let mut arrivals: Vec<_> = (0..).zip(&packets).collect();
            arrivals.sort_by_key(|(index, (_, delay, _))| index + delay);
            let mut order = Order::starting_at(first);
            let mut places = std::collections::BTreeMap::new();
            let mut holes = std::collections::BTreeSet::new();
            for (index, (is_padding, _, luck)) in arrivals {
                let number = seq::start(first) + index;
                if *luck == 0 {
                    holes.insert(number);
                    continue;
                }
                match order.place(number, *is_padding) {
                    Place::Media(place) => { places.insert(number, place); }
                    Place::PaddingLate => { holes.insert(number); }
                    Place::PaddingClosed => {}
                    Place::Repeated | Place::TooLate => prop_assert!(false, "nothing comes twice or this late"),
                }
            }
            for ((number, place), (next_number, next_place)) in places.iter().zip(places.iter().skip(1)) {
                let open = holes.range(number..next_number).count() as u64;
                prop_assert_eq!(next_place - place, 1 + open);
            }
        }
    }

    fn place(order: &mut Order, sequence_number: u16, is_padding: bool) -> Place {
        order.place(order.extend(sequence_number), is_padding)
    }
}
