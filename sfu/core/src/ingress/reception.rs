//! What a receiver report says about one SSRC: loss and jitter.
//!
//! Source: RFC 3550, appendices A.3 and A.8.

use std::time::{Duration, Instant};

use rtp::NtpTime;

/// The reception of one SSRC.
#[derive(Debug, Clone)]
pub(crate) struct Reception {
    first: u64,
    highest: u64,
    received: u64,
    expected_at_report: u64,
    received_at_report: u64,
    /// The last packet: when it came, and its timestamp.
    last: Option<(Instant, u32)>,
    /// The mean deviation of transit times, in ticks times 16.
    jitter_16: u64,
}

/// What the sender said about its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SenderClock {
    /// The sender's time.
    pub(crate) ntp: NtpTime,
    /// The RTP timestamp of that moment.
    pub(crate) rtp_timestamp: u32,
    /// When the report came.
    pub(crate) arrived: Instant,
}

/// The numbers of one report block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReceptionReport {
    /// Lost since the last report, in 1/256.
    pub(crate) fraction_lost: u8,
    /// Lost since the start, clamped to 24 bits.
    pub(crate) cumulative_lost: i32,
    /// The low 32 bits of the highest extended sequence number.
    pub(crate) highest_sequence: u32,
    /// In ticks.
    pub(crate) jitter: u32,
}

impl Reception {
    /// The reception of a stream whose first packet has this extended sequence number.
    pub(crate) const fn starting_at(number: u64) -> Self {
        Self {
            first: number,
            highest: number,
            received: 0,
            expected_at_report: 0,
            received_at_report: 0,
            last: None,
            jitter_16: 0,
        }
    }

    /// Takes in one packet of this SSRC, padding and repeats included. Retransmissions come under an SSRC of their own
    /// and do not make a loss undone (RFC 4588 section 4).
    ///
    /// Jitter is that of packets in their order and with a new timestamp, as libwebrtc counts it: a repeat comes later
    /// by a round trip, which says nothing of the path.
    pub(crate) fn received(&mut self, number: u64, rtp_timestamp: u32, clock_rate_hz: u32, now: Instant) {
        self.received += 1;
        let is_in_order = self.last.is_none() || number > self.highest;
        self.highest = self.highest.max(number);
        self.first = self.first.min(number);
        if !is_in_order {
            return;
        }
        if let Some((before, timestamp_before)) = self.last {
            if rtp_timestamp == timestamp_before {
                return;
            }
            let elapsed =
                i64::from(ticks(now.saturating_duration_since(before), clock_rate_hz).cast_signed());
            let stepped = i64::from(rtp_timestamp.wrapping_sub(timestamp_before).cast_signed());
            let deviation = (elapsed - stepped).unsigned_abs();
            self.jitter_16 = self.jitter_16 + deviation - ((self.jitter_16 + 8) >> 4);
        }
        self.last = Some((now, rtp_timestamp));
    }

    /// The report since the last one.
    pub(crate) fn report(&mut self) -> ReceptionReport {
        /// The largest loss that fits into a signed 24-bit field.
        const LOST_MAX: i64 = 0x7F_FFFF;
        let expected = self.highest - self.first + 1;
        let expected_since = expected - self.expected_at_report.min(expected);
        let received_since = self.received - self.received_at_report;
        self.expected_at_report = expected;
        self.received_at_report = self.received;
        let lost_since = expected_since.saturating_sub(received_since);
        let fraction = (lost_since * 256).checked_div(expected_since).unwrap_or(0);
        let lost = (expected.cast_signed() - self.received.cast_signed()).clamp(-LOST_MAX - 1, LOST_MAX);
        ReceptionReport {
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            cumulative_lost: i32::try_from(lost).unwrap_or_default(),
            highest_sequence: self.highest as u32,
            jitter: u32::try_from(self.jitter_16 >> 4).unwrap_or(u32::MAX),
        }
    }
}

/// A duration in ticks of a clock, modulo 2^32.
pub(crate) const fn ticks(duration: Duration, clock_rate_hz: u32) -> u32 {
    (duration.as_nanos() * clock_rate_hz as u128 / 1_000_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::start;

    #[test]
    fn loss_and_jitter_are_those_of_rfc_3550() {
        let mut reception = Reception::starting_at(100);
        for index in 0..20_u32 {
            if index % 4 == 3 {
                continue;
            }
            // Every packet but the first comes 1 ms (90 ticks) early or late in turns.
            let late = if index % 2 == 0 { 1 } else { 2 };
            let now = start() + Duration::from_millis(u64::from(index) * 20 + late);
            reception.received(100 + u64::from(index), index * 1_800, 90_000, now);
        }
        let report = reception.report();
        assert_eq!(report.fraction_lost, (4 * 256 / 19) as u8);
        assert_eq!(report.cumulative_lost, 4);
        assert_eq!(report.highest_sequence, 118);
        assert!((20..=60).contains(&report.jitter), "{}", report.jitter);
        assert_eq!(reception.report().fraction_lost, 0);
    }

    #[test]
    fn a_repeat_fills_its_loss_and_leaves_the_jitter_alone() {
        let mut reception = Reception::starting_at(100);
        for number in [100, 101, 103, 104] {
            let now = start() + Duration::from_millis(20 * number);
            reception.received(number, number as u32 * 960, 48_000, now);
        }
        let repeated = start() + Duration::from_millis(20 * 104 + 90);
        reception.received(102, 102 * 960, 48_000, repeated);
        let report = reception.report();
        assert_eq!((report.cumulative_lost, report.fraction_lost), (0, 0));
        assert_eq!(report.jitter, 0);
    }

    #[test]
    fn a_packet_before_the_first_one_is_no_negative_loss() {
        let mut reception = Reception::starting_at(100);
        for number in [100, 99, 98] {
            reception.received(number, 0, 90_000, start());
        }
        assert_eq!(reception.report().cumulative_lost, 0);
    }
}
