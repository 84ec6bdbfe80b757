//! From the words of `protocol` to those of the core, and back. The core does not know `protocol`.

use protocol::media;
use protocol::sfu::{self, SfuCommand, SfuEvent};
use rtp::{Codec, Mid, PayloadType, Rid, Ssrc};
use sfu_core::{
    Command, Event, Format, Media, MediaProfile, PeerClosedReason, PeerConnection, PeerId, Publication,
    Repair, Slot, SourceKind,
};
use transport::IceCredentials;

/// A command holds something that the core's types cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unmappable;

/// The canonical payload types.
pub(crate) fn media_profile() -> MediaProfile {
    MediaProfile::new(media::Codec::ALL.into_iter().filter_map(|codec| {
        let (codec_of_rtp, clock_rate_hz) = match codec {
            media::Codec::Opus => (Codec::Opus, 48_000),
            media::Codec::Vp8 => (Codec::Vp8, 90_000),
            media::Codec::Vp9 => (Codec::Vp9, 90_000),
            media::Codec::Av1 => (Codec::Av1, 90_000),
        };
        let payload_type = PayloadType::new(codec.payload_type())?;
        Some((
            payload_type,
            Format {
                codec: codec_of_rtp,
                clock_rate_hz,
                retransmission: codec.retransmission_payload_type().and_then(PayloadType::new),
            },
        ))
    }))
}

/// The command in the core's words.
pub(crate) fn command(command: SfuCommand) -> Result<Command, Unmappable> {
    Ok(match command {
        SfuCommand::AddPeer { peer, connection } => Command::AddPeer {
            peer: PeerId(peer.0),
            connection: Box::new(peer_connection(&connection)?),
        },
        SfuCommand::Bind {
            subscriber,
            slot,
            source,
        } => Command::Bind {
            subscriber: PeerId(subscriber.0),
            slot: mid(slot)?,
            source: source.map(|(peer, kind)| (PeerId(peer.0), source_kind(kind))),
        },
        SfuCommand::AddSlots { peer, slots } => Command::AddSlots {
            peer: PeerId(peer.0),
            slots: slots.iter().map(slot).collect::<Result<_, _>>()?,
        },
        SfuCommand::RemovePeer { peer } => Command::RemovePeer { peer: PeerId(peer.0) },
    })
}

/// The event in the words of `protocol`.
pub(crate) fn event(event: Event) -> SfuEvent {
    match event {
        Event::PeerConnected { peer } => SfuEvent::PeerConnected {
            peer: protocol::ids::PeerId(peer.0),
        },
        Event::PeerClosed { peer, reason } => SfuEvent::PeerClosed {
            peer: protocol::ids::PeerId(peer.0),
            reason: closed_reason(reason),
        },
    }
}

const fn closed_reason(reason: PeerClosedReason) -> sfu::PeerClosedReason {
    match reason {
        PeerClosedReason::FingerprintMismatch => sfu::PeerClosedReason::FingerprintMismatch,
        PeerClosedReason::DtlsFailed => sfu::PeerClosedReason::DtlsFailed,
        PeerClosedReason::IceTimeout => sfu::PeerClosedReason::IceTimeout,
        PeerClosedReason::ClosedByPeer => sfu::PeerClosedReason::ClosedByPeer,
        PeerClosedReason::Unreachable => sfu::PeerClosedReason::Unreachable,
        PeerClosedReason::Overload => sfu::PeerClosedReason::Overload,
    }
}

fn peer_connection(connection: &sfu::PeerConnection) -> Result<PeerConnection, Unmappable> {
    Ok(PeerConnection {
        local_ice: ice(&connection.local_ice)?,
        remote_ice: ice(&connection.remote_ice)?,
        remote_fingerprint: connection.remote_fingerprint,
        publications: connection
            .publications
            .iter()
            .map(publication)
            .collect::<Result<_, _>>()?,
        extensions: connection
            .extensions
            .iter()
            .filter_map(|(id, extension)| Some((*id, header_extension(*extension)?)))
            .collect(),
        slots: connection.slots.iter().map(slot).collect::<Result<_, _>>()?,
    })
}

fn ice(credentials: &sfu::IceCredentials) -> Result<IceCredentials, Unmappable> {
    IceCredentials::new(&credentials.ufrag, &credentials.pwd).map_err(|_| Unmappable)
}

fn publication(publication: &sfu::Publication) -> Result<Publication, Unmappable> {
    let rid = |rid: &protocol::ids::Rid| Rid::new(rid.as_str()).map_err(|_| Unmappable);
    Ok(Publication {
        mid: mid(publication.mid)?,
        kind: source_kind(publication.kind),
        payload_types: payload_types(&publication.payload_types)?,
        rids: publication.rids.iter().map(rid).collect::<Result<_, _>>()?,
        ssrcs: publication.ssrcs.iter().copied().map(Ssrc).collect(),
        repair: repair(&publication.repair, |pairs| {
            let pair = |(stream, again): &(u32, u32)| (Ssrc(*stream), Ssrc(*again));
            pairs.iter().map(pair).collect()
        }),
    })
}

fn slot(slot: &sfu::Slot) -> Result<Slot, Unmappable> {
    Ok(Slot {
        mid: mid(slot.mid)?,
        media: match slot.media {
            media::Media::Audio => Media::Audio,
            media::Media::Video => Media::Video,
        },
        ssrc: Ssrc(slot.ssrc),
        payload_types: payload_types(&slot.payload_types)?,
        repair: repair(&slot.repair, |ssrc| Ssrc(*ssrc)),
    })
}

fn repair<A, B>(repair: &sfu::Repair<A>, ssrcs: impl FnOnce(&A) -> B) -> Repair<B> {
    match repair {
        sfu::Repair::None => Repair::None,
        sfu::Repair::Repeat => Repair::Repeat,
        sfu::Repair::Retransmit(of) => Repair::Retransmit(ssrcs(of)),
    }
}

fn payload_types(payload_types: &[u8]) -> Result<Vec<PayloadType>, Unmappable> {
    payload_types
        .iter()
        .map(|payload_type| PayloadType::new(*payload_type).ok_or(Unmappable))
        .collect()
}

fn mid(mid: protocol::ids::Mid) -> Result<Mid, Unmappable> {
    Mid::new(mid.as_str()).map_err(|_| Unmappable)
}

const fn source_kind(kind: media::SourceKind) -> SourceKind {
    match kind {
        media::SourceKind::Microphone => SourceKind::Microphone,
        media::SourceKind::Camera => SourceKind::Camera,
    }
}

/// Extensions that the road does not read yet are passed over.
const fn header_extension(extension: media::Extension) -> Option<rtp::Extension> {
    match extension {
        media::Extension::Mid => Some(rtp::Extension::Mid),
        media::Extension::RtpStreamId => Some(rtp::Extension::Rid),
        media::Extension::RepairedRtpStreamId => Some(rtp::Extension::RepairedRid),
        media::Extension::AudioLevel => Some(rtp::Extension::AudioLevel),
        media::Extension::TransportSequenceNumber => Some(rtp::Extension::TransportSequence),
        media::Extension::DependencyDescriptor => None,
    }
}
