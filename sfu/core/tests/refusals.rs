//! Bad input and reached bounds: one counted drop, and nobody is disturbed.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{Lab, Outgoing, VP8, Vp8Frame, server};
use rtp::{Mid, PayloadType, Rid, Ssrc};
use sfu_core::limits::{DATAGRAM_MAX, LAYERS_MAX, PEERS_MAX, SELF_CHECKS_PER_SECOND, SLOTS_MAX};
use sfu_core::{Command, DropReason, Event, PeerClosedReason, PeerConnection, PeerId, SourceKind};
use transport::{Path, stun};

#[test]
fn strangers_are_counted_and_get_no_answer() {
    let mut lab = Lab::new(1);
    lab.join(1);
    let cases: [(&[u8], DropReason); 6] = [
        (b"", DropReason::DatagramUnknown),
        (b"\xFF\xFF", DropReason::DatagramUnknown),
        (&[0; 20], DropReason::StunUnexpected),
        (
            &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            DropReason::UnknownAddress,
        ),
        (
            &[0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1],
            DropReason::UnknownAddress,
        ),
        (&[0x80, 200, 0, 1, 0, 0, 0, 0], DropReason::UnknownAddress),
    ];
    for (datagram, reason) in cases {
        let before = lab.sfu.stats().dropped(reason);
        hand_in(&mut lab, stranger(), datagram);
        assert_eq!(lab.sfu.stats().dropped(reason), before + 1, "{reason:?}");
    }
    hand_in(&mut lab, stranger(), &vec![0x80; DATAGRAM_MAX + 1]);
    assert_eq!(lab.sfu.stats().dropped(DropReason::DatagramTooLarge), 1);
    assert!(lab.sfu.poll_transmit().is_none());
}

#[test]
fn a_check_for_a_user_name_that_we_never_gave_out_is_counted() {
    let mut lab = Lab::new(1);
    hand_in(&mut lab, stranger(), &binding_request("nobody:client"));
    assert_eq!(lab.sfu.stats().dropped(DropReason::UnknownUfrag), 1);
    // The right name without the password proves nothing: its sender gets no further.
    lab.command(Command::AddPeer {
        peer: PeerId(1),
        connection: Box::new(common::connection(1)),
    });
    hand_in(&mut lab, stranger(), &binding_request("server1:client1"));
    hand_in(
        &mut lab,
        stranger(),
        &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    );
    assert_eq!(lab.sfu.stats().dropped(DropReason::StunRefused), 1);
    assert_eq!(lab.sfu.stats().dropped(DropReason::UnknownAddress), 1);
}

#[test]
fn a_plain_request_is_answered_with_the_askers_address_and_not_too_often() {
    let mut lab = Lab::new(1);
    let transaction = [7; 12];
    for _ in 0..SELF_CHECKS_PER_SECOND + 5 {
        hand_in(&mut lab, stranger(), &stun::plain_binding_request(transaction));
    }
    let transmit = lab.sfu.poll_transmit().unwrap();
    assert_eq!(transmit.path, Path::udp(server(), stranger()));
    assert_eq!(
        stun::parse_plain_binding_response(transmit.bytes, transaction),
        Some(stranger())
    );
    assert_eq!(
        lab.sfu.stats().self_checks_answered,
        u64::from(SELF_CHECKS_PER_SECOND)
    );
    assert_eq!(lab.sfu.stats().dropped(DropReason::SelfCheckLimit), 5);
    lab.now += Duration::from_secs(1);
    hand_in(&mut lab, stranger(), &stun::plain_binding_request(transaction));
    assert_eq!(
        lab.sfu.stats().self_checks_answered,
        u64::from(SELF_CHECKS_PER_SECOND) + 1
    );
}

#[test]
fn replayed_and_bent_packets_are_counted_and_the_call_goes_on() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    let from = lab.browsers[alice].address;
    let datagram = lab.browsers[alice].seal(&Outgoing::audio(11, 1, b"one"));
    lab.hand_in(from, &mut datagram.clone());
    lab.hand_in(from, &mut datagram.clone());
    let mut bent = lab.browsers[alice].seal(&Outgoing::audio(11, 2, b"two"));
    *bent.last_mut().unwrap() ^= 1;
    lab.hand_in(from, &mut bent);
    lab.hand_in(from, &mut datagram.clone()[..13]);
    lab.send(alice, &Outgoing::audio(11, 3, b"three"));
    assert_eq!(lab.sfu.stats().dropped(DropReason::SrtpReplayed), 1);
    assert_eq!(lab.sfu.stats().dropped(DropReason::SrtpRefused), 2);
    assert_eq!(lab.media(bob).len(), 2);
}

#[test]
fn authentic_nonsense_is_counted_and_the_call_goes_on() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    // A descriptor that ends before its picture id.
    let frame = Vp8Frame::key(1, b"");
    let short = Outgoing {
        payload: vec![0x90, 0x80],
        ..Outgoing::video(0, 21, 1, 0, &frame)
    };
    lab.send(alice, &short);
    assert_eq!(lab.sfu.stats().dropped(DropReason::DescriptorMalformed), 1);
    lab.send_rtcp(alice, |writer| writer.nack(Ssrc(1), Ssrc(2), &[1, 2, 3]).unwrap());
    lab.send_rtcp(alice, |writer| writer.bye(&[Ssrc(21)]).unwrap());
    lab.send(alice, &Outgoing::video(0, 21, 2, 0, &frame));
    assert_eq!(lab.media(bob).len(), 1);
}

#[test]
fn what_is_left_of_a_peer_can_be_used_again() {
    let mut lab = Lab::new(1);
    lab.join(1);
    lab.command(Command::RemovePeer { peer: PeerId(1) });
    lab.browsers.clear();
    lab.join(1);
    assert_eq!(lab.sfu.peer_count(), 1);
}

#[test]
fn a_connection_beyond_a_bound_is_refused_with_an_event() {
    let base = || common::connection(1);
    let name = |index: usize| format!("x{index}");
    let mut many_slots = base();
    let slot = many_slots.slots[0].clone();
    many_slots
        .slots
        .extend((0..SLOTS_MAX).map(|index| sfu_core::Slot {
            mid: Mid::new(name(index)).unwrap(),
            ssrc: Ssrc(1_000 + u32::try_from(index).unwrap()),
            ..slot.clone()
        }));
    let mut many_layers = base();
    many_layers.publications[1].rids = (0..=LAYERS_MAX)
        .map(|index| Rid::new(name(index)).unwrap())
        .collect();
    let mut same_ssrc = base();
    same_ssrc.slots[1].ssrc = same_ssrc.slots[0].ssrc;
    let mut same_kind = base();
    same_kind.publications[1].kind = SourceKind::Microphone;
    for connection in [many_slots, many_layers, same_ssrc, same_kind] {
        let mut lab = Lab::new(1);
        add(&mut lab, 1, connection);
        assert_eq!(lab.events(), [overload(1)]);
        assert_eq!(lab.sfu.peer_count(), 0);
    }
}

#[test]
fn one_peer_too_many_is_refused_with_an_event() {
    let mut lab = Lab::new(1);
    let last = u64::try_from(PEERS_MAX).unwrap();
    for number in 1..=last {
        add(&mut lab, number, common::connection(number));
    }
    assert_eq!(lab.events(), []);
    add(&mut lab, last + 1, common::connection(last + 1));
    assert_eq!(lab.events(), [overload(last + 1)]);
    assert_eq!(lab.sfu.peer_count(), PEERS_MAX);
}

#[test]
fn credentials_that_another_peer_has_are_refused() {
    let mut lab = Lab::new(1);
    lab.join(1);
    add(&mut lab, 2, common::connection(1));
    assert_eq!(lab.events(), [overload(2)]);
}

#[test]
fn a_peer_that_never_comes_is_closed_as_unreachable() {
    let mut lab = Lab::new(1);
    add(&mut lab, 1, common::connection(1));
    lab.advance(Duration::from_secs(60));
    assert_eq!(
        lab.events(),
        [Event::PeerClosed {
            peer: PeerId(1),
            reason: PeerClosedReason::Unreachable
        }]
    );
    assert_eq!(lab.sfu.peer_count(), 0);
    assert_eq!(lab.sfu.poll_timeout(), None);
}

#[test]
fn commands_that_name_nobody_or_do_not_fit_are_counted() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    let stats = |lab: &Lab| {
        let stats = lab.sfu.stats();
        (
            stats.dropped(DropReason::CommandUnknown),
            stats.dropped(DropReason::CommandRefused),
        )
    };
    lab.command(Command::RemovePeer { peer: PeerId(99) });
    lab.bind(bob, "zz", Some((alice, SourceKind::Camera)));
    let source = Some((PeerId(99), SourceKind::Camera));
    lab.command(Command::Bind {
        subscriber: PeerId(2),
        slot: Mid::new("v0").unwrap(),
        source,
    });
    assert_eq!(stats(&lab), (3, 0));
    lab.bind(bob, "a0", Some((alice, SourceKind::Camera)));
    lab.bind(bob, "v0", Some((bob, SourceKind::Camera)));
    assert_eq!(stats(&lab), (3, 2));
    assert_eq!(lab.sfu.subscription_count(), 0);
}

#[test]
fn a_packet_that_would_grow_too_large_is_counted() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    let mut connection = common::connection(3);
    // Without an extension on its way in, the packet grows by ours on its way out.
    connection.extensions.clear();
    connection.publications[1].rids.clear();
    connection.publications[1].ssrcs = vec![Ssrc(21)];
    connection.publications[1].payload_types = vec![PayloadType::new(VP8).unwrap()];
    let carol = lab.join_with(3, &connection);
    lab.bind(bob, "v0", Some((carol, SourceKind::Camera)));
    let frame = Vp8Frame::key(1, &[0; 1_460]);
    let outgoing = Outgoing {
        mid: None,
        rid: None,
        ..Outgoing::video(0, 21, 1, 0, &frame)
    };
    let mut datagram = lab.browsers[carol].seal_plain(&outgoing);
    assert!(datagram.len() <= DATAGRAM_MAX);
    let from = lab.browsers[carol].address;
    lab.hand_in(from, &mut datagram);
    assert_eq!(lab.sfu.stats().dropped(DropReason::PacketTooLarge), 1);
    assert!(lab.media(bob).is_empty() && lab.media(alice).is_empty());
}

fn add(lab: &mut Lab, number: u64, connection: PeerConnection) {
    lab.command(Command::AddPeer {
        peer: PeerId(number),
        connection: Box::new(connection),
    });
}

fn overload(number: u64) -> Event {
    Event::PeerClosed {
        peer: PeerId(number),
        reason: PeerClosedReason::Overload,
    }
}

fn hand_in(lab: &mut Lab, from: SocketAddr, datagram: &[u8]) {
    let path = Path::udp(server(), from);
    lab.sfu.handle_datagram(path, &mut datagram.to_vec(), lab.now);
}

fn stranger() -> SocketAddr {
    ([192, 0, 2, 9], 4_000).into()
}

/// A binding request with a USERNAME and no proof (RFC 8489 sections 5 and 14.3).
fn binding_request(username: &str) -> Vec<u8> {
    let padded = username.len().next_multiple_of(4);
    let mut request = vec![0x00, 0x01];
    request.extend(u16::try_from(padded + 4).unwrap().to_be_bytes());
    request.extend(0x2112_A442_u32.to_be_bytes());
    request.extend([5; 12]);
    request.extend(0x0006_u16.to_be_bytes());
    request.extend(u16::try_from(username.len()).unwrap().to_be_bytes());
    request.extend(username.as_bytes());
    request.resize(20 + 4 + padded, 0);
    request
}
