//! Which servers may be loaded: those of one's own machine and of test networks, unless told otherwise.

use std::net::{IpAddr, SocketAddr};

use crate::error::MemberError;

/// A server that may be loaded.
#[derive(Debug, Clone)]
pub struct Target {
    host: String,
    port: u16,
    any_address: bool,
}

impl Target {
    /// Reads `http://host:port`. With `any_address` public addresses are allowed, too: for one's own server only.
    pub fn parse(url: &str, any_address: bool) -> Result<Self, MemberError> {
        let refuse = |reason: &str| MemberError::Target(format!("{url}: {reason}"));
        let Some(rest) = url.strip_prefix("http://") else {
            return Err(refuse("begins with something else than http://"));
        };
        let authority = rest.split('/').next().unwrap_or_default();
        // An IPv6 address stands in brackets, which a port follows behind a colon.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (
                host,
                port.parse().map_err(|_| refuse("the port is not a number"))?,
            ),
            _ => (authority, 80),
        };
        if host.is_empty() {
            return Err(refuse("has no host"));
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            any_address,
        })
    }

    /// What stands in the `Host` header.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The addresses of the server. Fails when one of them is not allowed.
    pub async fn resolve(&self) -> Result<Vec<SocketAddr>, MemberError> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, self.port)).await?.collect();
        match addresses.iter().find(|address| !self.allows(address.ip())) {
            Some(address) => Err(MemberError::Target(format!(
                "{} is a public address. Loading a server that is not yours is an attack; for your own, say \
                 --any-address.",
                address.ip()
            ))),
            None if addresses.is_empty() => Err(MemberError::Target(format!("{host} has no address"))),
            None => Ok(addresses),
        }
    }

    /// Whether media may be sent to this address, too.
    pub fn allows(&self, address: IpAddr) -> bool {
        self.any_address || is_for_tests(address)
    }
}

/// Loopback, link-local and private addresses, and those that are kept for documentation and benchmarks.
///
/// Source: RFC 6890, RFC 1918, RFC 4193, RFC 4291 section 2.5.6.
fn is_for_tests(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_documentation()
                || (first == 198 && second & 0xFE == 18)
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_and_test_addresses_are_allowed_and_public_ones_are_not() {
        let target = Target::parse("http://localhost:8080", false).unwrap();
        for allowed in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.9",
            "198.18.0.1",
            "::1",
            "fd00::1",
        ] {
            assert!(target.allows(allowed.parse().unwrap()), "{allowed}");
        }
        for public in ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(!target.allows(public.parse().unwrap()), "{public}");
        }
        let told = Target::parse("http://localhost:8080", true).unwrap();
        assert!(told.allows("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn urls_are_read_with_and_without_port_and_path() {
        for (url, authority) in [
            ("http://localhost:8080", "localhost:8080"),
            ("http://127.0.0.1/r/x", "127.0.0.1:80"),
            ("http://[::1]:9/", "[::1]:9"),
            ("http://[::1]/", "[::1]:80"),
        ] {
            assert_eq!(Target::parse(url, false).unwrap().authority(), authority);
        }
        for wrong in ["https://localhost", "localhost:8080", "http://", "http://a:b"] {
            assert!(Target::parse(wrong, false).is_err(), "{wrong}");
        }
    }
}
