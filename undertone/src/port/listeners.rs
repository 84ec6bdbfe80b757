//! The TCP sockets of one port number.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use super::connection::AddressUse;
use crate::error::{Purpose, StartError};
use crate::limits::BACKLOG;

/// An address to listen on, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    address: IpAddr,
    address_use: AddressUse,
    purpose: Purpose,
}

/// Sockets that share one port.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(super) sockets: Vec<(TcpListener, AddressUse)>,
    port: u16,
}

impl Place {
    /// The metrics listener.
    pub(crate) fn metrics(address: IpAddr) -> Self {
        Self {
            address,
            address_use: AddressUse::Everything,
            purpose: Purpose::Metrics,
        }
    }

    /// The addresses of the page, and then those of media that are not among them.
    pub(crate) fn of_port(http: &[IpAddr], media: &[IpAddr]) -> Vec<Self> {
        let pages = http.iter().map(|address| Self {
            address: *address,
            address_use: AddressUse::Everything,
            purpose: Purpose::Http,
        });
        let media = media
            .iter()
            .filter(|address| !is_covered(**address, http))
            .map(|address| Self {
                address: *address,
                address_use: AddressUse::Media,
                purpose: Purpose::Media,
            });
        pages.chain(media).collect()
    }
}

/// Whether a socket on one of `addresses` takes what comes to `address` too.
fn is_covered(address: IpAddr, addresses: &[IpAddr]) -> bool {
    let covers = |other: &IpAddr| {
        *other == address || (other.is_unspecified() && other.is_ipv4() == address.is_ipv4())
    };
    addresses.iter().any(covers)
}

impl Listeners {
    /// Binds `port` in each of `places`; port 0 takes one that the first has free.
    ///
    /// A machine without IPv6 has no `::1` and no `::`: they are left out when there is another address.
    pub(crate) fn bind(places: &[Place], port: u16) -> Result<Self, StartError> {
        let mut listeners = Self {
            sockets: Vec::new(),
            port,
        };
        for place in places {
            let address = SocketAddr::new(place.address, listeners.port);
            match listen(address) {
                Ok(socket) => {
                    if listeners.port == 0 {
                        listeners.port = socket.local_addr().map_or(0, |address| address.port());
                    }
                    listeners.sockets.push((socket, place.address_use));
                }
                Err(error) if !listeners.sockets.is_empty() && is_missing_ipv6(address.ip(), &error) => {
                    tracing::info!("this machine has no IPv6; serving IPv4 only");
                }
                Err(error) => return Err(StartError::binding(place.purpose, address, error)),
            }
        }
        Ok(listeners)
    }

    /// The port, which is never 0.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// A listening socket. One of IPv6 takes IPv6 alone, so that both families can be bound whatever the machine's
/// default is, and IPv4 peers have IPv4 addresses.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restarted server does not wait until old connections are forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn is_missing_ipv6(address: IpAddr, error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::AddrNotAvailable, io::ErrorKind::Unsupported];
    // Linux without IPv6 answers EAFNOSUPPORT (97), for which the standard library has no name.
    address.is_ipv6()
        && (address.is_loopback() || address.is_unspecified())
        && (kinds.contains(&error.kind()) || error.raw_os_error() == Some(97))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn port_0_becomes_a_real_port_for_all_addresses() {
        let places = Place::of_port(
            &[LOOPBACK, IpAddr::V6(Ipv6Addr::LOCALHOST)],
            &[IpAddr::from([127, 0, 0, 2])],
        );
        let listeners = Listeners::bind(&places, 0).expect("a free port");
        assert_ne!(listeners.port(), 0);
        let ports: Vec<u16> = listeners
            .sockets
            .iter()
            .map(|(socket, _)| socket.local_addr().expect("bound").port())
            .collect();
        assert!(ports.iter().all(|port| *port == listeners.port()));
    }

    #[tokio::test]
    async fn a_port_in_use_is_an_error_for_the_operator() {
        let places = Place::of_port(&[LOOPBACK], &[]);
        let first = Listeners::bind(&places, 0).expect("a free port");
        let error = Listeners::bind(&places, first.port()).expect_err("it is taken");
        assert!(matches!(error, StartError::PortInUse { .. }), "{error}");
    }

    #[tokio::test]
    async fn both_families_can_be_bound_on_every_address() {
        let everywhere = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        let listeners = Listeners::bind(&Place::of_port(&everywhere, &[LOOPBACK]), 0).expect("a free port");
        assert!(
            listeners
                .sockets
                .iter()
                .all(|(_, address_use)| *address_use == AddressUse::Everything)
        );
    }

    #[test]
    fn an_address_of_media_is_bound_where_no_address_of_the_page_covers_it() {
        let lan = IpAddr::from([192, 0, 2, 7]);
        let media_places = |http: &[IpAddr]| -> Vec<IpAddr> {
            let places = Place::of_port(http, &[LOOPBACK, lan]);
            let media = places
                .iter()
                .filter(|place| place.address_use == AddressUse::Media);
            media.map(|place| place.address).collect()
        };
        assert_eq!(media_places(&[LOOPBACK]), [lan]);
        assert_eq!(media_places(&[Ipv6Addr::UNSPECIFIED.into()]), [LOOPBACK, lan]);
        assert!(media_places(&[Ipv4Addr::UNSPECIFIED.into()]).is_empty());
    }

    #[test]
    fn only_a_missing_ipv6_is_forgiven() {
        let missing = io::Error::from(io::ErrorKind::AddrNotAvailable);
        assert!(is_missing_ipv6(IpAddr::V6(Ipv6Addr::LOCALHOST), &missing));
        assert!(!is_missing_ipv6(LOOPBACK, &missing));
        assert!(!is_missing_ipv6(
            "2001:db8::7".parse().expect("an address"),
            &missing
        ));
        let taken = io::Error::from(io::ErrorKind::AddrInUse);
        assert!(!is_missing_ipv6(IpAddr::V6(Ipv6Addr::LOCALHOST), &taken));
    }
}
