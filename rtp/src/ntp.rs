//! Time as RTCP writes it: seconds since some epoch in 32.32 fixed point.

use core::time::Duration;

/// A 64-bit NTP timestamp: 32 bits of seconds, 32 bits of fraction.
///
/// The epoch is the sender's choice (RFC 3550 section 4 allows any clock); ours
/// is the epoch of the durations it is made from. Seconds wrap after 136 years.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The time `since_epoch`, rounded down to 2^-32 s.
    pub fn from_duration(since_epoch: Duration) -> Self {
        let fraction = (u64::from(since_epoch.subsec_nanos()) << 32) / NANOSECONDS_PER_SECOND;
        Self((since_epoch.as_secs() << 32) | fraction)
    }

    /// The time since the epoch, rounded down to a nanosecond.
    pub fn to_duration(self) -> Duration {
        let nanoseconds = ((self.0 & 0xFFFF_FFFF) * NANOSECONDS_PER_SECOND) >> 32;
        Duration::new(self.0 >> 32, nanoseconds as u32)
    }

    /// The middle 32 bits, in units of 2^-16 s: what reports carry as "last SR".
    pub fn compact(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// A duration in units of 2^-16 s, as reports carry delays; saturates at 18.2 hours.
pub fn compact_from_duration(duration: Duration) -> u32 {
    let units = (duration.as_nanos() << 16) / u128::from(NANOSECONDS_PER_SECOND);
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// The duration of so many units of 2^-16 s, rounded down to a nanosecond.
pub fn duration_from_compact(units: u32) -> Duration {
    Duration::from_nanos((u64::from(units) * NANOSECONDS_PER_SECOND) >> 16)
}

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::config;

    #[test]
    fn half_a_second_is_half_the_fraction() {
        let time = NtpTime::from_duration(Duration::from_millis(1_500));
        assert_eq!(time, NtpTime(0x1_8000_0000));
        assert_eq!(time.compact(), 0x1_8000);
        assert_eq!(time.to_duration(), Duration::from_millis(1_500));
    }

    #[test]
    fn extremes_do_not_panic() {
        assert_eq!(compact_from_duration(Duration::MAX), u32::MAX);
        assert!(NtpTime(u64::MAX).to_duration() < Duration::from_secs(1 << 32));
        let _ = NtpTime::from_duration(Duration::MAX);
        assert!(duration_from_compact(u32::MAX) < Duration::from_secs(1 << 16));
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn conversions_lose_less_than_their_unit(nanoseconds in 0_u64..u64::from(u32::MAX) * 1_000_000_000) {
            let duration = Duration::from_nanos(nanoseconds);
            let back = NtpTime::from_duration(duration).to_duration();
            prop_assert!(back <= duration && duration - back <= Duration::from_nanos(2));
        }

        #[test]
        fn compact_durations_come_back(units: u32) {
            let back = compact_from_duration(duration_from_compact(units));
            prop_assert!(units - back <= 1);
        }
    }
}
