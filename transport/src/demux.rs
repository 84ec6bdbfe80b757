//! Tells from its first bytes which protocol a datagram speaks.

/// What a datagram is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatagramKind {
    /// A STUN message.
    Stun,
    /// One or more DTLS records.
    Dtls,
    /// An SRTP packet.
    Rtp,
    /// An SRTCP packet.
    Rtcp,
    /// Nothing we speak: ZRTP, TURN channels, noise, or an empty datagram.
    Unknown,
}

/// Classifies a datagram by its first two bytes.
///
/// The first byte separates the protocols: 0 to 3 STUN, 20 to 63 DTLS, 128 to 191 RTP and RTCP. Within the
/// last, a second byte of 192 to 223 is RTCP, that is an RTP payload type of 64 to 95 with the marker bit, which
/// no RTP stream may use here.
///
/// Source: RFC 7983 section 7, RFC 5761 section 4.
pub fn classify(datagram: &[u8]) -> DatagramKind {
    match datagram {
        [0..=3, ..] => DatagramKind::Stun,
        [20..=63, ..] => DatagramKind::Dtls,
        [128..=191, 192..=223, ..] => DatagramKind::Rtcp,
        [128..=191, _, ..] => DatagramKind::Rtp,
        _ => DatagramKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_byte_falls_in_its_range_of_rfc_7983() {
        for first in 0..=255_u8 {
            let expected = match first {
                0..=3 => DatagramKind::Stun,
                20..=63 => DatagramKind::Dtls,
                128..=191 => DatagramKind::Rtp,
                _ => DatagramKind::Unknown,
            };
            assert_eq!(classify(&[first, 111, 0, 0]), expected, "first byte {first}");
        }
    }

    #[test]
    fn rtcp_is_told_from_rtp_by_the_second_byte() {
        for second in 0..=255_u8 {
            let expected = if (192..=223).contains(&second) {
                DatagramKind::Rtcp
            } else {
                DatagramKind::Rtp
            };
            assert_eq!(classify(&[0x80, second]), expected, "second byte {second}");
        }
    }

    #[test]
    fn empty_and_lonely_bytes_are_harmless() {
        assert_eq!(classify(&[]), DatagramKind::Unknown);
        assert_eq!(classify(&[0x80]), DatagramKind::Unknown);
        assert_eq!(classify(&[0x00]), DatagramKind::Stun);
        assert_eq!(classify(&[0x16]), DatagramKind::Dtls);
    }
}
