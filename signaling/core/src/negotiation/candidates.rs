//! Where media is taken, as ICE candidates: UDP in every offer, TCP beside it for pages that need it.

use std::fmt::Write as _;
use std::net::SocketAddr;

use protocol::sfu::SfuInfo;

use crate::limits::TCP_CANDIDATES_MAX;

/// Type preference of our UDP candidates. Source: RFC 8445 section 5.1.2.1, host candidates.
const UDP_TYPE_PREFERENCE: u32 = 126;

/// Type preference of our TCP candidates. Source: RFC 6544 section 4.2 wants it below that of UDP; 90 is what
/// libwebrtc gives to host candidates over TCP.
const TCP_TYPE_PREFERENCE: u32 = 90;

/// Direction preference of a passive host candidate, in the upper 3 bits of the local preference.
/// Source: RFC 6544 section 4.2.
const PASSIVE_DIRECTION_PREFERENCE: u16 = 4;

/// Both are components 1: RTP and RTCP share it. Source: RFC 8445 section 5.1.2.
const COMPONENT: u32 = 1;

/// Writes the candidates over UDP; the first address gets the highest priority.
///
/// Where there are candidates over TCP a page may be given them later, so nothing says that these were all: the
/// session says `a=ice-options:trickle` instead. Source: RFC 8839 section 5.1, RFC 8840 section 4.1.
pub(super) fn write(sfu: &SfuInfo, out: &mut String) -> std::fmt::Result {
    for (preference, candidate) in (0..=u16::MAX).rev().zip(&sfu.candidates) {
        let number = u16::MAX - preference + 1;
        let priority = priority(UDP_TYPE_PREFERENCE, preference);
        let (ip, port) = (candidate.ip(), candidate.port());
        write!(
            out,
            "a=candidate:{number} {COMPONENT} udp {priority} {ip} {port} typ host\r\n"
        )?;
    }
    if sfu.tcp_candidates.is_empty() {
        out.push_str("a=end-of-candidates\r\n");
    }
    Ok(())
}

/// The candidates over TCP, in the form that `addIceCandidate` takes; the first address gets the highest priority.
///
/// Source: RFC 6544 section 4.5. Foundations go on where those of UDP end, because another protocol is another
/// foundation (RFC 8445 section 5.1.1.3).
pub fn tcp(sfu: &SfuInfo) -> Vec<String> {
    let first = sfu.candidates.len() + 1;
    let last_preference = (PASSIVE_DIRECTION_PREFERENCE << 13) | 0x1FFF;
    let preferences = (0..=last_preference).rev();
    let addresses = sfu.tcp_candidates.iter().take(TCP_CANDIDATES_MAX);
    (first..)
        .zip(preferences.zip(addresses))
        .map(|(number, (preference, address))| attribute(number, preference, *address))
        .collect()
}

fn attribute(number: usize, preference: u16, address: SocketAddr) -> String {
    let priority = priority(TCP_TYPE_PREFERENCE, preference);
    let (ip, port) = (address.ip(), address.port());
    format!("candidate:{number} {COMPONENT} tcp {priority} {ip} {port} typ host tcptype passive")
}

/// Source: RFC 8445 section 5.1.2.1.
fn priority(type_preference: u32, local_preference: u16) -> u32 {
    (type_preference << 24) | (u32::from(local_preference) << 8) | (256 - COMPONENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sfu(tcp: usize) -> SfuInfo {
        let address: SocketAddr = "192.0.2.1:8080".parse().unwrap();
        SfuInfo {
            fingerprint: [0; 32],
            candidates: vec![address],
            tcp_candidates: vec![address; tcp],
        }
    }

    #[test]
    fn a_candidate_over_tcp_is_passive_and_less_wanted_than_one_over_udp() {
        let mut udp = String::new();
        write(&sfu(1), &mut udp).unwrap();
        assert_eq!(udp, "a=candidate:1 1 udp 2130706431 192.0.2.1 8080 typ host\r\n");
        assert_eq!(
            tcp(&sfu(2)),
            [
                "candidate:2 1 tcp 1520435199 192.0.2.1 8080 typ host tcptype passive",
                "candidate:3 1 tcp 1520434943 192.0.2.1 8080 typ host tcptype passive",
            ]
        );
    }

    #[test]
    fn without_tcp_the_candidates_of_the_offer_are_all() {
        let mut udp = String::new();
        write(&sfu(0), &mut udp).unwrap();
        assert!(udp.ends_with("a=end-of-candidates\r\n"));
        assert!(tcp(&sfu(0)).is_empty());
    }

    #[test]
    fn the_list_for_tcp_is_bounded() {
        assert_eq!(tcp(&sfu(1_000)).len(), TCP_CANDIDATES_MAX);
    }
}
