//! One slot of a subscriber: which layer it receives, and how its numbers go on.

use std::time::{Duration, Instant};

use rtp::{
    Codec, DescriptorRewrite, Mid, NtpTime, PayloadType, PictureId, RtpHeader, RtpPacket, Ssrc, Vp8Rewrite,
    Vp9Rewrite,
};

use super::again::{Again, Origin, Segments, Sending};
use super::continuity::{Continuity, Follow, Numbers, Offsets};
use crate::command::{Media, Repair, Slot};
use crate::config::Format;
use crate::ingress::reception::{SenderClock, ticks};
use crate::ingress::{Accepted, StreamKey};
use crate::random::Random;
use crate::repair::cache::CachedPacket;
use crate::stats::DropReason;

/// One slot.
#[derive(Debug)]
pub(crate) struct SlotState {
    mid: Mid,
    media: Media,
    ssrc: Ssrc,
    payload_types: Vec<PayloadType>,
    continuity: Continuity,
    current: Option<Current>,
    segments: Segments,
    pub(crate) again: Again,
    /// The last two reports: their time as receivers name it, and when they were sent.
    reported: [Option<(u32, Instant)>; 2],
    supply: Supply,
    packets: u32,
    octets: u32,
}

/// The layer that a slot receives.
#[derive(Debug, Clone, Copy)]
struct Current {
    stream: StreamKey,
    offsets: Offsets,
    clock_rate_hz: u32,
    /// As far as the last report of this slot knew it.
    clock: Option<SenderClock>,
}

/// Whether what a slot sends continues what its subscriber has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Supply {
    /// It does.
    Flows,
    /// Packets of the picture were lost before they were on the line, which has no room for a key frame either.
    Held,
    /// The same, but a key frame is welcome.
    Interrupted,
}

/// What became of the headers of a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rewritten {
    pub(crate) header: RtpHeader,
    pub(crate) descriptor: DescriptorRewrite,
    pub(crate) is_switch: bool,
    /// The extended outgoing sequence number.
    pub(crate) number: u64,
}

/// What a sender report of a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotReport {
    pub(crate) ssrc: Ssrc,
    pub(crate) ntp: NtpTime,
    pub(crate) rtp_timestamp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

/// What a slot does with a packet.
#[derive(Debug, Clone, Copy)]
enum Selection {
    Continue(Offsets),
    Switch,
    Drop(DropReason),
}

impl SlotState {
    /// A slot that sends nothing yet. Its numbers begin anywhere (RFC 3550 section 5.1), in the lower half, so
    /// that nobody sees the first wrap early (RFC 3711 section 3.3.1).
    pub(crate) fn new(slot: &Slot, random: &mut Random) -> Self {
        let bits = random.next();
        let before = Numbers {
            sequence: rtp::seq::start(bits as u16 & 0x7FFF),
            rtp_timestamp: (bits >> 16) as u32 & 0x7FFF_FFFF,
            picture_id: u64::from((bits >> 48) as u16 & 0x7FFF),
            tl0_picture_index: (bits >> 40) as u8,
        };
        Self {
            mid: slot.mid,
            media: slot.media,
            ssrc: slot.ssrc,
            payload_types: slot.payload_types.clone(),
            continuity: Continuity::starting_after(before),
            current: None,
            segments: Segments::default(),
            again: Again::new(&slot.repair, random),
            reported: [None; 2],
            supply: Supply::Flows,
            packets: 0,
            octets: 0,
        }
    }

    pub(crate) const fn mid(&self) -> Mid {
        self.mid
    }

    pub(crate) const fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// Whether this SSRC is one of the slot's.
    pub(crate) fn sends_with(&self, ssrc: Ssrc) -> bool {
        let is_again = matches!(self.again, Again::Retransmit { ssrc: again, .. } if again == ssrc);
        self.ssrc == ssrc || is_again
    }

    /// Every SSRC that a slot sends with.
    pub(crate) fn ssrcs(slot: &Slot) -> impl Iterator<Item = Ssrc> {
        let again = match slot.repair {
            Repair::Retransmit(ssrc) => Some(ssrc),
            Repair::None | Repair::Repeat => None,
        };
        [Some(slot.ssrc), again].into_iter().flatten()
    }

    pub(crate) const fn media(&self) -> Media {
        self.media
    }

    /// The stream that the slot receives.
    pub(crate) fn stream(&self) -> Option<StreamKey> {
        self.current.map(|current| current.stream)
    }

    /// The slot was given to another source: it waits for that one's key frame.
    pub(crate) fn reset(&mut self) {
        self.current = None;
        self.segments = Segments::default();
    }

    /// What is sent does not reach the subscriber: a picture goes on with a key frame.
    pub(crate) const fn interrupt(&mut self) {
        if matches!(self.media, Media::Video) {
            self.supply = Supply::Interrupted;
        }
    }

    /// The same, and a key frame is not to be asked for before [`release`](Self::release).
    pub(crate) const fn hold(&mut self) {
        if matches!(self.media, Media::Video) {
            self.supply = Supply::Held;
        }
    }

    /// A key frame is welcome again.
    pub(crate) const fn release(&mut self) {
        if matches!(self.supply, Supply::Held) {
            self.supply = Supply::Interrupted;
        }
    }

    /// Whether a key frame would not get through.
    pub(crate) const fn is_held(&self) -> bool {
        matches!(self.supply, Supply::Held)
    }

    /// Whether the slot does not receive the layer that it should, or not all of it.
    pub(crate) fn lacks(&self, accepted: &Accepted) -> bool {
        self.media == Media::Video
            && !self.is_held()
            && (self.supply == Supply::Interrupted || self.stream() != Some(accepted.preferred))
    }

    /// Decides what to do with a packet of the slot's source, and rewrites its headers.
    pub(crate) fn rewrite(
        &mut self,
        accepted: &Accepted,
        packet: &RtpPacket<'_>,
        now: Instant,
    ) -> Result<Rewritten, DropReason> {
        if !self.payload_types.contains(&packet.header.payload_type) {
            return Err(DropReason::PayloadTypeNotAccepted);
        }
        let incoming = Numbers {
            sequence: accepted.sequence,
            rtp_timestamp: packet.header.rtp_timestamp,
            picture_id: accepted.picture_id,
            tl0_picture_index: accepted.tl0_picture_index,
        };
        let (offsets, is_switch) = match self.select(accepted) {
            Selection::Continue(offsets) => (offsets, false),
            Selection::Switch => (self.switch(accepted, incoming, now), true),
            Selection::Drop(reason) => return Err(reason),
        };
        let outgoing = offsets.apply(incoming).ok_or(DropReason::LateAfterSwitch)?;
        if is_switch {
            self.segments.begin(outgoing.sequence, accepted.stream, offsets);
        }
        self.continuity.sent(outgoing, now);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(packet.payload.len() as u32);
        Ok(Rewritten {
            header: RtpHeader {
                marker: packet.header.marker,
                payload_type: packet.header.payload_type,
                sequence_number: outgoing.sequence as u16,
                rtp_timestamp: outgoing.rtp_timestamp,
                ssrc: self.ssrc,
            },
            descriptor: descriptor_rewrite(accepted.format.codec, outgoing),
            is_switch,
            number: outgoing.sequence,
        })
    }

    /// Where a packet that this slot sent came from; `None` for what it did not send since it was given its source,
    /// or too long ago.
    pub(crate) fn origin(&self, sequence_number: u16) -> Option<Origin> {
        let number = self.continuity.sent_number(sequence_number)?;
        self.segments.origin(number)
    }

    /// Rewrites the headers of a packet that is sent again, as they were rewritten at first.
    pub(crate) fn rewrite_again(
        &mut self,
        origin: &Origin,
        packet: &CachedPacket,
        format: Format,
    ) -> Result<(Rewritten, Sending), DropReason> {
        let incoming = Numbers {
            sequence: packet.sequence,
            rtp_timestamp: packet.header.rtp_timestamp,
            picture_id: packet.picture_id,
            tl0_picture_index: packet.tl0_picture_index,
        };
        let outgoing = origin
            .offsets
            .apply(incoming)
            .ok_or(DropReason::LateAfterSwitch)?;
        let first = RtpHeader {
            marker: packet.header.marker,
            payload_type: packet.header.payload_type,
            sequence_number: outgoing.sequence as u16,
            rtp_timestamp: outgoing.rtp_timestamp,
            ssrc: self.ssrc,
        };
        let (header, sending) = match &mut self.again {
            Again::Never => return Err(DropReason::RequestNotNegotiated),
            Again::Repeat { repeats, .. } => {
                let sealed = repeats.find(origin.number).ok_or(DropReason::RequestTooOld)?;
                (first, Sending::Repeat(sealed))
            }
            Again::Retransmit {
                ssrc,
                sequence_number,
                ..
            } => {
                let header = RtpHeader {
                    ssrc: *ssrc,
                    payload_type: format.retransmission.ok_or(DropReason::RequestNotNegotiated)?,
                    sequence_number: *sequence_number,
                    ..first
                };
                *sequence_number = sequence_number.wrapping_add(1);
                (header, Sending::Retransmission(first.sequence_number))
            }
        };
        let rewritten = Rewritten {
            header,
            descriptor: descriptor_rewrite(format.codec, outgoing),
            is_switch: false,
            number: outgoing.sequence,
        };
        Ok((rewritten, sending))
    }

    /// The round trip that a receiver's report tells of: which report of ours was its last, and how long ago it came.
    ///
    /// Source: RFC 3550 section 6.4.1.
    pub(crate) fn round_trip(&self, last_report: u32, delay: Duration, now: Instant) -> Option<Duration> {
        let (_, sent_at) = self
            .reported
            .iter()
            .flatten()
            .find(|(time, _)| *time == last_report)?;
        now.saturating_duration_since(*sent_at).checked_sub(delay)
    }

    /// The report of this moment, once the clock of the slot's source is known.
    pub(crate) fn report(&mut self, clock: SenderClock, now: Instant) -> Option<SlotReport> {
        let current = self.current.as_mut()?;
        current.clock = Some(clock);
        let elapsed = now.saturating_duration_since(clock.arrived);
        let ntp = NtpTime(clock.ntp.0.wrapping_add(NtpTime::from_duration(elapsed).0));
        self.reported = [Some((ntp.compact(), now)), self.reported[0]];
        Some(SlotReport {
            ssrc: self.ssrc,
            ntp,
            rtp_timestamp: current
                .offsets
                .timestamp(clock.rtp_timestamp)
                .wrapping_add(ticks(elapsed, current.clock_rate_hz)),
            packets: self.packets,
            octets: self.octets,
        })
    }

    /// A layer is left only at the first packet of a key frame, for the preferred layer or because the current
    /// one fell silent; a slot without a layer takes the first key frame of any.
    fn select(&self, accepted: &Accepted) -> Selection {
        let current = self.current;
        if let Some(current) = current.filter(|current| current.stream == accepted.stream) {
            return match (self.supply, accepted.starts_key_frame) {
                (Supply::Flows, _) => Selection::Continue(current.offsets),
                // What was not sent leaves no hole in the numbers.
                (_, true) => Selection::Switch,
                (_, false) => Selection::Drop(DropReason::AwaitsKeyFrame),
            };
        }
        if self.media == Media::Audio {
            return Selection::Switch;
        }
        let is_receiving = current.is_some_and(|current| {
            current.stream.layer != accepted.stream.layer && accepted.alive & (1 << current.stream.layer) != 0
        });
        match (
            accepted.starts_key_frame,
            accepted.stream == accepted.preferred,
            is_receiving,
        ) {
            (true, true, _) | (true, _, false) => Selection::Switch,
            (_, _, true) => Selection::Drop(DropReason::OtherLayer),
            (false, _, false) => Selection::Drop(DropReason::AwaitsKeyFrame),
        }
    }

    fn switch(&mut self, accepted: &Accepted, first: Numbers, now: Instant) -> Offsets {
        let clock_rate_hz = accepted.format.clock_rate_hz;
        let follow = match (self.current, accepted.clock) {
            (
                Some(Current {
                    offsets,
                    clock: Some(old),
                    ..
                }),
                Some(new),
            ) => Follow::Clock {
                old,
                old_offsets: offsets,
                new,
            },
            _ => Follow::Elapsed,
        };
        let offsets = self.continuity.follow(first, clock_rate_hz, now, follow);
        self.supply = Supply::Flows;
        self.current = Some(Current {
            stream: accepted.stream,
            offsets,
            clock_rate_hz,
            clock: accepted.clock,
        });
        offsets
    }
}

fn descriptor_rewrite(codec: Codec, numbers: Numbers) -> DescriptorRewrite {
    let picture_id = Some(PictureId::fifteen(numbers.picture_id as u16));
    let tl0_picture_index = Some(numbers.tl0_picture_index);
    match codec {
        Codec::Vp8 => DescriptorRewrite::Vp8(Vp8Rewrite {
            picture_id,
            tl0_picture_index,
            key_index: None,
        }),
        Codec::Vp9 => DescriptorRewrite::Vp9(Vp9Rewrite {
            picture_id,
            tl0_picture_index,
        }),
        Codec::Opus | Codec::Av1 => DescriptorRewrite::Keep,
    }
}
