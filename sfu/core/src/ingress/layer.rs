//! One layer of a publication: the stream that it carries now.

use std::time::Instant;

use rtp::{Descriptor, PayloadType, PictureId, RtpPacket, Ssrc};

use super::SourceReport;
use super::key_frame::KeyFrameRequests;
use super::order::{Order, Place};
use super::reception::{Reception, SenderClock};
use crate::config::Format;
use crate::limits::LAYER_ALIVE;
use crate::stats::DropReason;

/// One layer.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    stream: Option<Stream>,
    epoch: u32,
    pub(crate) key_frames: KeyFrameRequests,
}

/// What one layer knows of a media packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    pub(crate) epoch: u32,
    pub(crate) sequence: u64,
    pub(crate) picture_id: u64,
    pub(crate) tl0_picture_index: u8,
    pub(crate) starts_key_frame: bool,
    pub(crate) clock: Option<SenderClock>,
}

/// The packets of one SSRC.
#[derive(Debug)]
struct Stream {
    ssrc: Ssrc,
    /// Of the last media packet.
    payload_type: Option<PayloadType>,
    order: Order,
    reception: Reception,
    /// The highest extended picture id.
    picture_id: u64,
    media_at: Option<Instant>,
    clock: Option<SenderClock>,
}

impl Layer {
    /// Takes in a packet that belongs to this layer.
    pub(crate) fn receive(
        &mut self,
        packet: &RtpPacket<'_>,
        format: Format,
        now: Instant,
    ) -> Result<Received, DropReason> {
        let header = &packet.header;
        if self
            .stream
            .as_ref()
            .is_none_or(|stream| stream.ssrc != header.ssrc)
        {
            self.stream = Some(Stream::new(header.ssrc, header.sequence_number));
            self.epoch += 1;
        }
        let stream = self.stream.as_mut().ok_or(DropReason::UnknownSsrc)?;
        let number = stream.order.extend(header.sequence_number);
        stream
            .reception
            .received(number, header.rtp_timestamp, format.clock_rate_hz, now);
        let sequence = match stream.order.place(number, packet.payload.is_empty()) {
            Place::Media(sequence) => sequence,
            Place::PaddingClosed => return Err(DropReason::PaddingOnly),
            Place::PaddingLate => return Err(DropReason::PaddingLate),
            Place::TooLate => return Err(DropReason::TooLate),
        };
        let descriptor = packet
            .payload
            .descriptor(format.codec)
            .map_err(|_| DropReason::DescriptorMalformed)?;
        stream.media_at = Some(now);
        if stream.payload_type != Some(header.payload_type) {
            if stream.payload_type.is_some() {
                self.epoch += 1;
            }
            stream.payload_type = Some(header.payload_type);
        }
        let starts_key_frame = descriptor.starts_key_frame();
        if starts_key_frame {
            self.key_frames.satisfied();
        }
        Ok(Received {
            epoch: self.epoch,
            sequence,
            picture_id: stream.extend_picture_id(descriptor.picture_id()),
            tl0_picture_index: tl0_picture_index(&descriptor),
            starts_key_frame,
            clock: stream.clock,
        })
    }

    /// The epoch of the stream, while it sends media.
    pub(crate) fn alive_epoch(&self, now: Instant) -> Option<u32> {
        let media_at = self.stream.as_ref()?.media_at?;
        (now.saturating_duration_since(media_at) < LAYER_ALIVE).then_some(self.epoch)
    }

    /// Remembers the clock of the SSRC that this layer carries now.
    pub(crate) fn set_clock(&mut self, ssrc: Ssrc, clock: SenderClock) {
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.ssrc == ssrc) {
            stream.clock = Some(clock);
        }
    }

    /// The clock of the stream of this epoch.
    pub(crate) fn clock(&self, epoch: u32) -> Option<SenderClock> {
        self.stream.as_ref().filter(|_| self.epoch == epoch)?.clock
    }

    /// The reception since the last call.
    pub(crate) fn report(&mut self) -> Option<SourceReport> {
        let stream = self.stream.as_mut()?;
        Some(SourceReport {
            ssrc: stream.ssrc,
            reception: stream.reception.report(),
            clock: stream.clock,
        })
    }

    /// The SSRC to ask for a key frame, when one is wanted and may be asked for now.
    pub(crate) fn take_due_key_frame_request(&mut self, now: Instant) -> Option<Ssrc> {
        let ssrc = self.stream.as_ref()?.ssrc;
        self.key_frames.take_due(now).then_some(ssrc)
    }
}

impl Stream {
    fn new(ssrc: Ssrc, sequence_number: u16) -> Self {
        let order = Order::starting_at(sequence_number);
        let reception = Reception::starting_at(order.extend(sequence_number));
        Self {
            ssrc,
            payload_type: None,
            order,
            reception,
            picture_id: 0,
            media_at: None,
            clock: None,
        }
    }

    /// 0 where the codec has no picture id.
    fn extend_picture_id(&mut self, picture_id: Option<PictureId>) -> u64 {
        let Some(picture_id) = picture_id else { return 0 };
        // One cycle above zero, so that the picture before the first one has its place.
        let latest = if self.picture_id == 0 {
            1 << 15 | u64::from(picture_id.value())
        } else {
            self.picture_id
        };
        let extended = picture_id.extend(latest);
        self.picture_id = latest.max(extended);
        extended
    }
}

fn tl0_picture_index(descriptor: &Descriptor) -> u8 {
    match descriptor {
        Descriptor::Vp8(vp8) => vp8.tl0_picture_index,
        Descriptor::Vp9(vp9) => vp9.layer.and_then(|layer| layer.tl0_picture_index),
        Descriptor::Opus | Descriptor::Av1(_) => None,
    }
    .unwrap_or_default()
}
