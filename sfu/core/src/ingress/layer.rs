//! One layer of a publication: the stream that it carries now.

use std::time::Instant;

use rtp::{Descriptor, PayloadType, PictureId, RtpPacket, SealedPayload, Ssrc};

use super::SourceReport;
use super::key_frame::KeyFrameRequests;
use super::order::{Order, Place};
use super::reception::{Reception, SenderClock};
use crate::command::Media;
use crate::config::Format;
use crate::limits::{LAYER_ALIVE, PATIENCE_AUDIO, PATIENCE_VIDEO};
use crate::repair::cache::{CacheSize, CachedPacket, Lookup, PacketCache};
use crate::repair::gaps::{Came, Gaps};
use crate::stats::DropReason;

/// One layer.
#[derive(Debug)]
pub(crate) struct Layer {
    stream: Option<Stream>,
    epoch: u32,
    pub(crate) key_frames: KeyFrameRequests,
    /// `None` where lost packets are not sent again.
    gaps: Option<Gaps>,
    cache: PacketCache,
}

/// How a packet came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// On its own SSRC, where a repeat looks like a late packet.
    First,
    /// As a retransmission.
    Again,
}

/// What one layer knows of a media packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    pub(crate) epoch: u32,
    pub(crate) sequence: u64,
    /// The highest sequence of the stream so far; above `sequence` when the packet is late.
    pub(crate) highest_sequence: u64,
    pub(crate) picture_id: u64,
    pub(crate) tl0_picture_index: u8,
    pub(crate) starts_key_frame: bool,
    pub(crate) clock: Option<SenderClock>,
    /// Whether it was missing until now.
    pub(crate) came: Option<Came>,
}

/// The packets of one SSRC.
#[derive(Debug)]
struct Stream {
    ssrc: Ssrc,
    /// Of the last media packet.
    payload_type: Option<PayloadType>,
    order: Order,
    reception: Reception,
    /// The highest number that `order` gave to media.
    highest_sequence: u64,
    /// The highest extended picture id.
    picture_id: u64,
    media_at: Option<Instant>,
    clock: Option<SenderClock>,
}

impl Layer {
    /// A layer that carries nothing yet.
    pub(crate) const fn new(media: Media, is_repaired: bool) -> Self {
        let (patience, size) = match media {
            Media::Audio => (PATIENCE_AUDIO, CacheSize::AUDIO),
            Media::Video => (PATIENCE_VIDEO, CacheSize::VIDEO),
        };
        Self {
            stream: None,
            epoch: 0,
            key_frames: KeyFrameRequests::new(),
            gaps: if is_repaired {
                Some(Gaps::new(patience))
            } else {
                None
            },
            cache: PacketCache::new(size),
        }
    }

    /// Takes in a packet that belongs to this layer; `given_up` grows by the packets that will not be asked for.
    pub(crate) fn receive(
        &mut self,
        packet: &RtpPacket<'_>,
        format: Format,
        sending: Sending,
        given_up: &mut u64,
        now: Instant,
    ) -> Result<Received, DropReason> {
        let header = &packet.header;
        let (sequence, came) = self.place(packet, format, sending, given_up, now)?;
        let stream = self.stream.as_mut().ok_or(DropReason::UnknownSsrc)?;
        let is_late = sequence < stream.highest_sequence;
        if is_late && stream.payload_type.is_some_and(|it| it != header.payload_type) {
            // Of the codec before: nobody receives that any more.
            return Err(DropReason::TooLate);
        }
        stream.highest_sequence = stream.highest_sequence.max(sequence);
        let descriptor = packet
            .payload
            .descriptor(format.codec)
            .map_err(|_| DropReason::DescriptorMalformed)?;
        if sending == Sending::First {
            // What is sent again says nothing of whether the layer still is on.
            stream.media_at = Some(now);
        }
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
            highest_sequence: stream.highest_sequence,
            picture_id: stream.extend_picture_id(descriptor.picture_id()),
            tl0_picture_index: tl0_picture_index(&descriptor),
            starts_key_frame,
            clock: stream.clock,
            came,
        })
    }

    /// Finds the place of a packet in its stream, which may begin with it, and says whether it was missing.
    fn place(
        &mut self,
        packet: &RtpPacket<'_>,
        format: Format,
        sending: Sending,
        given_up: &mut u64,
        now: Instant,
    ) -> Result<(u64, Option<Came>), DropReason> {
        let header = &packet.header;
        if self.ssrc() != Some(header.ssrc) {
            self.stream = Some(Stream::new(header.ssrc, header.sequence_number));
            self.epoch += 1;
            if let Some(gaps) = &mut self.gaps {
                gaps.forget();
            }
        }
        let stream = self.stream.as_mut().ok_or(DropReason::UnknownSsrc)?;
        let number = stream.order.extend(header.sequence_number);
        if sending == Sending::First {
            stream
                .reception
                .received(number, header.rtp_timestamp, format.clock_rate_hz, now);
        }
        let latest = stream.order.latest();
        let place = stream.order.place(number, packet.payload.is_empty());
        let mut came = None;
        if let Some(gaps) = &mut self.gaps {
            *given_up += gaps.skipped(latest + 1, number, now);
            came = gaps.came(number, now);
        }
        match place {
            Place::Media(sequence) => Ok((sequence, came)),
            Place::PaddingClosed => Err(DropReason::PaddingOnly),
            Place::PaddingLate => Err(DropReason::PaddingLate),
            Place::Repeated => Err(DropReason::Repeated),
            Place::TooLate => Err(DropReason::TooLate),
        }
    }

    /// The SSRC of the stream that this layer carries now.
    pub(crate) fn ssrc(&self) -> Option<Ssrc> {
        Some(self.stream.as_ref()?.ssrc)
    }

    /// The missing packets, where they are sent again.
    pub(crate) const fn gaps(&self) -> Option<&Gaps> {
        self.gaps.as_ref()
    }

    /// The missing packets of the SSRC and epoch that this layer carries now.
    pub(crate) fn gaps_mut(&mut self) -> Option<(Ssrc, u32, &mut Gaps)> {
        Some((self.stream.as_ref()?.ssrc, self.epoch, self.gaps.as_mut()?))
    }

    /// Keeps a packet, so that it can be sent again.
    pub(crate) fn keep(&mut self, packet: CachedPacket, payload: &SealedPayload<'_>, now: Instant) {
        self.cache.keep(packet, payload, now);
    }

    /// Finds a packet that was kept.
    pub(crate) fn find(&self, epoch: u32, sequence: u64, now: Instant) -> Lookup<'_> {
        self.cache.find(epoch, sequence, now)
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
            highest_sequence: 0,
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
