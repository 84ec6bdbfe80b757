//! A seeded world beside a reference model: who should receive what, after every single step.
//!
//! Replay one seed with `UNDERTONE_WORLD_SEED=<seed> cargo test -p sfu-core --test world`.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;
#[path = "world/model.rs"]
mod model;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use common::{Lab, Outgoing, Packet, Vp8Frame};
use model::{Model, Sent};
use rtp::Ssrc;
use sfu_core::{Command, PeerId, SourceKind};
use transport::Protocol;

const SEEDS: u64 = 48;
const STEPS: usize = 600;
const BROWSERS_MAX: usize = 5;

#[test]
fn every_world_follows_its_model() {
    let seeds = match std::env::var("UNDERTONE_WORLD_SEED") {
        Ok(seed) => vec![seed.parse().expect("UNDERTONE_WORLD_SEED is a number")],
        Err(_) => (0..SEEDS).collect(),
    };
    for seed in seeds {
        let _told = TellSeed(seed);
        World::new(seed).run();
    }
}

#[test]
fn the_same_seed_makes_the_same_world() {
    assert_eq!(World::new(7).run(), World::new(7).run());
    assert_ne!(World::new(7).run(), World::new(8).run());
}

/// Says how to repeat the world, if it fails.
struct TellSeed(u64);

impl Drop for TellSeed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "replay: UNDERTONE_WORLD_SEED={} cargo test -p sfu-core --test world",
                self.0
            );
        }
    }
}

struct World {
    lab: Lab,
    model: Model,
    dice: Dice,
    cameras: Vec<Camera>,
    next_number: u64,
    /// Datagrams on their way, of browsers that may have left since.
    late: Vec<(usize, Vec<u8>, Option<Sent>)>,
    transcript: DefaultHasher,
}

/// What one browser sends; at the same place as the browser.
struct Camera {
    is_here: bool,
    audio_sequence: u16,
    audio_place: u64,
    layers: [Layer; 3],
    last_datagram: Option<Vec<u8>>,
}

#[derive(Clone, Copy)]
struct Layer {
    is_on: bool,
    wants_key: bool,
    sequence: u16,
    picture_id: u16,
    timestamp_base: u32,
    /// Counts media and lost padding: what must come out without holes.
    place: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            lab: Lab::new(seed),
            model: Model::default(),
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            cameras: Vec::new(),
            next_number: 1,
            late: Vec::new(),
            transcript: DefaultHasher::new(),
        }
    }

    /// Lets the world happen, and returns a digest of all that was received.
    fn run(mut self) -> u64 {
        for _ in 0..3 {
            self.join();
        }
        for _ in 0..STEPS {
            self.step();
            self.check();
        }
        assert!(
            self.model.received > 100,
            "a world in which little happens shows little"
        );
        self.transcript.finish()
    }

    fn step(&mut self) {
        match self.dice.below(100) {
            0..=3 => self.join(),
            4..=5 => self.leave(),
            6..=15 => self.bind(),
            16..=35 => self.audio(),
            36..=69 => self.video(),
            70..=74 => self.padding(),
            75..=80 => self.deliver_late(),
            81..=85 => self.garbage(),
            86..=88 => self.replay(),
            89..=91 => self.ask_for_key_frame(),
            92..=93 => self.toggle_layer(),
            94 => self.choke(),
            95 => self.drain(),
            _ => {
                let most_ms = if self.dice.below(5) == 0 { 1_200 } else { 60 };
                let time = Duration::from_millis(self.dice.below(most_ms));
                self.lab.advance(time);
            }
        }
    }

    fn join(&mut self) {
        if self.here().len() >= BROWSERS_MAX {
            return;
        }
        let number = self.next_number;
        self.next_number += 1;
        let browser = match self.dice.below(3) {
            0 => self.lab.join_over_tcp(number),
            _ => self.lab.join(number),
        };
        let layers = [0, 1, 2].map(|layer| Layer {
            is_on: layer == 0 || self.dice.below(2) == 0,
            wants_key: true,
            sequence: self.dice.below(0x1_0000) as u16,
            picture_id: self.dice.below(0x8000) as u16,
            timestamp_base: self.dice.below(1 << 32) as u32,
            place: 0,
        });
        self.cameras.push(Camera {
            is_here: true,
            audio_sequence: self.dice.below(0x1_0000) as u16,
            audio_place: 0,
            layers,
            last_datagram: None,
        });
        assert_eq!(browser + 1, self.cameras.len());
        // A page's first packets carry MID and RID; most later ones do not.
        self.model.joined(browser, number);
        for other in self.here().into_iter().filter(|other| *other != browser) {
            for (subscriber, publisher) in [(browser, other), (other, browser)] {
                self.bind_to(subscriber, "a", Some((publisher, SourceKind::Microphone)));
                self.bind_to(subscriber, "v", Some((publisher, SourceKind::Camera)));
            }
        }
    }

    fn leave(&mut self) {
        let Some(browser) = self.anybody() else { return };
        self.cameras[browser].is_here = false;
        let peer = self.lab.browsers[browser].id;
        self.lab.command(Command::RemovePeer { peer });
        self.collect();
        self.model.left(browser);
    }

    fn bind(&mut self) {
        let (Some(subscriber), Some(publisher)) = (self.anybody(), self.anybody()) else {
            return;
        };
        let (pool, kind) = match self.dice.below(2) {
            0 => ("a", SourceKind::Microphone),
            _ => ("v", SourceKind::Camera),
        };
        let source = (self.dice.below(6) != 0).then_some((publisher, kind));
        self.bind_to(subscriber, pool, source);
    }

    /// Feeds one of the first four slots of a pool.
    fn bind_to(&mut self, subscriber: usize, pool: &str, source: Option<(usize, SourceKind)>) {
        let slot = format!("{pool}{}", self.dice.below(4));
        self.lab.bind(subscriber, &slot, source);
        // Nobody receives himself: the core refuses it.
        if source.is_none_or(|(publisher, _)| publisher != subscriber) {
            self.model.bound(subscriber, &slot, source);
        }
    }

    fn audio(&mut self) {
        let Some(browser) = self.anybody() else { return };
        let camera = &mut self.cameras[browser];
        camera.audio_sequence = camera.audio_sequence.wrapping_add(1);
        let sequence = camera.audio_sequence;
        camera.audio_place += 1;
        let place = camera.audio_place;
        let body = self.model.new_body(browser, None);
        let mut outgoing = Outgoing::audio(10, sequence, &body);
        outgoing.rtp_timestamp = self.timestamp(48, 0);
        self.emit(
            browser,
            &outgoing,
            Some(Sent {
                layer: None,
                is_key_start: false,
                place,
                body,
            }),
        );
    }

    /// One frame of one to three packets on one layer.
    fn video(&mut self) {
        let Some(browser) = self.anybody() else { return };
        let index = self.dice.below(3) as usize;
        let mut layer = self.cameras[browser].layers[index];
        if !layer.is_on {
            return;
        }
        let is_key = layer.wants_key || self.dice.below(12) == 0;
        layer.wants_key = false;
        layer.picture_id = layer.picture_id.wrapping_add(1) & 0x7FFF;
        let rtp_timestamp = self.timestamp(90, layer.timestamp_base);
        let packets = 1 + self.dice.below(3);
        for packet in 0..packets {
            layer.sequence = layer.sequence.wrapping_add(1);
            let body = self.model.new_body(browser, Some(index));
            let frame = Vp8Frame {
                is_key,
                is_start: packet == 0,
                picture_id: layer.picture_id,
                tl0_picture_index: layer.picture_id as u8,
                body: body.clone(),
            };
            let ssrc = 20 + index as u32;
            let mut outgoing = Outgoing::video(index, ssrc, layer.sequence, rtp_timestamp, &frame);
            outgoing.marker = packet + 1 == packets;
            let is_key_start = is_key && packet == 0;
            self.emit(
                browser,
                &outgoing,
                Some(Sent {
                    layer: Some(index),
                    is_key_start,
                    place: layer.place,
                    body,
                }),
            );
            layer.place += 1;
        }
        self.cameras[browser].layers[index] = layer;
    }

    /// A burst of padding on the media's own SSRC, some of it lost.
    fn padding(&mut self) {
        let Some(browser) = self.anybody() else { return };
        let index = self.dice.below(3) as usize;
        let mut layer = self.cameras[browser].layers[index];
        for _ in 0..1 + self.dice.below(30) {
            layer.sequence = layer.sequence.wrapping_add(1);
            let outgoing = Outgoing::padding(index, 20 + index as u32, layer.sequence, 0);
            let mut datagram = self.lab.browsers[browser].seal(&outgoing);
            if self.dice.below(15) == 0 {
                // Lost padding cannot be told from lost media, so its hole stays.
                layer.place += 1;
            } else {
                self.lab
                    .hand_in(self.lab.browsers[browser].address, &mut datagram);
            }
        }
        self.cameras[browser].layers[index] = layer;
    }

    /// Sends a packet: now, later, or never.
    fn emit(&mut self, browser: usize, outgoing: &Outgoing, sent: Option<Sent>) {
        let datagram = self.lab.browsers[browser].seal(outgoing);
        match self.dice.below(20) {
            0 => {}
            1 if self.late.len() < 8 => self.late.push((browser, datagram, sent)),
            _ => self.arrive(browser, datagram, sent),
        }
    }

    fn deliver_late(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let index = self.dice.below(self.late.len() as u64) as usize;
        let (browser, datagram, sent) = self.late.swap_remove(index);
        self.arrive(browser, datagram, sent);
    }

    fn arrive(&mut self, browser: usize, mut datagram: Vec<u8>, sent: Option<Sent>) {
        self.cameras[browser].last_datagram = Some(datagram.clone());
        if self.cameras[browser].is_here
            && let Some(sent) = sent
        {
            self.model.arrives(browser, sent, self.lab.now);
        }
        self.lab
            .hand_in(self.lab.browsers[browser].address, &mut datagram);
    }

    /// Bytes that mean nothing, and real ones cut off or bent, from a known address and from a strange one.
    fn garbage(&mut self) {
        let Some(browser) = self.anybody() else { return };
        let mut datagram = match self.dice.below(3) {
            0 => {
                let len = self.dice.below(80) as usize;
                (0..len).map(|_| self.dice.below(256) as u8).collect()
            }
            _ => self.cameras[browser].last_datagram.clone().unwrap_or_default(),
        };
        if self.dice.below(2) == 0 {
            datagram.truncate(self.dice.below(60) as usize);
        } else if !datagram.is_empty() {
            // Within the sealed part: what stands before it is authenticated as well.
            let place = self.dice.below(datagram.len() as u64) as usize;
            datagram[place] ^= 1 << self.dice.below(8);
        }
        let from = if self.dice.below(2) == 0 {
            self.lab.browsers[browser].address
        } else {
            ([10, 9, 9, 9], 4_000).into()
        };
        self.dropped_alone(|world| world.lab.hand_in(from, &mut datagram));
    }

    fn replay(&mut self) {
        let Some(browser) = self.anybody() else { return };
        let Some(mut datagram) = self.cameras[browser].last_datagram.clone() else {
            return;
        };
        let from = self.lab.browsers[browser].address;
        self.dropped_alone(|world| world.lab.hand_in(from, &mut datagram));
    }

    /// Does something that must lead to one counted drop, and to nothing else.
    fn dropped_alone(&mut self, act: impl FnOnce(&mut Self)) {
        self.check();
        let before = self.lab.sfu.stats().clone();
        act(self);
        let after = self.lab.sfu.stats();
        let drops = |stats: &sfu_core::Stats| -> u64 {
            sfu_core::DropReason::ALL
                .into_iter()
                .map(|reason| stats.dropped(reason))
                .sum()
        };
        assert_eq!(drops(after), drops(&before) + 1);
        assert_eq!(after.rtp_packets_forwarded, before.rtp_packets_forwarded);
        assert_eq!(after.rtcp_datagrams_sent, before.rtcp_datagrams_sent);
    }

    fn ask_for_key_frame(&mut self) {
        let Some(browser) = self.anybody() else { return };
        let slot = common::slot_ssrc(
            self.lab.browsers[browser].id.0,
            &format!("v{}", self.dice.below(4)),
        );
        self.lab
            .send_rtcp(browser, |writer| writer.pli(Ssrc(1), Ssrc(slot)).unwrap());
    }

    fn toggle_layer(&mut self) {
        let Some(browser) = self.anybody() else { return };
        let layer = &mut self.cameras[browser].layers[1 + self.dice.below(2) as usize];
        layer.is_on = !layer.is_on;
        layer.wants_key |= layer.is_on;
    }

    /// A browser's connection drops what waits of one picture.
    fn choke(&mut self) {
        let Some(browser) = self.somebody_over_tcp() else {
            return;
        };
        let index = self.dice.below(4) as u8;
        let path = self.lab.browsers[browser].path;
        self.lab
            .sfu
            .handle_tcp_dropped(path.local, path.remote, common::AUDIO_SLOTS + index);
        self.model.choked(browser, &format!("v{index}"));
    }

    /// It has room again.
    fn drain(&mut self) {
        let Some(browser) = self.somebody_over_tcp() else {
            return;
        };
        let path = self.lab.browsers[browser].path;
        self.lab.sfu.handle_tcp_drained(path.local, path.remote);
    }

    fn somebody_over_tcp(&mut self) -> Option<usize> {
        let browser = self.anybody()?;
        (self.lab.browsers[browser].path.protocol == Protocol::Tcp).then_some(browser)
    }

    /// Everything that was received is what the model expects, and all of it.
    fn check(&mut self) {
        self.collect();
        self.model.nothing_is_missing();
    }

    fn collect(&mut self) {
        for browser in 0..self.lab.browsers.len() {
            for packet in std::mem::take(&mut self.lab.browsers[browser].inbox) {
                assert!(
                    self.cameras[browser].is_here,
                    "something was sent to a browser that left"
                );
                match packet {
                    Packet::Rtp(packet) => {
                        (
                            browser,
                            packet.header.sequence_number,
                            packet.header.rtp_timestamp,
                        )
                            .hash(&mut self.transcript);
                        self.model.received(browser, &packet);
                    }
                    Packet::Rtcp(datagram) => self.take_rtcp(browser, &datagram),
                }
            }
        }
    }

    fn take_rtcp(&mut self, browser: usize, datagram: &[u8]) {
        datagram.hash(&mut self.transcript);
        for packet in rtp::rtcp::packets(datagram) {
            if let rtp::RtcpPacket::Pli(pli) = packet.unwrap() {
                let layer = pli.media_ssrc.0 as usize - 20;
                self.model.asked(browser, layer, self.lab.now);
                self.cameras[browser].layers[layer].wants_key |= self.dice.below(3) != 0;
            }
        }
    }

    /// Rises by the time, from an offset of each stream.
    fn timestamp(&self, ticks_per_ms: u32, base: u32) -> u32 {
        let elapsed = self.lab.now.duration_since(common::start()).as_millis() as u32;
        base.wrapping_add(elapsed.wrapping_mul(ticks_per_ms))
    }

    fn here(&self) -> Vec<usize> {
        (0..self.cameras.len())
            .filter(|browser| self.cameras[*browser].is_here)
            .collect()
    }

    fn anybody(&mut self) -> Option<usize> {
        let here = self.here();
        (!here.is_empty()).then(|| here[self.dice.below(here.len() as u64) as usize])
    }
}

/// Numbers that depend on the seed alone (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % end
    }
}

#[test]
fn a_peer_id_is_not_taken_twice() {
    let mut lab = Lab::new(1);
    lab.join(1);
    let connection = Box::new(common::connection(1));
    lab.command(Command::AddPeer {
        peer: PeerId(1),
        connection,
    });
    assert_eq!(lab.events(), []);
    assert_eq!(lab.sfu.stats().dropped(sfu_core::DropReason::CommandRefused), 1);
}
