//! RTP packets: bytes by hand after RFC 3550 section 5.1, and hostile ones.

use proptest::prelude::*;

use super::*;
use crate::{
    descriptor::DescriptorRewrite,
    ids::{Mid, Rid},
    testing::{canonical_map, config, extensions, headers, maps},
    write::{HEADER_LEN_MAX, write_header},
};

/// A VP8 packet with one contributing source, extensions and padding.
const GOLDEN: [u8; 40] = [
    0xB1, 0xE4, 0x12, 0x34, // version 2, padding, extension, 1 CSRC; marker, payload type 100
    0x00, 0x01, 0x5F, 0x90, // timestamp 90,000
    0xDE, 0xAD, 0xBE, 0xEF, // SSRC
    0x00, 0x00, 0x00, 0x07, // CSRC
    0xBE, 0xDE, 0x00, 0x02, // one-byte form, two words
    0x10, b'c', 0x20, b'm', 0x51, 0xAB, 0xCD, 0x00, // mid, rid, transport sequence
    0x10, 0x11, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, // payload
    0x00, 0x00, 0x00, 0x04, // padding
];

#[test]
fn every_field_of_a_packet_is_read() {
    let packet = RtpPacket::parse(&GOLDEN, &canonical_map()).unwrap();
    let expected = RtpHeader {
        marker: true,
        payload_type: PayloadType::new(100).unwrap(),
        sequence_number: 0x1234,
        rtp_timestamp: 90_000,
        ssrc: Ssrc(0xDEAD_BEEF),
    };
    assert_eq!(packet.header, expected);
    assert_eq!(packet.csrc_count, 1);
    assert_eq!(packet.header_len, 28);
    assert_eq!(header_len(&GOLDEN), Ok(28));
    assert_eq!(packet.extensions.mid, Some(Mid::new("c").unwrap()));
    assert_eq!(packet.extensions.rid, Some(Rid::new("m").unwrap()));
    assert_eq!(packet.extensions.transport_sequence, Some(0xABCD));
    assert_eq!((packet.payload.len(), packet.padding_len), (8, 4));
    assert_eq!(wire(&packet), GOLDEN[28..36]);
}

#[test]
fn packet_cut_anywhere_before_its_payload_is_refused() {
    for len in 0..28 {
        let reason = match len {
            0..12 => RtpError::TooShort,
            12..16 => RtpError::CsrcOverrun,
            _ => RtpError::ExtensionOverrun,
        };
        assert_eq!(
            RtpPacket::parse(&GOLDEN[..len], &canonical_map()).err(),
            Some(reason),
            "{len} bytes"
        );
        assert_eq!(header_len(&GOLDEN[..len]), Err(reason), "{len} bytes");
    }
}

#[test]
fn other_versions_are_refused() {
    for version in [0, 1, 3] {
        let mut datagram = GOLDEN;
        datagram[0] = (datagram[0] & 0x3F) | version << 6;
        assert_eq!(
            RtpPacket::parse(&datagram, &canonical_map()).err(),
            Some(RtpError::WrongVersion)
        );
    }
}

#[test]
fn padding_alone_is_a_packet_without_media() {
    let mut datagram = [0; 12 + 255];
    datagram[0] = 0xA0;
    datagram[266] = 255;
    let packet = RtpPacket::parse(&datagram, &canonical_map()).unwrap();
    assert!(packet.payload.is_empty());
    assert_eq!(packet.padding_len, 255);
}

#[test]
fn impossible_padding_is_refused() {
    let mut datagram = [0; 16];
    datagram[0] = 0xA0;
    for count in [0, 5, 255] {
        datagram[15] = count;
        assert_eq!(
            RtpPacket::parse(&datagram, &canonical_map()).err(),
            Some(RtpError::PaddingInvalid)
        );
    }
    assert_eq!(
        RtpPacket::parse(&datagram[..12], &canonical_map()).err(),
        Some(RtpError::PaddingInvalid)
    );
}

#[test]
fn packet_with_nothing_behind_its_header_is_read() {
    let mut datagram = [0; 12];
    datagram[0] = 0x80;
    let packet = RtpPacket::parse(&datagram, &canonical_map()).unwrap();
    assert!(packet.payload.is_empty());
    assert_eq!((packet.padding_len, packet.header_len), (0, 12));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_datagram_is_read_or_refused(datagram: Vec<u8>, version_two: bool, map in maps()) {
        let mut datagram = datagram;
        if let (true, Some(first)) = (version_two, datagram.first_mut()) {
            *first = (*first & 0x3F) | 0x80;
        }
        if let Ok(packet) = RtpPacket::parse(&datagram, &map) {
            let len = packet.header_len + packet.payload.len() + usize::from(packet.padding_len);
            prop_assert_eq!(len, datagram.len());
            prop_assert_eq!(header_len(&datagram), Ok(packet.header_len));
            let payload_end = packet.header_len + packet.payload.len();
            prop_assert_eq!(wire(&packet), datagram[packet.header_len..payload_end].to_vec());
        }
    }

    #[test]
    fn what_is_written_is_read_again(
        header in headers(),
        elements in extensions(),
        payload in proptest::collection::vec(any::<u8>(), 0..32),
    ) {
        let mut datagram = [0; HEADER_LEN_MAX + 32];
        let map = canonical_map();
        let header_len = write_header(&mut datagram, &header, &elements, &map).unwrap();
        let len = header_len + payload.len();
        datagram[header_len..len].copy_from_slice(&payload);
        let packet = RtpPacket::parse(&datagram[..len], &map).unwrap();
        prop_assert_eq!(packet.header, header);
        prop_assert_eq!(packet.extensions, elements);
        prop_assert_eq!((packet.header_len, packet.csrc_count, packet.padding_len), (header_len, 0, 0));
        prop_assert_eq!(wire(&packet), payload);
    }
}

fn wire(packet: &RtpPacket<'_>) -> Vec<u8> {
    let mut out = vec![0; packet.payload.len()];
    assert_eq!(
        packet.payload.copy_to_wire(&DescriptorRewrite::Keep, &mut out),
        Ok(out.len())
    );
    out
}
