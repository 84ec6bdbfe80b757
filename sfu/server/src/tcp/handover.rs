//! How an accepted connection comes to the worker.

use std::io;
use std::net::{SocketAddr, TcpStream};

use crate::limits::TCP_NOTSENT_MAX;

/// A connection on its way to the worker.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

impl Accepted {
    /// Prepares a connection for the worker. Fails when it is over already.
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        // A packet that waits to be filled up is late.
        stream.set_nodelay(true)?;
        // Without it more is late in the kernel's buffer, where nothing can be dropped.
        let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(TCP_NOTSENT_MAX);
        Ok(Self {
            local: canonical(stream.local_addr()?),
            remote: canonical(stream.peer_addr()?),
            stream,
        })
    }
}

/// A socket of both families names IPv4 addresses as mapped IPv6 ones; candidates are of their own family.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

// Addresses stay out of logs, so out of debug output too.
impl std::fmt::Debug for Accepted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Accepted").finish_non_exhaustive()
    }
}
