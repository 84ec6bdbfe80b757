//! Why the server did not start, for the operator: the setting, its value and the remedy.

use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::settings::SettingError;
use crate::tls::CertificatesError;

/// What keeps the server from starting.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// Another program has the port.
    #[error(
        "Port {port} (TCP) on {address} is in use by another program.\n  \
         End that program, or choose another port: {setting} {suggestion}"
    )]
    PortInUse {
        address: IpAddr,
        port: u16,
        setting: &'static str,
        suggestion: String,
    },

    /// The address is none of this machine's.
    #[error(
        "{setting} {address}: this machine does not have that address.\n  \
         Give one that `ip address` lists, or leave the setting out."
    )]
    AddressNotAvailable { setting: &'static str, address: IpAddr },

    /// The user may not open this port.
    #[error(
        "Port {port} (TCP) may not be opened by this user.\n  \
         Ports below 1024 need the right CAP_NET_BIND_SERVICE; or choose a higher one: {setting} 8080"
    )]
    NotPermitted { port: u16, setting: &'static str },

    /// Something else about a socket.
    #[error("{setting} {address}: the TCP socket cannot be opened: {source}.")]
    Socket {
        setting: &'static str,
        address: SocketAddr,
        source: io::Error,
    },

    /// The settings themselves cannot be used.
    #[error("{0}")]
    Setting(#[from] SettingError),

    /// HTTPS cannot be served with the files that were named.
    #[error("{0}")]
    Certificates(#[from] CertificatesError),

    /// The state directory cannot be used.
    #[error("{0}")]
    State(#[from] crate::state::StateError),

    /// The media server says why, in the same manner.
    #[error("{0}.")]
    Media(#[from] sfu_server::StartError),

    /// The file of the capture cannot be made.
    #[cfg(feature = "capture")]
    #[error("UNDERTONE_CAPTURE: the file cannot be made: {0}.")]
    Capture(io::Error),

    /// Our own fault.
    #[error("The server could not be set up: {0}. This is a bug of Undertone; please report it.")]
    Internal(String),
}

/// Which setting asked for a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Http,
    /// TCP on an address that is there for media.
    Media,
    Metrics,
}

impl StartError {
    /// Names why `address` could not be bound.
    pub(crate) fn binding(purpose: Purpose, address: SocketAddr, source: io::Error) -> Self {
        let (address_setting, port_setting) = match purpose {
            Purpose::Http => ("--http-address", "--port"),
            Purpose::Media => ("--media-address", "--port"),
            Purpose::Metrics => ("--metrics-address", "--metrics-address"),
        };
        let port = address.port();
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::PortInUse {
                address: address.ip(),
                port,
                setting: port_setting,
                suggestion: suggestion(purpose, address),
            },
            io::ErrorKind::AddrNotAvailable => Self::AddressNotAvailable {
                setting: address_setting,
                address: address.ip(),
            },
            io::ErrorKind::PermissionDenied => Self::NotPermitted {
                port,
                setting: port_setting,
            },
            _ => Self::Socket {
                setting: address_setting,
                address,
                source,
            },
        }
    }
}

/// A value of the same setting that is likely to work.
fn suggestion(purpose: Purpose, address: SocketAddr) -> String {
    let port = address.port().checked_add(1_000).unwrap_or(0);
    match purpose {
        Purpose::Http | Purpose::Media => port.to_string(),
        Purpose::Metrics => SocketAddr::new(address.ip(), port).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(purpose: Purpose, address: &str, kind: io::ErrorKind) -> String {
        StartError::binding(purpose, address.parse().expect("an address"), kind.into()).to_string()
    }

    #[test]
    fn a_port_in_use_names_the_setting_the_value_and_another_one() {
        let words = words(Purpose::Http, "127.0.0.1:8080", io::ErrorKind::AddrInUse);
        for part in ["Port 8080", "TCP", "127.0.0.1", "--port 9080"] {
            assert!(words.contains(part), "{words}");
        }
    }

    #[test]
    fn a_metrics_port_in_use_names_its_own_setting() {
        let words = words(Purpose::Metrics, "127.0.0.1:8081", io::ErrorKind::AddrInUse);
        assert!(words.contains("--metrics-address 127.0.0.1:9081"), "{words}");
    }

    #[test]
    fn a_foreign_address_and_a_forbidden_port_are_explained() {
        let foreign = words(Purpose::Http, "192.0.2.7:8080", io::ErrorKind::AddrNotAvailable);
        assert!(
            foreign.contains("--http-address 192.0.2.7") && foreign.contains("ip address"),
            "{foreign}"
        );
        let media = words(Purpose::Media, "192.0.2.7:8080", io::ErrorKind::AddrNotAvailable);
        assert!(media.contains("--media-address 192.0.2.7"), "{media}");
        let forbidden = words(Purpose::Http, "127.0.0.1:80", io::ErrorKind::PermissionDenied);
        assert!(forbidden.contains("CAP_NET_BIND_SERVICE"), "{forbidden}");
    }
}
