//! Quantities with their unit in the type.

use core::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Div, Mul, Sub, SubAssign},
    time::Duration,
};

/// A rate of data, in bits per second. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Bitrate(u64);

impl Bitrate {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);

    /// A rate in bits per second.
    pub const fn from_bps(bits_per_second: u64) -> Self {
        Self(bits_per_second)
    }

    /// A rate in kilobits (1,000 bits) per second.
    pub const fn from_kbps(kilobits_per_second: u64) -> Self {
        Self(kilobits_per_second.saturating_mul(1_000))
    }

    /// The rate in bits per second.
    pub const fn bps(self) -> u64 {
        self.0
    }

    /// The rate in whole kilobits per second, rounded down.
    pub const fn kbps(self) -> u64 {
        self.0 / 1_000
    }
}

/// An amount of data, in bytes. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DataSize(u64);

impl DataSize {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);

    /// An amount in bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The amount in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The amount in bits.
    pub const fn bits(self) -> u64 {
        self.0.saturating_mul(8)
    }
}

/// The data that flows in that time, in whole bytes, rounded down.
impl Mul<Duration> for Bitrate {
    type Output = DataSize;

    fn mul(self, time: Duration) -> DataSize {
        let bit_nanoseconds = u128::from(self.0).saturating_mul(time.as_nanos());
        DataSize(saturate(bit_nanoseconds / 8 / NANOSECONDS_PER_SECOND))
    }
}

/// The rate that moves this data in that time, rounded down; in no time, the largest rate there is.
impl Div<Duration> for DataSize {
    type Output = Bitrate;

    fn div(self, time: Duration) -> Bitrate {
        let bit_nanoseconds = u128::from(self.0) * 8 * NANOSECONDS_PER_SECOND;
        Bitrate(
            bit_nanoseconds
                .checked_div(time.as_nanos())
                .map_or(u64::MAX, saturate),
        )
    }
}

/// The time that this data takes at that rate; at no rate, the longest time there is.
impl Div<Bitrate> for DataSize {
    type Output = Duration;

    fn div(self, rate: Bitrate) -> Duration {
        let bit_nanoseconds = u128::from(self.0) * 8 * NANOSECONDS_PER_SECOND;
        match bit_nanoseconds.checked_div(u128::from(rate.0)) {
            Some(nanoseconds) => Duration::new(
                saturate(nanoseconds / NANOSECONDS_PER_SECOND),
                (nanoseconds % NANOSECONDS_PER_SECOND) as u32,
            ),
            None => Duration::MAX,
        }
    }
}

impl fmt::Display for Bitrate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bit/s", self.0)
    }
}

impl fmt::Display for DataSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} B", self.0)
    }
}

const NANOSECONDS_PER_SECOND: u128 = 1_000_000_000;

fn saturate(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

macro_rules! saturating_arithmetic {
    ($($unit:ident),*) => {$(
        impl Add for $unit {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl AddAssign for $unit {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl Sub for $unit {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }

        impl SubAssign for $unit {
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }

        impl Sum for $unit {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Add::add)
            }
        }
    )*};
}

saturating_arithmetic!(Bitrate, DataSize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_size_and_time_agree() {
        let rate = Bitrate::from_kbps(800);
        assert_eq!(rate * Duration::from_millis(20), DataSize::from_bytes(2_000));
        assert_eq!(DataSize::from_bytes(2_000) / Duration::from_millis(20), rate);
        assert_eq!(DataSize::from_bytes(2_000) / rate, Duration::from_millis(20));
        assert_eq!(rate.to_string(), "800000 bit/s");
        assert_eq!(DataSize::from_bytes(7).to_string(), "7 B");
    }

    #[test]
    fn arithmetic_saturates() {
        let most = DataSize::from_bytes(u64::MAX);
        assert_eq!(most + DataSize::from_bytes(1), most);
        assert_eq!(DataSize::ZERO - most, DataSize::ZERO);
        assert_eq!(most.bits(), u64::MAX);
        assert_eq!(most / Duration::ZERO, Bitrate::from_bps(u64::MAX));
        assert_eq!(most / Bitrate::ZERO, Duration::MAX);
        assert_eq!(most / Duration::from_nanos(1), Bitrate::from_bps(u64::MAX));
        assert_eq!(Bitrate::from_bps(u64::MAX) * Duration::MAX, most);
        assert_eq!(
            [DataSize::from_bytes(1), most].into_iter().sum::<DataSize>(),
            most
        );
    }
}
