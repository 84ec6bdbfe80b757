//! The little of RTP and RTCP headers that protection needs.

use crate::srtp::error::SrtpError;

/// Length of the part of an RTCP packet that stays in clear, in bytes: the first word and the sender's SSRC.
pub(crate) const RTCP_HEADER_LEN: usize = 8;

/// Shortest RTP header, in bytes.
const RTP_HEADER_LEN_MIN: usize = 12;

/// What protection needs of an RTP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RtpHeader {
    /// Length of all that stays in clear, in bytes: header, contributing sources and header extension.
    pub(crate) len: usize,
    /// The sequence number.
    pub(crate) sequence_number: u16,
    /// The synchronisation source.
    pub(crate) ssrc: u32,
}

impl RtpHeader {
    /// Reads a header. Fails when the version is not 2, or when the header is longer than the packet.
    ///
    /// Source: RFC 3550 section 5.1 and 5.3.1.
    pub(crate) fn parse(packet: &[u8]) -> Result<Self, SrtpError> {
        let Some(fixed) = packet.first_chunk::<RTP_HEADER_LEN_MIN>() else {
            return Err(SrtpError::Malformed);
        };
        if fixed[0] >> 6 != 2 {
            return Err(SrtpError::Malformed);
        }
        let mut len = RTP_HEADER_LEN_MIN + 4 * usize::from(fixed[0] & 0x0F);
        if fixed[0] & 0x10 != 0 {
            let Some(extension) = packet.get(len..).and_then(|rest| rest.first_chunk::<4>()) else {
                return Err(SrtpError::Malformed);
            };
            len += 4 + 4 * usize::from(u16::from_be_bytes([extension[2], extension[3]]));
        }
        if len > packet.len() {
            return Err(SrtpError::Malformed);
        }
        Ok(Self {
            len,
            sequence_number: u16::from_be_bytes([fixed[2], fixed[3]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
        })
    }
}

/// The sender's SSRC of an RTCP packet. Fails when the version is not 2 or the packet too short.
pub(crate) fn rtcp_ssrc(packet: &[u8]) -> Result<u32, SrtpError> {
    match packet.first_chunk::<RTCP_HEADER_LEN>() {
        Some(&[first, _, _, _, a, b, c, d]) if first >> 6 == 2 => Ok(u32::from_be_bytes([a, b, c, d])),
        _ => Err(SrtpError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_ends_behind_contributing_sources_and_extension() {
        let mut packet = vec![0x92, 96, 0x12, 0x34, 0, 0, 0, 0, 1, 2, 3, 4];
        packet.extend([0; 8]);
        packet.extend([0xBE, 0xDE, 0, 2]);
        packet.extend([0; 8]);
        packet.extend([9; 5]);
        assert_eq!(
            RtpHeader::parse(&packet),
            Ok(RtpHeader {
                len: 32,
                sequence_number: 0x1234,
                ssrc: 0x0102_0304
            })
        );
    }

    #[test]
    fn every_truncation_of_a_header_is_malformed() {
        let mut packet = vec![
            0x91, 96, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0xBE, 0xDE, 0, 1, 0, 0, 0, 0,
        ];
        assert!(RtpHeader::parse(&packet).is_ok());
        while packet.pop().is_some() {
            assert_eq!(RtpHeader::parse(&packet), Err(SrtpError::Malformed));
        }
    }

    #[test]
    fn other_versions_are_malformed() {
        for first in [0x00, 0x40, 0xC0] {
            assert_eq!(RtpHeader::parse(&[first; 20]), Err(SrtpError::Malformed));
            assert_eq!(rtcp_ssrc(&[first; 20]), Err(SrtpError::Malformed));
        }
    }
}
