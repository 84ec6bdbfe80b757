//! What one slot sent again, and what it can send again as it was.

use std::time::{Duration, Instant};

use transport::Tag;

use crate::limits::{ANSWERS_PER_PACKET_MAX, CACHE_VIDEO_PACKETS, REPEATS_MAX};

/// How often, and when last, each packet of a slot was sent again.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    started: Option<Instant>,
    /// Number `n` at place `n % CACHE_VIDEO_PACKETS`; made at the first request, because most slots never lose much.
    ring: Vec<Answer>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Answer {
    number: u64,
    /// Since the start.
    at_ms: u32,
    count: u8,
}

/// Why a packet is not sent again, or not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The last answer is still on its way.
    TooSoon,
    /// It was sent again as often as it may.
    TooOften,
}

impl Answers {
    /// Counts an answer with the packet of this extended outgoing number, unless there was one within `deafness` or
    /// there were enough.
    pub(crate) fn answer(&mut self, number: u64, deafness: Duration, now: Instant) -> Result<(), Refused> {
        let started = *self.started.get_or_insert(now);
        if self.ring.is_empty() {
            self.ring.resize(CACHE_VIDEO_PACKETS, Answer::default());
        }
        let now_ms = milliseconds(now.saturating_duration_since(started));
        let place = (number % CACHE_VIDEO_PACKETS as u64) as usize;
        let Some(answer) = self.ring.get_mut(place) else {
            return Err(Refused::TooOften);
        };
        if answer.count == 0 || answer.number != number {
            *answer = Answer {
                number,
                at_ms: now_ms,
                count: 1,
            };
            return Ok(());
        }
        if answer.count >= ANSWERS_PER_PACKET_MAX {
            return Err(Refused::TooOften);
        }
        if now_ms.saturating_sub(answer.at_ms) < milliseconds(deafness) {
            return Err(Refused::TooSoon);
        }
        answer.at_ms = now_ms;
        answer.count += 1;
        Ok(())
    }
}

/// 49 days are enough for one connection; behind them every request comes too soon.
fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// What is not in the cache, but has to be the same when a packet is sent again as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) transport_sequence: Option<u16>,
    pub(crate) tag: Tag,
}

/// The last packets of one slot, by their extended outgoing number.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    /// Number `n` at place `n % REPEATS_MAX`; grows to its bound with the first packet.
    ring: Vec<Option<(u64, Sealed)>>,
}

impl Repeats {
    /// Remembers a packet that was sealed.
    pub(crate) fn sealed(&mut self, number: u64, sealed: Sealed) {
        if self.ring.is_empty() {
            self.ring.resize(REPEATS_MAX, None);
        }
        if let Some(place) = self.ring.get_mut(place(number)) {
            *place = Some((number, sealed));
        }
    }

    /// What was remembered of a packet.
    pub(crate) fn find(&self, number: u64) -> Option<Sealed> {
        let (known, sealed) = (*self.ring.get(place(number))?)?;
        (known == number).then_some(sealed)
    }
}

fn place(number: u64) -> usize {
    // The remainder is below `REPEATS_MAX`, which is a `usize`.
    (number % REPEATS_MAX as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::start;

    const DEAFNESS: Duration = Duration::from_millis(30);

    #[test]
    fn one_packet_is_answered_once_a_round_trip_and_not_forever() {
        let mut answers = Answers::default();
        assert_eq!(answers.answer(70_000, DEAFNESS, start()), Ok(()));
        assert_eq!(answers.answer(70_000, DEAFNESS, start()), Err(Refused::TooSoon));
        assert_eq!(
            answers.answer(70_001, DEAFNESS, start()),
            Ok(()),
            "another packet"
        );
        for count in 1..u32::from(ANSWERS_PER_PACKET_MAX) {
            assert_eq!(
                answers.answer(70_000, DEAFNESS, start() + DEAFNESS * count),
                Ok(())
            );
        }
        let late = start() + DEAFNESS * 1_000;
        assert_eq!(answers.answer(70_000, DEAFNESS, late), Err(Refused::TooOften));
    }
}
