//! Tells protocols on the one TCP port apart by their first byte.

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// ICE, DTLS and SRTP in the framing of RFC 4571.
    Media,
    /// TLS.
    Tls,
    /// HTTP/1.
    Http,
    /// Nothing that has a place here.
    Unknown,
}

/// What a connection speaks that begins with `byte`. The three ranges do not touch:
///
/// - Media begins with the length of the first frame, 16 bits in network order (RFC 4571, section 2). Who opens an
///   ICE connection over TCP sends a STUN request first (RFC 6544, section 7): 20 bytes of header and some
///   attributes, in practice about 100 bytes. A frame fits a datagram of an Ethernet, 1,500 bytes (0x05DC), so the
///   high byte of its length is 0 to 5.
/// - TLS begins with a record of the type handshake, 22 (RFC 8446, section 5.1). Read as a length that would be a
///   first frame of at least 5,632 bytes.
/// - HTTP/1 begins with a method. All registered ones are upper-case letters (RFC 9110, section 9.1).
pub(crate) fn speaks(byte: u8) -> Speaks {
    match byte {
        0..=5 => Speaks::Media,
        22 => Speaks::Tls,
        b'A'..=b'Z' => Speaks::Http,
        _ => Speaks::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_is_known_by_its_first_byte() {
        // A STUN request of 100 bytes, framed; the longest first frame that is taken.
        assert_eq!(speaks(100_u16.to_be_bytes()[0]), Speaks::Media);
        assert_eq!(speaks(1_500_u16.to_be_bytes()[0]), Speaks::Media);
        assert_eq!(speaks(0x16), Speaks::Tls);
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PRI * HTTP/2.0"] {
            assert_eq!(speaks(method.as_bytes()[0]), Speaks::Http);
        }
    }

    #[test]
    fn most_bytes_are_nobodys() {
        let of = |wanted| (0..=u8::MAX).filter(|byte| speaks(*byte) == wanted).count();
        assert_eq!(of(Speaks::Media), 6);
        assert_eq!(of(Speaks::Tls), 1);
        assert_eq!(of(Speaks::Http), 26);
        assert_eq!(of(Speaks::Unknown), 256 - 33);
        // SSH, SMTP by a client in lower case, SOCKS 5 is not media but its version byte is: the SFU refuses it.
        assert_eq!(speaks(b's'), Speaks::Unknown);
        assert_eq!(speaks(0x80), Speaks::Unknown);
    }
}
