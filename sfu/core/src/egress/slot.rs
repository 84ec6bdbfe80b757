//! One slot of a subscriber: which layer it receives, and how its numbers go on.

use std::time::Instant;

use rtp::{
    Codec, DescriptorRewrite, Mid, NtpTime, PayloadType, PictureId, RtpHeader, RtpPacket, Ssrc, Vp8Rewrite,
    Vp9Rewrite,
};

use super::continuity::{Continuity, Follow, Numbers, Offsets};
use crate::command::{Media, Slot};
use crate::ingress::reception::{SenderClock, ticks};
use crate::ingress::{Accepted, StreamKey};
use crate::random::Random;
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

    pub(crate) const fn media(&self) -> Media {
        self.media
    }

    /// The stream that the slot receives.
    pub(crate) fn stream(&self) -> Option<StreamKey> {
        self.current.map(|current| current.stream)
    }

    /// The slot was given to another source: it waits for that one's key frame.
    pub(crate) const fn reset(&mut self) {
        self.current = None;
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
        })
    }

    /// The report of this moment, once the clock of the slot's source is known.
    pub(crate) fn report(&mut self, clock: SenderClock, now: Instant) -> Option<SlotReport> {
        let current = self.current.as_mut()?;
        current.clock = Some(clock);
        let elapsed = now.saturating_duration_since(clock.arrived);
        Some(SlotReport {
            ssrc: self.ssrc,
            ntp: NtpTime(clock.ntp.0.wrapping_add(NtpTime::from_duration(elapsed).0)),
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
