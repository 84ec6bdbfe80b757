//! Why a datagram was dropped, and why a transport ended.

use crate::srtp::SrtpError;

/// Why a datagram was dropped. Every variant has its counter in [`Counters`](crate::Counters).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The first bytes belong to no protocol we speak.
    #[error("the datagram belongs to no known protocol")]
    Unknown,
    /// The transport has ended.
    #[error("the transport is closed")]
    Closed,
    /// A STUN message that does not parse, or lacks what a check must have.
    #[error("the STUN message is malformed")]
    StunMalformed,
    /// A STUN message with a wrong user name, password or transaction.
    #[error("the STUN message is not authentic")]
    StunRefused,
    /// An authentic check, but this transport has met [`PATHS_MAX`](crate::limits::PATHS_MAX) addresses already.
    #[error("too many addresses for one transport")]
    TooManyPaths,
    /// A handshake datagram from an address that no authenticated check has validated.
    #[error("a handshake datagram came from an address that no check has validated")]
    DtlsFromUnvalidatedPath,
    /// The datagram ended the handshake or the session; the transport is closed now.
    #[error("the handshake failed")]
    DtlsFailed,
    /// Media from an address that no authenticated check has validated.
    #[error("media came from an address that no check has validated")]
    MediaFromUnvalidatedPath,
    /// Media before the handshake and the match of the fingerprint.
    #[error("media came before there were keys")]
    MediaBeforeKeys,
    /// Media that SRTP refused.
    #[error("SRTP refused the packet: {0}")]
    Srtp(#[from] SrtpError),
}

/// Why a transport ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The certificate of the peer is not the one that signaling announced.
    FingerprintMismatch,
    /// The handshake failed, timed out, or agreed on no protection for media.
    DtlsFailed,
    /// The path was there and fell silent.
    IceTimeout,
    /// The peer said goodbye (`close_notify`).
    ClosedByPeer,
    /// No authenticated check ever arrived.
    Unreachable,
}

/// Why a transport could not be made from its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// There is no local address, or one of the addresses is unspecified, multicast or link-local.
    #[error("an address of the configuration cannot carry media")]
    Address,
    /// An ICE credential is empty, too long, or holds characters that RFC 8839 does not allow.
    #[error("an ICE credential is malformed")]
    Credentials,
}
