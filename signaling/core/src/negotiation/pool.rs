//! How many receive slots an offer holds: a few sizes, each of which contains the ones before it.

use protocol::limits::MEDIA_MEMBERS_MAX;
use protocol::media::{Media, SLOTS_OF_MEDIUM_MAX};

/// The slots of one offer.
///
/// Slots of the same number carry one participant: its microphone lies in `a3` where its camera lies in `v3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    audio: u8,
    video: u8,
}

impl Pool {
    /// The sizes, smallest first.
    ///
    /// A page starts with 4 + 9, which browsers negotiate in about 80 ms; the five cameras more than microphones are
    /// nearly free there and make the next step, four lines of audio, a small one. From there on the size doubles, so
    /// that a page is asked at most three times while its room fills. Media goes on undisturbed meanwhile.
    pub const SIZES: [Self; 4] = [
        Self { audio: 4, video: 9 },
        Self { audio: 8, video: 9 },
        Self { audio: 16, video: 16 },
        Self {
            audio: SLOTS_OF_MEDIUM_MAX as u8,
            video: SLOTS_OF_MEDIUM_MAX as u8,
        },
    ];

    /// The smallest pool in which this many other participants have their microphone and their camera; the largest
    /// where there are more than a room may have.
    pub fn for_others(others: usize) -> Self {
        let [.., largest] = Self::SIZES;
        let mut sizes = Self::SIZES.into_iter();
        sizes.find(|pool| pool.others() >= others).unwrap_or(largest)
    }

    /// How many other participants have both their sources in it.
    pub const fn others(self) -> usize {
        if self.audio < self.video {
            self.audio as usize
        } else {
            self.video as usize
        }
    }

    /// How many slots of a medium it has.
    pub const fn slots(self, media: Media) -> u8 {
        match media {
            Media::Audio => self.audio,
            Media::Video => self.video,
        }
    }
}

const _: () = assert!(
    SLOTS_OF_MEDIUM_MAX < MEDIA_MEMBERS_MAX && SLOTS_OF_MEDIUM_MAX <= u8::MAX as usize,
    "the number of a slot fits into its type"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_contains_the_one_before() {
        for pair in Pool::SIZES.windows(2) {
            assert!(pair[0].audio <= pair[1].audio && pair[0].video <= pair[1].video);
            assert!(pair[0].others() < pair[1].others());
        }
    }

    #[test]
    fn the_smallest_pool_that_fits_is_taken_and_a_full_room_fits_into_the_largest() {
        for (others, audio) in [
            (0, 4),
            (4, 4),
            (5, 8),
            (8, 8),
            (9, 16),
            (16, 16),
            (17, 23),
            (23, 23),
        ] {
            let pool = Pool::for_others(others);
            assert_eq!(pool.slots(Media::Audio), audio, "{others}");
            assert!(pool.others() >= others);
        }
        assert_eq!(
            Pool::for_others(usize::MAX),
            Pool::for_others(MEDIA_MEMBERS_MAX - 1)
        );
    }
}
