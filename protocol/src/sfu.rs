//! What signaling tells the SFU, and what the SFU reports. Plain types: both live in one process.

use std::fmt;
use std::net::SocketAddr;

use crate::ids::{Mid, PeerId, Rid};
use crate::media::{Extension, Media, SourceKind};

/// An order of signaling to the SFU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SfuCommand {
    /// A member's answer is in: make a transport for it, and take packets from nobody else in its name.
    AddPeer {
        /// The new peer.
        peer: PeerId,
        /// What was negotiated with it.
        connection: PeerConnection,
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
    /// The membership ended: forget the peer and stop forwarding from it and to it.
    RemovePeer {
        /// The peer that left.
        peer: PeerId,
    },
}

/// Everything that was negotiated with one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerConnection {
    /// The credentials that we offered; made by signaling from a cryptographic source.
    pub local_ice: IceCredentials,
    /// The credentials of the answer.
    pub remote_ice: IceCredentials,
    /// SHA-256 of the certificate that the peer must show in DTLS.
    pub remote_fingerprint: [u8; 32],
    /// What the peer may send.
    pub publications: Vec<Publication>,
    /// The header extensions that both sides use, with their ids.
    pub extensions: Vec<(u8, Extension)>,
    /// What the peer can receive.
    pub slots: Vec<Slot>,
}

/// An ICE user fragment and password, RFC 8839 section 5.4.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// 4 to 256 characters; ours have at least 8.
    pub ufrag: String,
    /// 22 to 256 characters; ours have at least 24.
    pub pwd: String,
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IceCredentials([redacted])")
    }
}

/// One m-line on which a peer sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The m-line.
    pub mid: Mid,
    /// What it captures.
    pub kind: SourceKind,
    /// The payload types that the peer accepted, most wanted first.
    pub payload_types: Vec<u8>,
    /// The simulcast layers, smallest first; empty where the line has a single stream.
    pub rids: Vec<Rid>,
    /// The SSRCs that the answer names; often none, then packets are bound by MID and RID.
    pub ssrcs: Vec<u32>,
    /// How lost packets are sent again. The pairs of SSRCs are those that the answer names: a stream and its
    /// retransmission; often none, then retransmissions are bound by MID and repaired RID.
    pub repair: Repair<Vec<(u32, u32)>>,
}

/// How lost packets of one m-line are sent again, as both sides accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair<Ssrcs> {
    /// Not at all.
    None,
    /// As they were: asked for by NACK (RFC 4585 section 6.2.1), under the stream's own SSRC.
    Repeat,
    /// As retransmissions (RFC 4588), asked for by NACK, under SSRCs of their own.
    Retransmit(Ssrcs),
}

/// One m-line on which a peer receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The m-line.
    pub mid: Mid,
    /// Its medium.
    pub media: Media,
    /// The SSRC that our offer promised for it.
    pub ssrc: u32,
    /// The payload types that the peer accepted.
    pub payload_types: Vec<u8>,
    /// How lost packets are sent again, and the SSRC that our offer promised for retransmissions.
    pub repair: Repair<u32>,
}

/// A report of the SFU to signaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SfuEvent {
    /// ICE and DTLS are done and the certificate matched: media may flow.
    PeerConnected {
        /// The peer.
        peer: PeerId,
    },
    /// The transport of a peer ended and is forgotten.
    PeerClosed {
        /// The peer.
        peer: PeerId,
        /// Why.
        reason: PeerClosedReason,
    },
}

/// Why the SFU closed a peer.
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
    /// The SFU has no room for one more peer.
    Overload,
}

impl PeerClosedReason {
    /// A short word for metrics and error details.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FingerprintMismatch => "fingerprint_mismatch",
            Self::DtlsFailed => "dtls_failed",
            Self::IceTimeout => "ice_timeout",
            Self::ClosedByPeer => "closed_by_peer",
            Self::Unreachable => "unreachable",
            Self::Overload => "overload",
        }
    }
}

/// What signaling has to know about the SFU before it can write an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SfuInfo {
    /// SHA-256 of the certificate that the SFU shows in DTLS.
    pub fingerprint: [u8; 32],
    /// Where the SFU takes media over UDP.
    pub candidates: Vec<SocketAddr>,
    /// Where the server takes media over TCP (RFC 4571 framing); empty where it does not.
    pub tcp_candidates: Vec<SocketAddr>,
}

/// The SFU's queue of commands is full, or the SFU is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the SFU takes no more commands")]
pub struct SfuBusy;
