//! A subscriber whose TCP connection is too slow for its pictures, or is closed.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::time::Duration;

use common::{AUDIO_SLOTS, Lab, Outgoing, Vp8Frame, slot_ssrc};
use rtp::Ssrc;
use sfu_core::{Class, DropReason, SourceKind};
use transport::Path;

const CAMERA: u32 = 22;
const MICROPHONE: u32 = 10;

#[test]
fn every_datagram_tells_its_path_and_what_it_is() {
    let (mut lab, alice, bob) = call();
    let path = lab.browsers[bob].path;
    let picture = lab.browsers[alice].seal(&picture(1, true));
    let sound = lab.browsers[alice].seal(&Outgoing::audio(MICROPHONE, 1, b"sound"));
    for (mut datagram, class) in [
        (picture, Class::Video { slot: AUDIO_SLOTS }),
        (sound, Class::Audio),
    ] {
        let from = lab.browsers[alice].path;
        lab.sfu.handle_datagram(from, &mut datagram, lab.now);
        let to_bob = lab.sfu.poll_transmit().unwrap();
        assert_eq!((to_bob.path, to_bob.class), (path, class));
        while lab.sfu.poll_transmit().is_some() {}
    }
    lab.now += Duration::from_secs(2);
    lab.sfu.handle_timeout(lab.now);
    while let Some(report) = lab.sfu.poll_transmit() {
        assert_eq!(report.class, Class::Control);
    }
}

#[test]
fn a_picture_of_which_packets_were_dropped_goes_on_with_a_key_frame_and_without_a_hole() {
    let (mut lab, alice, bob) = call();
    lab.send(alice, &picture(1, true));
    lab.send(alice, &picture(2, false));
    let before = lab.media(bob).pop().unwrap().header;
    let path = lab.browsers[bob].path;
    lab.sfu.handle_tcp_dropped(path.local, path.remote, AUDIO_SLOTS);
    lab.key_frame_requests(alice);
    for number in 3..20 {
        lab.send(alice, &picture(number, false));
        lab.advance(Duration::from_millis(100));
    }
    assert_eq!(lab.media(bob), []);
    assert_eq!(
        lab.key_frame_requests(alice),
        [],
        "a key frame would be in the way too"
    );
    assert!(lab.sfu.stats().dropped(DropReason::AwaitsKeyFrame) >= 17);
    lab.send(alice, &Outgoing::audio(MICROPHONE, 1, b"sound goes on"));
    assert_eq!(lab.media(bob).len(), 1);

    lab.sfu.handle_tcp_drained(path.local, path.remote);
    lab.send(alice, &picture(20, false));
    assert_eq!(lab.key_frame_requests(alice), [CAMERA]);
    lab.send(alice, &picture(21, true));
    lab.send(alice, &picture(22, false));
    let numbers: Vec<u16> = lab
        .media(bob)
        .iter()
        .map(|packet| packet.header.sequence_number)
        .collect();
    let after = before.sequence_number.wrapping_add(1);
    assert_eq!(numbers, [after, after.wrapping_add(1)]);
    lab.advance(Duration::from_secs(1));
    lab.send(alice, &picture(23, false));
    assert_eq!(lab.key_frame_requests(alice), [], "it came");
}

#[test]
fn timestamps_follow_the_source_across_an_interruption() {
    let (mut lab, alice, bob) = call();
    lab.send(alice, &picture(1, true));
    let path = lab.browsers[bob].path;
    lab.sfu.handle_tcp_dropped(path.local, path.remote, AUDIO_SLOTS);
    lab.advance(Duration::from_millis(33 * 30));
    lab.send(alice, &picture(31, true));
    let received = lab.media(bob);
    let step = received[1]
        .header
        .rtp_timestamp
        .wrapping_sub(received[0].header.rtp_timestamp);
    assert!((i64::from(step) - 90_000).abs() <= 90 * 20, "{step}");
}

#[test]
fn who_cannot_read_asks_for_nothing() {
    let (mut lab, alice, bob) = call();
    lab.send(alice, &picture(1, true));
    lab.advance(Duration::from_secs(1));
    let path = lab.browsers[bob].path;
    lab.sfu.handle_tcp_dropped(path.local, path.remote, AUDIO_SLOTS);
    lab.key_frame_requests(alice);
    let ssrc = Ssrc(slot_ssrc(2, "v0"));
    lab.send_rtcp(bob, |writer| writer.pli(Ssrc(1), ssrc).unwrap());
    assert_eq!(lab.key_frame_requests(alice), []);
    lab.sfu.handle_tcp_drained(path.local, path.remote);
    lab.send_rtcp(bob, |writer| writer.pli(Ssrc(1), ssrc).unwrap());
    assert_eq!(lab.key_frame_requests(alice), [CAMERA]);
}

#[test]
fn what_is_told_of_strange_connections_and_slots_is_harmless() {
    let (mut lab, alice, bob) = call();
    let strange = ([10, 9, 9, 9], 9).into();
    let path = lab.browsers[bob].path;
    lab.sfu.handle_tcp_dropped(path.local, strange, AUDIO_SLOTS);
    lab.sfu.handle_tcp_drained(path.local, strange);
    lab.sfu.handle_tcp_closed(path.local, strange, lab.now);
    lab.sfu.handle_tcp_dropped(path.local, path.remote, 200);
    lab.sfu.handle_tcp_dropped(path.local, path.remote, 0);
    // Alice is there over UDP: a connection with the same addresses is none of hers.
    let alices = lab.browsers[alice].path;
    lab.sfu.handle_tcp_closed(alices.local, alices.remote, lab.now);
    lab.send(alice, &picture(1, true));
    lab.send(alice, &Outgoing::audio(MICROPHONE, 1, b"sound"));
    assert_eq!(lab.media(bob).len(), 2);
}

#[test]
fn nothing_is_sent_to_a_closed_connection() {
    let (mut lab, alice, bob) = call();
    lab.send(alice, &picture(1, true));
    assert_eq!(lab.media(bob).len(), 1);
    let path = lab.browsers[bob].path;
    lab.sfu.handle_tcp_closed(path.local, path.remote, lab.now);
    lab.send(alice, &picture(2, false));
    lab.advance(Duration::from_secs(3));
    assert!(lab.media(bob).is_empty() && lab.rtcp(bob).is_empty());
    assert_eq!(lab.sfu.stats().dropped(DropReason::SubscriberNotReady), 1);
    let mut late = lab.browsers[bob].seal(&Outgoing::audio(MICROPHONE, 1, b"late"));
    lab.sfu.handle_datagram(path, &mut late, lab.now);
    let mut late = lab.browsers[bob].seal(&Outgoing::audio(MICROPHONE, 2, b"late"));
    let over_udp = Path::udp(path.local, path.remote);
    lab.sfu.handle_datagram(over_udp, &mut late, lab.now);
    assert_eq!(lab.sfu.stats().dropped(DropReason::UnknownAddress), 2);
}

/// Alice over UDP sends to Bob over TCP.
fn call() -> (Lab, usize, usize) {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join_over_tcp(2));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    (lab, alice, bob)
}

/// One frame of the highest layer, 33 ms after the one before it.
fn picture(number: u16, is_key: bool) -> Outgoing {
    let frame = Vp8Frame {
        is_key,
        ..Vp8Frame::key(number, b"picture")
    };
    Outgoing::video(2, CAMERA, number, u32::from(number) * 3_000, &frame)
}
