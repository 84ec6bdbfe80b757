//! How long a packet and its answer take on the path of one peer.

use std::time::Duration;

use crate::limits::{ROUND_TRIP_DEFAULT, ROUND_TRIP_MAX, ROUND_TRIP_MIN};

/// A smoothed estimate.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RoundTrip {
    smoothed: Option<Duration>,
}

impl RoundTrip {
    /// Takes in one measurement.
    ///
    /// Source: the smoothing is that of RFC 6298 section 2, an eighth of each new value.
    pub(crate) fn measured(&mut self, round_trip: Duration) {
        let round_trip = round_trip.clamp(ROUND_TRIP_MIN, ROUND_TRIP_MAX);
        self.smoothed = Some(match self.smoothed {
            Some(before) => before - before / 8 + round_trip / 8,
            None => round_trip,
        });
    }

    /// How long to wait for what was asked for, before asking again.
    pub(crate) fn patience(&self) -> Duration {
        self.smoothed.unwrap_or(ROUND_TRIP_DEFAULT)
    }

    /// How long after an answer the same question cannot be a new one. Shorter than the estimate, because a path
    /// that has become a little faster must not make us deaf.
    pub(crate) fn deafness(&self) -> Duration {
        self.smoothed.map_or(ROUND_TRIP_MIN, |smoothed| smoothed * 3 / 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_measurement_counts_whole_and_later_ones_an_eighth() {
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.patience(), ROUND_TRIP_DEFAULT);
        assert_eq!(round_trip.deafness(), ROUND_TRIP_MIN);
        round_trip.measured(Duration::from_millis(40));
        assert_eq!(round_trip.patience(), Duration::from_millis(40));
        round_trip.measured(Duration::from_millis(120));
        assert_eq!(round_trip.patience(), Duration::from_millis(50));
    }

    #[test]
    fn no_measurement_leads_out_of_the_bounds() {
        let mut round_trip = RoundTrip::default();
        for _ in 0..100 {
            round_trip.measured(Duration::MAX);
            assert!(round_trip.patience() <= ROUND_TRIP_MAX);
        }
        for _ in 0..1_000 {
            round_trip.measured(Duration::ZERO);
            assert!(round_trip.patience() >= ROUND_TRIP_MIN);
        }
    }
}
