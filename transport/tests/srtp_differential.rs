//! Our SRTP beside one that others wrote (`rtc-srtp`), over a network that loses, repeats, reorders and damages.
//!
//! What one side seals the other must open to the same bytes, and each datagram that reaches a receiver must be
//! taken or refused by both. Replay one seed with
//! `UNDERTONE_SRTP_SEED=<seed> cargo test -p transport --test srtp_differential`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "srtp_differential/network.rs"]
mod network;
#[path = "srtp_differential/packets.rs"]
mod packets;

use network::{Datagram, Network};
use packets::{Dice, RtcpSource, RtpSource};
use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;
use transport::limits::{REPLAY_WINDOW_RTCP, REPLAY_WINDOW_RTP};
use transport::srtp::{Protector, Unprotector};
use transport::{Protection, SrtpError, SrtpKeys, SrtpProfile};

/// Worlds per profile and direction.
const SEEDS: u64 = 6;

/// Datagrams that are sealed in one world.
const DATAGRAMS: usize = 1_500;

/// How often the fastest source of a world wraps its sequence numbers at least.
const ROLLOVERS_MIN: u64 = 3;

const PROFILES: [(SrtpProfile, ProtectionProfile); 3] = [
    (
        SrtpProfile::Aes128CmHmacSha1_80,
        ProtectionProfile::Aes128CmHmacSha1_80,
    ),
    (SrtpProfile::AeadAes128Gcm, ProtectionProfile::AeadAes128Gcm),
    (SrtpProfile::AeadAes256Gcm, ProtectionProfile::AeadAes256Gcm),
];

/// Who seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sealer {
    We,
    They,
}

#[test]
fn what_we_seal_they_open_and_both_judge_every_datagram_alike() {
    in_every_world(Sealer::We);
}

#[test]
fn what_they_seal_we_open_and_both_judge_every_datagram_alike() {
    in_every_world(Sealer::They);
}

/// Half the circle ahead is the tie of RFC 3711 appendix A, which stays within the rollover counter.
#[test]
fn the_longest_jumps_are_given_the_same_index() {
    for (profile, their_profile) in PROFILES {
        for jumps in [
            [0, 0x7FFF, 1],
            [60_000, 0x7FFF, 1],
            [0, 0x8000, 1],
            [0x7FFF, 0x8000, 1],
            [0xFFFF, 1, 0x8000],
            [0xFFFF, 0x7FFF, 0x7FFF],
        ] {
            let mut world = World::new(0, Sealer::We, profile, their_profile);
            let mut sequence_number = 0_u16;
            for jump in jumps {
                sequence_number = sequence_number.wrapping_add(jump);
                // Their sealing asks no replay window, so it shows the bare index.
                let mut wire = world.seal_both(&packets::empty_rtp(sequence_number));
                let opened = world.our_unprotector.unprotect_rtp(&mut wire);
                assert!(
                    opened.is_ok(),
                    "{profile}: {jumps:?} at {sequence_number}: {opened:?}"
                );
            }
        }
    }
}

fn in_every_world(sealer: Sealer) {
    let seeds = match std::env::var("UNDERTONE_SRTP_SEED") {
        Ok(seed) => vec![seed.parse().expect("UNDERTONE_SRTP_SEED is a number")],
        Err(_) => (0..SEEDS).collect(),
    };
    for seed in seeds {
        for (profile, their_profile) in PROFILES {
            let _told = TellSeed(seed);
            let mut world = World::new(seed, sealer, profile, their_profile);
            world.run();
            world.check_that_it_said_something();
        }
    }
}

/// Says how to see a failure again, when there is one.
struct TellSeed(u64);

impl Drop for TellSeed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "replay: UNDERTONE_SRTP_SEED={} cargo test -p transport --test srtp_differential",
                self.0
            );
        }
    }
}

struct World {
    dice: Dice,
    sealer: Sealer,
    rtp: Vec<RtpSource>,
    rtcp: Vec<RtcpSource>,
    network: Network,
    our_protector: Protector,
    our_unprotector: Unprotector,
    their_protector: Context,
    their_unprotector: Context,
    opened: usize,
    refused: usize,
}

impl World {
    fn new(seed: u64, sealer: Sealer, profile: SrtpProfile, their_profile: ProtectionProfile) -> Self {
        let mut dice = Dice::new(seed);
        let master = dice.bytes(profile.key_len() + profile.salt_len());
        let keys = SrtpKeys::new(profile, &master, &master).unwrap();
        let (key, salt) = master.split_at(profile.key_len());
        let crypto = rtc_srtp::crypto::default_provider().unwrap();
        let context = |with_replay_protection: bool| {
            let rtp = with_replay_protection.then(|| srtp_replay_protection(REPLAY_WINDOW_RTP));
            let rtcp = with_replay_protection.then(|| srtcp_replay_protection(REPLAY_WINDOW_RTCP));
            Context::new(key, salt, their_profile, rtp, rtcp, crypto.crypto()).unwrap()
        };
        Self {
            sealer,
            rtp: RtpSource::three(&mut dice),
            rtcp: RtcpSource::two(&mut dice),
            dice,
            network: Network::default(),
            our_protector: Protector::new(&keys),
            our_unprotector: Unprotector::new(&keys),
            their_protector: context(false),
            their_unprotector: context(true),
            opened: 0,
            refused: 0,
        }
    }

    fn run(&mut self) {
        for _ in 0..DATAGRAMS {
            let datagram = if self.dice.one_in(8) {
                self.seal_rtcp()
            } else {
                self.seal_rtp()
            };
            for arrival in self.network.send(datagram, &mut self.dice) {
                self.receive(&arrival);
            }
        }
        for arrival in self.network.flush() {
            self.receive(&arrival);
        }
    }

    fn seal_rtp(&mut self) -> Datagram {
        let source = self.dice.below(self.rtp.len());
        let plain = self.rtp[source].next(&mut self.dice);
        Datagram {
            is_rtcp: false,
            is_first_of_source: self.rtp[source].sent() == 1,
            wire: self.seal_both(&plain),
            plain,
        }
    }

    /// Two implementations with the same keys and the same history write the same bytes.
    fn seal_both(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut ours = with_room(plain, Protection::RTP_OVERHEAD_MAX);
        let len = self.our_protector.protect_rtp(&mut ours, plain.len()).unwrap();
        let theirs = self.their_protector.encrypt_rtp(plain).unwrap();
        assert_eq!(ours[..len], theirs, "sealed RTP of {} bytes", plain.len());
        theirs.to_vec()
    }

    /// The SRTCP index is the sender's choice (we count over all sources, they count each), so the bytes may differ.
    fn seal_rtcp(&mut self) -> Datagram {
        let source = self.dice.below(self.rtcp.len());
        let plain = self.rtcp[source].next(&mut self.dice);
        let wire = match self.sealer {
            Sealer::We => {
                let mut wire = with_room(&plain, Protection::RTCP_OVERHEAD_MAX);
                let len = self.our_protector.protect_rtcp(&mut wire, plain.len()).unwrap();
                wire.truncate(len);
                wire
            }
            Sealer::They => self.their_protector.encrypt_rtcp(&plain).unwrap().to_vec(),
        };
        Datagram {
            is_rtcp: true,
            is_first_of_source: self.rtcp[source].sent() == 1,
            plain,
            wire,
        }
    }

    fn receive(&mut self, arrival: &Datagram) {
        let mut buffer = arrival.wire.clone();
        let (ours, theirs) = if arrival.is_rtcp {
            let ours = self.our_unprotector.unprotect_rtcp(&mut buffer);
            if ours == Err(SrtpError::NotEncrypted) {
                // Damage took the flag E away, which RFC 7714 section 9.3 authenticates: the datagram is another one
                // now. `rtc-srtp` puts the flag back before it checks, and takes it.
                self.refused += 1;
                return;
            }
            (ours, self.their_unprotector.decrypt_rtcp(&arrival.wire))
        } else {
            (
                self.our_unprotector.unprotect_rtp(&mut buffer),
                self.their_unprotector.decrypt_rtp(&arrival.wire),
            )
        };
        match (ours, theirs) {
            (Ok(len), Ok(theirs)) => {
                assert_eq!(buffer[..len], arrival.plain, "we open what was sealed");
                assert_eq!(theirs, arrival.plain, "they open what was sealed");
                self.opened += 1;
            }
            (Err(_), Err(_)) => self.refused += 1,
            (ours, theirs) => panic!(
                "datagram of {} bytes, RTCP {}: we say {ours:?}, they say {:?}",
                arrival.wire.len(),
                arrival.is_rtcp,
                theirs.map(|opened| opened.len())
            ),
        }
    }

    fn check_that_it_said_something(&self) {
        let rollovers = self.rtp.iter().map(RtpSource::rollovers).max().unwrap();
        assert!(rollovers >= ROLLOVERS_MIN, "{rollovers} rollovers");
        assert!(self.opened > DATAGRAMS / 2, "{} opened", self.opened);
        assert!(self.refused > DATAGRAMS / 50, "{} refused", self.refused);
    }
}

fn with_room(packet: &[u8], room: usize) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + room, 0);
    buffer
}
