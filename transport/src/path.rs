//! A pair of addresses and what carries datagrams between them, and a datagram to send over it.

use std::net::SocketAddr;

/// What carries a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP, each datagram in a frame (RFC 4571).
    Tcp,
}

/// One way through the network: protocol, local and remote address. Over TCP that is one connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    /// What carries the datagrams.
    pub protocol: Protocol,
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
}

impl Path {
    /// Over UDP.
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            protocol: Protocol::Udp,
            local,
            remote,
        }
    }

    /// Over a TCP connection.
    pub const fn tcp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            protocol: Protocol::Tcp,
            local,
            remote,
        }
    }

    /// The same path as its other end sees it, where no translator is between them.
    pub const fn reversed(self) -> Self {
        Self {
            protocol: self.protocol,
            local: self.remote,
            remote: self.local,
        }
    }
}

/// A datagram to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Over which path.
    pub path: Path,
    /// The bytes.
    pub payload: Vec<u8>,
}

// Addresses stay out of logs, so out of debug output too.
impl std::fmt::Debug for Path {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Path")
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Transmit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Transmit")
            .field("protocol", &self.path.protocol)
            .field("len", &self.payload.len())
            .finish_non_exhaustive()
    }
}
