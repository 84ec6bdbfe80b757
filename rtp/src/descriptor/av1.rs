//! The AV1 aggregation header.

use crate::error::DescriptorError;

/// The one byte that stands before AV1 media in every packet.
///
/// Source: RTP Payload Format For AV1, v1.0, section 4.4.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Av1Descriptor {
    /// `Z`: the first element continues one of the packet before.
    pub continues_previous: bool,
    /// `Y`: the last element goes on in the packet after.
    pub continues_in_next: bool,
    /// `W`: how many elements the packet holds, 1 to 3; `None` when each is preceded by its length.
    pub element_count: Option<u8>,
    /// `N`: the packet is the first of a coded video sequence, which starts with a key frame.
    pub new_coded_video_sequence: bool,
}

impl Av1Descriptor {
    pub(super) fn parse(payload: &[u8]) -> Result<Self, DescriptorError> {
        // Every packet carries at least one byte of media.
        let [byte, _, ..] = payload else {
            return Err(DescriptorError::Truncated);
        };
        let descriptor = Self {
            continues_previous: byte & 0x80 != 0,
            continues_in_next: byte & 0x40 != 0,
            element_count: Some(byte >> 4 & 0x03).filter(|&count| count != 0),
            new_coded_video_sequence: byte & 0x08 != 0,
        };
        // A first packet has nothing to continue: "If N is equal to 1, Z must be 0".
        if descriptor.new_coded_video_sequence && descriptor.continues_previous {
            return Err(DescriptorError::Malformed);
        }
        Ok(descriptor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_packet_of_a_key_frame_is_told_by_n() {
        let descriptor = Av1Descriptor::parse(&[0b0001_1000, 0x08]).unwrap();
        assert!(descriptor.new_coded_video_sequence);
        assert_eq!(descriptor.element_count, Some(1));
        assert!(!descriptor.continues_previous && !descriptor.continues_in_next);
    }

    #[test]
    fn middle_packet_continues_both_ways() {
        let descriptor = Av1Descriptor::parse(&[0b1100_0000, 0x08]).unwrap();
        assert!(descriptor.continues_previous && descriptor.continues_in_next);
        assert_eq!(descriptor.element_count, None);
        assert!(!descriptor.new_coded_video_sequence);
    }

    #[test]
    fn sequence_start_that_continues_is_refused() {
        assert_eq!(
            Av1Descriptor::parse(&[0b1000_1000, 0]),
            Err(DescriptorError::Malformed)
        );
        assert_eq!(Av1Descriptor::parse(&[0]), Err(DescriptorError::Truncated));
        assert_eq!(Av1Descriptor::parse(&[]), Err(DescriptorError::Truncated));
    }
}
