//! Reports and feedback, both ways.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::time::Duration;

use common::{Lab, Outgoing, Vp8Frame, slot_ssrc};
use rtp::rtcp::{ReportBlock, SenderInfo};
use rtp::{NtpTime, RtcpPacket, Ssrc};
use sfu_core::SourceKind;
use sfu_core::limits::{FEEDBACK_INTERVAL, REPORT_INTERVAL};

const MICROPHONE: u32 = 11;
const CAMERA: u32 = 21;

#[test]
fn every_packet_of_a_publisher_is_reported_within_a_tenth_of_a_second() {
    let mut lab = Lab::new(1);
    let alice = lab.join(1);
    let mut sent = Vec::new();
    let mut reported = Vec::new();
    for number in 0..100 {
        lab.send(alice, &Outgoing::audio(MICROPHONE, number, b"sealed"));
        sent.push(lab.browsers[alice].last_transport_sequence());
        lab.advance(Duration::from_millis(20));
        reported.extend(reported_arrivals(&mut lab, alice));
    }
    lab.advance(FEEDBACK_INTERVAL);
    reported.extend(reported_arrivals(&mut lab, alice));
    assert_eq!(reported, sent);
    assert!(
        (30..=50).contains(&lab.sfu.stats().transport_feedback_sent),
        "2 s, one each 60 ms"
    );
}

#[test]
fn padding_is_reported_like_media() {
    let mut lab = Lab::new(1);
    let alice = lab.join(1);
    lab.send(alice, &Outgoing::padding(0, CAMERA, 1, 0));
    lab.advance(FEEDBACK_INTERVAL);
    assert_eq!(
        reported_arrivals(&mut lab, alice),
        [lab.browsers[alice].last_transport_sequence()]
    );
}

#[test]
fn a_publisher_learns_its_loss_and_how_old_its_report_is() {
    let mut lab = Lab::new(1);
    let alice = lab.join(1);
    for number in [1, 2, 4] {
        lab.send(alice, &Outgoing::audio(MICROPHONE, number, b"sealed"));
    }
    lab.send_rtcp(alice, |writer| {
        let info = SenderInfo {
            ntp_time: NtpTime(0x1234_5678_9ABC_DEF0),
            ..SenderInfo::default()
        };
        writer.sender_report(Ssrc(MICROPHONE), &info, &[]).unwrap();
    });
    lab.advance(REPORT_INTERVAL);
    let blocks = report_blocks(&mut lab, alice);
    assert_eq!(blocks.len(), 1);
    assert_eq!((blocks[0].ssrc, blocks[0].cumulative_lost), (Ssrc(MICROPHONE), 1));
    assert_eq!(blocks[0].fraction_lost, 64);
    assert_eq!(blocks[0].last_sender_report, 0x5678_9ABC);
    assert_eq!(blocks[0].delay_since_last_sender_report, 0x1_0000);
}

#[test]
fn a_sender_report_tells_a_subscriber_the_publishers_clock_in_the_slots_own_timestamps() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    let frame = Vp8Frame::key(1, b"key");
    lab.send(alice, &Outgoing::video(0, CAMERA, 1, 90_000, &frame));
    let forwarded = lab.media(bob).remove(0).header.rtp_timestamp;
    lab.send_rtcp(alice, |writer| {
        let info = SenderInfo {
            ntp_time: NtpTime::from_duration(Duration::from_secs(1_000)),
            rtp_timestamp: 90_000 + 900,
            ..SenderInfo::default()
        };
        writer.sender_report(Ssrc(CAMERA), &info, &[]).unwrap();
    });
    lab.advance(REPORT_INTERVAL);
    let reports = sender_reports(&mut lab, bob);
    let (ssrc, info) = reports[0];
    assert_eq!(ssrc, Ssrc(slot_ssrc(2, "v0")));
    // Alice said: 10 ms after this frame it was second 1,000. A second later it is second 1,001.
    assert_eq!(info.ntp_time, NtpTime::from_duration(Duration::from_secs(1_001)));
    assert_eq!(info.rtp_timestamp, forwarded.wrapping_add(900 + 90_000));
    assert_eq!(info.packet_count, 1);
    assert_eq!(lab.rtcp(bob), Vec::<Vec<u8>>::new());
}

#[test]
fn layers_follow_each_other_by_the_publishers_clock_where_it_is_known() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
    lab.send(
        alice,
        &Outgoing::video(0, CAMERA, 1, 90_000, &Vp8Frame::key(1, b"low")),
    );
    // Both layers tell what their timestamps were at second 1,000.
    for (ssrc, rtp_timestamp) in [(CAMERA, 90_000), (CAMERA + 1, 5_000_000)] {
        if ssrc != CAMERA {
            lab.send(
                alice,
                &Outgoing::video(1, ssrc, 1, 5_000_000, &Vp8Frame::delta(1, b"high")),
            );
        }
        lab.send_rtcp(alice, |writer| {
            let ntp_time = NtpTime::from_duration(Duration::from_secs(1_000));
            let info = SenderInfo {
                ntp_time,
                rtp_timestamp,
                ..SenderInfo::default()
            };
            writer.sender_report(Ssrc(ssrc), &info, &[]).unwrap();
        });
    }
    lab.advance(REPORT_INTERVAL);
    lab.send(
        alice,
        &Outgoing::video(0, CAMERA, 2, 180_000, &Vp8Frame::delta(2, b"low")),
    );
    // The same picture, one frame later; its packets took 30 ms longer.
    lab.advance(Duration::from_millis(63));
    lab.send(
        alice,
        &Outgoing::video(1, CAMERA + 1, 2, 5_093_000, &Vp8Frame::key(2, b"high")),
    );
    let timestamps: Vec<u32> = lab
        .media(bob)
        .iter()
        .map(|packet| packet.header.rtp_timestamp)
        .collect();
    assert_eq!(timestamps.len(), 3);
    assert_eq!(timestamps[2].wrapping_sub(timestamps[1]), 3_000);
}

#[test]
fn arrival_reports_of_a_subscriber_are_taken_in() {
    let mut lab = Lab::new(1);
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    lab.send(alice, &Outgoing::audio(MICROPHONE, 1, b"sealed"));
    lab.send(alice, &Outgoing::audio(MICROPHONE, 2, b"sealed"));
    let sequence: Vec<u16> = lab
        .media(bob)
        .iter()
        .map(|packet| packet.transport_sequence.unwrap())
        .collect();
    assert_eq!(sequence[1], sequence[0].wrapping_add(1));
    lab.send_rtcp(bob, |writer| {
        let arrival = |number: u16| rtp::rtcp::Arrival {
            sequence_number: u64::from(number),
            time: Duration::from_secs(1),
        };
        let request = rtp::rtcp::TransportFeedbackRequest {
            sender_ssrc: Ssrc(1),
            media_ssrc: Ssrc(2),
            feedback_count: 0,
            base_sequence_number: u64::from(sequence[0]),
            arrivals: &[arrival(sequence[0]), arrival(sequence[1])],
        };
        writer.transport_feedback(&request).unwrap();
    });
    assert_eq!(lab.sfu.stats().transport_feedback_received, 1);
}

/// The numbers that feedback to a browser reported as arrived.
fn reported_arrivals(lab: &mut Lab, browser: usize) -> Vec<u16> {
    let mut arrived = Vec::new();
    for datagram in lab.rtcp(browser) {
        for packet in rtp::rtcp::packets(&datagram) {
            if let RtcpPacket::TransportFeedback(feedback) = packet.unwrap() {
                let packets = feedback.packets().filter(|packet| packet.arrival_ticks.is_some());
                arrived.extend(packets.map(|packet| packet.sequence_number));
            }
        }
    }
    arrived
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

fn sender_reports(lab: &mut Lab, browser: usize) -> Vec<(Ssrc, SenderInfo)> {
    let mut reports = Vec::new();
    for datagram in lab.rtcp(browser) {
        let mut names = 0;
        for packet in rtp::rtcp::packets(&datagram) {
            match packet.unwrap() {
                RtcpPacket::SenderReport(report) => reports.push((report.ssrc, report.info)),
                RtcpPacket::Sdes(sdes) => {
                    names += sdes.chunks().filter(|chunk| chunk.cname == Some(b"u")).count()
                }
                _ => {}
            }
        }
        assert!(names > 0);
    }
    reports
}
