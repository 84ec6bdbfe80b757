//! What one browser sends, and sends again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rtp::rtcp::SenderInfo;
use rtp::{NtpTime, Ssrc};

use super::common::{self, Outgoing, Vp8Frame};
use super::network::Dice;

const MICROPHONE: u32 = 11;
const CAMERA: u32 = 21;
const CAMERA_AGAIN: u32 = 121;

/// A packet as it was sent first.
pub(crate) struct Sent {
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
}

/// One stream.
pub(crate) struct Stream {
    sequence_number: u16,
    next: Instant,
    history: BTreeMap<u16, (Outgoing, Vec<u8>)>,
    pub(crate) sent: Vec<Sent>,
}

/// A microphone with 50 packets a second, and a camera of one size with 30 frames.
pub(crate) struct Sender {
    pub(crate) audio: Stream,
    pub(crate) video: Stream,
    pub(crate) wants_key: bool,
    picture_id: u16,
    again_number: u16,
    bodies: u64,
    next_clock: Instant,
}

/// What is sent on request.
pub(crate) enum Again {
    /// The same datagram.
    Repeat(Vec<u8>),
    /// A retransmission.
    Retransmit(Outgoing),
}

impl Stream {
    fn new(dice: &mut Dice) -> Self {
        Self {
            // Some streams wrap within the call.
            sequence_number: (65_000 + dice.below(1_000)) as u16,
            next: common::start() + Duration::from_millis(dice.below(20)),
            history: BTreeMap::new(),
            sent: Vec::new(),
        }
    }

    fn advance(&mut self) -> u16 {
        self.sequence_number = self.sequence_number.wrapping_add(1);
        self.sequence_number
    }
}

impl Sender {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        Self {
            audio: Stream::new(dice),
            video: Stream::new(dice),
            wants_key: true,
            picture_id: dice.below(0x8000) as u16,
            again_number: 7,
            bodies: 0,
            next_clock: common::start(),
        }
    }

    /// What is sent at this moment.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<Outgoing> {
        let mut outgoing = Vec::new();
        if self.audio.next <= now {
            self.audio.next += Duration::from_millis(20);
            let body = self.new_body(60);
            let mut packet = Outgoing::audio(MICROPHONE, self.audio.advance(), &body);
            packet.rtp_timestamp = timestamp(now, 48);
            outgoing.push(packet);
        }
        if self.video.next <= now {
            self.video.next += Duration::from_millis(33);
            let is_key = std::mem::take(&mut self.wants_key);
            self.picture_id = self.picture_id.wrapping_add(1) & 0x7FFF;
            let packets = if is_key { 12 } else { 3 };
            for packet in 0..packets {
                let frame = Vp8Frame {
                    is_key,
                    is_start: packet == 0,
                    picture_id: self.picture_id,
                    tl0_picture_index: self.picture_id as u8,
                    body: self.new_body(900),
                };
                let sequence_number = self.video.advance();
                let mut packet_of_frame =
                    Outgoing::video(2, CAMERA, sequence_number, timestamp(now, 90), &frame);
                packet_of_frame.marker = packet + 1 == packets;
                outgoing.push(packet_of_frame);
            }
        }
        outgoing
    }

    /// Remembers what was sent.
    pub(crate) fn sent(&mut self, outgoing: &Outgoing, datagram: &[u8], now: Instant) {
        let stream = match outgoing.ssrc {
            MICROPHONE => &mut self.audio,
            _ => &mut self.video,
        };
        let history = (outgoing.clone(), datagram.to_vec());
        stream.history.insert(outgoing.sequence_number, history);
        let body = body_of(&outgoing.payload).to_vec();
        stream.sent.push(Sent { body, at: now });
    }

    /// Answers a request.
    pub(crate) fn again(&mut self, ssrc: u32, sequence_number: u16) -> Option<Again> {
        if ssrc == MICROPHONE {
            let (_, datagram) = self.audio.history.get(&sequence_number)?;
            return Some(Again::Repeat(datagram.clone()));
        }
        assert_eq!(ssrc, CAMERA, "only what was sent is asked for");
        let (first, _) = self.video.history.get(&sequence_number)?;
        self.again_number = self.again_number.wrapping_add(1);
        Some(Again::Retransmit(Outgoing::again(
            2,
            CAMERA_AGAIN,
            self.again_number,
            first,
        )))
    }

    /// The sender reports of this moment; mostly none.
    pub(crate) fn clocks(&mut self, now: Instant) -> Vec<(Ssrc, SenderInfo)> {
        if self.next_clock > now {
            return Vec::new();
        }
        self.next_clock += Duration::from_millis(500);
        let ntp_time = NtpTime::from_duration(now - common::start() + Duration::from_secs(1_000));
        [(MICROPHONE, 48), (CAMERA, 90)]
            .into_iter()
            .map(|(ssrc, ticks_per_ms)| {
                let info = SenderInfo {
                    ntp_time,
                    rtp_timestamp: timestamp(now, ticks_per_ms),
                    ..SenderInfo::default()
                };
                (Ssrc(ssrc), info)
            })
            .collect()
    }

    /// Bytes that no other packet of this sender has.
    fn new_body(&mut self, len: usize) -> Vec<u8> {
        self.bodies += 1;
        let mut body = vec![0x5A; len];
        body[len - BODY_LEN..].copy_from_slice(&self.bodies.to_be_bytes());
        body
    }
}

const BODY_LEN: usize = 8;

/// What tells a packet from all others.
pub(crate) fn body_of(payload: &[u8]) -> &[u8] {
    &payload[payload.len() - BODY_LEN..]
}

fn timestamp(now: Instant, ticks_per_ms: u32) -> u32 {
    let elapsed = now.duration_since(common::start()).as_millis() as u32;
    elapsed.wrapping_mul(ticks_per_ms).wrapping_add(0xFFFF_0000)
}
