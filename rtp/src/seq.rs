//! Arithmetic of RTP numbers that wrap.

/// Extends a 16-bit RTP sequence number to 64 bits.
///
/// `latest` is the highest extended number seen so far on this SSRC; take the
/// first one from [`start`]. The result is the candidate nearest to `latest`,
/// so jumps of up to 32,767 packets either way are understood.
///
/// Source: RFC 3711, appendix A.
pub fn extend(sequence_number: u16, latest: u64) -> u64 {
    extend_bits(u64::from(sequence_number), latest, 16)
}

/// The extended number of the first packet of a stream.
///
/// One cycle above zero, so that packets older than the first one still have a
/// place below it.
pub fn start(sequence_number: u16) -> u64 {
    (1 << 16) + u64::from(sequence_number)
}

/// Whether `a` comes after `b`; numbers half a cycle apart do not.
pub fn is_newer(a: u16, b: u16) -> bool {
    distance(a, b) > 0
}

/// How many packets `a` comes after `b`; negative when it comes before.
pub fn distance(a: u16, b: u16) -> i16 {
    a.wrapping_sub(b).cast_signed()
}

/// Extends a 32-bit RTP timestamp to 64 bits.
///
/// `latest` is the newest extended timestamp so far; take the first one from
/// [`start_timestamp`]. The result is the candidate nearest to `latest`: jumps
/// of less than 2^31 ticks either way (6.6 hours of video) are understood.
pub fn extend_timestamp(rtp_timestamp: u32, latest: u64) -> u64 {
    extend_bits(u64::from(rtp_timestamp), latest, 32)
}

/// The extended timestamp of the first packet of a stream: one cycle above zero.
pub fn start_timestamp(rtp_timestamp: u32) -> u64 {
    (1 << 32) + u64::from(rtp_timestamp)
}

/// Whether `a` is later than `b`; timestamps half a cycle apart are not.
pub fn is_newer_timestamp(a: u32, b: u32) -> bool {
    timestamp_distance(a, b) > 0
}

/// How many ticks `a` is later than `b`; negative when it is earlier.
pub fn timestamp_distance(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b).cast_signed()
}

/// Extends the 24-bit reference time of a transport-wide feedback to 64 bits.
///
/// `latest` is the newest extended one so far, in the same unit (64 ms). The
/// field wraps after 12.4 days.
pub fn extend_reference_time(reference_time: u32, latest: u64) -> u64 {
    extend_bits(u64::from(reference_time), latest, 24)
}

/// The number nearest to `latest` whose low `bits` are those of `value`.
///
/// The result always has these low bits; near either end of the 64-bit range
/// it is the nearest that exists. `bits` is 1 to 63.
pub(crate) fn extend_bits(value: u64, latest: u64, bits: u32) -> u64 {
    let modulus = 1_u64 << bits;
    let forward = value.wrapping_sub(latest) & (modulus - 1);
    let backward = modulus - forward;
    let ahead = latest.checked_add(forward);
    let behind = latest.checked_sub(backward);
    let candidates = if forward < backward {
        [ahead, behind]
    } else {
        [behind, ahead]
    };
    // At most one of the two leaves the range: they lie less than 2^63 apart.
    candidates.into_iter().flatten().next().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::config;

    #[test]
    fn sequence_number_is_extended_over_the_wrap() {
        assert_eq!(extend(0, start(65_535)), start(65_535) + 1);
        assert_eq!(extend(65_535, start(0)), start(0) - 1);
        assert_eq!(extend(7, start(7)), start(7));
        assert_eq!(extend(0x7FFF, 0x1_0000), 0x1_7FFF);
        assert_eq!(extend(0x8001, 0x1_0000), 0x8001);
    }

    #[test]
    fn sequence_number_below_zero_goes_forward() {
        assert_eq!(extend(65_535, 0), 65_535);
        assert_eq!(extend(0, u64::MAX), u64::MAX - 0xFFFF);
    }

    #[test]
    fn half_a_cycle_is_newer_in_neither_direction() {
        assert!(!is_newer(0x8000, 0));
        assert!(!is_newer(0, 0x8000));
        assert!(!is_newer_timestamp(0x8000_0000, 0));
    }

    #[test]
    fn reference_time_is_extended_over_the_wrap() {
        assert_eq!(extend_reference_time(1, 0x1FF_FFFF), 0x200_0001);
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn extension_keeps_the_low_bits(value: u16, latest: u64, bits in 1_u32..=63) {
            prop_assert_eq!(extend(value, latest) & 0xFFFF, u64::from(value));
            let wide = u64::from(value) & ((1 << bits) - 1);
            prop_assert_eq!(extend_bits(wide, latest, bits) & ((1 << bits) - 1), wide);
        }

        #[test]
        fn extension_follows_every_jump_of_less_than_half_a_cycle(
            latest in 0x1_0000_u64..1 << 60,
            jump in -32_767_i64..=32_767,
        ) {
            let next = latest.checked_add_signed(jump).unwrap();
            prop_assert_eq!(extend(next as u16, latest), next);
        }

        #[test]
        fn timestamp_follows_every_jump_of_less_than_half_a_cycle(
            latest in 1_u64 << 32..1 << 60,
            jump in -0x7FFF_FFFF_i64..=0x7FFF_FFFF,
        ) {
            let next = latest.checked_add_signed(jump).unwrap();
            prop_assert_eq!(extend_timestamp(next as u32, latest), next);
            prop_assert_eq!(i64::from(timestamp_distance(next as u32, latest as u32)), jump);
        }

        #[test]
        fn newer_is_never_mutual(a: u16, b: u16) {
            prop_assert!(!(is_newer(a, b) && is_newer(b, a)));
            prop_assert_eq!(is_newer(a, b), distance(a, b) > 0);
        }

        #[test]
        fn reference_time_follows_its_wrap(latest in 1_u64 << 24..1 << 40, jump in -0x7F_FFFF_i64..=0x7F_FFFF) {
            let next = latest.checked_add_signed(jump).unwrap();
            prop_assert_eq!(extend_reference_time(next as u32 & 0xFF_FFFF, latest), next);
        }
    }
}
