//! Why SRTP refuses a packet.

/// Why a packet was neither opened nor sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SrtpError {
    /// Too short, of another version, or with a header that is longer than the packet.
    #[error("the packet is malformed")]
    Malformed,
    /// An SRTCP packet without encryption, which nobody negotiated.
    #[error("the packet is not encrypted")]
    NotEncrypted,
    /// The authentication tag is wrong.
    #[error("the packet is not authentic")]
    Authentication,
    /// This index was opened before; when sealing: this index was sealed before.
    #[error("the packet was seen before")]
    Replayed,
    /// The index is below the replay window.
    #[error("the packet is older than the replay window")]
    TooOld,
    /// One more source than [`SSRCS_MAX`](crate::limits::SSRCS_MAX).
    #[error("too many sources for one transport")]
    TooManySsrcs,
    /// A packet to be sealed again was not sealed before, or too long ago to tell.
    #[error("the packet was not sealed before")]
    NeverSealed,
    /// A packet to be sealed again is not the one that was sealed before.
    #[error("the packet differs from the one that was sealed before")]
    Differs,
    /// The buffer has no room for tag and index.
    #[error("the buffer has no room for the tag")]
    NoRoom,
    /// The key has sealed all packets it may: 2^48 of RTP or 2^31 of RTCP per source (RFC 3711 section 9.2).
    #[error("the key may seal no more packets")]
    KeyExhausted,
}
