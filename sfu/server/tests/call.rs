//! Two browsers meet on a real server, through real sockets of loopback.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use common::{Client, PATIENCE, bind, loopback, slot_ssrc, start, until};
use protocol::media::SourceKind;
use protocol::sfu::{PeerClosedReason, SfuCommand, SfuEvent};

#[test]
fn two_browsers_hear_and_see_each_other_while_strangers_send_garbage() {
    let (server, events) = start();
    let (mut alice, mut bob) = (Client::join(&server, 1), Client::join(&server, 2));
    let stranger = UdpSocket::bind((loopback(), 0)).unwrap();
    let to = server.info().candidates[0];
    until(&mut [&mut alice, &mut bob], "ICE and DTLS", |clients| {
        for garbage in [&b""[..], b"\x00\x01", b"\x16\xfe\xfd", b"\x80\x6f rtp", b"\xff"] {
            stranger.send_to(garbage, to).unwrap();
        }
        clients.iter().all(|client| client.is_connected)
    });
    for _ in 0..2 {
        assert!(matches!(
            events.recv_timeout(PATIENCE),
            Ok(SfuEvent::PeerConnected { .. })
        ));
    }
    bind(&server, bob.peer, "a0", (alice.peer, SourceKind::Microphone));
    bind(&server, bob.peer, "v0", (alice.peer, SourceKind::Camera));
    bind(&server, alice.peer, "a0", (bob.peer, SourceKind::Microphone));
    for number in 0..50 {
        alice.send_audio(number, format!("alice {number}").as_bytes());
        alice.send_video(
            number,
            number % 10 == 0,
            format!("alice's picture {number}").as_bytes(),
        );
        bob.send_audio(number, format!("bob {number}").as_bytes());
        stranger.send_to(b"\x80\x6f, says a stranger", to).unwrap();
        alice.pump(Duration::from_millis(5));
        bob.pump(Duration::from_millis(5));
    }
    until(&mut [&mut alice, &mut bob], "the last packets", |clients| {
        payloads(clients[0], 1, 0).len() == 50 && payloads(clients[1], 2, 1).len() == 50
    });
    assert_eq!(payloads(&bob, 2, 0).last().unwrap(), b"alice 49");
    assert_eq!(payloads(&alice, 1, 0).first().unwrap(), b"bob 0");
    assert!(payloads(&bob, 2, 1)[0].ends_with(b"alice's picture 0"));
    assert!(
        alice.feedback_received > 0,
        "without transport-wide feedback browsers never ramp up"
    );
}

#[test]
fn nothing_comes_after_a_removal() {
    let (server, events) = start();
    let (mut alice, mut bob) = (Client::join(&server, 1), Client::join(&server, 2));
    until(&mut [&mut alice, &mut bob], "ICE and DTLS", |clients| {
        clients.iter().all(|client| client.is_connected)
    });
    for _ in 0..2 {
        events.recv_timeout(PATIENCE).unwrap();
    }
    bind(&server, bob.peer, "a0", (alice.peer, SourceKind::Microphone));
    alice.send_audio(1, b"one");
    until(&mut [&mut bob], "the first packet", |clients| {
        !clients[0].media.is_empty()
    });
    server.send(SfuCommand::RemovePeer { peer: alice.peer }).unwrap();
    // The check is answered after the command was obeyed: both go through the same loop.
    assert!(server.self_check().iter().all(|check| check.is_answered));
    alice.send_audio(2, b"two");
    bob.pump(Duration::from_millis(200));
    assert_eq!(bob.media.len(), 1);
}

#[test]
fn a_browser_with_another_certificate_than_its_answer_said_gets_no_media() {
    let (server, events) = start();
    let (mut mallory, mut connection) = Client::new(1, server.info());
    connection.remote_fingerprint[0] ^= 1;
    server
        .send(SfuCommand::AddPeer {
            peer: mallory.peer,
            connection,
        })
        .unwrap();
    let mut bob = Client::join(&server, 2);
    until(
        &mut [&mut mallory, &mut bob],
        "ICE and DTLS of the honest browser",
        |clients| clients[1].is_connected,
    );
    let mut seen = Vec::new();
    let end = Instant::now() + PATIENCE;
    while seen.len() < 2 {
        assert!(Instant::now() < end, "both are told of");
        mallory.pump(Duration::from_millis(5));
        seen.extend(events.try_recv());
    }
    let reason = PeerClosedReason::FingerprintMismatch;
    assert!(seen.contains(&SfuEvent::PeerClosed {
        peer: mallory.peer,
        reason
    }));
    assert!(seen.contains(&SfuEvent::PeerConnected { peer: bob.peer }));
}

/// What a browser received in one of its slots, in the order of sequence numbers.
fn payloads(client: &Client, number: u64, slot: usize) -> Vec<&[u8]> {
    let ssrc = slot_ssrc(number, slot);
    let mut packets: Vec<_> = client.media.iter().filter(|packet| packet.ssrc == ssrc).collect();
    packets.sort_by_key(|packet| packet.sequence_number);
    packets
        .into_iter()
        .map(|packet| packet.payload.as_slice())
        .collect()
}
