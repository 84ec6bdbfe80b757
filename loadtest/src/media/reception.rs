//! Which packets of one stream came, which are missing, and when to ask for them again.

use std::collections::BTreeMap;
use std::time::Instant;

use rtp::rtcp::ReportBlock;
use rtp::{Ssrc, seq};

use crate::limits::{MISSING_MAX, NACK_INTERVAL, NACKS_PER_PACKET};

/// The packets of one stream.
#[derive(Debug, Default)]
pub(crate) struct Reception {
    /// First and highest extended number.
    range: Option<(u64, u64)>,
    received: u64,
    missing: BTreeMap<u64, Missing>,
    /// Expected and received when the last report was made.
    reported: (u64, u64),
}

#[derive(Debug)]
struct Missing {
    asked: u8,
    ask_at: Instant,
}

/// How a packet fits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The newest, or late.
    Fresh,
    /// It was missing and asked for.
    Repaired,
}

impl Reception {
    /// Takes a packet in; answers its extended number, and whether it closed a gap.
    pub(crate) fn take(&mut self, sequence_number: u16, now: Instant) -> (u64, Arrival) {
        let Some((first, highest)) = self.range else {
            let extended = seq::start(sequence_number);
            self.range = Some((extended, extended));
            self.received = 1;
            return (extended, Arrival::Fresh);
        };
        let extended = seq::extend(sequence_number, highest);
        self.received += 1;
        if extended > highest {
            for number in (highest + 1..extended).rev().take(MISSING_MAX) {
                self.missing.insert(
                    number,
                    Missing {
                        asked: 0,
                        ask_at: now,
                    },
                );
            }
            while self.missing.len() > MISSING_MAX {
                self.missing.pop_first();
            }
            self.range = Some((first, extended));
            return (extended, Arrival::Fresh);
        }
        let was_asked = self
            .missing
            .remove(&extended)
            .is_some_and(|missing| missing.asked > 0);
        let arrival = if was_asked {
            Arrival::Repaired
        } else {
            Arrival::Fresh
        };
        (extended, arrival)
    }

    /// The missing packets to ask for now. What was asked for often enough is given up; answers how many that were.
    pub(crate) fn take_missing(&mut self, now: Instant, asks: bool, numbers: &mut Vec<u16>) -> usize {
        let tries = if asks { NACKS_PER_PACKET } else { 0 };
        let before = self.missing.len();
        self.missing
            .retain(|_, missing| missing.asked < tries || missing.ask_at > now);
        for (number, missing) in &mut self.missing {
            if missing.ask_at <= now {
                missing.asked += 1;
                missing.ask_at = now + NACK_INTERVAL;
                numbers.push(*number as u16);
            }
        }
        before - self.missing.len()
    }

    /// When [`take_missing`](Self::take_missing) has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.missing.values().map(|missing| missing.ask_at).min()
    }

    /// What a receiver report says of the stream; `None` when nothing came.
    ///
    /// Source: RFC 3550 section 6.4.1 and appendix A.3.
    pub(crate) fn report(&mut self, ssrc: Ssrc) -> Option<ReportBlock> {
        let (first, highest) = self.range?;
        let expected = highest - first + 1;
        let (expected_before, received_before) = self.reported;
        self.reported = (expected, self.received);
        let expected_since = expected - expected_before;
        let lost_since = expected_since.saturating_sub(self.received - received_before);
        let lost = expected as i64 - self.received as i64;
        Some(ReportBlock {
            ssrc,
            fraction_lost: (256 * lost_since / expected_since.max(1)).min(255) as u8,
            cumulative_lost: i32::try_from(lost).unwrap_or(i32::MAX),
            extended_highest_sequence_number: highest as u32,
            ..ReportBlock::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_asked_for_until_it_closes_or_is_given_up() {
        let now = Instant::now();
        let mut reception = Reception::default();
        reception.take(65_534, now);
        assert_eq!(reception.take(2, now).1, Arrival::Fresh);
        let mut numbers = Vec::new();
        assert_eq!(reception.take_missing(now, true, &mut numbers), 0);
        assert_eq!(numbers, [65_535, 0, 1]);
        assert_eq!(reception.take(0, now).1, Arrival::Repaired);
        let mut later = now;
        let mut given_up = 0;
        for _ in 0..NACKS_PER_PACKET {
            later += NACK_INTERVAL;
            given_up += reception.take_missing(later, true, &mut numbers);
        }
        assert_eq!(given_up, 2);
        assert_eq!(reception.poll_timeout(), None);
    }

    #[test]
    fn without_questions_a_gap_is_lost_at_once() {
        let now = Instant::now();
        let mut reception = Reception::default();
        reception.take(1, now);
        reception.take(4, now);
        let mut numbers = Vec::new();
        assert_eq!(reception.take_missing(now, false, &mut numbers), 2);
        assert!(numbers.is_empty());
    }

    #[test]
    fn a_long_outage_is_remembered_in_part() {
        let now = Instant::now();
        let mut reception = Reception::default();
        reception.take(1, now);
        reception.take(30_000, now);
        assert_eq!(reception.missing.len(), MISSING_MAX);
    }

    #[test]
    fn reports_tell_the_loss_since_the_last_one() {
        let now = Instant::now();
        let mut reception = Reception::default();
        assert!(reception.report(Ssrc(1)).is_none());
        for number in [1, 2, 4] {
            reception.take(number, now);
        }
        let block = reception.report(Ssrc(1)).unwrap();
        assert_eq!((block.fraction_lost, block.cumulative_lost), (64, 1));
        reception.take(5, now);
        let block = reception.report(Ssrc(1)).unwrap();
        assert_eq!((block.fraction_lost, block.cumulative_lost), (0, 1));
    }
}
