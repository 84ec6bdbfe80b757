//! Media over TCP through real sockets: a call, a reader that stops, and whoever has no business here.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use common::{Client, PATIENCE, bind, loopback, options, slot_ssrc, start_with_tcp, until, value};
use prometheus::Registry;
use protocol::media::SourceKind;
use protocol::sfu::SfuCommand;
use sfu_server::limits::{TCP_CONNECTIONS_PER_NETWORK_MAX, TCP_HANDOVER_MAX, TCP_STRANGER_FRAMES_MAX};
use sfu_server::{SfuHandle, SfuOptions, SfuServer, TcpRefused};
use transport::frame_header;

const CLOSED: &str = "undertone_sfu_tcp_closed_total";
/// The place of the video slot of a client of these tests.
const VIDEO_SLOT: usize = 1;

const CONNECTIONS: &str = "undertone_sfu_tcp_connections";

#[test]
fn one_who_has_tcp_alone_hears_and_is_heard() {
    let (server, _events) = start_with_tcp();
    let registry = registry(&server);
    let mut alice = Client::join(&server, 1);
    let mut bob = Client::join_over_tcp(&server, 2);
    until(&mut [&mut alice, &mut bob], "ICE and DTLS", |clients| {
        clients.iter().all(|client| client.is_connected)
    });
    bind(&server, alice.peer, "a0", (bob.peer, SourceKind::Microphone));
    bind(&server, bob.peer, "a0", (alice.peer, SourceKind::Microphone));
    bind(&server, bob.peer, "v0", (alice.peer, SourceKind::Camera));
    for number in 1..=50 {
        alice.send_audio(number, b"from alice");
        alice.send_video(number, number == 1, &[7; 1_000]);
        bob.send_audio(number, b"from bob");
    }
    until(&mut [&mut alice, &mut bob], "all packets", |clients| {
        clients[0].media.len() >= 50 && clients[1].media.len() >= 100
    });
    assert_eq!(value(&registry, CONNECTIONS, None), 1.0);
    server.send(SfuCommand::RemovePeer { peer: bob.peer }).unwrap();
    until(&mut [&mut bob], "the farewell", |clients| clients[0].is_closed);
    assert_eq!(value(&registry, "undertone_sfu_send_errors_total", None), 0.0);
    drop(bob);
    soon("the connection is closed", || {
        value(&registry, CONNECTIONS, None) == 0.0
    });
    assert_eq!(value(&registry, CLOSED, Some("remote")), 1.0);
}

#[test]
fn one_who_stops_reading_loses_pictures_then_the_connection_and_nobody_else_notices() {
    let (server, _events) = start_with_tcp();
    let registry = registry(&server);
    let (mut alice, mut bob) = (Client::join(&server, 1), Client::join_over_tcp(&server, 2));
    let (mut carol, mut dave) = (Client::join(&server, 3), Client::join_over_tcp(&server, 4));
    until(
        &mut [&mut alice, &mut bob, &mut carol, &mut dave],
        "ICE and DTLS",
        |clients| clients.iter().all(|client| client.is_connected),
    );
    for (subscriber, publisher) in [(&bob, &alice), (&dave, &carol)] {
        let publisher = publisher.peer;
        bind(
            &server,
            subscriber.peer,
            "a0",
            (publisher, SourceKind::Microphone),
        );
        bind(&server, subscriber.peer, "v0", (publisher, SourceKind::Camera));
    }
    // From here on Bob reads nothing. Alice sends far more than his queue holds; Carol and Dave talk on in step: each of
    // their packets is there before the next one leaves.
    let end = Instant::now() + 2 * PATIENCE;
    let mut number = 0;
    while value(&registry, CLOSED, Some("stalled")) + value(&registry, CLOSED, Some("full")) < 1.0 {
        assert!(Instant::now() < end, "the connection is cut in time");
        number += 1;
        // The source never asks Bob, so it makes key frames all the time.
        for part in 0..20 {
            let is_key = part == 0;
            alice.send_video(
                20_u16.wrapping_mul(number).wrapping_add(part),
                is_key,
                &[7; 1_000],
            );
        }
        alice.send_audio(number, b"from alice");
        alice.pump(Duration::from_millis(5));
        carol.send_audio(number, b"from carol");
        carol.send_video(number, number == 1, &[9; 1_000]);
        let expected = 2 * usize::from(number);
        until(&mut [&mut carol, &mut dave], "Carol's packet", |clients| {
            clients[1].media.len() >= expected
        });
    }
    assert_eq!(
        dave.media.len(),
        2 * usize::from(number),
        "no packet was lost or doubled"
    );
    assert!(number > 10, "the other call went on meanwhile: {number} packets");
    assert!(value(&registry, "undertone_sfu_tcp_dropped_total", Some("video")) > 0.0);
    assert_eq!(value(&registry, CONNECTIONS, None), 1.0);
    let heard = dave.media.iter().filter(|packet| packet.ssrc == slot_ssrc(4, 0));
    let numbers: Vec<u16> = heard.map(|packet| packet.sequence_number).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
}

#[test]
fn one_who_reads_again_in_time_has_missed_no_sound_and_gets_a_new_picture() {
    let (server, _events) = start_with_tcp();
    let registry = registry(&server);
    let (mut alice, mut bob) = (Client::join(&server, 1), Client::join_over_tcp(&server, 2));
    until(&mut [&mut alice, &mut bob], "ICE and DTLS", |clients| {
        clients.iter().all(|client| client.is_connected)
    });
    bind(&server, bob.peer, "a0", (alice.peer, SourceKind::Microphone));
    bind(&server, bob.peer, "v0", (alice.peer, SourceKind::Camera));
    let (mut pictures, mut sounds) = (1, 0);
    alice.send_video(pictures, true, &[7; 1_000]);
    until(&mut [&mut alice, &mut bob], "the first picture", |clients| {
        !clients[1].media.is_empty()
    });
    let dropped = || value(&registry, "undertone_sfu_tcp_dropped_total", Some("video"));
    alice.key_frame_requests.clear();
    while dropped() == 0.0 {
        for _ in 0..20 {
            pictures += 1;
            alice.send_video(pictures, false, &[7; 1_000]);
        }
        sounds += 1;
        alice.send_audio(sounds, b"from alice");
        alice.pump(Duration::from_millis(5));
    }
    assert!(alice.key_frame_requests.is_empty(), "it would be in the way");
    let count = |client: &Client, slot| {
        let ssrc = slot_ssrc(2, slot);
        client.media.iter().filter(|packet| packet.ssrc == ssrc).count()
    };
    until(&mut [&mut alice, &mut bob], "every sound", |clients| {
        count(clients[1], 0) == usize::from(sounds)
    });
    let seen = count(&bob, VIDEO_SLOT);
    assert!(seen < usize::from(pictures), "pictures were dropped");
    // The next picture of the source is the occasion to ask it.
    let end = Instant::now() + PATIENCE;
    while alice.key_frame_requests.is_empty() {
        assert!(Instant::now() < end, "a new picture is asked for");
        pictures += 1;
        alice.send_video(pictures, false, &[7; 1_000]);
        alice.pump(Duration::from_millis(20));
        bob.pump(Duration::from_millis(20));
    }
    assert_eq!(
        count(&bob, VIDEO_SLOT),
        seen,
        "what continues a lost picture is not sent"
    );
    alice.send_video(pictures + 1, true, b"the new picture");
    until(&mut [&mut alice, &mut bob], "the new picture", |clients| {
        count(clients[1], VIDEO_SLOT) == seen + 1
    });
    assert!(!bob.is_closed);
}

#[test]
fn garbage_and_frames_that_are_too_long_end_the_connection() {
    let (server, _events) = start_with_tcp();
    let registry = registry(&server);
    let mut noise = TcpStream::connect(server.info().tcp_candidates[0]).unwrap();
    noise.write_all(b"\x05\xddtoo long").unwrap();
    let mut strange = TcpStream::connect(server.info().tcp_candidates[0]).unwrap();
    for _ in 0..=TCP_STRANGER_FRAMES_MAX {
        let datagram = [0x80, 111, 0, 1, 0, 0];
        strange.write_all(&frame_header(datagram.len()).unwrap()).unwrap();
        strange.write_all(&datagram).unwrap();
    }
    soon("both are cut", || {
        value(&registry, CLOSED, Some("garbage")) == 2.0
    });
    assert_ended(noise);
    assert_ended(strange);
    assert_eq!(value(&registry, CONNECTIONS, None), 0.0);
}

#[test]
fn who_says_nothing_or_little_is_cut_after_a_while() {
    let (server, _events) = start_with_tcp();
    let registry = registry(&server);
    let silent = TcpStream::connect(server.info().tcp_candidates[0]).unwrap();
    let mut slow = TcpStream::connect(server.info().tcp_candidates[0]).unwrap();
    let mut member = Client::join_over_tcp(&server, 1);
    soon("it is cut", || {
        let _ = slow.write_all(&[0]);
        member.pump(Duration::from_millis(50));
        value(&registry, CLOSED, Some("stranger")) == 2.0
    });
    assert_ended(silent);
    assert_eq!(value(&registry, CONNECTIONS, None), 1.0);
    assert!(member.is_connected && !member.is_closed);
}

#[test]
fn however_many_connect_a_member_gets_in() {
    let (server, _events) = start_with_tcp();
    let registry = registry(&server);
    let connect = || TcpStream::connect(server.info().tcp_candidates[0]).unwrap();
    let mut crowd = Vec::new();
    let most = TCP_CONNECTIONS_PER_NETWORK_MAX;
    // In groups, so that the handover has room for each.
    for _ in 0..4 {
        crowd.extend((0..most / 2).map(|_| connect()));
        soon("they are taken", || {
            value(&registry, "undertone_sfu_tcp_taken_total", None) >= crowd.len() as f64
        });
        assert!(value(&registry, CONNECTIONS, None) <= most as f64);
    }
    assert!(value(&registry, CLOSED, Some("crowded")) >= most as f64);
    let mut member = Client::join_over_tcp(&server, 1);
    until(&mut [&mut member], "ICE and DTLS", |clients| {
        clients[0].is_connected
    });
    crowd.extend((0..most).map(|_| connect()));
    soon("they are taken", || {
        value(&registry, "undertone_sfu_tcp_taken_total", None) > crowd.len() as f64
    });
    member.pump(Duration::from_millis(200));
    assert!(!member.is_closed, "members are not crowded out");
    let registered = server.self_check();
    assert!(registered.iter().all(|check| check.is_answered));
}

#[test]
fn connections_that_cannot_be_taken_are_refused_and_counted() {
    let (entered_sender, entered) = channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let on_event = Box::new(move |event| {
        // The worker stands still while the test holds this.
        let _ = entered_sender.send(event);
        let _ = released.lock().unwrap().recv();
    });
    let listener = TcpListener::bind((loopback(), 0)).unwrap();
    let elsewhere = TcpListener::bind((loopback(), 0)).unwrap();
    let options = SfuOptions {
        tcp_addresses: vec![listener.local_addr().unwrap()],
        ..options(vec![loopback()], 0)
    };
    let server = SfuServer::start(options, on_event).unwrap();
    let registry = registry(&server);
    let accepted = |listener: &TcpListener| {
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (stream, listener.accept().unwrap().0)
    };
    let (_far, near) = accepted(&elsewhere);
    assert_eq!(server.take_tcp(near), Err(TcpRefused::NotOffered));
    let (_, mut connection) = Client::new(1, server.info());
    connection.local_ice.ufrag = "no".to_owned();
    let peer = protocol::ids::PeerId(1);
    server.send(SfuCommand::AddPeer { peer, connection }).unwrap();
    entered.recv_timeout(PATIENCE).unwrap();
    let mut far = Vec::new();
    for _ in 0..TCP_HANDOVER_MAX {
        let (stream, near) = accepted(&listener);
        far.push(stream);
        server.take_tcp(near).unwrap();
    }
    let (refused, near) = accepted(&listener);
    assert_eq!(server.take_tcp(near), Err(TcpRefused::Full));
    assert_ended(refused);
    let counted = |reason| value(&registry, "undertone_sfu_tcp_refused_total", Some(reason));
    assert_eq!((counted("busy"), counted("not_offered")), (1.0, 1.0));
    drop(release);
    soon("those that wait are taken", || {
        value(&registry, CONNECTIONS, None) == TCP_HANDOVER_MAX as f64
    });
    server.stop();
    let (_far, near) = accepted(&listener);
    assert_eq!(server.take_tcp(near), Err(TcpRefused::Ended));
}

fn registry(server: &SfuHandle) -> Registry {
    let registry = Registry::new();
    server.register_metrics(&registry).unwrap();
    registry
}

fn soon(what: &str, mut is_true: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_true() {
        assert!(Instant::now() < end, "this took too long: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The other end has closed the connection.
fn assert_ended(mut stream: TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let read = stream.read(&mut [0; 16]);
    assert!(matches!(read, Ok(0)) || read.is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock));
}
