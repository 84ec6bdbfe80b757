//! A pair of addresses, and a datagram to send over it.

use std::net::SocketAddr;

/// One way through the network: a local and a remote address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// A datagram to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Send from this address.
    pub local: SocketAddr,
    /// Send to this address.
    pub remote: SocketAddr,
    /// The bytes.
    pub payload: Vec<u8>,
}

// Addresses stay out of logs, so out of debug output too.
impl std::fmt::Debug for Path {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Path").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Transmit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Transmit")
            .field("len", &self.payload.len())
            .finish_non_exhaustive()
    }
}
