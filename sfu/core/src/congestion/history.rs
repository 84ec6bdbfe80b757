//! What was sent to one subscriber, and what it says of the arrival.

use std::time::{Duration, Instant};

use crate::limits::SENT_PACKETS_MAX;

/// A packet on its way to a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SentPacket {
    pub(crate) transport_sequence: u16,
    /// Of the whole datagram, in bytes.
    pub(crate) size: u16,
    /// Since the history began.
    pub(crate) sent: Duration,
    /// What the subscriber reported, once it did.
    pub(crate) arrival: Arrival,
}

/// What a subscriber reported of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Nothing yet.
    Unreported,
    /// It did not come.
    Lost,
    /// It came, at this time of the subscriber's clock.
    At(Duration),
}

/// The last packets sent to one subscriber, by their transport-wide sequence number.
#[derive(Debug)]
pub(crate) struct SendHistory {
    started: Instant,
    /// Number `n` at place `n % SENT_PACKETS_MAX`; grows to its bound with the first packets.
    packets: Vec<Option<SentPacket>>,
}

impl SendHistory {
    /// An empty history.
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            started: now,
            packets: Vec::new(),
        }
    }

    /// Remembers a packet that was sent.
    pub(crate) fn sent(&mut self, transport_sequence: u16, size: usize, now: Instant) {
        if self.packets.is_empty() {
            self.packets.resize(SENT_PACKETS_MAX, None);
        }
        let packet = SentPacket {
            transport_sequence,
            size: u16::try_from(size).unwrap_or(u16::MAX),
            sent: now.saturating_duration_since(self.started),
            arrival: Arrival::Unreported,
        };
        if let Some(place) = self
            .packets
            .get_mut(usize::from(transport_sequence) % SENT_PACKETS_MAX)
        {
            *place = Some(packet);
        }
    }

    /// Takes in what the subscriber reports of one packet; one that is forgotten is passed over.
    pub(crate) fn reported(&mut self, transport_sequence: u16, arrival: Arrival) {
        let place = self
            .packets
            .get_mut(usize::from(transport_sequence) % SENT_PACKETS_MAX);
        if let Some(Some(packet)) = place
            && packet.transport_sequence == transport_sequence
        {
            packet.arrival = arrival;
        }
    }

    /// A packet that is still remembered.
    #[cfg(test)]
    pub(crate) fn packet(&self, transport_sequence: u16) -> Option<SentPacket> {
        let packet = *self
            .packets
            .get(usize::from(transport_sequence) % SENT_PACKETS_MAX)?;
        packet.filter(|packet| packet.transport_sequence == transport_sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::start;

    #[test]
    fn arrivals_are_kept_beside_their_packets_until_those_are_overwritten() {
        let mut history = SendHistory::new(start());
        history.sent(65_535, 1_200, start() + Duration::from_millis(5));
        history.sent(0, 100, start() + Duration::from_millis(6));
        history.reported(65_535, Arrival::At(Duration::from_millis(90)));
        history.reported(0, Arrival::Lost);
        history.reported(1, Arrival::Lost);
        let packet = history.packet(65_535).unwrap();
        assert_eq!(
            (packet.size, packet.arrival),
            (1_200, Arrival::At(Duration::from_millis(90)))
        );
        assert_eq!(history.packet(0).unwrap().arrival, Arrival::Lost);
        history.sent(SENT_PACKETS_MAX as u16, 100, start());
        assert_eq!(history.packet(0), None);
    }
}
