//! Takes in the packets of one publisher: whose layer is this, where does it stand, can a decoder start here.

pub(crate) mod arrivals;
mod key_frame;
mod layer;
mod order;
pub(crate) mod reception;

use std::time::Instant;

use rtp::{ExtensionMap, Mid, NtpTime, PayloadType, Rid, RtpPacket, Ssrc};

use crate::command::{Media, Publication, SourceKind};
use crate::config::{Format, MediaProfile};
use crate::limits::BINDINGS_MAX;
use crate::stats::DropReason;
use arrivals::Arrivals;
use layer::Layer;
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
    /// Extended; 0 where the codec has none.
    pub(crate) picture_id: u64,
    pub(crate) tl0_picture_index: u8,
    pub(crate) starts_key_frame: bool,
    /// The clock of this stream, once a sender report told it.
    pub(crate) clock: Option<SenderClock>,
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
    extensions: ExtensionMap,
    pub(crate) arrivals: Arrivals,
    started: Instant,
}

#[derive(Debug)]
struct PublicationState {
    mid: Mid,
    kind: SourceKind,
    payload_types: Vec<PayloadType>,
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
            extensions,
            arrivals: Arrivals::new(),
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

    /// Takes in one packet. The reason of a refusal is also that of dropped padding.
    pub(crate) fn accept(
        &mut self,
        packet: &RtpPacket<'_>,
        profile: &MediaProfile,
        now: Instant,
    ) -> Result<Accepted, DropReason> {
        if let Some(transport_sequence) = packet.extensions.transport_sequence {
            self.arrivals.record(
                transport_sequence,
                now.saturating_duration_since(self.started),
                now,
            );
        }
        let binding = self.bind(packet)?;
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
        let received = layer.receive(packet, format, now)?;
        let (preferred, alive) = publication.preferred(now).ok_or(DropReason::UnknownSsrc)?;
        Ok(Accepted {
            publication: binding.publication,
            stream: StreamKey {
                layer: binding.layer,
                epoch: received.epoch,
            },
            preferred,
            alive,
            format,
            sequence: received.sequence,
            picture_id: received.picture_id,
            tl0_picture_index: received.tl0_picture_index,
            starts_key_frame: received.starts_key_frame,
            clock: received.clock,
        })
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

    /// The layer that MID and RID name.
    fn named(&self, packet: &RtpPacket<'_>) -> Option<Binding> {
        let mid = packet.extensions.mid?;
        let (index, publication) = (0..)
            .zip(&self.publications)
            .find(|(_, other)| other.mid == mid)?;
        let layer = match packet.extensions.rid {
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
        let layers = if publication.rids.is_empty() {
            vec![(None, Layer::default())]
        } else {
            publication
                .rids
                .iter()
                .map(|rid| (Some(*rid), Layer::default()))
                .collect()
        };
        Self {
            mid: publication.mid,
            kind: publication.kind,
            payload_types: publication.payload_types.clone(),
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
