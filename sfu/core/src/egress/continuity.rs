//! Keeps what one slot sends continuous while its source and layer change.
//!
//! A receiver sees one stream: sequence numbers, timestamps and picture ids that go on where the last packet
//! ended. Each change computes offsets once; a packet in between costs a few additions.

use std::time::{Duration, Instant};

use rtp::seq;

use crate::ingress::reception::{SenderClock, ticks};
use crate::limits::TIMESTAMP_GAP_MAX;

/// What a packet carries before and after the offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Extended, without holes of padding.
    pub(crate) sequence: u64,
    pub(crate) rtp_timestamp: u32,
    /// Extended.
    pub(crate) picture_id: u64,
    pub(crate) tl0_picture_index: u8,
}

/// The end of what was sent so far.
#[derive(Debug, Clone)]
pub(crate) struct Continuity {
    highest: Numbers,
    /// When the highest packet was sent; `None` before the first.
    sent_at: Option<Instant>,
}

/// What is added to the numbers of one layer of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offsets {
    /// The incoming sequence number at which the change was made; nothing before it is sent.
    first_sequence: u64,
    sequence: u64,
    rtp_timestamp: u32,
    picture_id: u64,
    tl0_picture_index: u8,
}

/// How the timestamps of a new layer follow those of the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// By the time that passed since the last packet.
    Elapsed,
    /// By the sender's own clock, known for the layer that was sent with these offsets and for the new one.
    Clock {
        old: SenderClock,
        old_offsets: Offsets,
        new: SenderClock,
    },
}

impl Continuity {
    /// A slot that begins after these numbers.
    pub(crate) const fn starting_after(highest: Numbers) -> Self {
        Self {
            highest,
            sent_at: None,
        }
    }

    /// The offsets with which a stream goes on from here with the packet of these incoming numbers.
    pub(crate) fn follow(&self, first: Numbers, clock_rate_hz: u32, now: Instant, follow: Follow) -> Offsets {
        let highest = self.highest;
        let rtp_timestamp = match self.clocked_timestamp(first.rtp_timestamp, clock_rate_hz, follow) {
            Some(timestamp) => timestamp,
            None => highest
                .rtp_timestamp
                .wrapping_add(self.elapsed_ticks(clock_rate_hz, now)),
        };
        Offsets {
            first_sequence: first.sequence,
            sequence: (highest.sequence + 1).wrapping_sub(first.sequence),
            rtp_timestamp: rtp_timestamp.wrapping_sub(first.rtp_timestamp),
            picture_id: highest.picture_id.wrapping_add(1).wrapping_sub(first.picture_id),
            tl0_picture_index: highest
                .tl0_picture_index
                .wrapping_add(1)
                .wrapping_sub(first.tl0_picture_index),
        }
    }

    /// Remembers a packet that was sent.
    pub(crate) const fn sent(&mut self, numbers: Numbers, now: Instant) {
        if numbers.sequence > self.highest.sequence {
            self.highest = numbers;
            self.sent_at = Some(now);
        }
    }

    /// The extended outgoing number of a sequence number that was sent; `None` when nothing as new was sent.
    pub(crate) fn sent_number(&self, sequence_number: u16) -> Option<u64> {
        self.sent_at?;
        let number = seq::extend(sequence_number, self.highest.sequence);
        (number <= self.highest.sequence).then_some(number)
    }

    fn elapsed_ticks(&self, clock_rate_hz: u32, now: Instant) -> u32 {
        let elapsed = self
            .sent_at
            .map_or(Duration::ZERO, |sent| now.saturating_duration_since(sent));
        ticks(elapsed.min(TIMESTAMP_GAP_MAX), clock_rate_hz).max(1)
    }

    /// The outgoing timestamp by the sender's clock, where it is known and leads to a credible place. A new layer often
    /// begins with the picture that the old one showed last, or an earlier one: timestamps have to rise, so it comes
    /// one tick later, which is nearer to its time than the time that passed.
    fn clocked_timestamp(&self, incoming: u32, clock_rate_hz: u32, follow: Follow) -> Option<u32> {
        /// Simulcast layers of one camera differ by an encoder's delay; more is a clock that jumped.
        const STEP_MAX: Duration = Duration::from_secs(10);
        let Follow::Clock {
            old,
            old_offsets,
            new,
        } = follow
        else {
            return None;
        };
        let between = signed_ticks(old.ntp.0, new.ntp.0, clock_rate_hz);
        let at_new_report = old
            .rtp_timestamp
            .wrapping_add(old_offsets.rtp_timestamp)
            .wrapping_add_signed(between);
        let timestamp = at_new_report.wrapping_add(incoming.wrapping_sub(new.rtp_timestamp));
        let step = seq::timestamp_distance(timestamp, self.highest.rtp_timestamp);
        let step_max = ticks(STEP_MAX, clock_rate_hz).cast_signed();
        let rising = if step > 0 {
            timestamp
        } else {
            self.highest.rtp_timestamp.wrapping_add(1)
        };
        (-step_max..=step_max).contains(&step).then_some(rising)
    }
}

impl Offsets {
    /// The outgoing numbers of a packet; `None` for one that is older than the change.
    pub(crate) const fn apply(&self, incoming: Numbers) -> Option<Numbers> {
        if incoming.sequence < self.first_sequence {
            return None;
        }
        Some(Numbers {
            sequence: incoming.sequence.wrapping_add(self.sequence),
            rtp_timestamp: self.timestamp(incoming.rtp_timestamp),
            picture_id: incoming.picture_id.wrapping_add(self.picture_id),
            tl0_picture_index: incoming.tl0_picture_index.wrapping_add(self.tl0_picture_index),
        })
    }

    /// The incoming sequence number that becomes this outgoing one.
    pub(crate) const fn incoming_sequence(&self, outgoing: u64) -> u64 {
        outgoing.wrapping_sub(self.sequence)
    }

    /// The outgoing timestamp of an incoming one.
    pub(crate) const fn timestamp(&self, incoming: u32) -> u32 {
        incoming.wrapping_add(self.rtp_timestamp)
    }
}

/// The ticks from one NTP time to another, modulo 2^32.
fn signed_ticks(from: u64, to: u64, clock_rate_hz: u32) -> i32 {
    let units = i128::from(to.wrapping_sub(from).cast_signed());
    ((units * i128::from(clock_rate_hz)) >> 32) as i32
}
