//! What the shell orders, and what it is told.

use std::fmt;

use rtp::{Extension, Mid, PayloadType, Rid, Ssrc};

/// The name of one participant's transport; never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u64);

impl fmt::Display for PeerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a publication captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// A microphone; carried as audio.
    Microphone,
    /// A camera; carried as video.
    Camera,
}

impl SourceKind {
    /// The medium that carries it.
    pub const fn media(self) -> Media {
        match self {
            Self::Microphone => Media::Audio,
            Self::Camera => Media::Video,
        }
    }
}

/// The medium of an m-line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Media {
    /// Forwarded as it comes.
    Audio,
    /// Forwarded one layer at a time, from a key frame on.
    Video,
}

/// An order from signaling.
#[derive(Debug, Clone)]
pub enum Command {
    /// Make a transport for an admitted member.
    AddPeer {
        /// The new peer.
        peer: PeerId,
        /// What was negotiated with it.
        connection: Box<PeerConnection>,
    },
    /// Send a source to a slot of a subscriber, or nothing.
    Bind {
        /// Who receives.
        subscriber: PeerId,
        /// On which of its m-lines.
        slot: Mid,
        /// What it receives there; `None` empties the slot.
        source: Option<(PeerId, SourceKind)>,
    },
    /// A later answer of a peer accepted more slots. The ones that it has stay as they are.
    AddSlots {
        /// The peer.
        peer: PeerId,
        /// The new slots.
        slots: Vec<Slot>,
    },
    /// Forget a peer: from now on nothing is sent to it or taken from it.
    RemovePeer {
        /// The peer that left.
        peer: PeerId,
    },
}

/// Everything that was negotiated with one peer.
#[derive(Debug, Clone)]
pub struct PeerConnection {
    /// The credentials that we offered.
    pub local_ice: transport::IceCredentials,
    /// The credentials of the answer.
    pub remote_ice: transport::IceCredentials,
    /// SHA-256 of the certificate that the peer must show in DTLS.
    pub remote_fingerprint: [u8; 32],
    /// What the peer may send.
    pub publications: Vec<Publication>,
    /// The header extensions that both sides use, with their ids.
    pub extensions: Vec<(u8, Extension)>,
    /// What the peer can receive.
    pub slots: Vec<Slot>,
}

/// One m-line on which a peer sends.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The m-line.
    pub mid: Mid,
    /// What it captures.
    pub kind: SourceKind,
    /// The payload types that the peer may use.
    pub payload_types: Vec<PayloadType>,
    /// The simulcast layers, smallest first; empty where the line has a single stream.
    pub rids: Vec<Rid>,
    /// The SSRCs that the answer names; often none, then packets are bound by MID and RID.
    pub ssrcs: Vec<Ssrc>,
    /// How lost packets are sent again. The pairs are those that the answer names: a stream and its retransmission;
    /// where there are none, retransmissions are bound by MID and repaired RID.
    pub repair: Repair<Vec<(Ssrc, Ssrc)>>,
}

/// How lost packets of one m-line are sent again, as both sides accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair<Ssrcs> {
    /// Not at all.
    None,
    /// As they were, under the stream's own SSRC.
    Repeat,
    /// As retransmissions (RFC 4588) under SSRCs of their own.
    Retransmit(Ssrcs),
}

/// One m-line on which a peer receives.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The m-line.
    pub mid: Mid,
    /// Its medium.
    pub media: Media,
    /// The SSRC that our offer promised for it.
    pub ssrc: Ssrc,
    /// The payload types that the peer accepts.
    pub payload_types: Vec<PayloadType>,
    /// How lost packets are sent again, and the SSRC that our offer promised for retransmissions.
    pub repair: Repair<Ssrc>,
}

/// A report to signaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// ICE and DTLS are done and the certificate matched: media may flow.
    PeerConnected {
        /// The peer.
        peer: PeerId,
    },
    /// The transport of a peer ended, and the peer is forgotten. No event follows for it.
    PeerClosed {
        /// The peer.
        peer: PeerId,
        /// Why.
        reason: PeerClosedReason,
    },
}

/// Why a peer was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerClosedReason {
    /// The certificate in DTLS was not the one of the answer.
    FingerprintMismatch,
    /// The DTLS handshake failed or an alert ended it.
    DtlsFailed,
    /// A transport that had worked fell silent.
    IceTimeout,
    /// The peer said goodbye.
    ClosedByPeer,
    /// No connectivity check ever came.
    Unreachable,
    /// There is no room for one more peer, or the connection exceeds our bounds.
    Overload,
}
