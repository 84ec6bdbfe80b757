//! The SFrame header: key id and counter in 1 to 17 bytes.

use sframe::header::SframeHeader;

/// A parsed header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The KID as it stands on the wire.
    pub key_id: u64,
    /// The CTR: how many frames were sealed before this one under the key.
    pub counter: u64,
    /// Length of the header in bytes.
    pub length: usize,
}

impl Header {
    /// Reads the header at the start of `bytes`. `None` when it is cut, or when
    /// a number takes more bytes than it needs: then two headers would mean
    /// the same, and RFC 9605 forbids it.
    ///
    /// Source: RFC 9605, section 4.3.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let read = SframeHeader::deserialize(bytes).ok()?;
        let shortest = SframeHeader::new(read.key_id(), read.counter());
        (read.len() == shortest.len()).then_some(Self {
            key_id: read.key_id(),
            counter: read.counter(),
            length: read.len(),
        })
    }

    /// The bytes of a header.
    pub fn encode(key_id: u64, counter: u64) -> Vec<u8> {
        Vec::from(&SframeHeader::new(key_id, counter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn number_in_more_bytes_than_it_needs_is_refused() {
        // KID 5 in one extra byte; KID 0x12 in two; CTR 7 in one.
        for wasteful in [&[0x80, 0x05][..], &[0x90, 0x00, 0x12], &[0x08, 0x07]] {
            assert_eq!(Header::parse(wasteful), None, "{wasteful:02x?}");
        }
    }

    #[test]
    fn every_cut_header_is_refused() {
        let whole = Header::encode(0x12_3456, 0x1_0000);
        for length in 0..whole.len() {
            assert_eq!(Header::parse(&whole[..length]), None);
        }
    }

    proptest! {
        #[test]
        fn header_survives_its_bytes(key_id in any::<u64>(), counter in any::<u64>(), shift in 0u32..64) {
            let (key_id, counter) = (key_id >> shift, counter >> (63 - shift));
            let bytes = Header::encode(key_id, counter);
            prop_assert_eq!(Header::parse(&bytes), Some(Header { key_id, counter, length: bytes.len() }));
        }
    }
}
