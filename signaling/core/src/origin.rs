//! Who is at the other end of a connection, as far as counting failures needs to know.

use std::fmt;
use std::net::IpAddr;

/// An IPv4 address, or the /64 network of an IPv6 address, because one household has a whole /64.
///
/// It is never shown: `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin([u8; 8]);

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        let mut key = [0; 8];
        match address.to_canonical() {
            // No IPv6 network that is in use starts with 32 zero bits, so the two never meet.
            IpAddr::V4(address) => key[4..].copy_from_slice(&address.octets()),
            IpAddr::V6(address) => key.copy_from_slice(&address.octets()[..8]),
        }
        Self(key)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Origin([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_origin() {
        assert_eq!(origin("2001:db8:1:2::1"), origin("2001:db8:1:2:ffff::9"));
        assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
    }

    #[test]
    fn every_ipv4_address_is_its_own_origin_in_both_notations() {
        assert_ne!(origin("192.0.2.1"), origin("192.0.2.2"));
        assert_eq!(origin("192.0.2.1"), origin("::ffff:192.0.2.1"));
    }

    #[test]
    fn an_origin_is_not_shown() {
        assert_eq!(format!("{:?}", origin("192.0.2.1")), "Origin([redacted])");
    }
}
