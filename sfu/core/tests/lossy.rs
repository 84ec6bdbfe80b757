//! Calls over networks that lose, delay, repeat and reorder, with receivers that ask like browsers do.
//!
//! Everything that a receiver ends up with is compared with what was sent, and every datagram with those of the same
//! SSRC and sequence number. Replay one seed with `UNDERTONE_WORLD_SEED=<seed> cargo test -p sfu-core --test lossy`.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;
#[path = "lossy/network.rs"]
mod network;
#[path = "lossy/receiver.rs"]
mod receiver;
#[path = "lossy/sender.rs"]
mod sender;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::{Lab, Packet, repaired_connection, slot_ssrc};
use network::{Conditions, Dice, Network, Parcel};
use receiver::Receiver;
use rtp::RtcpPacket;
use sender::Sender;
use sfu_core::SourceKind;
use sfu_core::limits::{
    ANSWERS_PER_PACKET_MAX, RETRANSMISSION_BURST_BYTES, RETRANSMISSION_FLOOR_BYTES_PER_SECOND,
    RETRANSMISSION_SHARE,
};

const SEEDS: u64 = 5;
const BROWSERS: usize = 3;
const CALL: Duration = Duration::from_secs(25);

/// After this the paths are measured and every slot receives its layer.
const SETTLED: Duration = Duration::from_secs(3);

/// In video that is decoded in time, and in audio that is played in time.
const VIDEO_IN_TIME: Duration = Duration::from_millis(500);
const AUDIO_IN_TIME: Duration = Duration::from_millis(200);

#[test]
fn with_five_percent_lost_each_way_nearly_everything_arrives_in_time() {
    let mut totals = Totals::default();
    for seed in seeds() {
        let _told = TellSeed(seed);
        let mut call = Call::new(seed, |_| Conditions::LOSSY);
        call.run(CALL);
        totals.add(&call.delivered());
    }
    totals.tell("5 % lost each way");
    assert!(totals.video.share() >= 0.999, "{totals:?}");
    assert!(totals.audio.share() >= 0.999, "{totals:?}");
    // The paths did lose: without repair about a tenth would be missing.
    assert!(totals.video.first_time_share() < 0.95, "{totals:?}");
    assert!(totals.audio.first_time_share() < 0.95, "{totals:?}");
}

#[test]
fn a_storm_breaks_no_promise_and_is_over_when_it_is_over() {
    for seed in seeds() {
        let _told = TellSeed(seed);
        let storm = Duration::from_secs(8)..Duration::from_secs(14);
        let mut call = Call::new(seed, move |time| {
            if storm.contains(&time) {
                Conditions::STORM
            } else {
                Conditions::LOSSY
            }
        });
        call.run(CALL);
        let after = call.delivered_between(Duration::from_secs(17), CALL - Duration::from_secs(1));
        assert!(
            after.video.share() >= 0.999 && after.audio.share() >= 0.998,
            "{after:?}"
        );
        assert!(
            call.lab.sfu.stats().packets_given_up > 0,
            "a storm loses something for good"
        );
    }
}

#[test]
fn where_nothing_is_lost_nothing_is_asked_for() {
    let mut call = Call::new(3, |_| Conditions::CLEAR);
    call.run(Duration::from_secs(10));
    let stats = call.lab.sfu.stats();
    assert_eq!((stats.packets_requested, stats.retransmissions_requested), (0, 0));
    let delivered = call.delivered();
    assert_eq!(delivered.video.share(), 1.0);
    assert_eq!(delivered.audio.share(), 1.0);
}

#[test]
fn the_same_seed_makes_the_same_call() {
    let run = |seed| {
        let mut call = Call::new(seed, |_| Conditions::LOSSY);
        call.run(Duration::from_secs(5));
        call.lab.sfu.stats().clone()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

/// What came in time of what was sent.
#[derive(Debug, Default, Clone, Copy)]
struct Share {
    sent: usize,
    in_time: usize,
    /// Without being sent again on either leg.
    first_time: usize,
}

impl Share {
    fn share(&self) -> f64 {
        self.in_time as f64 / self.sent.max(1) as f64
    }

    fn first_time_share(&self) -> f64 {
        self.first_time as f64 / self.sent.max(1) as f64
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Totals {
    video: Share,
    audio: Share,
}

impl Totals {
    fn add(&mut self, other: &Self) {
        for (mine, more) in [(&mut self.video, other.video), (&mut self.audio, other.audio)] {
            mine.sent += more.sent;
            mine.in_time += more.in_time;
            mine.first_time += more.first_time;
        }
    }

    /// Shown with `--nocapture`.
    fn tell(&self, what: &str) {
        for (medium, share) in [("video", self.video), ("audio", self.audio)] {
            println!(
                "{what}, {medium}: {} sent, {:.5} in time, {:.5} at first",
                share.sent,
                share.share(),
                share.first_time_share()
            );
        }
    }
}

/// Everybody sends to everybody.
struct Call {
    lab: Lab,
    network: Network,
    conditions: Box<dyn Fn(Duration) -> Conditions>,
    senders: Vec<Sender>,
    receivers: Vec<Receiver>,
    /// The bytes of every datagram that the core sent, by browser, SSRC and sequence number.
    sealed: BTreeMap<(usize, u32, u16), Vec<u8>>,
}

impl Call {
    fn new(seed: u64, conditions: impl Fn(Duration) -> Conditions + 'static) -> Self {
        let mut lab = Lab::new(seed);
        let mut dice = Dice::new(seed);
        for number in 0..BROWSERS {
            let number = number as u64 + 1;
            lab.join_with(number, &repaired_connection(number));
        }
        for subscriber in 0..BROWSERS {
            let others = (0..BROWSERS).filter(|other| *other != subscriber);
            for (place, publisher) in others.enumerate() {
                lab.bind(
                    subscriber,
                    &format!("a{place}"),
                    Some((publisher, SourceKind::Microphone)),
                );
                lab.bind(
                    subscriber,
                    &format!("v{place}"),
                    Some((publisher, SourceKind::Camera)),
                );
            }
        }
        Self {
            lab,
            network: Network::new(seed),
            conditions: Box::new(conditions),
            senders: (0..BROWSERS).map(|_| Sender::new(&mut dice)).collect(),
            receivers: (0..BROWSERS).map(|_| Receiver::default()).collect(),
            sealed: BTreeMap::new(),
        }
    }

    /// Lets the call go on for so long, a millisecond at a time.
    fn run(&mut self, time: Duration) {
        let end = common::start() + time;
        while self.lab.now < end {
            self.lab.now += Duration::from_millis(1);
            let now = self.lab.now;
            self.network.conditions = (self.conditions)(now - common::start());
            while let Some(parcel) = self.network.arrived(now) {
                self.arrive(parcel);
            }
            for browser in 0..BROWSERS {
                for outgoing in self.senders[browser].tick(now) {
                    let datagram = self.lab.browsers[browser].seal(&outgoing);
                    self.senders[browser].sent(&outgoing, &datagram, now);
                    self.network.post(Parcel::up(browser, datagram), now);
                }
                self.feed_back(browser, now);
            }
            if self.lab.sfu.poll_timeout().is_some_and(|at| at <= now) {
                self.lab.sfu.handle_timeout(now);
                self.drain(now);
            }
        }
        self.check_bounds(time);
    }

    fn feed_back(&mut self, browser: usize, now: Instant) {
        let receiver = &mut self.receivers[browser];
        let sender = &mut self.senders[browser];
        let (requests, key_frames) = receiver.due(now);
        for (ssrc, numbers) in requests {
            let datagram = self.lab.browsers[browser].seal_rtcp(|writer| {
                writer.nack(rtp::Ssrc(1), rtp::Ssrc(ssrc), &numbers).unwrap();
            });
            self.network.post(Parcel::up(browser, datagram), now);
        }
        for ssrc in key_frames {
            let datagram = self.lab.browsers[browser].seal_rtcp(|writer| {
                writer.pli(rtp::Ssrc(1), rtp::Ssrc(ssrc)).unwrap();
            });
            self.network.post(Parcel::up(browser, datagram), now);
        }
        let clocks = sender.clocks(now);
        let blocks = receiver.blocks(now);
        if !clocks.is_empty() {
            let datagram = self.lab.browsers[browser].seal_rtcp(|writer| {
                for (ssrc, info) in &clocks {
                    writer.sender_report(*ssrc, info, &[]).unwrap();
                }
                writer.receiver_report(rtp::Ssrc(1), &blocks).unwrap();
            });
            self.network.post(Parcel::up(browser, datagram), now);
        }
    }

    fn arrive(&mut self, parcel: Parcel) {
        let now = self.lab.now;
        let browser = parcel.browser;
        let mut datagram = parcel.datagram;
        if parcel.is_up {
            let path = self.lab.browsers[browser].path;
            self.lab.sfu.handle_datagram(path, &mut datagram, now);
            self.drain(now);
            return;
        }
        match self.lab.browsers[browser].try_open(&datagram, now) {
            Ok(Some(Packet::Rtp(packet))) => self.receivers[browser].take(&packet, now),
            Ok(Some(Packet::Rtcp(rtcp))) => self.take_feedback(browser, &rtcp, now),
            Ok(None) => {}
            // Only what came before is refused: a repeat, or what the network doubled.
            Err(error) => assert_eq!(
                error,
                transport::TransportError::Srtp(transport::SrtpError::Replayed)
            ),
        }
    }

    fn take_feedback(&mut self, browser: usize, rtcp: &[u8], now: Instant) {
        for packet in rtp::rtcp::packets(rtcp) {
            match packet.unwrap() {
                RtcpPacket::Nack(nack) => {
                    for number in nack.sequence_numbers() {
                        let again = self.senders[browser].again(nack.media_ssrc.0, number);
                        let datagram = match again {
                            Some(sender::Again::Repeat(datagram)) => datagram,
                            Some(sender::Again::Retransmit(outgoing)) => {
                                self.lab.browsers[browser].seal(&outgoing)
                            }
                            None => continue,
                        };
                        self.network.post(Parcel::up(browser, datagram), now);
                    }
                }
                RtcpPacket::Pli(_) => self.senders[browser].wants_key = true,
                RtcpPacket::SenderReport(report) => {
                    self.receivers[browser].reported(report.ssrc.0, report.info.ntp_time, now);
                }
                _ => {}
            }
        }
    }

    /// Gives what the core sends to the network, and checks that no SSRC and index cover two packets.
    fn drain(&mut self, now: Instant) {
        while let Some(transmit) = self.lab.sfu.poll_transmit() {
            let browser = self
                .lab
                .browsers
                .iter()
                .position(|browser| browser.path == transmit.path)
                .unwrap();
            let bytes = transmit.bytes.to_vec();
            let is_rtp = !(192..=223).contains(&bytes[1]);
            if is_rtp {
                let ssrc = u32::from_be_bytes(bytes[8..12].try_into().unwrap());
                let sequence_number = u16::from_be_bytes([bytes[2], bytes[3]]);
                let before = self
                    .sealed
                    .insert((browser, ssrc, sequence_number), bytes.clone());
                assert!(
                    before.is_none_or(|before| before == bytes),
                    "one index sealed over two packets"
                );
            }
            self.network.post(Parcel::down(browser, bytes), now);
        }
    }

    fn check_bounds(&self, time: Duration) {
        let stats = self.lab.sfu.stats();
        let floor = time.as_secs() * RETRANSMISSION_FLOOR_BYTES_PER_SECOND + RETRANSMISSION_BURST_BYTES;
        // A retransmission has a header, a tag and its first number beside what it takes from the budget.
        let most = stats.rtp_bytes_forwarded / RETRANSMISSION_SHARE
            + BROWSERS as u64 * floor
            + stats.retransmissions_sent * 64;
        assert!(stats.retransmitted_bytes <= most);
        for receiver in &self.receivers {
            assert!(receiver.most_answers() <= usize::from(ANSWERS_PER_PACKET_MAX));
        }
        for reason in [
            sfu_core::DropReason::RepeatDiffers,
            sfu_core::DropReason::SealRefused,
            sfu_core::DropReason::RequestNotNegotiated,
        ] {
            assert_eq!(stats.dropped(reason), 0, "{reason:?}");
        }
    }

    fn delivered(&self) -> Totals {
        let end = self.lab.now - common::start();
        self.delivered_between(SETTLED, end - Duration::from_secs(1))
    }

    /// What was sent between these times, and how much of it came in time; checks that all of it came in order.
    fn delivered_between(&self, from: Duration, until: Duration) -> Totals {
        let window = common::start() + from..common::start() + until;
        let mut totals = Totals::default();
        for subscriber in 0..BROWSERS {
            let number = self.lab.browsers[subscriber].id.0;
            let others = (0..BROWSERS).filter(|other| *other != subscriber);
            for (place, publisher) in others.enumerate() {
                let sender = &self.senders[publisher];
                for (slot, sent, in_time, share) in [
                    (
                        format!("a{place}"),
                        &sender.audio.sent,
                        AUDIO_IN_TIME,
                        &mut totals.audio,
                    ),
                    (
                        format!("v{place}"),
                        &sender.video.sent,
                        VIDEO_IN_TIME,
                        &mut totals.video,
                    ),
                ] {
                    let received = self.receivers[subscriber].bodies(slot_ssrc(number, &slot));
                    receiver::check_order(&received, sent);
                    for (body, at) in sent.iter().map(|sent| (&sent.body, sent.at)) {
                        if !window.contains(&at) {
                            continue;
                        }
                        share.sent += 1;
                        if let Some(came) = received.get(body) {
                            share.in_time += usize::from(came.at - at <= in_time);
                            share.first_time += usize::from(came.at - at <= Duration::from_millis(45));
                        }
                    }
                }
            }
        }
        totals
    }
}

fn seeds() -> Vec<u64> {
    match std::env::var("UNDERTONE_WORLD_SEED") {
        Ok(seed) => vec![seed.parse().expect("UNDERTONE_WORLD_SEED is a number")],
        Err(_) => (0..SEEDS).collect(),
    }
}

/// Says how to repeat the call, if it fails.
struct TellSeed(u64);

impl Drop for TellSeed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "replay: UNDERTONE_WORLD_SEED={} cargo test -p sfu-core --test lossy",
                self.0
            );
        }
    }
}
