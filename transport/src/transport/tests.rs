mod tcp;
mod world;

use std::time::Duration;

use proptest::prelude::*;

use self::world::{
    CLIENT_ADDRESS, Dice, Fate, SERVER_ADDRESS, Side, World, address, configurations, start_of_time,
    usual_path,
};
use super::*;
use crate::srtp::Protection;

const SOON: Fate = Fate::Arrives(Duration::from_millis(10));

#[test]
fn server_and_client_connect_with_aes_256_gcm() {
    let mut world = World::new();
    world.connect();
    let connected = TransportEvent::Connected {
        profile: SrtpProfile::AeadAes256Gcm,
    };
    assert_eq!(world.server_events, [connected]);
    assert_eq!(world.client_events, [connected]);
    assert_eq!(world.server.destination(), Some(usual_path().reversed()));
    assert_eq!(world.client.destination(), Some(usual_path()));
    assert_eq!(world.server.profile(), Some(SrtpProfile::AeadAes256Gcm));
    assert_eq!(world.server.counters().dropped(), 0);
}

#[test]
fn media_flows_both_ways_once_connected() {
    let mut world = World::new();
    world.connect();
    exchange_media(&mut world, 0);
    world.run(Duration::from_secs(60));
    assert!(
        world.server.is_connected() && world.client.is_connected(),
        "checks keep the path alive"
    );
    exchange_media(&mut world, 1);
}

#[test]
fn loss_reordering_repetition_and_garbage_are_survived() {
    for seed in 0..12 {
        let mut world = World::new();
        let mut dice = Dice::new(seed);
        // Bad for three seconds, then good: with a bad network for ever there would be seeds that never connect.
        world.network(move |_, _, since_start| {
            if since_start < Duration::from_secs(3) && dice.below(4) == 0 {
                return Fate::IsLost;
            }
            Fate::Arrives(Duration::from_millis(1 + dice.below(120)))
        });
        let mut dice = Dice::new(seed + 1_000);
        for _ in 0..20 {
            world.run(Duration::from_millis(50));
            for side in [Side::Server, Side::Client] {
                let garbage = Transmit {
                    path: [usual_path(), usual_path().reversed()][side as usize],
                    payload: (0..dice.below(80)).map(|_| dice.below(256) as u8).collect(),
                };
                // The first byte of DTLS is the one kind of garbage that could belong to the handshake.
                let _ = world.deliver(side, &garbage);
            }
            for (side, transmit) in world.delivered.clone() {
                if dice.below(10) == 0 && classify(&transmit.payload) == DatagramKind::Stun {
                    let _ = world.deliver(side, &transmit);
                }
            }
        }
        world.connect();
        exchange_media(&mut world, 0);
    }
}

#[test]
fn server_refuses_a_certificate_that_signaling_did_not_announce() {
    let mut world = World::with(|server, _| server.remote_fingerprint[31] ^= 1);
    world.run(Duration::from_secs(40));
    assert_eq!(
        world.server_events,
        [TransportEvent::Closed(CloseReason::FingerprintMismatch)]
    );
    assert!(world.server.is_closed() && !world.server.is_connected());
    assert_eq!(world.server.profile(), None);
    assert!(
        !world
            .client_events
            .iter()
            .any(|event| matches!(event, TransportEvent::Connected { .. }))
    );
    let mut buffer = [0x80; 100];
    assert_eq!(
        world.server.protect_rtp(&mut buffer, 50),
        Err(TransportError::Closed)
    );
}

#[test]
fn client_refuses_a_certificate_that_signaling_did_not_announce() {
    let mut world = World::with(|_, client| client.remote_fingerprint[0] ^= 0x80);
    world.run(Duration::from_secs(40));
    assert_eq!(
        world.client_events,
        [TransportEvent::Closed(CloseReason::FingerprintMismatch)]
    );
    assert!(
        !world
            .server_events
            .iter()
            .any(|event| matches!(event, TransportEvent::Connected { .. }))
    );
}

#[test]
fn handshake_from_an_address_without_check_is_refused() {
    let mut world = World::new();
    world.network(|side, transmit, _| {
        let is_handshake = classify(&transmit.payload) == DatagramKind::Dtls;
        if side == Side::Server && is_handshake {
            Fate::Arrives(Duration::from_secs(2))
        } else {
            SOON
        }
    });
    world.run(Duration::from_secs(1));
    let (mut server, _) = configurations();
    let mut client_hello = first_handshake_datagram(&mut world);
    // A server that has never seen a check at all, and the one that has, but from another address or port.
    server.remote_ice = IceCredentials::new("someother", "someotherpasswordsomeother").unwrap();
    let mut untouched = Transport::new(server, world.now).unwrap();
    for (remote, local) in [
        (CLIENT_ADDRESS, SERVER_ADDRESS),
        ("10.0.0.2:50001", SERVER_ADDRESS),
        ("10.0.0.3:50000", SERVER_ADDRESS),
    ] {
        let refused = Err(TransportError::DtlsFromUnvalidatedPath);
        let path = Path::udp(address(local), address(remote));
        assert_eq!(
            untouched.handle_datagram(path, &mut client_hello, world.now),
            refused
        );
        if path != usual_path().reversed() {
            assert_eq!(
                world.server.handle_datagram(path, &mut client_hello, world.now),
                refused
            );
        }
    }
    assert_eq!(untouched.poll_transmit(), None);
    assert_eq!(untouched.counters().dropped_dtls_unvalidated_path, 3);
    assert_eq!(world.server.counters().dropped_dtls_unvalidated_path, 2);
    assert_eq!(world.server.counters().dtls_received, 0);
    world.connect();
}

#[test]
fn handshake_is_answered_before_nomination() {
    let mut world = World::new();
    world.network(|side, transmit, _| {
        let is_nomination = is::stun::StunMessage::parse(&transmit.payload)
            .is_ok_and(|message| message.is_binding_request() && message.use_candidate());
        if side == Side::Server && is_nomination {
            Fate::IsLost
        } else {
            SOON
        }
    });
    world.connect();
    exchange_media(&mut world, 0);
}

#[test]
fn media_follows_the_last_nomination_once_the_peer_speaks_from_there() {
    let mut world = World::new();
    world.connect();
    world.run(Duration::from_secs(10));
    let there = Path::udp(address(SERVER_ADDRESS), address("10.9.9.9:1"));
    let mut check = world
        .delivered_to(Side::Server, DatagramKind::Stun)
        .pop()
        .unwrap();
    let packets: Vec<Transmit> = (0..2)
        .map(|number| sealed_by_client(&mut world, number))
        .collect();
    let moved = |transmit: &Transmit| Transmit {
        path: there.reversed(),
        ..transmit.clone()
    };

    assert!(world.deliver(Side::Server, &packets[0]).is_ok());
    assert_eq!(world.deliver(Side::Server, &moved(&check)), Ok(Received::Nothing));
    assert_ne!(
        world.server.destination(),
        Some(there),
        "a check can be repeated by anybody"
    );
    assert!(world.deliver(Side::Server, &moved(&packets[0])).is_err());
    assert_ne!(world.server.destination(), Some(there), "and so can media");
    assert_eq!(
        world.deliver(Side::Server, &moved(&packets[1])),
        Ok(Received::Rtp { len: 32 })
    );
    assert_eq!(world.server.destination(), Some(there));

    check.path = usual_path();
    assert_eq!(world.deliver(Side::Server, &check), Ok(Received::Nothing));
    let back = sealed_by_client(&mut world, 2);
    assert!(world.deliver(Side::Server, &back).is_ok());
    assert_eq!(world.server.destination(), Some(usual_path().reversed()));
}

#[test]
fn media_from_a_path_that_is_not_nominated_moves_nothing() {
    let mut world = World::new();
    world.connect();
    let is_nomination = |transmit: &Transmit| {
        is::stun::StunMessage::parse(&transmit.payload).is_ok_and(|message| message.use_candidate())
    };
    let mut checks = world.delivered_to(Side::Server, DatagramKind::Stun);
    checks.retain(|check| !is_nomination(check));
    let there = Path::udp(address("10.9.9.9:1"), address(SERVER_ADDRESS));
    assert!(
        world
            .deliver(
                Side::Server,
                &Transmit {
                    path: there,
                    ..checks[0].clone()
                }
            )
            .is_ok()
    );
    let packet = Transmit {
        path: there,
        ..sealed_by_client(&mut world, 0)
    };
    assert_eq!(
        world.deliver(Side::Server, &packet),
        Ok(Received::Rtp { len: 32 })
    );
    assert_eq!(world.server.destination(), Some(usual_path().reversed()));
}

#[test]
fn transport_can_move_to_a_worker_thread() {
    fn is_send<T: Send>() {}
    is_send::<Transport>();
}

#[test]
fn check_with_a_wrong_password_is_refused_without_an_answer() {
    let mut world = World::with(|_, client| {
        client.remote_ice = IceCredentials::new("serverufrag", "notthepasswordofthisserver").unwrap();
    });
    world.run(Duration::from_secs(2));
    assert!(world.server.counters().dropped_stun_refused > 2);
    assert_eq!(world.server.counters().stun_received, 0);
    assert_eq!(world.delivered_to(Side::Client, DatagramKind::Stun), []);
    assert_eq!(world.server.destination(), None);
}

#[test]
fn addresses_of_one_transport_are_bounded() {
    let mut world = World::new();
    world.connect();
    let mut check = world.delivered_to(Side::Server, DatagramKind::Stun)[0].clone();
    for port in 1..limits::PATHS_MAX as u16 {
        check.path.local.set_port(port);
        assert_eq!(world.deliver(Side::Server, &check), Ok(Received::Nothing));
    }
    check.path.local = address("10.0.0.77:77");
    assert_eq!(
        world.deliver(Side::Server, &check),
        Err(TransportError::TooManyPaths)
    );
    assert_eq!(world.server.counters().dropped_too_many_paths, 1);
    exchange_media(&mut world, 0);
}

#[test]
fn check_to_an_address_that_is_not_ours_is_refused() {
    let mut world = World::new();
    world.connect();
    let mut check = world.delivered_to(Side::Server, DatagramKind::Stun)[0].clone();
    check.path.remote = address("10.0.0.1:9999");
    assert_eq!(
        world.deliver(Side::Server, &check),
        Err(TransportError::StunRefused)
    );
}

#[test]
fn media_before_keys_and_from_elsewhere_is_refused() {
    let mut world = World::new();
    world.network(|_, transmit, _| {
        if classify(&transmit.payload) == DatagramKind::Dtls {
            Fate::IsLost
        } else {
            SOON
        }
    });
    world.run(Duration::from_secs(1));
    let mut packet = from_client(rtp_packet(1));
    assert_eq!(
        world.deliver(Side::Server, &packet),
        Err(TransportError::MediaBeforeKeys)
    );
    world.network(|_, _, _| SOON);
    world.connect();
    packet.payload.resize(12 + 20 + Protection::RTP_OVERHEAD_MAX, 0);
    world.client.protect_rtp(&mut packet.payload, 32).unwrap();
    let elsewhere = Transmit {
        path: Path::udp(address("10.0.0.66:50000"), address(SERVER_ADDRESS)),
        ..packet.clone()
    };
    assert_eq!(
        world.deliver(Side::Server, &elsewhere),
        Err(TransportError::MediaFromUnvalidatedPath)
    );
    assert_eq!(
        world.deliver(Side::Server, &packet),
        Ok(Received::Rtp { len: 32 })
    );
    let counters = world.server.counters();
    assert_eq!(
        (
            counters.dropped_media_before_keys,
            counters.dropped_media_unvalidated_path
        ),
        (1, 1)
    );
}

#[test]
fn replayed_and_truncated_datagrams_are_counted_and_harmless() {
    let mut world = World::new();
    world.connect();
    exchange_media(&mut world, 0);
    let packet = sealed_by_client(&mut world, 500);
    for (side, transmit) in world.delivered.clone() {
        let _ = world.deliver(side, &transmit);
        for len in 0..transmit.payload.len() {
            let mut truncated = transmit.clone();
            truncated.payload.truncate(len);
            let _ = world.deliver(side, &truncated);
        }
    }
    for len in 0..packet.payload.len() {
        let truncated = Transmit {
            payload: packet.payload[..len].to_vec(),
            ..packet.clone()
        };
        assert!(world.deliver(Side::Server, &truncated).is_err());
    }
    assert!(world.deliver(Side::Server, &packet).is_ok());
    let replayed = Err(TransportError::Srtp(SrtpError::Replayed));
    assert_eq!(world.deliver(Side::Server, &packet), replayed);
    let counters = *world.server.counters();
    assert!(counters.dropped_stun_malformed > 100, "{counters:?}");
    assert_eq!(
        counters.dropped_srtp_malformed + counters.dropped_srtp_authentication,
        46,
        "{counters:?}"
    );
    assert_eq!(counters.dropped_srtp_replayed, 1, "{counters:?}");
    assert!(world.server.is_connected() && world.client.is_connected());
    exchange_media(&mut world, 1);
}

#[test]
fn farewell_of_the_client_closes_the_server() {
    let mut world = World::new();
    world.connect();
    world.client.close();
    assert!(world.client.is_closed());
    world.run(Duration::from_millis(100));
    assert_eq!(
        world.server_events[1..],
        [TransportEvent::Closed(CloseReason::ClosedByPeer)]
    );
    assert_eq!(world.server.poll_timeout(), None);
    let packet = from_client(rtp_packet(1));
    assert_eq!(world.deliver(Side::Server, &packet), Err(TransportError::Closed));
    assert_eq!(world.server.counters().dropped_closed, 1);
    assert_eq!(world.client_events.len(), 1, "who closes is told nothing");
}

#[test]
fn farewell_of_the_server_closes_the_client() {
    let mut world = World::new();
    world.connect();
    world.server.close();
    world.server.close();
    world.run(Duration::from_millis(100));
    assert_eq!(
        world.client_events[1..],
        [TransportEvent::Closed(CloseReason::ClosedByPeer)]
    );
}

#[test]
fn forged_farewell_is_ignored() {
    let mut world = World::new();
    world.connect();
    // A close_notify in clear, as anybody could send it.
    let alert = from_client(vec![21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 1, 0]);
    assert_eq!(world.deliver(Side::Server, &alert), Ok(Received::Nothing));
    let mut forged = alert.clone();
    forged.payload[4] = 1;
    assert_eq!(world.deliver(Side::Server, &forged), Ok(Received::Nothing));
    exchange_media(&mut world, 0);
}

#[test]
fn silence_closes_both_sides() {
    let mut world = World::new();
    world.connect();
    world.network(|_, _, _| Fate::IsLost);
    world.run(Duration::from_secs(12));
    assert!(!world.server.is_closed(), "a short silence is survived");
    world.run(Duration::from_secs(30));
    assert_eq!(
        world.server_events[1..],
        [TransportEvent::Closed(CloseReason::IceTimeout)]
    );
    assert_eq!(
        world.client_events[1..],
        [TransportEvent::Closed(CloseReason::IceTimeout)]
    );
}

#[test]
fn short_silence_is_survived() {
    let mut world = World::new();
    world.connect();
    world.network(|_, _, _| Fate::IsLost);
    world.run(Duration::from_secs(8));
    world.network(|_, _, _| SOON);
    world.run(Duration::from_secs(60));
    exchange_media(&mut world, 0);
}

#[test]
fn peer_that_never_comes_is_unreachable() {
    let mut world = World::new();
    world.network(|_, _, _| Fate::IsLost);
    world.run(Duration::from_secs(29));
    assert_eq!(world.server_events, []);
    world.run(Duration::from_secs(2));
    assert_eq!(
        world.server_events,
        [TransportEvent::Closed(CloseReason::Unreachable)]
    );
    assert_eq!(
        world.client_events,
        [TransportEvent::Closed(CloseReason::Unreachable)]
    );
    assert_eq!(world.server.poll_timeout(), None);
}

#[test]
fn handshake_that_never_ends_fails() {
    let mut world = World::new();
    world.network(|side, transmit, _| {
        let is_lost = side == Side::Server && classify(&transmit.payload) == DatagramKind::Dtls;
        if is_lost { Fate::IsLost } else { SOON }
    });
    world.run(Duration::from_secs(31));
    assert_eq!(
        world.server_events,
        [TransportEvent::Closed(CloseReason::DtlsFailed)]
    );
}

#[test]
fn simulated_transports_are_connected_from_the_start() {
    let (server, client) = (address(SERVER_ADDRESS), address(CLIENT_ADDRESS));
    let keys = SrtpKeys::new(SrtpProfile::AeadAes128Gcm, &[1; 28], &[2; 28]).unwrap();
    let path = Path::udp(server, client);
    let mut left = Transport::from_srtp_keys(&keys, path);
    let mut right = Transport::from_srtp_keys(&keys.reversed(), path.reversed());
    let connected = TransportEvent::Connected {
        profile: SrtpProfile::AeadAes128Gcm,
    };
    assert_eq!(
        (left.poll_event(), right.poll_event()),
        (Some(connected), Some(connected))
    );
    assert_eq!((left.poll_timeout(), left.poll_transmit()), (None, None));
    let now = start_of_time();
    let mut buffer = rtp_packet(1);
    buffer.resize(32 + Protection::RTP_OVERHEAD_MAX, 0);
    let len = left.protect_rtp(&mut buffer, 32).unwrap();
    let received = right.handle_datagram(path.reversed(), &mut buffer[..len], now);
    assert_eq!(received, Ok(Received::Rtp { len: 32 }));
    assert_eq!(buffer[..32], rtp_packet(1));
    right.handle_timeout(now);
    right.close();
    assert!(right.is_closed());
}

#[test]
fn address_that_cannot_carry_media_is_refused() {
    for local in [
        vec![],
        vec![address("0.0.0.0:8080")],
        vec![address("224.0.0.1:8080")],
    ] {
        let (mut server, _) = configurations();
        server.local_addresses = local;
        assert_eq!(
            Transport::new(server, start_of_time()).err(),
            Some(SetupError::Address)
        );
    }
}

#[test]
fn debug_output_holds_no_address_and_no_secret() {
    let mut world = World::new();
    world.connect();
    let (configuration, _) = configurations();
    let text = format!("{:?} {:?} {configuration:?}", world.server, world.client);
    for secret in ["10.0.0", "password", "ufrag"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn noise_never_panics(noise in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..100)), 1..20)) {
        let mut world = World::new();
        world.run(Duration::from_millis(35));
        for (first, mut payload) in noise {
            payload.insert(0, first % 64);
            let _ = world.deliver(Side::Server, &from_client(payload.clone()));
            payload[0] = 128 + first % 64;
            let _ = world.deliver(Side::Server, &from_client(payload));
        }
    }
}

/// One packet of RTP and one of RTCP in each direction. `round` makes the sequence numbers differ.
fn exchange_media(world: &mut World, round: u16) {
    for side in [Side::Server, Side::Client] {
        let (sender, path) = match side {
            Side::Server => (&mut world.client, usual_path()),
            Side::Client => (&mut world.server, usual_path().reversed()),
        };
        let mut rtp = rtp_packet(round);
        let mut rtcp = vec![0x80, 201, 0, 1, 0, 0, 0, 5];
        rtp.resize(32 + Protection::RTP_OVERHEAD_MAX, 0);
        rtcp.resize(8 + Protection::RTCP_OVERHEAD_MAX, 0);
        assert_eq!(sender.protect_rtp(&mut rtp, 32), Ok(48));
        assert_eq!(sender.protect_rtcp(&mut rtcp, 8), Ok(28));
        for (payload, expected) in [
            (rtp, Received::Rtp { len: 32 }),
            (rtcp, Received::Rtcp { len: 8 }),
        ] {
            let transmit = Transmit { path, payload };
            assert_eq!(world.deliver(side, &transmit), Ok(expected));
        }
    }
}

fn rtp_packet(sequence_number: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 111];
    packet.extend(sequence_number.to_be_bytes());
    packet.extend([0, 0, 0, 1, 0, 0, 0, 5]);
    packet.extend([0xEE; 20]);
    packet
}

/// An RTP packet that the client sealed, as it leaves the client.
fn sealed_by_client(world: &mut World, sequence_number: u16) -> Transmit {
    let mut packet = from_client(rtp_packet(sequence_number));
    packet.payload.resize(32 + Protection::RTP_OVERHEAD_MAX, 0);
    assert_eq!(world.client.protect_rtp(&mut packet.payload, 32), Ok(48));
    packet
}

fn from_client(payload: Vec<u8>) -> Transmit {
    Transmit {
        path: usual_path(),
        payload,
    }
}

/// The first handshake datagram of a client that believes it has a path to `world`'s server.
fn first_handshake_datagram(world: &mut World) -> Vec<u8> {
    let negotiation = world.client.negotiation.as_ref().unwrap();
    let mut dtls = negotiation.start_dtls(world.now).unwrap();
    match dtls.poll_event() {
        Some(DtlsEvent::Datagram(datagram)) => datagram,
        other => panic!("no ClientHello but {other:?}"),
    }
}
