//! Real ICE and DTLS against the core, in memory and in virtual time.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use common::{Lab, server};
use sfu_core::limits::PATH_QUIET;
use sfu_core::{Command, DropReason, Event, PeerClosedReason, PeerId};
use transport::limits::CONSENT_TIMEOUT;
use transport::{Certificate, Path, Protocol, Role, Transport, TransportConfig};

#[test]
fn a_browser_connects_and_an_idle_one_wakes_the_core_seldom() {
    let mut lab = Lab::new(1);
    let mut client = Client::new(&mut lab, 1, address(1));
    client.run(&mut lab, Duration::from_secs(2));
    assert_eq!(lab.events(), [Event::PeerConnected { peer: PeerId(1) }]);
    assert_eq!(lab.sfu.stats().peers_connected, 1);
    let wakes = client.run(&mut lab, Duration::from_secs(10));
    assert!(wakes < 500, "{wakes} deadlines in 10 s");
}

#[test]
fn a_browser_connects_over_tcp_and_is_told_that_it_was_removed() {
    let mut lab = Lab::new(1);
    let mut client = Client::over_tcp(&mut lab, 1, address(1));
    assert!(!lab.sfu.is_known_tcp(server(), address(1)));
    client.run(&mut lab, Duration::from_secs(2));
    assert_eq!(lab.events(), [Event::PeerConnected { peer: PeerId(1) }]);
    assert!(lab.sfu.is_known_tcp(server(), address(1)));
    assert!(!lab.sfu.is_known_tcp(server(), address(2)));
    lab.sfu
        .handle_command(Command::RemovePeer { peer: PeerId(1) }, lab.now);
    assert!(!lab.sfu.is_known_tcp(server(), address(1)));
    client.carry(&mut lab);
    assert!(client.transport.is_closed(), "close_notify came");
    assert_eq!(lab.events(), []);
}

#[test]
fn a_browser_whose_only_connection_is_closed_is_closed_when_its_consent_ends() {
    let mut lab = Lab::new(1);
    let mut client = Client::over_tcp(&mut lab, 1, address(1));
    client.run(&mut lab, Duration::from_secs(2));
    lab.events();
    lab.sfu.handle_tcp_closed(server(), address(1), lab.now);
    lab.sfu.handle_tcp_closed(server(), address(1), lab.now);
    assert!(!lab.sfu.is_known_tcp(server(), address(1)));
    assert_eq!((lab.events(), lab.sfu.peer_count()), (vec![], 1));
    let until = lab.now + CONSENT_TIMEOUT + Duration::from_secs(4);
    while let Some(at) = lab.sfu.poll_timeout().filter(|at| *at <= until) {
        lab.now = lab.now.max(at) + Duration::from_millis(1);
        lab.sfu.handle_timeout(lab.now);
        assert!(lab.sfu.poll_transmit().is_none(), "there is nowhere to send to");
    }
    let reason = PeerClosedReason::IceTimeout;
    assert_eq!(
        lab.events(),
        [Event::PeerClosed {
            peer: PeerId(1),
            reason
        }]
    );
}

#[test]
fn a_browser_that_falls_silent_is_closed() {
    let mut lab = Lab::new(1);
    let mut client = Client::new(&mut lab, 1, address(1));
    client.run(&mut lab, Duration::from_secs(2));
    lab.events();
    // Nobody reads what is sent from here on.
    for _ in 0..120 {
        lab.now += Duration::from_millis(500);
        lab.sfu.handle_timeout(lab.now);
        while lab.sfu.poll_transmit().is_some() {}
    }
    let reason = PeerClosedReason::IceTimeout;
    assert_eq!(
        lab.events(),
        [Event::PeerClosed {
            peer: PeerId(1),
            reason
        }]
    );
    assert_eq!((lab.sfu.peer_count(), lab.sfu.poll_timeout()), (0, None));
}

#[test]
fn a_browser_that_says_goodbye_is_closed() {
    let mut lab = Lab::new(1);
    let mut client = Client::new(&mut lab, 1, address(1));
    client.run(&mut lab, Duration::from_secs(2));
    lab.events();
    client.transport.close();
    client.run(&mut lab, Duration::from_millis(100));
    let reason = PeerClosedReason::ClosedByPeer;
    assert_eq!(
        lab.events(),
        [Event::PeerClosed {
            peer: PeerId(1),
            reason
        }]
    );
}

#[test]
fn forged_records_on_a_proven_path_do_not_end_the_session() {
    let mut lab = Lab::new(1);
    let mut client = Client::new(&mut lab, 1, address(1));
    client.run(&mut lab, Duration::from_secs(2));
    lab.events();
    for content_type in 20..=25 {
        for epoch in [0, 1] {
            for len in [0_u8, 1, 2, 40] {
                let mut record = vec![content_type, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 9, len, 0, len];
                record.extend((0..len).map(|byte| byte.wrapping_mul(31)));
                let path = Path::udp(server(), client.address);
                lab.sfu.handle_datagram(path, &mut record, lab.now);
            }
        }
    }
    client.run(&mut lab, Duration::from_secs(1));
    assert_eq!(lab.events(), []);
    assert_eq!(lab.sfu.peer_count(), 1);
}

#[test]
fn another_certificate_than_announced_is_a_mismatch() {
    let mut lab = Lab::new(1);
    let mut client = Client::announcing(&mut lab, 1, address(1), [9; 32]);
    client.run(&mut lab, Duration::from_secs(2));
    let reason = PeerClosedReason::FingerprintMismatch;
    assert_eq!(
        lab.events(),
        [Event::PeerClosed {
            peer: PeerId(1),
            reason
        }]
    );
    assert!(!client.transport.is_connected() || lab.sfu.peer_count() == 0);
}

#[test]
fn a_living_peer_keeps_its_address_and_a_silent_one_loses_it() {
    let mut lab = Lab::new(1);
    let mut first = Client::new(&mut lab, 1, address(1));
    first.run(&mut lab, Duration::from_secs(2));
    let mut second = Client::new(&mut lab, 2, address(1));
    second.run(&mut lab, Duration::from_millis(500));
    assert!(lab.sfu.stats().dropped(DropReason::AddressTaken) > 0);
    assert_eq!(lab.events(), [Event::PeerConnected { peer: PeerId(1) }]);
    // The handshake's own repetitions are up to 8 s apart by then.
    second.run(&mut lab, PATH_QUIET + Duration::from_secs(20));
    assert!(lab.events().contains(&Event::PeerConnected { peer: PeerId(2) }));
}

/// A browser's end.
struct Client {
    transport: Transport,
    address: SocketAddr,
}

impl Client {
    /// Over TCP alone, from the given port.
    fn over_tcp(lab: &mut Lab, number: u64, address: SocketAddr) -> Self {
        let certificate = Arc::new(Certificate::generate().unwrap());
        let fingerprint = certificate.fingerprint();
        Self::with(lab, number, address, certificate, fingerprint, Protocol::Tcp)
    }

    fn new(lab: &mut Lab, number: u64, address: SocketAddr) -> Self {
        let certificate = Arc::new(Certificate::generate().unwrap());
        let fingerprint = certificate.fingerprint();
        Self::with(lab, number, address, certificate, fingerprint, Protocol::Udp)
    }

    /// With another fingerprint in its answer than its certificate has.
    fn announcing(lab: &mut Lab, number: u64, address: SocketAddr, fingerprint: [u8; 32]) -> Self {
        let certificate = Arc::new(Certificate::generate().unwrap());
        Self::with(lab, number, address, certificate, fingerprint, Protocol::Udp)
    }

    fn with(
        lab: &mut Lab,
        number: u64,
        address: SocketAddr,
        certificate: Arc<Certificate>,
        fingerprint: [u8; 32],
        protocol: Protocol,
    ) -> Self {
        let only = |wanted, address| if protocol == wanted { vec![address] } else { vec![] };
        let mut connection = common::connection(number);
        connection.remote_fingerprint = fingerprint;
        let config = TransportConfig {
            role: Role::Client,
            local_ice: connection.remote_ice.clone(),
            remote_ice: connection.local_ice.clone(),
            remote_fingerprint: common::certificate().fingerprint(),
            certificate,
            local_addresses: only(Protocol::Udp, address),
            local_tcp_addresses: only(Protocol::Tcp, address),
            remote_addresses: only(Protocol::Udp, server()),
            remote_tcp_addresses: only(Protocol::Tcp, server()),
        };
        let transport = Transport::new(config, lab.now).unwrap();
        lab.sfu.handle_command(
            Command::AddPeer {
                peer: PeerId(number),
                connection: Box::new(connection),
            },
            lab.now,
        );
        Self { transport, address }
    }

    /// Carries datagrams both ways for this long, and counts the deadlines of the core.
    fn run(&mut self, lab: &mut Lab, time: Duration) -> u32 {
        let until = lab.now + time;
        let mut wakes = 0;
        while lab.now < until {
            self.carry(lab);
            if lab.sfu.poll_timeout().is_some_and(|at| at <= lab.now) {
                lab.sfu.handle_timeout(lab.now);
                wakes += 1;
            }
            if self.transport.poll_timeout().is_some_and(|at| at <= lab.now) {
                self.transport.handle_timeout(lab.now);
            }
            lab.now += Duration::from_millis(2);
        }
        wakes
    }

    fn carry(&mut self, lab: &mut Lab) {
        while let Some(mut transmit) = self.transport.poll_transmit() {
            let path = transmit.path.reversed();
            lab.sfu.handle_datagram(path, &mut transmit.payload, lab.now);
        }
        while let Some(transmit) = lab.sfu.poll_transmit() {
            let (path, mut datagram) = (transmit.path.reversed(), transmit.bytes.to_vec());
            // An error is the transport's own to count.
            let _ = self.transport.handle_datagram(path, &mut datagram, lab.now);
        }
        while self.transport.poll_event().is_some() {}
    }
}

fn address(host: u8) -> SocketAddr {
    ([10, 0, 2, host], 5_000).into()
}
