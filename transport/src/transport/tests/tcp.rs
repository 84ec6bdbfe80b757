//! Paths over TCP, moves from one path to another, and consent.

use super::*;
use crate::limits::CONSENT_TIMEOUT;
use crate::path::Protocol;

const SERVER_TCP: &str = "10.0.0.1:8080";
const CLIENT_TCP: &str = "10.0.0.2:40001";

#[test]
fn a_client_without_udp_connects_over_tcp() {
    let mut world = over(&[Protocol::Tcp]);
    world.connect();
    assert_eq!(world.client.destination(), Some(tcp()));
    assert_eq!(world.server.destination(), Some(tcp().reversed()));
    media_moves(&mut world, tcp(), 0);
    assert!(
        world
            .delivered
            .iter()
            .all(|(_, transmit)| transmit.path.protocol == Protocol::Tcp),
        "an answer takes the road of its question"
    );
    world.run(Duration::from_secs(60));
    assert!(world.server.is_connected() && world.client.is_connected());
}

#[test]
fn a_client_with_both_uses_udp() {
    let mut world = over(&[Protocol::Udp, Protocol::Tcp]);
    world.connect();
    world.run(Duration::from_secs(5));
    assert_eq!(world.client.destination(), Some(usual_path()));
    media_moves(&mut world, usual_path(), 0);
    assert_eq!(world.server.destination(), Some(usual_path().reversed()));
}

#[test]
fn a_client_whose_udp_dies_moves_to_tcp() {
    let mut world = over(&[Protocol::Udp, Protocol::Tcp]);
    world.connect();
    world.run(Duration::from_secs(5));
    media_moves(&mut world, usual_path(), 0);
    world.network(|_, transmit, _| match transmit.path.protocol {
        Protocol::Udp => Fate::IsLost,
        Protocol::Tcp => SOON,
    });
    world.run(Duration::from_secs(40));
    assert_eq!(world.client.destination(), Some(tcp()));
    assert_eq!(
        world.server.destination(),
        None,
        "consent over UDP has ended, and over TCP there was no proof yet"
    );
    media_moves(&mut world, tcp(), 1);
    assert_eq!(world.server.destination(), Some(tcp().reversed()));
    assert!(!world.server.is_closed() && !world.client.is_closed());
}

#[test]
fn a_closed_connection_ends_media_there_and_another_proven_path_takes_over() {
    let mut world = over(&[Protocol::Udp, Protocol::Tcp]);
    world.connect();
    world.run(Duration::from_secs(5));
    // The client speaks over both, as one does that is moving.
    media_moves(&mut world, usual_path(), 0);
    media_moves(&mut world, tcp(), 1);
    let nomination = Transmit {
        path: tcp(),
        ..nomination(&world)
    };
    assert!(world.deliver(Side::Server, &nomination).is_ok());
    media_moves(&mut world, tcp(), 2);
    assert_eq!(world.server.destination(), Some(tcp().reversed()));
    let now = world.now;
    world.server.handle_closed_path(tcp().reversed(), now);
    assert_eq!(world.server.destination(), Some(usual_path().reversed()));
    assert!(!world.server.has_path(tcp().reversed()));
    let late = Transmit {
        path: tcp(),
        ..sealed_by_client(&mut world, 3)
    };
    assert_eq!(
        world.deliver(Side::Server, &late),
        Err(TransportError::MediaFromUnvalidatedPath)
    );
}

#[test]
fn a_client_that_lost_its_only_connection_comes_back_over_another_with_the_same_keys() {
    let mut world = over(&[Protocol::Tcp]);
    world.connect();
    media_moves(&mut world, tcp(), 0);
    let now = world.now;
    world.server.handle_closed_path(tcp().reversed(), now);
    assert_eq!(world.server.destination(), None);
    assert!(!world.server.is_closed(), "the peer still consents");
    let again = Path::tcp(address("10.0.0.2:40002"), address(SERVER_TCP));
    let nomination = Transmit {
        path: again,
        ..nomination(&world)
    };
    assert!(world.deliver(Side::Server, &nomination).is_ok());
    assert_eq!(
        world.server.destination(),
        None,
        "a check can be repeated by anybody"
    );
    media_moves(&mut world, again, 1);
    assert_eq!(world.server.destination(), Some(again.reversed()));
}

#[test]
fn a_client_that_lost_its_only_connection_for_good_is_closed_when_its_consent_ends() {
    let mut world = over(&[Protocol::Tcp]);
    world.connect();
    let now = world.now;
    world.server.handle_closed_path(tcp().reversed(), now);
    world.client.handle_closed_path(tcp(), now);
    world.network(|_, _, _| Fate::IsLost);
    world.run(CONSENT_TIMEOUT + Duration::from_secs(4));
    assert_eq!(
        world.server_events[1..],
        [TransportEvent::Closed(CloseReason::IceTimeout)]
    );
}

#[test]
fn the_same_addresses_over_another_protocol_are_another_path() {
    let mut world = over(&[Protocol::Udp]);
    world.connect();
    let over_tcp = Path::tcp(usual_path().local, usual_path().remote);
    let packet = sealed_by_client(&mut world, 0);
    let moved = Transmit {
        path: over_tcp,
        ..packet.clone()
    };
    assert_eq!(
        world.deliver(Side::Server, &moved),
        Err(TransportError::MediaFromUnvalidatedPath)
    );
    assert!(world.deliver(Side::Server, &packet).is_ok());
    let check = Transmit {
        path: over_tcp,
        ..nomination(&world)
    };
    let mut without_tcp = World::new();
    without_tcp.connect();
    let check_there = Transmit {
        path: over_tcp,
        ..nomination(&without_tcp)
    };
    assert_eq!(
        without_tcp.deliver(Side::Server, &check_there),
        Err(TransportError::StunRefused),
        "this server takes no TCP"
    );
    assert!(world.deliver(Side::Server, &check).is_ok());
}

#[test]
fn media_ends_with_consent_and_the_transport_soon_after() {
    let mut world = World::new();
    world.connect();
    world.run(Duration::from_secs(5));
    world.network(|side, _, _| match side {
        Side::Server => Fate::IsLost,
        Side::Client => SOON,
    });
    let last = world.now;
    world.run(Duration::from_secs(9));
    assert!(world.server.destination().is_some());
    world.run(Duration::from_secs(10));
    let ended = world.server_events.get(1).copied();
    assert_eq!(world.server.destination(), None);
    assert_eq!(ended, Some(TransportEvent::Closed(CloseReason::IceTimeout)));
    assert!(world.now - last <= CONSENT_TIMEOUT + Duration::from_secs(4));
}

#[test]
fn media_alone_is_no_consent() {
    let mut world = World::new();
    world.connect();
    world.network(|side, transmit, _| {
        if side == Side::Server && classify(&transmit.payload) == DatagramKind::Stun {
            Fate::IsLost
        } else {
            SOON
        }
    });
    for round in 0..19 {
        world.run(Duration::from_secs(1));
        let packet = sealed_by_client(&mut world, round);
        let _ = world.deliver(Side::Server, &packet);
    }
    assert!(world.server.is_closed());
}

#[test]
fn a_path_on_which_no_check_comes_makes_room_and_the_number_ever_met_is_bounded() {
    let mut world = World::new();
    world.connect();
    let mut met = 1;
    let mut outcome = Ok(Received::Nothing);
    while outcome.is_ok() {
        world.run(CONSENT_TIMEOUT);
        let check = world.delivered_to(Side::Server, DatagramKind::Stun)[0].clone();
        for _ in 1..limits::PATHS_MAX {
            met += 1;
            let mut check = check.clone();
            check.path.local = SocketAddr::from(([10, 1, 0, 1], met));
            outcome = world.deliver(Side::Server, &check);
            if outcome.is_err() {
                break;
            }
        }
    }
    assert_eq!(outcome, Err(TransportError::TooManyPaths));
    assert_eq!(usize::from(met), limits::PATHS_MET_MAX + 1);
    exchange_media(&mut world, 0);
}

/// A server that takes UDP and TCP, and a client that uses these.
fn over(protocols: &[Protocol]) -> World {
    World::with(|server, client| {
        server.local_tcp_addresses = vec![address(SERVER_TCP)];
        if protocols.contains(&Protocol::Tcp) {
            client.local_tcp_addresses = vec![address(CLIENT_TCP)];
            client.remote_tcp_addresses = vec![address(SERVER_TCP)];
        }
        if !protocols.contains(&Protocol::Udp) {
            client.local_addresses.clear();
            client.remote_addresses.clear();
        }
    })
}

/// The connection, as the client sees it.
fn tcp() -> Path {
    Path::tcp(address(CLIENT_TCP), address(SERVER_TCP))
}

/// A packet of the client arrives over this path.
fn media_moves(world: &mut World, path: Path, round: u16) {
    let packet = Transmit {
        path,
        ..sealed_by_client(world, round)
    };
    assert_eq!(
        world.deliver(Side::Server, &packet),
        Ok(Received::Rtp { len: 32 })
    );
}

/// A check by which the client chose a path.
fn nomination(world: &World) -> Transmit {
    let is_nomination = |transmit: &Transmit| {
        is::stun::StunMessage::parse(&transmit.payload)
            .is_ok_and(|message| message.is_binding_request() && message.use_candidate())
    };
    let mut checks = world.delivered_to(Side::Server, DatagramKind::Stun);
    checks.retain(is_nomination);
    checks.pop().unwrap()
}
