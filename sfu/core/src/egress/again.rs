//! How one slot sends a packet again.

use std::time::{Duration, Instant};

use rtp::Ssrc;

use super::continuity::Offsets;
use crate::command::Repair;
use crate::ingress::StreamKey;
use crate::limits::SEGMENTS_MAX;
use crate::random::Random;
use crate::repair::answers::{Answers, Refused, Repeats, Sealed};
use crate::stats::DropReason;

/// What a slot needs to send packets again.
#[derive(Debug)]
pub(crate) enum Again {
    /// It does not.
    Never,
    /// The same datagrams, remembered by what is not in the cache.
    Repeat {
        /// What was sealed.
        repeats: Repeats,
        /// What was sent again.
        answers: Answers,
    },
    /// Retransmissions with numbers of their own.
    Retransmit {
        /// Of the retransmissions.
        ssrc: Ssrc,
        /// Of the next retransmission.
        sequence_number: u16,
        /// What was sent again.
        answers: Answers,
    },
}

/// How a packet is put onto the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// For the first time.
    First,
    /// As a retransmission of the packet that had this sequence number.
    Retransmission(u16),
    /// As the same datagram again.
    Repeat(Sealed),
}

impl Again {
    /// As it was negotiated. Numbers begin in the lower half, like those of a slot.
    pub(crate) fn new(repair: &Repair<Ssrc>, random: &mut Random) -> Self {
        match repair {
            Repair::None => Self::Never,
            Repair::Repeat => Self::Repeat {
                repeats: Repeats::default(),
                answers: Answers::default(),
            },
            Repair::Retransmit(ssrc) => Self::Retransmit {
                ssrc: *ssrc,
                sequence_number: random.next() as u16 & 0x7FFF,
                answers: Answers::default(),
            },
        }
    }

    /// Remembers a packet that was sealed, where that is needed to repeat it.
    pub(crate) fn sealed(&mut self, number: u64, sealed: impl FnOnce() -> Option<Sealed>) {
        if let Self::Repeat { repeats, .. } = self
            && let Some(sealed) = sealed()
        {
            repeats.sealed(number, sealed);
        }
    }

    /// Counts one answer with the packet of this extended outgoing number, if there may be one now.
    pub(crate) fn answer(&mut self, number: u64, deafness: Duration, now: Instant) -> Result<(), DropReason> {
        let (Self::Repeat { answers, .. } | Self::Retransmit { answers, .. }) = self else {
            return Err(DropReason::RequestNotNegotiated);
        };
        answers
            .answer(number, deafness, now)
            .map_err(|refused| match refused {
                Refused::TooSoon => DropReason::RequestTooSoon,
                Refused::TooOften => DropReason::RequestTooOften,
            })
    }
}

/// A stretch of what a slot sent, with one layer of one source behind it.
#[derive(Debug, Clone, Copy)]
struct Segment {
    stream: StreamKey,
    offsets: Offsets,
    /// The first extended outgoing number.
    first: u64,
}

/// The last stretches of what a slot sent, since it was given its source.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    /// Newest first.
    latest: [Option<Segment>; SEGMENTS_MAX],
}

/// Where a packet that a slot sent came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) stream: StreamKey,
    /// The extended incoming number, without holes of padding.
    pub(crate) sequence: u64,
    pub(crate) offsets: Offsets,
    /// The extended outgoing number.
    pub(crate) number: u64,
}

impl Segments {
    /// From this outgoing number on, another layer is sent.
    pub(crate) fn begin(&mut self, first: u64, stream: StreamKey, offsets: Offsets) {
        self.latest.rotate_right(1);
        if let Some(newest) = self.latest.first_mut() {
            *newest = Some(Segment {
                stream,
                offsets,
                first,
            });
        }
    }

    /// Where the packet of this outgoing number came from.
    pub(crate) fn origin(&self, number: u64) -> Option<Origin> {
        let segment = self
            .latest
            .iter()
            .flatten()
            .find(|segment| segment.first <= number)?;
        Some(Origin {
            stream: segment.stream,
            sequence: segment.offsets.incoming_sequence(number),
            offsets: segment.offsets,
            number,
        })
    }
}
