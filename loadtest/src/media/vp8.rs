//! VP8 over RTP, as an endpoint writes and reads it.
//!
//! Source: RFC 7741 section 4.2. The frame behind the descriptor is sealed; its first bytes are the synthetic prefix.

use crate::limits::PAYLOAD_MAX;

/// Extended control bits are there; a packet begins a partition; a picture id is there; it has 15 bits.
const EXTENDED: u8 = 0x80;
const START: u8 = 0x10;
const PICTURE_ID: u8 = 0x80;
const LONG: u8 = 0x80;

/// The payloads of one picture.
pub(crate) fn packetize(frame: &[u8], picture_id: u16) -> impl Iterator<Item = Vec<u8>> {
    let [high, low] = (picture_id & 0x7FFF).to_be_bytes();
    frame.chunks(PAYLOAD_MAX).enumerate().map(move |(number, part)| {
        let first = if number == 0 { EXTENDED | START } else { EXTENDED };
        let mut payload = vec![first, PICTURE_ID, LONG | high, low];
        payload.extend_from_slice(part);
        payload
    })
}

/// One packet of a picture.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// Whether the picture begins here.
    pub(crate) is_first: bool,
    /// What stands behind the descriptor.
    pub(crate) data: &'a [u8],
}

/// Takes the descriptor off; `None` when the payload ends inside it.
pub(crate) fn depacketize(payload: &[u8]) -> Option<Part<'_>> {
    let (&first, mut rest) = payload.split_first()?;
    let mut take = || {
        let (&byte, behind) = rest.split_first()?;
        rest = behind;
        Some(byte)
    };
    if first & EXTENDED != 0 {
        let present = take()?;
        if present & 0x80 != 0 && take()? & LONG != 0 {
            take()?;
        }
        if present & 0x40 != 0 {
            take()?;
        }
        if present & 0x30 != 0 {
            take()?;
        }
    }
    Some(Part {
        is_first: first & START != 0 && first & 0x07 == 0,
        data: rest,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_optional_fields_are_taken_off() {
        for (payload, data) in [
            (&[0x10, 1, 2][..], &[1, 2][..]),
            (&[0x90, 0x80, 5, 1], &[1]),
            (&[0x90, 0x80, 0x85, 7, 1], &[1]),
            (&[0x90, 0xE0, 0x85, 7, 3, 0x20, 1], &[1]),
            (&[0x90, 0x10, 4, 1], &[1]),
        ] {
            assert_eq!(depacketize(payload).unwrap().data, data);
        }
        for cut in [&[][..], &[0x90], &[0x90, 0x80], &[0x90, 0x80, 0x85]] {
            assert_eq!(depacketize(cut), None);
        }
    }

    proptest! {
        #[test]
        fn a_picture_comes_back_from_its_packets(frame in prop::collection::vec(any::<u8>(), 1..4_000), picture_id: u16) {
            let payloads: Vec<Vec<u8>> = packetize(&frame, picture_id).collect();
            let mut whole = Vec::new();
            for (number, payload) in payloads.iter().enumerate() {
                let part = depacketize(payload).unwrap();
                prop_assert_eq!(part.is_first, number == 0);
                whole.extend_from_slice(part.data);
            }
            prop_assert_eq!(whole, frame);
        }
    }
}
