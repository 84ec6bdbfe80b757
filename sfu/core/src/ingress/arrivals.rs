//! When the packets of one publisher came, for transport-wide feedback.
//!
//! Source: draft-holmer-rmcat-transport-wide-cc-extensions-01.

use std::time::{Duration, Instant};

use rtp::rtcp::Arrival;
use rtp::seq;

use crate::limits::{ARRIVALS_MAX, FEEDBACK_INTERVAL};

/// Arrivals since the last feedback, and enough before them to tell of a late packet between its neighbours.
#[derive(Debug)]
pub(crate) struct Arrivals {
    /// The highest extended transport-wide sequence number; `None` before the first packet.
    latest: Option<u64>,
    /// The first number that the next feedback tells of.
    base: u64,
    due: Option<Instant>,
    /// The arrival of number `n` at place `n % ARRIVALS_MAX`; the number tells it from older ones.
    ring: Vec<Option<Arrival>>,
    feedback_count: u8,
}

impl Arrivals {
    /// Nothing came yet.
    pub(crate) const fn new() -> Self {
        Self {
            latest: None,
            base: 0,
            due: None,
            ring: Vec::new(),
            feedback_count: 0,
        }
    }

    /// When the next feedback is due.
    pub(crate) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Records the arrival of a packet, `time` after a fixed moment.
    pub(crate) fn record(&mut self, transport_sequence: u16, time: Duration, now: Instant) {
        let window = ARRIVALS_MAX as u64;
        let number = match self.latest {
            Some(latest) => seq::extend(transport_sequence, latest),
            None => {
                self.ring.resize(ARRIVALS_MAX, None);
                self.base = seq::start(transport_sequence);
                self.base
            }
        };
        let latest = self.latest.map_or(number, |latest| latest.max(number));
        if latest - number >= window {
            return;
        }
        self.latest = Some(latest);
        if let Some(place) = self.ring.get_mut(place(number)) {
            *place = Some(Arrival {
                sequence_number: number,
                time,
            });
        }
        // A late packet is told of after all, between its neighbours.
        self.base = self.base.min(number).max((latest + 1).saturating_sub(window));
        self.due.get_or_insert(now + FEEDBACK_INTERVAL);
    }

    /// The number of the next feedback and the first packet that it tells of; `arrivals` becomes those to tell.
    /// `None` when there is nothing to tell.
    pub(crate) fn take_due(&mut self, now: Instant, arrivals: &mut Vec<Arrival>) -> Option<(u8, u64)> {
        arrivals.clear();
        if self.due? > now {
            return None;
        }
        let latest = self.latest?;
        arrivals.extend((self.base..=latest).filter_map(|number| self.arrival(number)));
        if arrivals.is_empty() {
            self.due = None;
            return None;
        }
        let feedback_count = self.feedback_count;
        self.feedback_count = feedback_count.wrapping_add(1);
        Some((feedback_count, self.base))
    }

    /// A feedback told of everything before this number. When it told of all, none is due any more.
    pub(crate) fn told_until(&mut self, next_base: u64) {
        self.base = next_base;
        if self.latest.is_none_or(|latest| latest < next_base) {
            self.due = None;
        }
    }

    fn arrival(&self, number: u64) -> Option<Arrival> {
        let arrival = (*self.ring.get(place(number))?)?;
        (arrival.sequence_number == number).then_some(arrival)
    }
}

fn place(number: u64) -> usize {
    // The remainder is below `ARRIVALS_MAX`, which is a `usize`.
    (number % ARRIVALS_MAX as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::start;

    #[test]
    fn each_feedback_goes_on_where_the_last_one_ended() {
        let mut arrivals = Arrivals::new();
        let first = seq::start(65_534);
        for sequence in [65_534, 65_535, 1] {
            arrivals.record(sequence, Duration::ZERO, start());
        }
        assert_eq!(
            take(&mut arrivals),
            Some((0, first, vec![first, first + 1, first + 3]))
        );
        arrivals.told_until(first + 4);
        assert_eq!(arrivals.due(), None);
        arrivals.record(3, Duration::ZERO, start());
        assert_eq!(take(&mut arrivals), Some((1, first + 4, vec![first + 5])));
    }

    #[test]
    fn a_late_packet_is_told_of_between_its_neighbours() {
        let mut arrivals = Arrivals::new();
        let first = seq::start(7);
        arrivals.record(7, Duration::ZERO, start());
        arrivals.record(9, Duration::ZERO, start());
        take(&mut arrivals);
        arrivals.told_until(first + 3);
        arrivals.record(8, Duration::ZERO, start());
        assert_eq!(
            take(&mut arrivals),
            Some((1, first + 1, vec![first + 1, first + 2]))
        );
    }

    #[test]
    fn feedback_waits_for_its_interval_and_holds_no_more_than_its_window() {
        let mut arrivals = Arrivals::new();
        for sequence in 0..ARRIVALS_MAX as u16 + 10 {
            arrivals.record(sequence, Duration::ZERO, start());
        }
        assert_eq!(arrivals.take_due(start(), &mut Vec::new()), None);
        let (_, base, numbers) = take(&mut arrivals).unwrap();
        assert_eq!((base, numbers.len()), (seq::start(10), ARRIVALS_MAX));
    }

    fn take(arrivals: &mut Arrivals) -> Option<(u8, u64, Vec<u64>)> {
        let mut taken = Vec::new();
        let (count, base) = arrivals.take_due(start() + FEEDBACK_INTERVAL, &mut taken)?;
        Some((
            count,
            base,
            taken.iter().map(|arrival| arrival.sequence_number).collect(),
        ))
    }
}
