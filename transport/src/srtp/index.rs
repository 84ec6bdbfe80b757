//! From the 16 bits of a sequence number to the 48 bits of a packet index.

/// First index that may not be used any more: 48 bits are all there are.
pub(crate) const INDEX_END: u64 = 1 << 48;

/// The packet index of a sequence number: rollover counter and sequence number in one.
///
/// `highest` is the highest index that was authentic so far, `None` before the first packet, whose rollover counter
/// is zero. The result is the candidate nearest to `highest`, never below zero; of two that are equally far, the one with
/// the rollover counter of `highest`.
///
/// Source: RFC 3711 section 3.3.1 and appendix A.
pub(crate) fn estimate(sequence_number: u16, highest: Option<u64>) -> u64 {
    let Some(highest) = highest else {
        return u64::from(sequence_number);
    };
    // How far the sequence number is ahead of the highest, from -32,768 to 32,768.
    let ahead = match sequence_number.wrapping_sub(highest as u16).cast_signed() {
        i16::MIN if sequence_number >= 0x8000 => 0x8000,
        ahead => i64::from(ahead),
    };
    match highest.checked_add_signed(ahead) {
        Some(index) => index,
        // Nearest would be before the first packet, so the sequence number can only be a long jump forward.
        None => u64::from(sequence_number),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn first_packet_has_rollover_counter_zero() {
        assert_eq!(estimate(0, None), 0);
        assert_eq!(estimate(65_535, None), 65_535);
    }

    #[test]
    fn rollover_counter_rises_when_the_sequence_number_wraps() {
        assert_eq!(estimate(0, Some(65_535)), 65_536);
        assert_eq!(estimate(3, Some(0x2_FFF0)), 0x3_0003);
    }

    #[test]
    fn packet_from_before_the_wrap_keeps_the_old_rollover_counter() {
        assert_eq!(estimate(65_535, Some(65_536)), 65_535);
        assert_eq!(estimate(0xFFF0, Some(0x3_0003)), 0x2_FFF0);
    }

    #[test]
    fn half_the_circle_stays_within_the_rollover_counter() {
        assert_eq!(estimate(0x8005, Some(0x3_0005)), 0x3_8005);
        assert_eq!(estimate(0x0005, Some(0x3_8005)), 0x3_0005);
        assert_eq!(estimate(0x8005, Some(INDEX_END - 0xFFFB)), INDEX_END - 0x7FFB);
    }

    #[test]
    fn nothing_comes_before_the_first_packet() {
        assert_eq!(estimate(65_530, Some(5)), 65_530);
    }

    proptest! {
        #[test]
        fn jumps_of_up_to_32_767_packets_are_understood(highest in 32_768_u64..INDEX_END, jump in -32_767_i64..=32_767) {
            let index = highest.checked_add_signed(jump).unwrap();
            prop_assert_eq!(estimate(index as u16, Some(highest)), index);
        }

        #[test]
        fn estimate_ends_in_the_sequence_number(highest in proptest::option::of(0..INDEX_END), sequence_number: u16) {
            prop_assert_eq!(estimate(sequence_number, highest) as u16, sequence_number);
        }
    }
}
