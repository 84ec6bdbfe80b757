//! One peer's path through the network: ICE, DTLS and SRTP, without input or output.
//!
//! A [`Transport`] takes datagrams and the current time and hands out datagrams to send, events and the next
//! deadline. It reads no clock and opens no socket. Media and keys exist only after the certificate of the peer
//! matched the fingerprint that signaling gave.
//!
//! Randomness: ICE credentials come in as arguments. The handshake's keys come from the DTLS library, which
//! asks the operating system; a simulation starts from given keys ([`Transport::from_srtp_keys`]) and draws
//! nothing.

mod certificate;
mod counters;
mod demux;
mod dtls;
mod error;
mod framing;
mod ice;
pub mod limits;
mod path;
mod paths;
pub mod srtp;
pub mod stun;
mod transport;

pub use certificate::{Certificate, CertificateError, FINGERPRINT_LEN, Fingerprint};
pub use counters::Counters;
pub use demux::{DatagramKind, classify};
pub use error::{CloseReason, SetupError, TransportError};
pub use framing::{Deframer, FRAME_HEADER_LEN, FrameTooLong, frame_header};
pub use ice::IceCredentials;
pub use path::{Path, Protocol, Transmit};
pub use srtp::{Protection, SrtpError, SrtpKeys, SrtpKeysError, SrtpProfile, Tag};
pub use transport::{Received, Role, Transport, TransportConfig, TransportEvent};
