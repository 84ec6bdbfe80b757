//! Rewrites what one subscriber receives: every slot is one continuous stream, whatever feeds it.

pub(crate) mod again;
mod continuity;
pub(crate) mod slot;

use std::time::Instant;

use rtp::{DescriptorRewrite, ExtensionMap, Extensions, Mid, RtpHeader, RtpPacket, Ssrc};

use crate::command;
use crate::config::Format;
use crate::ingress::Accepted;
use crate::limits::SLOTS_MAX;
use crate::random::Random;
use crate::repair::cache::CachedPacket;
use crate::stats::DropReason;
use again::{Origin, Sending};
use slot::SlotState;

/// A packet as one subscriber receives it, still to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing {
    pub(crate) header: RtpHeader,
    pub(crate) extensions: Extensions,
    pub(crate) rewrite: DescriptorRewrite,
    /// Whether the slot began to receive this layer with this packet.
    pub(crate) is_switch: bool,
    pub(crate) sending: Sending,
    /// The extended sequence number of the first sending.
    pub(crate) number: u64,
}

/// Everything that one peer receives.
#[derive(Debug)]
pub(crate) struct Egress {
    slots: Vec<SlotState>,
    extensions: ExtensionMap,
    /// Of the next packet.
    transport_sequence: u16,
}

impl Egress {
    /// The slots of a peer. The list must be within its limit.
    pub(crate) fn new(slots: &[command::Slot], extensions: ExtensionMap, random: &mut Random) -> Self {
        let slots = slots.iter().map(|slot| SlotState::new(slot, random)).collect();
        Self {
            slots,
            extensions,
            transport_sequence: random.next() as u16,
        }
    }

    /// Adds slots behind those that are there; all of them or none. Returns whether they are within the limit and
    /// have names and SSRCs of their own.
    pub(crate) fn add(&mut self, slots: &[command::Slot], random: &mut Random) -> bool {
        let is_known = |slot: &command::Slot| {
            self.position(slot.mid).is_some()
                || SlotState::ssrcs(slot).any(|ssrc| self.slots.iter().any(|other| other.sends_with(ssrc)))
        };
        let is_repeated = |(index, slot): (usize, &command::Slot)| {
            let mut earlier = slots.iter().take(index);
            earlier.any(|other| {
                other.mid == slot.mid
                    || SlotState::ssrcs(other).any(|ssrc| SlotState::ssrcs(slot).any(|own| own == ssrc))
            })
        };
        if self.slots.len() + slots.len() > SLOTS_MAX
            || slots.iter().any(is_known)
            || slots.iter().enumerate().any(is_repeated)
        {
            return false;
        }
        self.slots
            .extend(slots.iter().map(|slot| SlotState::new(slot, random)));
        true
    }

    /// The header extensions that the subscriber accepts.
    pub(crate) const fn extensions(&self) -> &ExtensionMap {
        &self.extensions
    }

    /// The place of the slot on this m-line.
    pub(crate) fn position(&self, mid: Mid) -> Option<u8> {
        u8::try_from(self.slots.iter().position(|slot| slot.mid() == mid)?).ok()
    }

    /// The place of the slot that sends with this SSRC.
    pub(crate) fn position_of_ssrc(&self, ssrc: Ssrc) -> Option<u8> {
        u8::try_from(self.slots.iter().position(|slot| slot.ssrc() == ssrc)?).ok()
    }

    /// One slot.
    pub(crate) fn slot(&self, slot: u8) -> Option<&SlotState> {
        self.slots.get(usize::from(slot))
    }

    /// One slot.
    pub(crate) fn slot_mut(&mut self, slot: u8) -> Option<&mut SlotState> {
        self.slots.get_mut(usize::from(slot))
    }

    /// How many slots there are; their places are counted from 0.
    pub(crate) const fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// Whether a slot does not receive the layer that it should.
    pub(crate) fn lacks(&self, slot: u8, accepted: &Accepted) -> bool {
        self.slot(slot).is_some_and(|slot| slot.lacks(accepted))
    }

    /// What was sent to this slot does not reach the subscriber: its picture goes on with a key frame.
    pub(crate) fn interrupt(&mut self, slot: u8) {
        if let Some(slot) = self.slot_mut(slot) {
            slot.interrupt();
        }
    }

    /// The same, for every slot.
    pub(crate) fn interrupt_all(&mut self) {
        self.slots.iter_mut().for_each(SlotState::interrupt);
    }

    /// The same for one slot, and the subscriber's line has no room for a key frame before
    /// [`release`](Self::release).
    pub(crate) fn hold(&mut self, slot: u8) {
        if let Some(slot) = self.slot_mut(slot) {
            slot.hold();
        }
    }

    /// The subscriber's line has room for key frames.
    pub(crate) fn release(&mut self) {
        self.slots.iter_mut().for_each(SlotState::release);
    }

    /// Decides whether a slot sends a packet, and with which numbers.
    ///
    /// MID is not written: the offer names the SSRC of every slot, and that binds it.
    pub(crate) fn rewrite(
        &mut self,
        slot: u8,
        accepted: &Accepted,
        packet: &RtpPacket<'_>,
        now: Instant,
    ) -> Result<Outgoing, DropReason> {
        let slot = self
            .slots
            .get_mut(usize::from(slot))
            .ok_or(DropReason::CommandUnknown)?;
        let rewritten = slot.rewrite(accepted, packet, now)?;
        Ok(Outgoing {
            header: rewritten.header,
            extensions: Extensions {
                audio_level: packet.extensions.audio_level,
                transport_sequence: Some(self.next_transport_sequence()),
                ..Extensions::default()
            },
            rewrite: rewritten.descriptor,
            is_switch: rewritten.is_switch,
            sending: Sending::First,
            number: rewritten.number,
        })
    }

    /// The same for a packet that a slot sends again. A repeat is the same in every bit, its transport-wide sequence
    /// number included.
    pub(crate) fn rewrite_again(
        &mut self,
        slot: u8,
        origin: &Origin,
        packet: &CachedPacket,
        format: Format,
    ) -> Result<Outgoing, DropReason> {
        let slot = self
            .slots
            .get_mut(usize::from(slot))
            .ok_or(DropReason::CommandUnknown)?;
        let (rewritten, sending) = slot.rewrite_again(origin, packet, format)?;
        let transport_sequence = match sending {
            Sending::Repeat(sealed) => sealed.transport_sequence,
            Sending::First | Sending::Retransmission(_) => Some(self.next_transport_sequence()),
        };
        Ok(Outgoing {
            header: rewritten.header,
            extensions: Extensions {
                audio_level: packet.audio_level,
                transport_sequence,
                ..Extensions::default()
            },
            rewrite: rewritten.descriptor,
            is_switch: false,
            sending,
            number: rewritten.number,
        })
    }

    const fn next_transport_sequence(&mut self) -> u16 {
        let transport_sequence = self.transport_sequence;
        self.transport_sequence = transport_sequence.wrapping_add(1);
        transport_sequence
    }
}
