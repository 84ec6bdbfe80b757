//! Plain RTP and RTCP packets of every shape that SRTP has to find its way through.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Longest payload, in bytes: what fits into an Ethernet frame.
const PAYLOAD_MAX: usize = 1_200;

/// Numbers that depend on the seed alone.
pub(crate) struct Dice(ChaCha12Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.0.next_u64() % end as u64) as usize
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

/// One stream of media. Its sequence numbers rise, mostly by one.
pub(crate) struct RtpSource {
    ssrc: u32,
    /// The sequence number with its wraps above 16 bits.
    extended: u64,
    first: u64,
    sent: u64,
    /// Whether it jumps far ahead at times, as after a long outage.
    jumps: bool,
}

impl RtpSource {
    /// One that starts just before it wraps, one that starts anywhere, and one that jumps.
    pub(crate) fn three(dice: &mut Dice) -> Vec<Self> {
        let anywhere = dice.below(0x1_0000) as u64;
        let source = |ssrc, first, jumps| Self {
            ssrc,
            extended: first,
            first,
            sent: 0,
            jumps,
        };
        vec![
            source(0x0102_0304, 65_500, false),
            source(0xFFFF_FFFE, anywhere, false),
            source(7, dice.below(0x8000) as u64, true),
        ]
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// How often the sequence number has wrapped.
    pub(crate) fn rollovers(&self) -> u64 {
        self.extended / 0x1_0000 - self.first / 0x1_0000
    }

    pub(crate) fn next(&mut self, dice: &mut Dice) -> Vec<u8> {
        if self.sent > 0 {
            self.extended += self.step(dice);
        }
        self.sent += 1;
        let csrcs = if dice.one_in(3) { dice.below(16) } else { 0 };
        let extension = extension(dice);
        let padding = if dice.one_in(5) { 1 + dice.below(40) } else { 0 };
        let mut packet = vec![
            2 << 6 | u8::from(padding > 0) << 5 | u8::from(extension.is_some()) << 4 | csrcs as u8,
            dice.below(256) as u8,
        ];
        packet.extend((self.extended as u16).to_be_bytes());
        packet.extend(dice.bytes(4));
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(dice.bytes(4 * csrcs));
        packet.extend(extension.unwrap_or_default());
        let len = if dice.one_in(6) {
            0
        } else {
            dice.below(PAYLOAD_MAX)
        };
        packet.extend(dice.bytes(len));
        if padding > 0 {
            packet.extend(vec![0; padding - 1]);
            packet.push(padding as u8);
        }
        packet
    }

    /// A jump of 32,767 or more is told apart from a step back by the index alone. `rtc-srtp` also asks a replay window
    /// over the bare 16 bits, which takes such a jump for a step back; so the jumps of the world stay below, and the
    /// longest ones have a test of their own.
    fn step(&mut self, dice: &mut Dice) -> u64 {
        if self.jumps && dice.one_in(12) {
            1_000 + dice.below(31_000) as u64
        } else if dice.one_in(20) {
            2 + dice.below(300) as u64
        } else {
            1
        }
    }
}

/// A packet without payload.
pub(crate) fn empty_rtp(sequence_number: u16) -> Vec<u8> {
    let [high, low] = sequence_number.to_be_bytes();
    vec![0x80, 111, high, low, 0, 0, 0, 9, 0, 0, 0, 1]
}

/// A header extension block with its four bytes in front: none, one-byte form, two-byte form, or one that nobody
/// knows. Padding stands behind the elements, where every writer puts it.
fn extension(dice: &mut Dice) -> Option<Vec<u8>> {
    let (profile, mut block) = match dice.below(5) {
        0 | 1 => return None,
        2 => (
            0xBEDE_u16,
            elements(dice, |id, len| vec![id << 4 | (len - 1)], 1, 16),
        ),
        3 => (0x1000, elements(dice, |id, len| vec![id, len], 0, 60)),
        _ => {
            let words = dice.below(10);
            (0x4321, dice.bytes(4 * words))
        }
    };
    block.resize(block.len().next_multiple_of(4), 0);
    let mut bytes = profile.to_be_bytes().to_vec();
    bytes.extend(((block.len() / 4) as u16).to_be_bytes());
    bytes.extend(block);
    Some(bytes)
}

fn elements(dice: &mut Dice, header: fn(u8, u8) -> Vec<u8>, min: usize, max: usize) -> Vec<u8> {
    let mut block = Vec::new();
    for id in 1..=1 + dice.below(6) as u8 {
        let len = min + dice.below(max - min + 1);
        block.extend(header(id, len as u8));
        block.extend(dice.bytes(len));
    }
    block
}

/// One source of reports.
pub(crate) struct RtcpSource {
    ssrc: u32,
    sent: u64,
}

impl RtcpSource {
    pub(crate) fn two(dice: &mut Dice) -> Vec<Self> {
        [0x0102_0304, 1 + dice.below(1_000) as u32]
            .map(|ssrc| Self { ssrc, sent: 0 })
            .into()
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// A receiver report of a few blocks, and often feedback behind it.
    pub(crate) fn next(&mut self, dice: &mut Dice) -> Vec<u8> {
        self.sent += 1;
        let blocks = dice.below(6);
        let mut packet = rtcp(201, blocks as u8, self.ssrc, &dice.bytes(24 * blocks));
        if dice.one_in(2) {
            let words = 1 + dice.below(30);
            packet.extend(rtcp(205, 15, self.ssrc, &dice.bytes(4 * words)));
        }
        packet
    }
}

fn rtcp(packet_type: u8, count: u8, ssrc: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![2 << 6 | count, packet_type];
    packet.extend((1 + body.len() as u16 / 4).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(body);
    packet
}
