//! Repair of lost packets, one promise at a time.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::time::Duration;

use common::{
    Lab, Outgoing, VP8_AGAIN, Vp8Frame, picture_id, repaired_connection, slot_ssrc, slot_ssrc_again, vp8_body,
};
use rtp::rtcp::ReportBlock;
use rtp::{RtcpPacket, Ssrc};
use sfu_core::limits::{
    ANSWERS_PER_PACKET_MAX, CACHE_AGE, MISSING_MAX, PATIENCE_AUDIO, PATIENCE_VIDEO, REORDER_DELAY,
    REPORT_INTERVAL, REQUESTED_PER_DATAGRAM_MAX, RETRANSMISSION_BURST_BYTES, ROUND_TRIP_DEFAULT,
    ROUND_TRIP_MIN,
};
use sfu_core::{DropReason, Repair, SourceKind};

const MICROPHONE: u32 = 11;
/// The SSRCs of a camera's layers; their retransmissions have the hundreds above.
const CAMERA: [u32; 3] = [21, 22, 23];

#[test]
fn a_missing_packet_is_asked_for_after_a_moment_and_then_once_a_round_trip() {
    let (mut lab, alice, _) = call();
    lab.send(alice, &video(65_535, false));
    lab.send(alice, &video(2, false));
    assert_eq!(requests(&mut lab, alice), []);
    lab.advance(REORDER_DELAY);
    assert_eq!(requests(&mut lab, alice), [(CAMERA[0], vec![0, 1])]);
    lab.advance(ROUND_TRIP_DEFAULT - Duration::from_millis(1));
    assert_eq!(requests(&mut lab, alice), []);
    lab.send(alice, &video(1, false));
    lab.advance(Duration::from_millis(1));
    assert_eq!(requests(&mut lab, alice), [(CAMERA[0], vec![0])]);
    assert_eq!(lab.sfu.stats().packets_repaired, 1);
    assert_eq!(lab.sfu.stats().packets_requested, 3);
}

#[test]
fn a_late_packet_is_not_asked_for() {
    let (mut lab, alice, _) = call();
    for number in [1, 3, 2, 4] {
        lab.send(alice, &video(number, false));
    }
    lab.advance(PATIENCE_VIDEO);
    assert_eq!(lab.sfu.stats().packets_requested, 0);
}

#[test]
fn a_retransmission_is_forwarded_in_the_place_of_what_it_repairs() {
    let (mut lab, alice, bob) = call();
    lab.send(alice, &video(1, true));
    let lost = video(2, false);
    lab.send(alice, &video(3, false));
    lab.send(alice, &Outgoing::again(0, CAMERA[0] + 100, 500, &lost));
    lab.send(alice, &video(4, false));
    let received = lab.media(bob);
    let first = received[0].header.sequence_number;
    let numbers: Vec<u16> = received
        .iter()
        .map(|packet| packet.header.sequence_number.wrapping_sub(first))
        .collect();
    assert_eq!(numbers, [0, 2, 1, 3]);
    assert!(vp8_body(&received[2].payload).ends_with(b"body 2"));
    assert_eq!(
        picture_id(&received[2].payload),
        (picture_id(&received[0].payload) + 1) & 0x7FFF
    );
    assert!(
        received
            .iter()
            .all(|packet| packet.header.ssrc.0 == slot_ssrc(2, "v0"))
    );
    // The same retransmission again, and the original after all, are of no use.
    lab.send(alice, &Outgoing::again(0, CAMERA[0] + 100, 501, &lost));
    lab.send(alice, &lost);
    assert!(lab.media(bob).is_empty());
    assert_eq!(lab.sfu.stats().dropped(DropReason::Repeated), 2);
}

#[test]
fn a_retransmission_does_not_make_a_loss_undone_and_a_repeat_does() {
    let (mut lab, alice, _) = call();
    for number in [1, 2, 4] {
        lab.send(alice, &video(number, false));
        lab.send(alice, &Outgoing::audio(MICROPHONE, number, b"sealed"));
    }
    lab.send(alice, &Outgoing::again(0, CAMERA[0] + 100, 1, &video(3, false)));
    lab.send(alice, &Outgoing::audio(MICROPHONE, 3, b"sealed"));
    lab.advance(REPORT_INTERVAL);
    let lost: Vec<(u32, i32)> = report_blocks(&mut lab, alice)
        .iter()
        .map(|block| (block.ssrc.0, block.cumulative_lost))
        .collect();
    assert_eq!(lost, [(MICROPHONE, 0), (CAMERA[0], 1)]);
}

#[test]
fn padding_under_the_ssrc_of_retransmissions_is_dropped_and_leaves_no_hole() {
    let (mut lab, alice, bob) = call();
    lab.send(alice, &video(1, true));
    for number in 1..10 {
        let padding = Outgoing {
            payload: Vec::new(),
            padding: 200,
            ..Outgoing::again(0, CAMERA[0] + 100, number, &video(1, true))
        };
        lab.send(alice, &padding);
    }
    lab.send(alice, &video(2, false));
    lab.advance(REORDER_DELAY);
    assert_eq!(lab.media(bob).len(), 2);
    assert_eq!(lab.sfu.stats().dropped(DropReason::PaddingOnly), 9);
    assert_eq!(requests(&mut lab, alice), []);
}

#[test]
fn a_retransmission_is_bound_by_its_repaired_layer_by_its_ssrc_or_by_the_answer() {
    let mut lab = Lab::new(1);
    let mut connection = repaired_connection(1);
    connection.publications[1].repair = Repair::Retransmit(vec![(Ssrc(CAMERA[1]), Ssrc(777))]);
    let alice = lab.join_with(1, &connection);
    let anonymous = |outgoing: Outgoing| Outgoing {
        mid: None,
        repaired_rid: None,
        ..outgoing
    };
    for (layer, ssrc) in CAMERA.into_iter().enumerate().take(2) {
        let frame = Vp8Frame::key(1, b"key");
        lab.send(alice, &Outgoing::video(layer, ssrc, 10, 0, &frame));
        lab.send(alice, &Outgoing::video(layer, ssrc, 14, 0, &frame));
    }
    lab.advance(REORDER_DELAY);
    let lost =
        |layer: usize, number| Outgoing::video(layer, CAMERA[layer], number, 0, &Vp8Frame::delta(1, b"lost"));
    lab.send(alice, &anonymous(Outgoing::again(0, 555, 1, &lost(0, 11))));
    assert_eq!(lab.sfu.stats().dropped(DropReason::UnknownSsrc), 1);
    lab.send(alice, &Outgoing::again(0, 555, 2, &lost(0, 11)));
    lab.send(alice, &anonymous(Outgoing::again(0, 555, 3, &lost(0, 12))));
    lab.send(alice, &anonymous(Outgoing::again(1, 777, 1, &lost(1, 11))));
    assert_eq!(lab.sfu.stats().packets_repaired, 3);
}

#[test]
fn a_retransmission_that_was_not_negotiated_is_refused() {
    let mut lab = Lab::new(1);
    let alice = lab.join(1);
    lab.send(alice, &video(1, true));
    lab.send(alice, &video(3, false));
    lab.send(alice, &Outgoing::again(0, 555, 1, &video(2, false)));
    assert_eq!(lab.sfu.stats().dropped(DropReason::UnknownPayloadType), 1);
    lab.advance(PATIENCE_VIDEO);
    assert_eq!(requests(&mut lab, alice), []);
}

#[test]
fn video_that_is_lost_for_good_leads_to_one_key_frame_request_if_somebody_receives_it() {
    for is_received in [true, false] {
        let (mut lab, alice, bob) = call();
        lab.send(alice, &video(1, true));
        if !is_received {
            lab.bind(bob, "v0", None);
        }
        lab.rtcp(alice);
        lab.send(alice, &video(4, false));
        let mut asked = Vec::new();
        for number in 5..100 {
            lab.advance(Duration::from_millis(10));
            lab.send(alice, &video(number, false));
            asked.extend(lab.key_frame_requests(alice));
        }
        assert_eq!(lab.sfu.stats().packets_given_up, 2);
        assert_eq!(asked.len(), usize::from(is_received), "{asked:?}");
    }
}

#[test]
fn audio_that_is_lost_is_given_up_sooner_and_nothing_is_asked_for_it() {
    let (mut lab, alice, _) = call();
    lab.send(alice, &Outgoing::audio(MICROPHONE, 1, b"sealed"));
    lab.send(alice, &Outgoing::audio(MICROPHONE, 3, b"sealed"));
    lab.rtcp(alice);
    lab.advance(PATIENCE_AUDIO + ROUND_TRIP_DEFAULT * 2);
    assert_eq!(lab.sfu.stats().packets_given_up, 1);
    assert_eq!(lab.key_frame_requests(alice), Vec::<u32>::new());
}

#[test]
fn a_gap_that_is_too_large_is_not_asked_for() {
    let (mut lab, alice, _) = call();
    lab.send(alice, &video(1, true));
    lab.rtcp(alice);
    lab.send(alice, &video(3 + MISSING_MAX as u16, false));
    assert_eq!(lab.sfu.stats().packets_given_up, MISSING_MAX as u64 + 1);
    assert_eq!(lab.key_frame_requests(alice), [CAMERA[0]]);
    lab.advance(PATIENCE_VIDEO);
    assert_eq!(lab.sfu.stats().packets_requested, 0);
}

#[test]
fn video_is_sent_again_as_retransmission_with_the_numbers_that_it_had() {
    let (mut lab, alice, bob) = call();
    for number in 1..=3 {
        lab.send(alice, &video(number, number == 1));
    }
    let received = lab.media(bob);
    let lost = &received[1];
    ask(&mut lab, bob, "v0", &[lost.header.sequence_number]);
    let again = lab.media(bob).remove(0);
    assert_eq!(again.header.ssrc.0, slot_ssrc_again(2, "v0"));
    assert_eq!(again.header.payload_type.value(), VP8_AGAIN);
    assert_eq!(again.header.rtp_timestamp, lost.header.rtp_timestamp);
    assert_eq!(again.header.marker, lost.header.marker);
    assert_eq!(again.payload[..2], lost.header.sequence_number.to_be_bytes());
    assert_eq!(
        again.payload[2..],
        lost.payload,
        "descriptor and media are those of the first sending"
    );
    assert_ne!(again.transport_sequence, lost.transport_sequence);
    lab.advance(ROUND_TRIP_MIN);
    ask(&mut lab, bob, "v0", &[lost.header.sequence_number]);
    let next = lab.media(bob).remove(0);
    assert_eq!(
        next.header.sequence_number,
        again.header.sequence_number.wrapping_add(1),
        "retransmissions have numbers of their own"
    );
    assert_eq!(lab.sfu.stats().retransmissions_sent, 2);
}

#[test]
fn audio_is_sent_again_as_the_very_same_datagram() {
    let (mut lab, alice, bob) = call();
    let datagrams: Vec<Vec<u8>> = (1..=3)
        .map(|number| {
            let mut sealed = lab.browsers[alice].seal(&Outgoing::audio(MICROPHONE, number, b"sealed"));
            let path = lab.browsers[alice].path;
            lab.sfu.handle_datagram(path, &mut sealed, lab.now);
            lab.sfu.poll_transmit().unwrap().bytes.to_vec()
        })
        .collect();
    let sequence_number = u16::from_be_bytes([datagrams[1][2], datagrams[1][3]]);
    let mut request = lab.browsers[bob].seal_rtcp(|writer| {
        let slot = Ssrc(slot_ssrc(2, "a0"));
        writer.nack(Ssrc(1), slot, &[sequence_number]).unwrap();
    });
    let path = lab.browsers[bob].path;
    lab.sfu.handle_datagram(path, &mut request, lab.now);
    assert_eq!(lab.sfu.poll_transmit().unwrap().bytes, datagrams[1]);
    assert!(lab.sfu.poll_transmit().is_none());
}

#[test]
fn one_packet_is_answered_once_a_round_trip_and_not_forever() {
    let (mut lab, alice, bob) = call();
    lab.send(alice, &video(1, true));
    let number = lab.media(bob)[0].header.sequence_number;
    for _ in 0..3 {
        ask(&mut lab, bob, "v0", &[number]);
    }
    assert_eq!(lab.sfu.stats().dropped(DropReason::RequestTooSoon), 2);
    for _ in 0..u32::from(ANSWERS_PER_PACKET_MAX) + 3 {
        lab.advance(ROUND_TRIP_MIN);
        ask(&mut lab, bob, "v0", &[number]);
    }
    let stats = lab.sfu.stats();
    assert_eq!(stats.retransmissions_sent, u64::from(ANSWERS_PER_PACKET_MAX));
    assert_eq!(stats.dropped(DropReason::RequestTooOften), 4);
}

#[test]
fn more_than_the_budget_is_not_sent_again() {
    let (mut lab, alice, bob) = call();
    let body = vec![7; 1_100];
    let mut numbers = Vec::new();
    for number in 1..=500 {
        let frame = Vp8Frame {
            is_key: number == 1,
            ..Vp8Frame::key(number, &body)
        };
        lab.send(alice, &Outgoing::video(0, CAMERA[0], number, 0, &frame));
        numbers.push(lab.media(bob)[0].header.sequence_number);
    }
    ask(&mut lab, bob, "v0", &numbers[100..500]);
    let sent = lab.sfu.stats().retransmissions_sent;
    let most = RETRANSMISSION_BURST_BYTES / 1_100;
    assert!((most - 4..=most).contains(&sent), "{sent} of {most}");
    assert_eq!(lab.sfu.stats().dropped(DropReason::RequestOverBudget), 400 - sent);
    assert_eq!(lab.media(bob).len() as u64, sent);
}

#[test]
fn one_datagram_asks_for_no_more_than_it_may() {
    let (mut lab, _, bob) = call();
    let numbers: Vec<u16> = (0..600).collect();
    ask(&mut lab, bob, "v0", &numbers);
    let expected = 600 - REQUESTED_PER_DATAGRAM_MAX as u64;
    assert_eq!(lab.sfu.stats().dropped(DropReason::RequestTooMany), expected);
}

#[test]
fn what_is_too_old_leads_to_a_key_frame_and_what_never_came_to_nothing() {
    let (mut lab, alice, bob) = call();
    lab.send(alice, &video(1, true));
    lab.send(alice, &video(2, false));
    let first = lab.media(bob)[1].header.sequence_number;
    lab.send(alice, &video(4, false));
    lab.rtcp(alice);
    ask(&mut lab, bob, "v0", &[first.wrapping_add(1)]);
    assert_eq!(lab.sfu.stats().dropped(DropReason::RequestNotReceived), 1);
    assert_eq!(lab.key_frame_requests(alice), Vec::<u32>::new());
    lab.advance(CACHE_AGE + Duration::from_millis(1));
    lab.send(alice, &video(5, false));
    lab.rtcp(alice);
    lab.advance(Duration::from_secs(1));
    ask(&mut lab, bob, "v0", &[first]);
    assert_eq!(lab.sfu.stats().dropped(DropReason::RequestTooOld), 1);
    assert_eq!(lab.key_frame_requests(alice), [CAMERA[0]]);
}

#[test]
fn what_a_slot_did_not_send_is_not_sent_again() {
    let (mut lab, alice, bob) = call();
    ask(&mut lab, bob, "v0", &[1]);
    lab.send(alice, &video(1, true));
    let number = lab.media(bob)[0].header.sequence_number;
    ask(
        &mut lab,
        bob,
        "v0",
        &[number.wrapping_add(1), number.wrapping_sub(1)],
    );
    assert_eq!(lab.sfu.stats().dropped(DropReason::RequestUnknown), 3);
    lab.bind(bob, "v0", None);
    ask(&mut lab, bob, "v0", &[number]);
    assert_eq!(
        lab.sfu.stats().dropped(DropReason::RequestUnknown),
        4,
        "the slot is empty"
    );
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    ask(&mut lab, bob, "v0", &[number]);
    assert_eq!(
        lab.sfu.stats().dropped(DropReason::RequestUnknown),
        5,
        "nothing of before"
    );
    assert_eq!(lab.sfu.stats().retransmissions_sent, 0);
}

#[test]
fn a_line_that_did_not_negotiate_repair_gets_none() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join_with(1, &repaired_connection(1)), lab.join(2));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    lab.send(alice, &video(1, true));
    let number = lab.media(bob)[0].header.sequence_number;
    ask(&mut lab, bob, "v0", &[number]);
    assert_eq!(lab.sfu.stats().dropped(DropReason::RequestNotNegotiated), 1);
    assert!(lab.media(bob).is_empty());
}

#[test]
fn over_a_change_of_layer_the_packets_before_it_can_still_be_asked_for() {
    let (mut lab, alice, bob) = call();
    lab.send(alice, &video(1, true));
    lab.send(alice, &video(2, false));
    let low = lab.media(bob);
    let high = Outgoing::video(1, CAMERA[1], 50, 0, &Vp8Frame::key(9, b"high"));
    lab.send(alice, &high);
    assert_eq!(lab.media(bob).len(), 1);
    ask(&mut lab, bob, "v0", &[low[1].header.sequence_number]);
    assert_eq!(lab.media(bob)[0].payload[2..], low[1].payload);
}

#[test]
fn a_key_frame_whose_first_packet_comes_late_is_received_whole() {
    let (mut lab, alice, bob) = call();
    let first = video(1, true);
    for number in 2..=4 {
        let rest = Vp8Frame {
            is_start: false,
            ..Vp8Frame::key(1, format!("body {number}").as_bytes())
        };
        lab.send(alice, &Outgoing::video(0, CAMERA[0], number, 0, &rest));
    }
    assert!(lab.media(bob).is_empty());
    lab.send(alice, &Outgoing::again(0, CAMERA[0] + 100, 1, &first));
    let received = lab.media(bob);
    assert_eq!(received.len(), 4);
    for (place, packet) in received.iter().enumerate() {
        let expected = received[0].header.sequence_number.wrapping_add(place as u16);
        assert_eq!(packet.header.sequence_number, expected);
        assert!(packet.payload.ends_with(format!("body {}", place + 1).as_bytes()));
    }
    assert_eq!(lab.sfu.stats().packets_caught_up, 3);
}

#[test]
fn the_round_trip_is_measured_by_reports_and_spaces_answers_and_requests() {
    let (mut lab, alice, bob) = call();
    lab.send(alice, &video(1, true));
    let number = lab.media(bob)[0].header.sequence_number;
    lab.send_rtcp(alice, |writer| {
        let info = rtp::rtcp::SenderInfo {
            ntp_time: rtp::NtpTime::from_duration(Duration::from_secs(1_000)),
            ..rtp::rtcp::SenderInfo::default()
        };
        writer.sender_report(Ssrc(CAMERA[0]), &info, &[]).unwrap();
    });
    lab.rtcp(bob);
    lab.advance(REPORT_INTERVAL);
    let last = lab.rtcp(bob).iter().find_map(|datagram| {
        rtp::rtcp::packets(datagram).find_map(|packet| match packet.unwrap() {
            RtcpPacket::SenderReport(report) => Some(report.info.ntp_time.compact()),
            _ => None,
        })
    });
    // The report was 40 ms under way, waited for 100 ms, and its answer took 40 ms.
    lab.advance(Duration::from_millis(180));
    lab.send_rtcp(bob, |writer| {
        let block = ReportBlock {
            ssrc: Ssrc(slot_ssrc(2, "v0")),
            last_sender_report: last.unwrap(),
            delay_since_last_sender_report: rtp::ntp::compact_from_duration(Duration::from_millis(100)),
            ..ReportBlock::default()
        };
        writer.receiver_report(Ssrc(1), &[block]).unwrap();
    });
    lab.send(alice, &video(2, false));
    let number = number.wrapping_add(1);
    ask(&mut lab, bob, "v0", &[number]);
    lab.advance(Duration::from_millis(50));
    ask(&mut lab, bob, "v0", &[number]);
    assert_eq!(lab.sfu.stats().dropped(DropReason::RequestTooSoon), 1);
    lab.advance(Duration::from_millis(15));
    ask(&mut lab, bob, "v0", &[number]);
    assert_eq!(lab.sfu.stats().retransmissions_sent, 2);
}

/// Alice sends to the first slots of Bob, with repair on both sides.
fn call() -> (Lab, usize, usize) {
    let mut lab = Lab::new(1);
    let alice = lab.join_with(1, &repaired_connection(1));
    let bob = lab.join_with(2, &repaired_connection(2));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    (lab, alice, bob)
}

/// A packet of the smallest layer, a frame of its own.
fn video(number: u16, is_key: bool) -> Outgoing {
    let frame = Vp8Frame {
        is_key,
        ..Vp8Frame::key(number & 0x7FFF, format!("body {number}").as_bytes())
    };
    Outgoing::video(0, CAMERA[0], number, u32::from(number) * 3_000, &frame)
}

/// Lets a browser ask for packets of one of its slots.
fn ask(lab: &mut Lab, browser: usize, slot: &str, numbers: &[u16]) {
    let ssrc = slot_ssrc(lab.browsers[browser].id.0, slot);
    lab.send_rtcp(browser, |writer| {
        writer.nack(Ssrc(1), Ssrc(ssrc), numbers).unwrap();
    });
}

/// What a browser was asked for since the last call.
fn requests(lab: &mut Lab, browser: usize) -> Vec<(u32, Vec<u16>)> {
    let mut requests = Vec::new();
    for datagram in lab.rtcp(browser) {
        for packet in rtp::rtcp::packets(&datagram) {
            if let RtcpPacket::Nack(nack) = packet.unwrap() {
                requests.push((nack.media_ssrc.0, nack.sequence_numbers().collect()));
            }
        }
    }
    requests
}

fn report_blocks(lab: &mut Lab, browser: usize) -> Vec<ReportBlock> {
    let mut blocks = Vec::new();
    for datagram in lab.rtcp(browser) {
        for packet in rtp::rtcp::packets(&datagram) {
            if let RtcpPacket::ReceiverReport(report) = packet.unwrap() {
                blocks.extend(report.blocks());
            }
        }
    }
    blocks
}
