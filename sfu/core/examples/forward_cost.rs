//! What forwarding costs: one camera to many subscribers, in nanoseconds of CPU for each packet that leaves.
//!
//! `cargo run --release -p sfu-core --example forward_cost -- 50` prints one number for each round and their median.
//! Sockets are left out. CPU time is that of this thread, so a busy machine disturbs little; still compare two
//! versions by turns, not one after the other.

#![allow(clippy::unwrap_used, reason = "an example may fail loudly")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtp::{Codec, Extension, ExtensionMap, Extensions, Mid, PayloadType, Rid, RtpHeader, Ssrc, write_header};
use sfu_core::{
    Command, Config, Format, Media, MediaProfile, PeerConnection, PeerId, Publication, Repair, Sfu, Slot,
    SourceKind,
};
use transport::{Certificate, IceCredentials, Path, SrtpKeys, SrtpProfile, Transport};

const ROUNDS: usize = 15;
const PACKETS: u16 = 1_500;
const PAYLOAD_LEN: usize = 1_100;
/// A camera of 4 Mb/s.
const INTERVAL: Duration = Duration::from_micros(2_200);

fn main() {
    let argument = std::env::args().nth(1).map(|count| count.parse());
    let subscribers = argument
        .unwrap_or(Ok(50))
        .expect("how many subscribers, 1 to 200");
    let mut world = World::new(subscribers);
    let mut costs: Vec<u64> = (0..ROUNDS).map(|_| world.round()).collect();
    println!("{costs:?}");
    costs.sort_unstable();
    println!("median {} ns for each forwarded packet", costs[ROUNDS / 2]);
}

struct World {
    sfu: Sfu,
    publisher: Transport,
    subscribers: u64,
    number: u16,
    now: Instant,
}

impl World {
    fn new(subscribers: u64) -> Self {
        let mut sfu = Sfu::new(config());
        #[expect(clippy::disallowed_methods, reason = "time has to begin somewhere")]
        let now = Instant::now();
        for number in 0..=subscribers {
            assert!(sfu.add_connected_peer(
                PeerId(number),
                &connection(number),
                &keys(number),
                path(number),
                now
            ));
        }
        for number in 1..=subscribers {
            let command = Command::Bind {
                subscriber: PeerId(number),
                slot: Mid::new("v0").unwrap(),
                source: Some((PeerId(0), SourceKind::Camera)),
            };
            sfu.handle_command(command, now);
        }
        while sfu.poll_transmit().is_some() {}
        let publisher = Transport::from_srtp_keys(&keys(0).reversed(), path(0).reversed());
        Self {
            sfu,
            publisher,
            subscribers,
            number: 0,
            now,
        }
    }

    /// The CPU time of one round, for each packet that left.
    fn round(&mut self) -> u64 {
        let mut datagrams: Vec<Vec<u8>> = (0..PACKETS).map(|_| self.next_datagram()).collect();
        let before = self.sfu.stats().rtp_packets_forwarded;
        let started = cpu_ns();
        for datagram in &mut datagrams {
            self.now += INTERVAL;
            self.sfu.handle_datagram(path(0), datagram, self.now);
            while self.sfu.poll_transmit().is_some() {}
            if self.sfu.poll_timeout().is_some_and(|at| at <= self.now) {
                self.sfu.handle_timeout(self.now);
                while self.sfu.poll_transmit().is_some() {}
            }
        }
        let spent = cpu_ns() - started;
        let forwarded = self.sfu.stats().rtp_packets_forwarded - before;
        assert_eq!(forwarded, u64::from(PACKETS) * self.subscribers);
        spent / forwarded
    }

    fn next_datagram(&mut self) -> Vec<u8> {
        self.number = self.number.wrapping_add(1);
        let mut buffer = vec![0; 1_500];
        let header = RtpHeader {
            marker: true,
            payload_type: PayloadType::new(100).unwrap(),
            sequence_number: self.number,
            rtp_timestamp: u32::from(self.number) * 198,
            ssrc: Ssrc(7),
        };
        let extensions = Extensions {
            mid: Mid::new("c").ok(),
            rid: Rid::new("h").ok(),
            transport_sequence: Some(self.number),
            ..Extensions::default()
        };
        let map: ExtensionMap = extension_ids().into_iter().collect();
        let mut len = write_header(&mut buffer, &header, &extensions, &map).unwrap();
        // A VP8 descriptor with a picture id of 15 bits, and the first byte of a key frame or of another.
        let [high, low] = (self.number | 0x8000).to_be_bytes();
        let is_key = self.number == 1;
        let descriptor = [0x90, 0xE0, high, low, 0, 0x20, if is_key { 0x10 } else { 0x11 }];
        buffer[len..len + descriptor.len()].copy_from_slice(&descriptor);
        len += PAYLOAD_LEN;
        let len = self.publisher.protect_rtp(&mut buffer, len).unwrap();
        buffer.truncate(len);
        buffer
    }
}

/// The time that this thread has spent on a processor. The kernel brings it up to date when the thread yields.
fn cpu_ns() -> u64 {
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn config() -> Config {
    let format = Format {
        codec: Codec::Vp8,
        clock_rate_hz: 90_000,
        retransmission: PayloadType::new(103),
    };
    Config {
        certificate: Arc::new(Certificate::generate().unwrap()),
        media_addresses: vec![server()],
        tcp_addresses: Vec::new(),
        media: MediaProfile::new([(PayloadType::new(100).unwrap(), format)]),
        seed: 1,
    }
}

fn connection(number: u64) -> PeerConnection {
    let payload_types = vec![PayloadType::new(100).unwrap()];
    let slot = |index: u32| Slot {
        mid: Mid::new(format!("v{index}")).unwrap(),
        media: Media::Video,
        ssrc: Ssrc(1_000 + index),
        payload_types: payload_types.clone(),
        repair: Repair::Retransmit(Ssrc(2_000 + index)),
    };
    let ice =
        |side: &str| IceCredentials::new(&format!("{side}{number}"), "passwordpasswordpassword").unwrap();
    PeerConnection {
        local_ice: ice("server"),
        remote_ice: ice("client"),
        remote_fingerprint: [7; 32],
        publications: vec![Publication {
            mid: Mid::new("c").unwrap(),
            kind: SourceKind::Camera,
            payload_types: payload_types.clone(),
            rids: ["l", "m", "h"].map(|rid| Rid::new(rid).unwrap()).to_vec(),
            ssrcs: Vec::new(),
            repair: Repair::Retransmit(Vec::new()),
        }],
        extensions: extension_ids().to_vec(),
        slots: (0..9).map(slot).collect(),
    }
}

fn extension_ids() -> [(u8, Extension); 3] {
    [
        (1, Extension::Mid),
        (2, Extension::Rid),
        (5, Extension::TransportSequence),
    ]
}

fn keys(number: u64) -> SrtpKeys {
    let profile = SrtpProfile::AeadAes256Gcm;
    let len = profile.key_len() + profile.salt_len();
    let bytes = |salt: u8| vec![salt ^ u8::try_from(number).unwrap(); len];
    SrtpKeys::new(profile, &bytes(0x55), &bytes(0xAA)).unwrap()
}

fn server() -> SocketAddr {
    ([10, 0, 0, 1], 8_080).into()
}

fn path(number: u64) -> Path {
    Path::udp(
        server(),
        ([10, 0, 1, 1], 1_000 + u16::try_from(number).unwrap()).into(),
    )
}
