//! Sound and picture of one participant lie on one clock: the publisher's, told in the timestamps of each slot.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Lab, OPUS, Outgoing, Packet, Vp8Frame, slot_ssrc};
use rtp::rtcp::SenderInfo;
use rtp::{NtpTime, RtcpPacket, Ssrc};
use sfu_core::SourceKind;

const MICROPHONE: u32 = 11;
const CAMERA: [u32; 2] = [21, 22];

/// The timestamps with which the streams begin; each has a clock of its own.
const BASES: [(u32, u32, u32); 3] = [
    (MICROPHONE, 48, 4_000_000_000),
    (CAMERA[0], 90, 70_000),
    (CAMERA[1], 90, 4_294_900_000),
];

/// More than lips may be apart from their sound by our doing.
const APART_MAX: Duration = Duration::from_millis(1);

#[test]
fn every_packet_lies_on_the_publishers_clock_over_every_change_of_layer() {
    let mut world = World::new();
    // The small layer alone, then the large one as well, then the small one alone again, then both.
    for (layers, milliseconds) in [(1, 3_000), (2, 4_000), (1, 4_000), (2, 4_000)] {
        world.go_on(layers, milliseconds, true);
    }
    assert!(
        world.lab.sfu.stats().layer_switches >= 5,
        "sound once, the picture four times"
    );
    assert!(world.compared > 900, "{}", world.compared);
    assert!(world.worst <= APART_MAX, "{:?} apart", world.worst);
}

#[test]
fn a_layer_that_begins_without_a_clock_is_on_the_publishers_clock_from_its_first_report_on() {
    let mut world = World::new();
    world.go_on(1, 3_000, true);
    // The network holds the large layer back, and its clock is not told.
    world.large_layer_takes = Duration::from_millis(70);
    world.begins_with_key = [false, true];
    world.go_on(2, 700, false);
    // What was reported before belongs to the small layer: it is off by what the large one was held back.
    world.reports.clear();
    world.worst = Duration::ZERO;
    world.go_on(2, 4_000, true);
    assert!(world.compared > 300, "{}", world.compared);
    assert!(world.worst <= APART_MAX, "{:?} apart", world.worst);
}

struct World {
    lab: Lab,
    alice: usize,
    bob: usize,
    numbers: BTreeMap<u32, u16>,
    /// How much later than the small layer the large one comes.
    large_layer_takes: Duration,
    late: Vec<(Duration, Outgoing)>,
    /// When the payload was made.
    made: BTreeMap<Vec<u8>, Duration>,
    /// The last report of each slot.
    reports: BTreeMap<Ssrc, SenderInfo>,
    /// Whether a layer begins with a key frame; without, one comes after 30 frames, when its clock was told.
    begins_with_key: [bool; 2],
    compared: usize,
    worst: Duration,
}

impl World {
    fn new() -> Self {
        let mut lab = Lab::new(1);
        let (alice, bob) = (lab.join(1), lab.join(2));
        lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
        lab.bind(bob, "v0", Some((alice, SourceKind::Camera)));
        Self {
            lab,
            alice,
            bob,
            numbers: BTreeMap::new(),
            large_layer_takes: Duration::from_millis(7),
            late: Vec::new(),
            made: BTreeMap::new(),
            reports: BTreeMap::new(),
            begins_with_key: [true, false],
            compared: 0,
            worst: Duration::ZERO,
        }
    }

    fn elapsed(&self) -> Duration {
        self.lab.now - common::start()
    }

    /// Lets Alice send, with so many layers of her camera.
    fn go_on(&mut self, layers: usize, milliseconds: u64, tells_large_clock: bool) {
        for _ in 0..milliseconds {
            self.lab.advance(Duration::from_millis(1));
            let now = self.elapsed();
            let now_ms = now.as_millis() as u64;
            if now_ms % 20 == 3 {
                self.send(MICROPHONE, now, None);
            }
            if now_ms % 33 == 5 {
                for (layer, ssrc) in CAMERA.into_iter().enumerate().take(layers) {
                    self.send(ssrc, now, Some(layer));
                }
            }
            while let Some(place) = self.late.iter().position(|(at, _)| *at <= now) {
                let (_, outgoing) = self.late.remove(place);
                self.lab.send(self.alice, &outgoing);
            }
            for (place, (ssrc, ..)) in BASES.iter().enumerate() {
                let is_told = *ssrc != CAMERA[1] || (layers == 2 && tells_large_clock);
                if is_told && now_ms % 500 == place as u64 * 130 {
                    self.report(*ssrc, now);
                }
            }
            self.take();
        }
    }

    fn send(&mut self, ssrc: u32, now: Duration, layer: Option<usize>) {
        let number = self.numbers.entry(ssrc).or_insert(120);
        *number = number.wrapping_add(1);
        let body = format!("<{ssrc} {number}>").into_bytes();
        self.made.insert(body.clone(), now);
        let mut outgoing = match layer {
            None => Outgoing::audio(ssrc, *number, &body),
            Some(layer) => {
                let is_key = std::mem::take(&mut self.begins_with_key[layer]) || number.is_multiple_of(30);
                let frame = Vp8Frame {
                    is_key,
                    ..Vp8Frame::key(*number & 0x7FFF, &body)
                };
                Outgoing::video(layer, ssrc, *number, 0, &frame)
            }
        };
        outgoing.rtp_timestamp = timestamp(ssrc, now);
        let takes = if layer == Some(1) {
            self.large_layer_takes
        } else {
            Duration::ZERO
        };
        self.late.push((now + takes, outgoing));
    }

    /// A sender report that was made a while ago: the network takes its time.
    fn report(&mut self, ssrc: u32, now: Duration) {
        let made = now - Duration::from_millis(u64::from(ssrc) % 13);
        let info = SenderInfo {
            ntp_time: NtpTime::from_duration(Duration::from_secs(1_000) + made),
            rtp_timestamp: timestamp(ssrc, made),
            ..SenderInfo::default()
        };
        self.lab.send_rtcp(self.alice, |writer| {
            writer.sender_report(Ssrc(ssrc), &info, &[]).unwrap();
        });
    }

    /// Compares what came with the last report of its slot, as a browser does.
    fn take(&mut self) {
        for packet in std::mem::take(&mut self.lab.browsers[self.bob].inbox) {
            match packet {
                Packet::Rtcp(datagram) => {
                    for packet in rtp::rtcp::packets(&datagram) {
                        if let RtcpPacket::SenderReport(report) = packet.unwrap() {
                            self.reports.insert(report.ssrc, report.info);
                        }
                    }
                }
                Packet::Rtp(packet) => {
                    let Some(report) = self.reports.get(&packet.header.ssrc) else {
                        continue;
                    };
                    let is_audio = packet.header.payload_type.value() == OPUS;
                    let ticks_per_second = if is_audio { 48_000 } else { 90_000 };
                    let ticks =
                        rtp::seq::timestamp_distance(packet.header.rtp_timestamp, report.rtp_timestamp);
                    let offset_us = i64::from(ticks) * 1_000_000 / ticks_per_second;
                    let told = report.ntp_time.to_duration().as_micros() as i64 + offset_us;
                    let body = self
                        .made
                        .iter()
                        .find(|(body, _)| packet.payload.ends_with(body))
                        .map(|(_, made)| *made);
                    let truth = (Duration::from_secs(1_000) + body.unwrap()).as_micros() as i64;
                    let apart = Duration::from_micros((told - truth).unsigned_abs());
                    self.worst = self.worst.max(apart);
                    self.compared += 1;
                }
            }
        }
        assert!(
            self.reports
                .keys()
                .all(|ssrc| { [slot_ssrc(2, "a0"), slot_ssrc(2, "v0")].contains(&ssrc.0) })
        );
    }
}

fn timestamp(ssrc: u32, at: Duration) -> u32 {
    let (_, ticks_per_ms, base) = BASES.iter().find(|(of, ..)| *of == ssrc).unwrap();
    base.wrapping_add(at.as_millis() as u32 * ticks_per_ms)
}
