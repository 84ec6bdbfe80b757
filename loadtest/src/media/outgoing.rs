//! One stream that a member sends.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use protocol::media::{Codec, SourceKind};
use rtp::rtcp::SenderInfo;
use rtp::{AudioLevel, Extensions, Mid, NtpTime, PayloadType, RtpHeader, Ssrc};

use crate::limits::SENT_PACKETS_MAX;

/// A packet before SRTP: its header, its extensions and its payload.
#[derive(Debug, Clone)]
pub(crate) struct Plain {
    pub(crate) header: RtpHeader,
    pub(crate) extensions: Extensions,
    pub(crate) payload: Vec<u8>,
}

/// A packet that was sent.
#[derive(Debug)]
struct Sent {
    plain: Plain,
    /// As it went out. A stream without retransmissions of its own sends exactly this again: sealing one sequence
    /// number twice would break the encryption.
    wire: Vec<u8>,
}

/// What answers a question for a missing packet.
pub(crate) enum Again {
    /// These bytes, once more.
    Wire(Vec<u8>),
    /// This retransmission (RFC 4588 section 4), which is sealed like every packet.
    Retransmission(Plain),
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) ssrc: Ssrc,
    mid: Mid,
    codec: Codec,
    clock_rate: u32,
    sequence_number: u16,
    timestamp_base: u32,
    start: Instant,
    packets: u32,
    octets: u32,
    sent: VecDeque<Sent>,
    retransmission: Option<Retransmission>,
}

#[derive(Debug)]
struct Retransmission {
    ssrc: Ssrc,
    payload_type: PayloadType,
    sequence_number: u16,
}

impl Outgoing {
    /// A stream whose timestamps begin at `start`. `random` makes its first numbers hard to guess.
    pub(crate) fn new(kind: SourceKind, ssrc: u32, random: u64, start: Instant) -> Option<Self> {
        let (codec, clock_rate) = match kind {
            SourceKind::Microphone => (Codec::Opus, 48_000),
            SourceKind::Camera => (Codec::Vp8, 90_000),
        };
        Some(Self {
            ssrc: Ssrc(ssrc),
            mid: Mid::new(kind.mid()).ok()?,
            codec,
            clock_rate,
            // Below half the range, so that a receiver cannot miss the first rollover.
            sequence_number: (random & 0x7FFF) as u16,
            timestamp_base: (random >> 32) as u32,
            start,
            packets: 0,
            octets: 0,
            sent: VecDeque::new(),
            retransmission: None,
        })
    }

    /// Sends missing packets again under this SSRC and payload type.
    pub(crate) fn retransmit(&mut self, ssrc: u32, payload_type: u8) {
        let sequence_number = self.sequence_number;
        self.retransmission = PayloadType::new(payload_type).map(|payload_type| Retransmission {
            ssrc: Ssrc(ssrc),
            payload_type,
            sequence_number,
        });
    }

    /// The next packet, of the frame that was due at `at` after the start.
    pub(crate) fn packet(
        &mut self,
        at: Duration,
        marker: bool,
        level: Option<AudioLevel>,
        payload: Vec<u8>,
    ) -> Option<Plain> {
        let header = RtpHeader {
            marker,
            payload_type: PayloadType::new(self.codec.payload_type())?,
            sequence_number: self.sequence_number,
            rtp_timestamp: self.timestamp(at),
            ssrc: self.ssrc,
        };
        self.sequence_number = self.sequence_number.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        let extensions = Extensions {
            mid: Some(self.mid),
            audio_level: level,
            ..Extensions::default()
        };
        Some(Plain {
            header,
            extensions,
            payload,
        })
    }

    /// Remembers a packet that went out as `wire`.
    pub(crate) fn remember(&mut self, plain: Plain, wire: &[u8]) {
        if self.sent.len() == SENT_PACKETS_MAX {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent {
            plain,
            wire: wire.to_vec(),
        });
    }

    /// The answer to a question for a missing packet, unless it is forgotten.
    pub(crate) fn again(&mut self, sequence_number: u16) -> Option<Again> {
        let sent = self
            .sent
            .iter()
            .find(|sent| sent.plain.header.sequence_number == sequence_number)?;
        let Some(retransmission) = &mut self.retransmission else {
            return Some(Again::Wire(sent.wire.clone()));
        };
        let mut plain = sent.plain.clone();
        plain.header.ssrc = retransmission.ssrc;
        plain.header.payload_type = retransmission.payload_type;
        plain.header.sequence_number = retransmission.sequence_number;
        retransmission.sequence_number = retransmission.sequence_number.wrapping_add(1);
        plain
            .payload
            .splice(0..0, sent.plain.header.sequence_number.to_be_bytes());
        Some(Again::Retransmission(plain))
    }

    /// What a sender report says now, when the wall clock shows `ntp_now`; `None` before the first packet.
    pub(crate) fn report(&self, now: Instant, ntp_now: Duration) -> Option<SenderInfo> {
        (self.packets > 0).then(|| SenderInfo {
            ntp_time: NtpTime::from_duration(ntp_now),
            rtp_timestamp: self.timestamp(now.saturating_duration_since(self.start)),
            packet_count: self.packets,
            octet_count: self.octets,
        })
    }

    fn timestamp(&self, at: Duration) -> u32 {
        let ticks = at.as_nanos() * u128::from(self.clock_rate) / 1_000_000_000;
        self.timestamp_base.wrapping_add(ticks as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_of_a_report_tell_the_same_moment() {
        let start = Instant::now();
        let mut stream = Outgoing::new(SourceKind::Camera, 1, 5 << 32 | 7, start).unwrap();
        assert!(stream.report(start, Duration::ZERO).is_none());
        let packet = stream
            .packet(Duration::from_secs(1), true, None, vec![1])
            .unwrap();
        assert_eq!(packet.header.rtp_timestamp, 90_005);
        let report = stream
            .report(start + Duration::from_secs(1), Duration::from_secs(101))
            .unwrap();
        assert_eq!(report.rtp_timestamp, 90_005);
        assert_eq!(report.ntp_time, NtpTime::from_duration(Duration::from_secs(101)));
    }

    #[test]
    fn a_missing_packet_is_sent_again_as_negotiated_and_for_a_while() {
        let mut stream = Outgoing::new(SourceKind::Camera, 1, 7, Instant::now()).unwrap();
        for number in 0..=SENT_PACKETS_MAX {
            let plain = stream
                .packet(Duration::ZERO, true, None, vec![number as u8])
                .unwrap();
            stream.remember(plain, &[9, 9]);
        }
        assert!(stream.again(7).is_none(), "forgotten");
        assert!(matches!(stream.again(8), Some(Again::Wire(wire)) if wire == [9, 9]));
        stream.retransmit(2, 103);
        let Some(Again::Retransmission(plain)) = stream.again(8) else {
            panic!("no retransmission");
        };
        assert_eq!((plain.header.ssrc, plain.payload), (Ssrc(2), vec![0, 8, 1]));
    }
}
