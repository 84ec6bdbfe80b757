//! What a core is told when it is made.

use std::net::SocketAddr;
use std::sync::Arc;

use rtp::{Codec, PayloadType};
use transport::Certificate;

/// How to make a core.
#[derive(Debug)]
pub struct Config {
    /// Shown to every peer in DTLS.
    pub certificate: Arc<Certificate>,
    /// The addresses on which the shell takes datagrams over UDP.
    pub media_addresses: Vec<SocketAddr>,
    /// The addresses on which the shell takes TCP connections of media.
    pub tcp_addresses: Vec<SocketAddr>,
    /// The canonical payload types.
    pub media: MediaProfile,
    /// Feeds the first sequence numbers and timestamps. Give each core another one from the operating system;
    /// give simulations a fixed one.
    pub seed: u64,
}

/// What the payload types mean, the same for every peer.
#[derive(Debug, Clone)]
pub struct MediaProfile {
    codecs: [Option<Format>; 128],
    /// What a retransmission of each payload type repairs.
    repaired: [Option<PayloadType>; 128],
}

/// The meaning of one payload type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The codec.
    pub codec: Codec,
    /// Ticks of the RTP timestamp per second.
    pub clock_rate_hz: u32,
    /// The payload type of its retransmissions (RFC 4588), for codecs that have one.
    pub retransmission: Option<PayloadType>,
}

impl MediaProfile {
    /// The profile of these payload types; of two entries for one, the later counts.
    pub fn new(entries: impl IntoIterator<Item = (PayloadType, Format)>) -> Self {
        let mut codecs = [None; 128];
        let mut repaired = [None; 128];
        for (payload_type, format) in entries {
            if let Some(entry) = codecs.get_mut(usize::from(payload_type.value())) {
                *entry = Some(format);
            }
            let retransmission = format.retransmission.map(PayloadType::value);
            if let Some(entry) = retransmission.and_then(|it| repaired.get_mut(usize::from(it))) {
                *entry = Some(payload_type);
            }
        }
        Self { codecs, repaired }
    }

    /// The meaning of a payload type, if it is one of ours.
    pub fn format(&self, payload_type: PayloadType) -> Option<Format> {
        *self.codecs.get(usize::from(payload_type.value()))?
    }

    /// The payload type that a retransmission under this one repairs; `None` when it is no retransmission.
    pub fn repaired_by(&self, payload_type: PayloadType) -> Option<PayloadType> {
        *self.repaired.get(usize::from(payload_type.value()))?
    }
}
