//! Takes in the packets of one publisher: whose layer is this, where does it stand, can a decoder start here.

pub(crate) mod arrivals;
mod key_frame;
mod layer;
mod order;
pub(crate) mod reception;

use std::time::{Duration, Instant};

use rtp::{Codec, ExtensionMap, Mid, NtpTime, PayloadType, Rid, RtpHeader, RtpPacket, Ssrc};

use crate::command::{Media, Publication, Repair, SourceKind};
use crate::config::{Format, MediaProfile};
use crate::limits::BINDINGS_MAX;
use crate::repair::cache::{CachedPacket, Lookup};
use crate::repair::gaps::{Came, Gaps};
use crate::stats::DropReason;
use arrivals::Arrivals;
use layer::{Layer, Sending};
use reception::{ReceptionReport, SenderClock};

/// One layer of a publication, told apart from an earlier stream of the same layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamKey {
    /// 0 is the smallest.
    pub(crate) layer: u8,
    /// Counts the streams of this layer: another SSRC or codec begins another one.
    pub(crate) epoch: u32,
}

/// What the rest of the road needs to know of a media packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
    pub(crate) publication: u8,
    pub(crate) stream: StreamKey,
    /// The layer that subscribers should receive: the highest that is alive.
    pub(crate) preferred: StreamKey,
    /// Bit `n` is set while layer `n` is alive.
    pub(crate) alive: u8,
    pub(crate) format: Format,
    /// Extended, without holes of padding.
    pub(crate) sequence: u64,
    /// The highest sequence of the stream so far; above `sequence` when the packet is late.
    pub(crate) highest_sequence: u64,
    /// Extended; 0 where the codec has none.
    pub(crate) picture_id: u64,
    pub(crate) tl0_picture_index: u8,
    pub(crate) starts_key_frame: bool,
    /// The clock of this stream, once a sender report told it.
    pub(crate) clock: Option<SenderClock>,
    /// Whether it was missing until now.
    pub(crate) came: Option<Came>,
}

impl Accepted {
    /// Whether later packets of the stream came before this one, and a decoder needs them too.
    pub(crate) fn is_late_video(&self) -> bool {
        self.sequence < self.highest_sequence && self.format.codec != Codec::Opus
    }
}

/// What is to be asked for, and what no more. Used again and again.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    /// SSRCs and sequence numbers, those of one SSRC in a row.
    pub(crate) wanted: Vec<(Ssrc, u16)>,
    /// The streams of which packets were given up.
    pub(crate) given_up: Vec<(u8, StreamKey)>,
    /// How many packets were given up.
    pub(crate) given_up_count: u64,
}

impl Missing {
    /// Empties the lists, and keeps their room.
    pub(crate) fn clear(&mut self) {
        self.wanted.clear();
        self.given_up.clear();
        self.given_up_count = 0;
    }
}

/// One SSRC of a publisher, for its receiver report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceReport {
    pub(crate) ssrc: Ssrc,
    pub(crate) reception: ReceptionReport,
    pub(crate) clock: Option<SenderClock>,
}

/// Everything that one peer sends.
#[derive(Debug)]
pub(crate) struct Ingress {
    publications: Vec<PublicationState>,
    bindings: Vec<Binding>,
    /// The SSRCs of retransmissions, and which layer they repair.
    retransmissions: Vec<Binding>,
    extensions: ExtensionMap,
    pub(crate) arrivals: Arrivals,
    /// No later than the first missing packet is to be asked for.
    missing_due: Option<Instant>,
    started: Instant,
}

#[derive(Debug)]
struct PublicationState {
    mid: Mid,
    kind: SourceKind,
    payload_types: Vec<PayloadType>,
    repair: Repair<Vec<(Ssrc, Ssrc)>>,
    /// At least one; the only one of a line without simulcast has no rid.
    layers: Vec<(Option<Rid>, Layer)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Binding {
    ssrc: Ssrc,
    publication: u8,
    layer: u8,
}

impl Ingress {
    /// What a peer may send. The lists must be within their limits.
    pub(crate) fn new(publications: &[Publication], extensions: ExtensionMap, now: Instant) -> Self {
        let mut bindings = Vec::new();
        for (index, publication) in (0..).zip(publications) {
            // With simulcast, or behind the first SSRC, the answer does not say what an SSRC carries.
            if let (true, Some(ssrc)) = (publication.rids.is_empty(), publication.ssrcs.first()) {
                bindings.push(Binding {
                    ssrc: *ssrc,
                    publication: index,
                    layer: 0,
                });
            }
        }
        let publications = publications.iter().map(PublicationState::new).collect();
        Self {
            publications,
            bindings,
            retransmissions: Vec::new(),
            extensions,
            arrivals: Arrivals::new(),
            missing_due: None,
            started: now,
        }
    }

    /// The header extensions of this peer's packets.
    pub(crate) const fn extensions(&self) -> &ExtensionMap {
        &self.extensions
    }

    /// The place of the publication that captures this.
    pub(crate) fn publication(&self, kind: SourceKind) -> Option<u8> {
        let position = self
            .publications
            .iter()
            .position(|publication| publication.kind == kind)?;
        u8::try_from(position).ok()
    }

    /// Takes in one packet, and gives it back as it was first sent. The reason of a refusal is also that of dropped
    /// padding. `given_up` grows by the missing packets that will not be asked for.
    pub(crate) fn accept<'a>(
        &mut self,
        packet: &RtpPacket<'a>,
        profile: &MediaProfile,
        given_up: &mut u64,
        now: Instant,
    ) -> Result<(Accepted, RtpPacket<'a>), DropReason> {
        if let Some(transport_sequence) = packet.extensions.transport_sequence {
            self.arrivals.record(
                transport_sequence,
                now.saturating_duration_since(self.started),
                now,
            );
        }
        let (binding, packet, sending) = match profile.repaired_by(packet.header.payload_type) {
            Some(repaired) => {
                let (binding, packet) = self.unwrap(packet, repaired)?;
                (binding, packet, Sending::Again)
            }
            None => (self.bind(packet)?, *packet, Sending::First),
        };
        let publication = self
            .publications
            .get_mut(usize::from(binding.publication))
            .ok_or(DropReason::UnknownSsrc)?;
        let payload_type = packet.header.payload_type;
        let format = profile
            .format(payload_type)
            .filter(|_| publication.payload_types.contains(&payload_type))
            .ok_or(DropReason::UnknownPayloadType)?;
        let (_, layer) = publication
            .layers
            .get_mut(usize::from(binding.layer))
            .ok_or(DropReason::UnknownSsrc)?;
        let received = layer.receive(&packet, format, sending, given_up, now);
        if let Some(due) = layer.gaps().and_then(Gaps::due) {
            self.missing_due = Some(self.missing_due.map_or(due, |earlier| earlier.min(due)));
        }
        let received = received?;
        let stream = StreamKey {
            layer: binding.layer,
            epoch: received.epoch,
        };
        // A retransmission alone does not make a layer alive.
        let (preferred, alive) = publication.preferred(now).unwrap_or((stream, 0));
        let accepted = Accepted {
            publication: binding.publication,
            stream,
            preferred,
            alive,
            format,
            sequence: received.sequence,
            highest_sequence: received.highest_sequence,
            picture_id: received.picture_id,
            tl0_picture_index: received.tl0_picture_index,
            starts_key_frame: received.starts_key_frame,
            clock: received.clock,
            came: received.came,
        };
        Ok((accepted, packet))
    }

    /// Takes the packet out of a retransmission that was sent first.
    fn unwrap<'a>(
        &mut self,
        packet: &RtpPacket<'a>,
        repaired: PayloadType,
    ) -> Result<(Binding, RtpPacket<'a>), DropReason> {
        let binding = self.bind_retransmission(packet)?;
        let (sequence_number, payload) = packet.payload.retransmitted().ok_or(DropReason::PaddingOnly)?;
        let publication = self.publications.get(usize::from(binding.publication));
        let layer = publication.and_then(|it| it.layers.get(usize::from(binding.layer)));
        // Nothing can be repaired of a stream that did not begin.
        let ssrc = layer.and_then(|(_, layer)| layer.ssrc());
        let original = RtpPacket {
            header: RtpHeader {
                payload_type: repaired,
                sequence_number,
                ssrc: ssrc.ok_or(DropReason::UnknownSsrc)?,
                ..packet.header
            },
            payload,
            ..*packet
        };
        Ok((binding, original))
    }

    /// Keeps a packet, so that it can be sent again.
    pub(crate) fn keep(&mut self, accepted: &Accepted, packet: &RtpPacket<'_>, now: Instant) {
        let Some(layer) = self.layer_mut(accepted.publication, accepted.stream.layer) else {
            return;
        };
        let cached = CachedPacket {
            header: packet.header,
            audio_level: packet.extensions.audio_level,
            epoch: accepted.stream.epoch,
            sequence: accepted.sequence,
            picture_id: accepted.picture_id,
            tl0_picture_index: accepted.tl0_picture_index,
        };
        layer.keep(cached, &packet.payload, now);
    }

    /// Finds a packet that was kept.
    pub(crate) fn find(&self, publication: u8, stream: StreamKey, sequence: u64, now: Instant) -> Lookup<'_> {
        let publication = self.publications.get(usize::from(publication));
        let layer = publication.and_then(|it| it.layers.get(usize::from(stream.layer)));
        layer.map_or(Lookup::Gone, |(_, layer)| layer.find(stream.epoch, sequence, now))
    }

    /// When [`take_missing`](Self::take_missing) wants to be called.
    pub(crate) const fn missing_due(&self) -> Option<Instant> {
        self.missing_due
    }

    /// Fills in what is to be asked for now, which then counts as asked for.
    pub(crate) fn take_missing(&mut self, round_trip: Duration, now: Instant, missing: &mut Missing) {
        if self.missing_due.is_none_or(|due| due > now) {
            return;
        }
        self.missing_due = None;
        for (index, publication) in (0..).zip(&mut self.publications) {
            for (place, (_, layer)) in (0..).zip(&mut publication.layers) {
                let Some((ssrc, epoch, gaps)) = layer.gaps_mut() else {
                    continue;
                };
                let given_up = gaps.take_due(round_trip, now, |number| missing.wanted.push((ssrc, number)));
                if given_up > 0 {
                    missing.given_up_count += given_up;
                    missing.given_up.push((index, StreamKey { layer: place, epoch }));
                }
                if let Some(due) = gaps.due() {
                    self.missing_due = Some(self.missing_due.map_or(due, |earlier| earlier.min(due)));
                }
            }
        }
    }

    /// Remembers the clock of a sender report.
    pub(crate) fn sender_report(&mut self, ssrc: Ssrc, ntp: NtpTime, rtp_timestamp: u32, now: Instant) {
        let Some(binding) = self.bindings.iter().find(|binding| binding.ssrc == ssrc).copied() else {
            return;
        };
        if let Some(layer) = self.layer_mut(binding.publication, binding.layer) {
            layer.set_clock(
                ssrc,
                SenderClock {
                    ntp,
                    rtp_timestamp,
                    arrived: now,
                },
            );
        }
    }

    /// The clock of a stream, once a sender report told it.
    pub(crate) fn clock(&self, publication: u8, stream: StreamKey) -> Option<SenderClock> {
        let publication = self.publications.get(usize::from(publication))?;
        let (_, layer) = publication.layers.get(usize::from(stream.layer))?;
        layer.clock(stream.epoch)
    }

    /// The reception of every SSRC that sends, since the last call.
    pub(crate) fn reports(&mut self) -> impl Iterator<Item = SourceReport> {
        self.publications
            .iter_mut()
            .flat_map(|publication| &mut publication.layers)
            .filter_map(|(_, layer)| layer.report())
    }

    /// Some SSRC of this publisher, for feedback that is about all of them.
    pub(crate) fn any_ssrc(&self) -> Ssrc {
        self.bindings.first().map_or(Ssrc(0), |binding| binding.ssrc)
    }

    /// Wants a key frame of the layer that subscribers should receive.
    pub(crate) fn want_preferred_key_frame(&mut self, publication: u8, now: Instant) -> Option<Ssrc> {
        let (preferred, _) = self.publications.get(usize::from(publication))?.preferred(now)?;
        self.want_key_frame(publication, preferred.layer, now)
    }

    /// Wants a key frame of one layer, and names the SSRC to ask for it when that may be done now.
    pub(crate) fn want_key_frame(&mut self, publication: u8, layer: u8, now: Instant) -> Option<Ssrc> {
        if self.publications.get(usize::from(publication))?.kind.media() == Media::Audio {
            return None;
        }
        let layer = self.layer_mut(publication, layer)?;
        layer.key_frames.want();
        layer.take_due_key_frame_request(now)
    }

    /// The SSRC to ask again for a key frame that is wanted and did not come.
    pub(crate) fn due_key_frame_request(&mut self, publication: u8, layer: u8, now: Instant) -> Option<Ssrc> {
        self.layer_mut(publication, layer)?
            .take_due_key_frame_request(now)
    }

    fn layer_mut(&mut self, publication: u8, layer: u8) -> Option<&mut Layer> {
        let publication = self.publications.get_mut(usize::from(publication))?;
        Some(&mut publication.layers.get_mut(usize::from(layer))?.1)
    }

    /// Finds the layer of a packet: by its SSRC, or by MID and RID, which then bind the SSRC.
    fn bind(&mut self, packet: &RtpPacket<'_>) -> Result<Binding, DropReason> {
        let ssrc = packet.header.ssrc;
        let known = self.bindings.iter().find(|binding| binding.ssrc == ssrc).copied();
        if let Some(named) = self.named(packet) {
            if known == Some(named) {
                return Ok(named);
            }
            // The layer's former SSRC and the SSRC's former layer are both over.
            self.bindings.retain(|other| {
                other.ssrc != ssrc && (other.publication, other.layer) != (named.publication, named.layer)
            });
            if self.bindings.len() >= BINDINGS_MAX {
                return Err(DropReason::UnknownSsrc);
            }
            self.bindings.push(named);
            return Ok(named);
        }
        known.ok_or(DropReason::UnknownSsrc)
    }

    /// Finds the layer that a retransmission repairs: by its SSRC, by MID and repaired RID, or by the SSRCs that the
    /// answer pairs. The latter two bind the SSRC.
    fn bind_retransmission(&mut self, packet: &RtpPacket<'_>) -> Result<Binding, DropReason> {
        let ssrc = packet.header.ssrc;
        let known = self.retransmissions.iter().find(|it| it.ssrc == ssrc).copied();
        let rid = packet.extensions.repaired_rid.or(packet.extensions.rid);
        let named = self.layer_named(packet, rid);
        let Some(found) = named.or(known).or_else(|| self.paired(ssrc)) else {
            return Err(DropReason::UnknownSsrc);
        };
        if known != Some(found) {
            let is_repaired = self
                .publications
                .get(usize::from(found.publication))
                .is_some_and(|it| matches!(it.repair, Repair::Retransmit(_)));
            if !is_repaired {
                return Err(DropReason::UnknownPayloadType);
            }
            self.retransmissions.retain(|other| {
                other.ssrc != ssrc && (other.publication, other.layer) != (found.publication, found.layer)
            });
            if self.retransmissions.len() >= BINDINGS_MAX {
                return Err(DropReason::UnknownSsrc);
            }
            self.retransmissions.push(found);
        }
        Ok(found)
    }

    /// The layer whose stream the answer pairs with this SSRC.
    fn paired(&self, ssrc: Ssrc) -> Option<Binding> {
        let stream = self
            .publications
            .iter()
            .filter_map(|publication| match &publication.repair {
                Repair::Retransmit(pairs) => pairs.iter().find(|(_, again)| *again == ssrc),
                Repair::None | Repair::Repeat => None,
            })
            .map(|(stream, _)| *stream)
            .next()?;
        let binding = self.bindings.iter().find(|binding| binding.ssrc == stream)?;
        Some(Binding { ssrc, ..*binding })
    }

    /// The layer that MID and RID name.
    fn named(&self, packet: &RtpPacket<'_>) -> Option<Binding> {
        self.layer_named(packet, packet.extensions.rid)
    }

    fn layer_named(&self, packet: &RtpPacket<'_>, rid: Option<Rid>) -> Option<Binding> {
        let mid = packet.extensions.mid?;
        let (index, publication) = (0..)
            .zip(&self.publications)
            .find(|(_, other)| other.mid == mid)?;
        let layer = match rid {
            Some(rid) => publication
                .layers
                .iter()
                .position(|(other, _)| *other == Some(rid))?,
            None => publication.layers.iter().position(|(other, _)| other.is_none())?,
        };
        Some(Binding {
            ssrc: packet.header.ssrc,
            publication: index,
            layer: u8::try_from(layer).ok()?,
        })
    }
}

impl PublicationState {
    fn new(publication: &Publication) -> Self {
        let is_repaired = publication.repair != Repair::None;
        let layer = || Layer::new(publication.kind.media(), is_repaired);
        let layers = if publication.rids.is_empty() {
            vec![(None, layer())]
        } else {
            publication.rids.iter().map(|rid| (Some(*rid), layer())).collect()
        };
        Self {
            mid: publication.mid,
            kind: publication.kind,
            payload_types: publication.payload_types.clone(),
            repair: publication.repair.clone(),
            layers,
        }
    }

    /// The highest layer that is alive, and which are.
    fn preferred(&self, now: Instant) -> Option<(StreamKey, u8)> {
        let mut alive = 0;
        let mut preferred = None;
        for (index, (_, layer)) in (0_u8..).zip(&self.layers) {
            if let Some(epoch) = layer.alive_epoch(now) {
                alive |= 1 << index;
                preferred = Some(StreamKey { layer: index, epoch });
            }
        }
        Some((preferred?, alive))
    }
}
