//! Why the server could not start, in words for the operator.

use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::limits::MEDIA_ADDRESSES_MAX;

/// Why the server could not start. Each message names the setting and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The list of media addresses is empty.
    #[error("there is no address for media: name one with --media-address")]
    NoMediaAddress,
    /// The list of media addresses is too long.
    #[error("--media-address is given {0} times: {MEDIA_ADDRESSES_MAX} is the most")]
    TooManyMediaAddresses(usize),
    /// An address that stands for no interface.
    #[error(
        "--media-address {0} names no single interface: give the address that browsers shall reach, \
         for example 127.0.0.1"
    )]
    AddressUnspecified(IpAddr),
    /// Another process has the port.
    #[error(
        "UDP port {} of {} is in use: stop the process that has it, or choose another with --port \
         (--port 0 takes a free one)",
        .0.port(), .0.ip()
    )]
    PortInUse(SocketAddr),
    /// The address does not belong to this machine.
    #[error(
        "--media-address {0} is not an address of this machine: `ip address` lists them; behind a NAT give \
         the inner address"
    )]
    AddressNotHere(IpAddr),
    /// Ports below 1,024 need a privilege.
    #[error(
        "UDP port {0} needs a privilege: choose one from 1024 up with --port, or give the process \
         CAP_NET_BIND_SERVICE"
    )]
    PortPrivileged(u16),
    /// The socket could not be made for another reason.
    #[error("no UDP socket on {address} (--media-address, --port): {source}")]
    Socket {
        /// Where.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system gave no epoll, no thread or no randomness.
    #[error("the operating system refused {what}: {source}; raise the limits of the process (`ulimit -a`)")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// The certificate could not be made.
    #[error("the certificate for DTLS could not be made: the operating system gives no randomness")]
    Certificate(#[from] transport::CertificateError),
}

impl StartError {
    /// Why a socket could not be bound.
    pub(crate) fn bind(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::PortInUse(address),
            io::ErrorKind::AddrNotAvailable => Self::AddressNotHere(address.ip()),
            io::ErrorKind::PermissionDenied if address.port() < 1_024 => Self::PortPrivileged(address.port()),
            _ => Self::Socket { address, source },
        }
    }
}
