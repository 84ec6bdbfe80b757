//! Which addresses media is offered on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// An address of TEST-NET-1 (RFC 5737), which nobody has. Connecting a UDP socket to it sends nothing, but makes
/// the kernel say which of our addresses it would send from.
const SOMEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

/// The addresses asked for, or else loopback and the address of the default route's interface.
///
/// Loopback alone would not do: Firefox never pairs with 127.0.0.1.
pub(crate) fn media(wanted: &[IpAddr]) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    let defaults = || std::iter::once(IpAddr::V4(Ipv4Addr::LOCALHOST)).chain(default_route());
    let candidates: Vec<IpAddr> = if wanted.is_empty() {
        defaults().collect()
    } else {
        wanted.to_vec()
    };
    for address in candidates {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

/// Our address on the default route's interface; none without a default route.
fn default_route() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(SOMEWHERE).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_replaces_the_defaults_and_is_taken_once() {
        let address = IpAddr::from([192, 0, 2, 5]);
        assert_eq!(media(&[address, address]), [address]);
    }

    #[test]
    fn loopback_is_first_by_default_and_never_twice() {
        let addresses = media(&[]);
        assert_eq!(addresses[0], IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert!(addresses.len() <= 2 && addresses.iter().skip(1).all(|address| !address.is_unspecified()));
    }
}
