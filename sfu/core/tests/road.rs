//! The road of a packet, one promise at a time.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::time::Duration;

use common::{Lab, Outgoing, Vp8Frame, picture_id, slot_ssrc, vp8_body};
use sfu_core::limits::{KEY_FRAME_INTERVAL, LAYER_ALIVE};
use sfu_core::{Command, DropReason, SourceKind};

const MICROPHONE: u32 = 11;
/// The SSRCs of a camera's layers.
const CAMERA: [u32; 3] = [21, 22, 23];

#[test]
fn audio_reaches_its_slot_unchanged_and_nobody_else() {
    let mut lab = Lab::new(1);
    let (alice, bob, carol) = (lab.join(1), lab.join(2), lab.join(3));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    lab.send(alice, &Outgoing::audio(MICROPHONE, 100, b"sealed"));
    let received = lab.media(bob);
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].payload, b"sealed");
    assert_eq!(received[0].header.ssrc.0, slot_ssrc(2, "a0"));
    assert_eq!(received[0].audio_level.unwrap().below_overload_db, 30);
    assert!(lab.media(carol).is_empty() && lab.media(alice).is_empty());
}

#[test]
fn a_stream_stays_bound_when_later_packets_carry_no_mid() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    lab.send(alice, &Outgoing::audio(MICROPHONE, 100, b"one"));
    lab.send(
        alice,
        &Outgoing {
            mid: None,
            ..Outgoing::audio(MICROPHONE, 101, b"two")
        },
    );
    lab.send(
        alice,
        &Outgoing {
            mid: None,
            ..Outgoing::audio(99, 101, b"unknown")
        },
    );
    assert_eq!(lab.media(bob).len(), 2);
    assert_eq!(lab.sfu.stats().dropped(DropReason::UnknownSsrc), 1);
}

#[test]
fn a_layer_that_comes_with_another_ssrc_goes_on_under_it() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    lab.send(alice, &Outgoing::audio(MICROPHONE, 100, b"one"));
    lab.send(alice, &Outgoing::audio(12, 40_000, b"two"));
    lab.send(
        alice,
        &Outgoing {
            mid: None,
            ..Outgoing::audio(MICROPHONE, 101, b"old")
        },
    );
    let sequence: Vec<u16> = lab
        .media(bob)
        .iter()
        .map(|packet| packet.header.sequence_number)
        .collect();
    assert_eq!(sequence, [sequence[0], sequence[0] + 1]);
}

#[test]
fn a_new_binding_asks_for_a_key_frame_and_waits_for_it() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.send(alice, &video(0, 1, &Vp8Frame::key(1, b"before anybody watches")));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    assert_eq!(lab.key_frame_requests(alice), [CAMERA[0]]);
    lab.send(alice, &video(0, 2, &Vp8Frame::delta(2, b"delta")));
    assert!(lab.media(bob).is_empty());
    lab.send(alice, &video(0, 3, &Vp8Frame::key(3, b"key")));
    lab.send(alice, &video(0, 4, &Vp8Frame::delta(4, b"delta")));
    assert_eq!(lab.media(bob).len(), 2);
    assert_eq!(lab.sfu.stats().dropped(DropReason::AwaitsKeyFrame), 1);
}

#[test]
fn an_unanswered_request_is_repeated_while_packets_come_and_ends_with_the_key_frame() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    let mut requests = 0;
    for number in 0..40 {
        lab.send(alice, &video(0, number, &Vp8Frame::delta(number, b"delta")));
        requests += lab.key_frame_requests(alice).len();
        lab.advance(Duration::from_millis(50));
    }
    assert_eq!(requests, 4, "2 s of packets, one request each 500 ms");
    lab.send(alice, &video(0, 40, &Vp8Frame::key(40, b"key")));
    for number in 41..60 {
        lab.send(alice, &video(0, number, &Vp8Frame::delta(number, b"delta")));
        lab.advance(Duration::from_millis(50));
    }
    assert_eq!(lab.key_frame_requests(alice), []);
}

#[test]
fn key_frame_requests_of_many_subscribers_become_one() {
    let mut lab = Lab::new(1);
    let alice = lab.join(1);
    lab.send(alice, &video(0, 1, &Vp8Frame::key(1, b"key")));
    let watchers: Vec<usize> = (2..6).map(|number| lab.join(number)).collect();
    for watcher in &watchers {
        lab.bind(*watcher, "v0", Some((alice, SourceKind::Camera)));
    }
    lab.advance(KEY_FRAME_INTERVAL);
    lab.send(alice, &video(0, 2, &Vp8Frame::key(2, b"key")));
    lab.key_frame_requests(alice);
    for (number, watcher) in (2..6).zip(&watchers) {
        lab.send_rtcp(*watcher, |writer| {
            writer.pli(rtp::Ssrc(1), slot(number, "v0")).unwrap()
        });
    }
    assert_eq!(lab.key_frame_requests(alice), [CAMERA[0]]);
    assert_eq!(lab.sfu.stats().key_frame_requests_received, 4);
    lab.send_rtcp(watchers[0], |writer| {
        writer.pli(rtp::Ssrc(1), rtp::Ssrc(5)).unwrap()
    });
    assert_eq!(lab.sfu.stats().dropped(DropReason::FeedbackUnknownSsrc), 1);
}

#[test]
fn a_slot_climbs_at_a_key_frame_and_receives_the_old_layer_until_then() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    lab.send(alice, &video(0, 1, &Vp8Frame::key(1, b"l key")));
    lab.send(alice, &video(2, 500, &Vp8Frame::delta(700, b"h delta")));
    assert_eq!(lab.key_frame_requests(alice), [CAMERA[2]]);
    lab.send(alice, &video(0, 2, &Vp8Frame::delta(2, b"l delta")));
    lab.send(alice, &video(2, 501, &Vp8Frame::key(701, b"h key")));
    lab.send(alice, &video(0, 3, &Vp8Frame::delta(3, b"l delta, no more")));
    lab.send(alice, &video(2, 502, &Vp8Frame::delta(702, b"h delta")));
    let received = lab.media(bob);
    let bodies: Vec<&[u8]> = received
        .iter()
        .map(|packet| &vp8_body(&packet.payload)[1..])
        .collect();
    assert_eq!(bodies, [b"l key".as_slice(), b"l delta", b"h key", b"h delta"]);
    let first = &received[0];
    for (step, packet) in (0..).zip(&received) {
        assert_eq!(packet.header.sequence_number, first.header.sequence_number + step);
        assert_eq!(picture_id(&packet.payload), picture_id(&first.payload) + step);
    }
    let timestamps: Vec<u32> = received
        .iter()
        .map(|packet| packet.header.rtp_timestamp)
        .collect();
    assert!(timestamps.is_sorted(), "{timestamps:?}");
    assert_eq!(lab.sfu.stats().dropped(DropReason::OtherLayer), 2);
}

#[test]
fn a_slot_falls_back_when_its_layer_falls_silent() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    lab.send(alice, &video(2, 1, &Vp8Frame::key(1, b"h key")));
    lab.send(alice, &video(0, 1, &Vp8Frame::key(1, b"l key")));
    lab.advance(LAYER_ALIVE);
    lab.key_frame_requests(alice);
    lab.send(alice, &video(0, 2, &Vp8Frame::delta(2, b"l delta")));
    assert_eq!(lab.key_frame_requests(alice), [CAMERA[0]]);
    lab.send(alice, &video(0, 3, &Vp8Frame::key(3, b"l key")));
    assert_eq!(lab.media(bob).len(), 2);
}

#[test]
fn another_codec_on_a_layer_starts_with_its_key_frame_and_continues_the_picture_ids() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    lab.send(alice, &video(0, 1, &Vp8Frame::key(1, b"VP8")));
    lab.send(alice, &vp9(2, true, 900));
    lab.send(alice, &vp9(3, false, 901));
    lab.send(alice, &vp9(4, false, 902));
    let received = lab.media(bob);
    let base = picture_id(&received[0].payload);
    // I, then a picture id of 15 bits: behind one byte in VP9, behind two in VP8.
    let vp9_picture_id = |payload: &[u8]| u16::from_be_bytes([payload[1], payload[2]]) & 0x7FFF;
    let ids: Vec<u16> = received[1..]
        .iter()
        .map(|packet| vp9_picture_id(&packet.payload))
        .collect();
    assert_eq!(ids, [base + 1, base + 2, base + 3]);
    assert!(received[3].payload.ends_with(b"sealed"));
}

#[test]
fn a_delta_frame_of_another_codec_is_not_forwarded() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    lab.send(alice, &video(0, 1, &Vp8Frame::key(1, b"VP8")));
    lab.key_frame_requests(alice);
    lab.send(alice, &vp9(2, false, 900));
    assert_eq!(lab.media(bob).len(), 1);
    assert_eq!(lab.key_frame_requests(alice), [CAMERA[0]]);
}

#[test]
fn late_packet_after_layer_switch_is_dropped() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    lab.send(alice, &video(0, 10, &Vp8Frame::key(10, b"key")));
    lab.send(
        alice,
        &video(0, 9, &Vp8Frame::delta(9, b"older than the key frame")),
    );
    lab.send(alice, &video(0, 12, &Vp8Frame::delta(12, b"newer")));
    lab.send(alice, &video(0, 11, &Vp8Frame::delta(11, b"late, and wanted")));
    let sequence: Vec<u16> = lab
        .media(bob)
        .iter()
        .map(|packet| packet.header.sequence_number)
        .collect();
    assert_eq!(sequence, [sequence[0], sequence[0] + 2, sequence[0] + 1]);
    assert_eq!(lab.sfu.stats().dropped(DropReason::LateAfterSwitch), 1);
}

#[test]
fn padding_is_dropped_and_its_hole_is_closed() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    lab.send(alice, &video(0, 1, &Vp8Frame::key(1, b"key")));
    for number in 2..50 {
        lab.send(alice, &Outgoing::padding(0, CAMERA[0], number, 3_000));
    }
    lab.send(alice, &video(0, 50, &Vp8Frame::delta(2, b"delta")));
    let received = lab.media(bob);
    assert_eq!(received.len(), 2);
    assert_eq!(
        received[1].header.sequence_number,
        received[0].header.sequence_number + 1
    );
    assert_eq!(lab.sfu.stats().dropped(DropReason::PaddingOnly), 48);
}

#[test]
fn padding_at_the_end_of_a_media_packet_does_not_leave_the_server() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    lab.send(
        alice,
        &Outgoing {
            padding: 30,
            ..Outgoing::audio(MICROPHONE, 1, b"sealed")
        },
    );
    assert_eq!(lab.media(bob)[0].payload, b"sealed");
}

#[test]
fn another_source_in_a_slot_continues_its_numbers_by_the_time_that_passed() {
    let mut lab = Lab::new(1);
    let (alice, bob, carol) = (lab.join(1), lab.join(2), lab.join(3));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    lab.send(alice, &Outgoing::audio(MICROPHONE, 100, b"alice"));
    lab.bind(bob, "a0", None);
    lab.advance(Duration::from_millis(500));
    lab.bind(bob, "a0", Some((carol, SourceKind::Microphone)));
    lab.send(carol, &Outgoing::audio(MICROPHONE, 7, b"carol"));
    lab.send(alice, &Outgoing::audio(MICROPHONE, 101, b"alice, unbound"));
    let received = lab.media(bob);
    assert_eq!(received.len(), 2);
    assert_eq!(
        received[1].header.sequence_number,
        received[0].header.sequence_number.wrapping_add(1)
    );
    let step = received[1]
        .header
        .rtp_timestamp
        .wrapping_sub(received[0].header.rtp_timestamp);
    assert_eq!(step, 24_000);
}

#[test]
fn nothing_is_sent_to_or_from_a_peer_that_was_removed() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    lab.bind(alice, "a0", Some((bob, SourceKind::Microphone)));
    lab.send(alice, &Outgoing::audio(MICROPHONE, 1, b"one"));
    assert_eq!(lab.media(bob).len(), 1);
    let mut queued = lab.browsers[bob].seal(&Outgoing::audio(MICROPHONE, 1, b"queued for alice"));
    let path = lab.browsers[bob].path;
    lab.sfu.handle_datagram(path, &mut queued, lab.now);
    let id = lab.browsers[alice].id;
    lab.sfu.handle_command(Command::RemovePeer { peer: id }, lab.now);
    lab.deliver();
    assert!(lab.media(alice).is_empty(), "what was queued is dropped too");
    lab.send(alice, &Outgoing::audio(MICROPHONE, 2, b"two"));
    lab.send(bob, &Outgoing::audio(MICROPHONE, 2, b"two"));
    lab.advance(Duration::from_secs(3));
    assert!(lab.media(alice).is_empty() && lab.rtcp(alice).is_empty() && lab.media(bob).is_empty());
    assert_eq!(lab.sfu.stats().dropped(DropReason::UnknownAddress), 1);
    assert_eq!(lab.sfu.subscription_count(), 0);
}

#[test]
fn subscribers_get_only_payload_types_that_they_accepted() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    lab.send(
        alice,
        &Outgoing {
            payload_type: common::VP8,
            ..Outgoing::audio(MICROPHONE, 1, b"no audio")
        },
    );
    assert!(lab.media(bob).is_empty());
    assert_eq!(lab.sfu.stats().dropped(DropReason::UnknownPayloadType), 1);
}

fn video(layer: usize, sequence_number: u16, frame: &Vp8Frame) -> Outgoing {
    Outgoing::video(
        layer,
        CAMERA[layer],
        sequence_number,
        u32::from(sequence_number) * 3_000,
        frame,
    )
}

/// A VP9 frame of one packet: I, P unless it is a key frame, L, B and E; no flexible mode (RFC 9628 section 4.2).
fn vp9(sequence_number: u16, is_key: bool, picture_id: u16) -> Outgoing {
    let [high, low] = (picture_id | 0x8000).to_be_bytes();
    let mut payload = vec![if is_key { 0xAC } else { 0xEC }, high, low, 0, picture_id as u8];
    payload.extend_from_slice(b"sealed");
    let outgoing = video(0, sequence_number, &Vp8Frame::key(0, b""));
    Outgoing {
        payload_type: common::VP9,
        payload,
        ..outgoing
    }
}

fn slot(browser: u64, name: &str) -> rtp::Ssrc {
    rtp::Ssrc(slot_ssrc(browser, name))
}
