//! The last stretch of the road: a rewritten packet is written, sealed and queued.

use std::time::Instant;

use rtp::{SealedPayload, write_header};
use transport::{Path, SrtpError, TransportError};

use super::{DATAGRAM_MAX, Protection};
use crate::capture::{Capture, Direction};
use crate::command::Media;
use crate::egress::Outgoing;
use crate::egress::again::Sending;
use crate::egress::slot::SlotState;
use crate::peer::Peer;
use crate::repair::answers::Sealed;
use crate::router::Target;
use crate::stats::DropReason;
use crate::transmit::{Buffer, Class, TransmitQueue};

/// Where packets leave.
pub(super) struct Exit<'a> {
    pub(super) transmit: &'a mut TransmitQueue,
    pub(super) capture: &'a mut Capture,
    pub(super) now: Instant,
}

impl Exit<'_> {
    /// Sends a packet to the subscriber that is the target's peer, and returns how long it became.
    pub(super) fn send(
        &mut self,
        subscriber: &mut Peer,
        target: Target,
        path: Path,
        outgoing: &Outgoing,
        payload: &SealedPayload<'_>,
    ) -> Result<usize, DropReason> {
        // Between the rewrite and the seal is the seat of the pacer.
        let mut buffer = self.transmit.buffer();
        if let Err(reason) = self.seal(subscriber, outgoing, payload, &mut buffer) {
            self.transmit.recycle(buffer);
            return Err(reason);
        }
        let len = buffer.len;
        if outgoing.sending == Sending::First {
            subscriber.budget.earn(len);
            remember(subscriber, target.slot, outgoing, &buffer);
        }
        let class = class(subscriber, target.slot, outgoing.sending);
        self.transmit.push(path, Some(target.peer), class, buffer)?;
        if let (Some(transport_sequence), Sending::First | Sending::Retransmission(_)) =
            (outgoing.extensions.transport_sequence, outgoing.sending)
        {
            subscriber.history.sent(transport_sequence, len, self.now);
        }
        Ok(len)
    }

    fn seal(
        &mut self,
        subscriber: &mut Peer,
        outgoing: &Outgoing,
        payload: &SealedPayload<'_>,
        buffer: &mut Buffer,
    ) -> Result<(), DropReason> {
        let plain = buffer
            .bytes
            .get_mut(..DATAGRAM_MAX - Protection::RTP_OVERHEAD_MAX)
            .ok_or(DropReason::PacketTooLarge)?;
        let header_len = write_header(
            plain,
            &outgoing.header,
            &outgoing.extensions,
            subscriber.egress.extensions(),
        )
        .map_err(|_| DropReason::PacketTooLarge)?;
        let rest = plain.get_mut(header_len..).ok_or(DropReason::PacketTooLarge)?;
        let payload_len = match outgoing.sending {
            Sending::Retransmission(original) => {
                payload.copy_as_retransmission(original, &outgoing.rewrite, rest)
            }
            Sending::First | Sending::Repeat(_) => payload.copy_to_wire(&outgoing.rewrite, rest),
        };
        let len = header_len + payload_len.map_err(|_| DropReason::PacketTooLarge)?;
        self.capture
            .show(Direction::Out, plain.get(..len).unwrap_or_default());
        let bytes = &mut buffer.bytes[..];
        let sealed = match outgoing.sending {
            Sending::Repeat(sealed) => subscriber.transport.protect_rtp_again(bytes, len, &sealed.tag),
            Sending::First | Sending::Retransmission(_) => subscriber.transport.protect_rtp(bytes, len),
        };
        buffer.len = sealed.map_err(|error| match error {
            TransportError::Srtp(SrtpError::Differs) => DropReason::RepeatDiffers,
            TransportError::Srtp(SrtpError::NeverSealed) => DropReason::RequestTooOld,
            _ => DropReason::SealRefused,
        })?;
        Ok(())
    }
}

/// What a packet is to its receiver.
fn class(subscriber: &Peer, slot: u8, sending: Sending) -> Class {
    let media = subscriber.egress.slot(slot).map(SlotState::media);
    match (sending, media) {
        (Sending::Retransmission(_) | Sending::Repeat(_), _) => Class::Repair,
        (Sending::First, Some(Media::Video)) => Class::Video { slot },
        (Sending::First, Some(Media::Audio) | None) => Class::Audio,
    }
}

/// Keeps what it takes to send this packet again as it is, where that was negotiated.
fn remember(subscriber: &mut Peer, slot: u8, outgoing: &Outgoing, buffer: &Buffer) {
    let Some(slot) = subscriber.egress.slot_mut(slot) else {
        return;
    };
    slot.again.sealed(outgoing.number, || {
        let sealed = buffer.bytes.get(..buffer.len)?;
        Some(Sealed {
            transport_sequence: outgoing.extensions.transport_sequence,
            tag: subscriber.transport.rtp_tag(sealed)?,
        })
    });
}
