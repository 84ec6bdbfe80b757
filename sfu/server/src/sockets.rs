//! The UDP sockets of media, one for each address.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::error::StartError;
use crate::limits::{FREE_PORT_TRIES, MEDIA_ADDRESSES_MAX, SOCKET_BUFFER};

/// One socket and the address that it is bound to.
#[derive(Debug)]
pub(crate) struct MediaSocket {
    pub(crate) socket: mio::net::UdpSocket,
    pub(crate) local: SocketAddr,
    /// Whether there may be more to read.
    pub(crate) is_readable: bool,
}

/// Binds every address to the same port; port 0 takes one that is free on all of them.
pub(crate) fn bind(addresses: &[IpAddr], port: u16) -> Result<Vec<MediaSocket>, StartError> {
    if addresses.is_empty() {
        return Err(StartError::NoMediaAddress);
    }
    if addresses.len() > MEDIA_ADDRESSES_MAX {
        return Err(StartError::TooManyMediaAddresses(addresses.len()));
    }
    if let Some(address) = addresses
        .iter()
        .find(|address| address.is_unspecified() || address.is_multicast())
    {
        return Err(StartError::AddressUnspecified(*address));
    }
    if port != 0 {
        return bind_all(addresses, port);
    }
    let mut outcome = bind_all(addresses, 0);
    for _ in 1..FREE_PORT_TRIES {
        match outcome {
            Err(StartError::PortInUse(_)) => outcome = bind_all(addresses, 0),
            _ => break,
        }
    }
    outcome
}

/// Whether these addresses can be offered as TCP candidates.
pub(crate) fn check_tcp(addresses: &[SocketAddr]) -> Result<(), StartError> {
    if addresses.len() > MEDIA_ADDRESSES_MAX {
        return Err(StartError::TooManyMediaAddresses(addresses.len()));
    }
    let is_of_no_interface = |address: &&SocketAddr| {
        address.port() == 0 || address.ip().is_unspecified() || address.ip().is_multicast()
    };
    match addresses.iter().find(is_of_no_interface) {
        Some(address) => Err(StartError::AddressUnspecified(address.ip())),
        None => Ok(()),
    }
}

/// With port 0 the first address chooses for the others.
fn bind_all(addresses: &[IpAddr], mut port: u16) -> Result<Vec<MediaSocket>, StartError> {
    let mut sockets = Vec::new();
    for ip in addresses {
        let address = SocketAddr::new(*ip, port);
        let socket = bind_one(address).map_err(|source| StartError::bind(address, source))?;
        port = socket.local.port();
        sockets.push(socket);
    }
    Ok(sockets)
}

fn bind_one(address: SocketAddr) -> io::Result<MediaSocket> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    let options = socket2::SockRef::from(&socket);
    // The kernel clamps what it does not want to give; less only means earlier drops.
    let _ = options.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = options.set_send_buffer_size(SOCKET_BUFFER);
    let local = socket.local_addr()?;
    Ok(MediaSocket {
        socket: mio::net::UdpSocket::from_std(socket),
        local,
        is_readable: true,
    })
}
