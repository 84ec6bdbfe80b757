//! The transport of one peer: datagrams in, decrypted media and events out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::certificate::{Certificate, Fingerprint};
use crate::counters::Counters;
use crate::error::{CloseReason, SetupError, TransportError};
use crate::ice::IceCredentials;
use crate::srtp::{SrtpError, SrtpKeys, SrtpProfile};

/// Which side of the connection we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// ICE-lite and controlled, DTLS server: waits for the peer's checks.
    Server,
    /// ICE controlling, DTLS client: checks `remote_addresses`.
    Client,
}

/// All that a transport needs to know.
#[derive(Debug, Clone)]
pub struct TransportConfig {
    /// Which side we are.
    pub role: Role,
    /// Our credentials, from a cryptographic random generator.
    pub local_ice: IceCredentials,
    /// The peer's credentials, from its answer.
    pub remote_ice: IceCredentials,
    /// The fingerprint that the peer's certificate must have.
    pub remote_fingerprint: Fingerprint,
    /// Our certificate.
    pub certificate: Arc<Certificate>,
    /// Our addresses: host candidates over UDP.
    pub local_addresses: Vec<SocketAddr>,
    /// The peer's addresses; only a client needs them, a server learns them from the checks.
    pub remote_addresses: Vec<SocketAddr>,
}

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Send from this address.
    pub local: SocketAddr,
    /// Send to this address.
    pub remote: SocketAddr,
    /// The bytes.
    pub payload: Vec<u8>,
}

/// What a datagram turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Nothing for the caller: STUN or DTLS, dealt with.
    Nothing,
    /// The first `len` bytes of the buffer are an RTP packet now.
    Rtp {
        /// Length of the packet, in bytes.
        len: usize,
    },
    /// The first `len` bytes of the buffer are a compound RTCP packet now.
    Rtcp {
        /// Length of the packet, in bytes.
        len: usize,
    },
}

/// What happened to a transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportEvent {
    /// The fingerprint matched and there are keys: media may flow.
    Connected {
        /// The protection that was agreed on.
        profile: SrtpProfile,
    },
    /// The transport has ended. It comes once and is the last event.
    Closed(CloseReason),
}

/// One peer's path. After each call, drain `poll_transmit` and `poll_event` and ask `poll_timeout` anew.
#[derive(Debug)]
pub struct Transport {
    counters: Counters,
}

impl Transport {
    /// Starts a transport at `now`. A client's first check is ready to be polled afterwards.
    ///
    /// Fails when a local address cannot carry media.
    pub fn new(_config: TransportConfig, _now: Instant) -> Result<Self, SetupError> {
        Ok(Self {
            counters: Counters::default(),
        })
    }

    /// A transport that is connected from the start, over one path and with given keys: for simulations.
    pub fn from_srtp_keys(_keys: &SrtpKeys, _local: SocketAddr, _remote: SocketAddr) -> Self {
        Self {
            counters: Counters::default(),
        }
    }

    /// Takes in a datagram that arrived on `local` from `remote`. Media is decrypted in place.
    ///
    /// An error says why the datagram was dropped, and is counted already. The buffer's content is then undefined.
    pub fn handle_datagram(
        &mut self,
        _local: SocketAddr,
        _remote: SocketAddr,
        _datagram: &mut [u8],
        _now: Instant,
    ) -> Result<Received, TransportError> {
        Ok(Received::Nothing)
    }

    /// Seals the RTP packet in `buffer[..len]` in place and returns its new length.
    ///
    /// The buffer needs [`Protection::RTP_OVERHEAD_MAX`](crate::Protection::RTP_OVERHEAD_MAX) bytes of room behind
    /// the packet. A sequence number that this source has sent before is refused: sealing it twice would break the
    /// encryption.
    pub fn protect_rtp(&mut self, _buffer: &mut [u8], _len: usize) -> Result<usize, SrtpError> {
        Err(SrtpError::Malformed)
    }

    /// Seals the compound RTCP packet in `buffer[..len]` in place and returns its new length.
    ///
    /// The buffer needs [`Protection::RTCP_OVERHEAD_MAX`](crate::Protection::RTCP_OVERHEAD_MAX) bytes of room.
    pub fn protect_rtcp(&mut self, _buffer: &mut [u8], _len: usize) -> Result<usize, SrtpError> {
        Err(SrtpError::Malformed)
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next, `None` once the transport has ended.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }

    /// The next datagram of ICE or DTLS to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        None
    }

    /// Ends the transport from our side: forgets the keys and says `close_notify` if there is somebody to hear it.
    ///
    /// The farewell still comes out of `poll_transmit`; no event follows.
    pub fn close(&mut self) {}

    /// The pair of local and remote address that media goes to, as soon as there is one.
    pub fn destination(&self) -> Option<(SocketAddr, SocketAddr)> {
        None
    }

    /// Whether media may flow.
    pub fn is_connected(&self) -> bool {
        false
    }

    /// Whether the transport has ended.
    pub fn is_closed(&self) -> bool {
        false
    }

    /// The protection in use, once connected.
    pub fn profile(&self) -> Option<SrtpProfile> {
        None
    }

    /// What this transport has seen.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}
