//! TCP sockets, and serving routes on them until the server stops.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::error::{Purpose, StartError};

/// How long answers that have begun may take once the server stops. Pages are small and on a good line; a
/// service manager waits 10 seconds or more before it kills.
const DRAIN_TIME: Duration = Duration::from_secs(3);

/// Sockets that share one port.
#[derive(Debug)]
pub(crate) struct Listeners {
    sockets: Vec<TcpListener>,
    port: u16,
}

impl Listeners {
    /// Binds `port` on each of `addresses`; port 0 takes one that the first address has free.
    ///
    /// A machine without IPv6 has no `::1`: that address is left out when there is another one.
    pub(crate) async fn bind(purpose: Purpose, addresses: &[IpAddr], port: u16) -> Result<Self, StartError> {
        let mut listeners = Self {
            sockets: Vec::new(),
            port,
        };
        for &address in addresses {
            let address = SocketAddr::new(address, listeners.port);
            match TcpListener::bind(address).await {
                Ok(socket) => {
                    if listeners.port == 0 {
                        listeners.port = socket.local_addr().map_or(0, |address| address.port());
                    }
                    listeners.sockets.push(socket);
                }
                Err(error) if !listeners.sockets.is_empty() && is_missing_loopback(address.ip(), &error) => {
                    tracing::info!("this machine has no IPv6 loopback address; serving IPv4 only");
                }
                Err(error) => return Err(StartError::binding(purpose, address, error)),
            }
        }
        Ok(listeners)
    }

    /// The port, which is never 0.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Serves `routes` until `stop` says true, and then for as long as open answers take, within reason.
    pub(crate) async fn serve(self, routes: Router, stop: watch::Receiver<bool>) {
        let mut servers = JoinSet::new();
        for socket in self.sockets {
            let mut stop = stop.clone();
            // Signaling counts failures per address, so it has to be told the address.
            let service = routes.clone().into_make_service_with_connect_info::<SocketAddr>();
            let stopped = async move {
                // An error means that the one who could say it is gone, which is an end as well.
                let _ = stop.wait_for(|stop| *stop).await;
            };
            servers.spawn(
                axum::serve(socket, service)
                    .with_graceful_shutdown(stopped)
                    .into_future(),
            );
        }
        let mut stop = stop;
        let _ = stop.wait_for(|stop| *stop).await;
        let drained = async { while servers.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_TIME, drained).await.is_err() {
            tracing::info!("connections were still open when the server stopped");
        }
    }
}

fn is_missing_loopback(address: IpAddr, error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::AddrNotAvailable, io::ErrorKind::Unsupported];
    // Linux without IPv6 answers EAFNOSUPPORT (97), for which the standard library has no name.
    address.is_ipv6()
        && address.is_loopback()
        && (kinds.contains(&error.kind()) || error.raw_os_error() == Some(97))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn port_0_becomes_a_real_port_for_all_addresses() {
        let addresses = [LOOPBACK, IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let listeners = Listeners::bind(Purpose::Http, &addresses, 0)
            .await
            .expect("a free port");
        assert_ne!(listeners.port(), 0);
        let ports: Vec<u16> = listeners
            .sockets
            .iter()
            .map(|socket| socket.local_addr().expect("bound").port())
            .collect();
        assert!(ports.iter().all(|port| *port == listeners.port()));
    }

    #[tokio::test]
    async fn a_port_in_use_is_an_error_for_the_operator() {
        let first = Listeners::bind(Purpose::Http, &[LOOPBACK], 0)
            .await
            .expect("a free port");
        let error = Listeners::bind(Purpose::Http, &[LOOPBACK], first.port())
            .await
            .expect_err("it is taken");
        assert!(matches!(error, StartError::PortInUse { .. }), "{error}");
    }

    #[test]
    fn only_a_missing_ipv6_loopback_is_forgiven() {
        let missing = io::Error::from(io::ErrorKind::AddrNotAvailable);
        assert!(is_missing_loopback(IpAddr::V6(Ipv6Addr::LOCALHOST), &missing));
        assert!(!is_missing_loopback(LOOPBACK, &missing));
        let taken = io::Error::from(io::ErrorKind::AddrInUse);
        assert!(!is_missing_loopback(IpAddr::V6(Ipv6Addr::LOCALHOST), &taken));
    }
}
