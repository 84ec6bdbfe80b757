//! Headers on their way out, byte by byte.

use super::*;
use crate::{
    extension::{AudioLevel, Extension},
    ids::{Mid, PayloadType, Rid, Ssrc},
    testing::canonical_map,
};

const HEADER: RtpHeader = RtpHeader {
    marker: true,
    payload_type: PayloadType::new(111).unwrap(),
    sequence_number: 0xFFFF,
    rtp_timestamp: 0x0102_0304,
    ssrc: Ssrc(0x0A0B_0C0D),
};

#[test]
fn header_without_extensions_has_twelve_bytes() {
    let mut out = [0xAA; 13];
    let len = write_header(&mut out, &HEADER, &Extensions::default(), &canonical_map());
    assert_eq!(len, Ok(12));
    assert_eq!(
        out,
        [0x80, 0xEF, 0xFF, 0xFF, 1, 2, 3, 4, 0x0A, 0x0B, 0x0C, 0x0D, 0xAA]
    );
}

#[test]
fn extensions_are_written_in_the_one_byte_form() {
    let elements = Extensions {
        mid: Some(Mid::new("a0").unwrap()),
        audio_level: Some(AudioLevel {
            voice: true,
            below_overload_db: 45,
        }),
        transport_sequence: Some(0x0506),
        ..Extensions::default()
    };
    let mut out = [0xAA; 28];
    let len = write_header(&mut out, &HEADER, &elements, &canonical_map());
    assert_eq!(len, Ok(24));
    assert_eq!(out[0], 0x90);
    assert_eq!(
        out[12..24],
        [
            0xBE,
            0xDE,
            0,
            2,
            0x11,
            b'a',
            b'0',
            0x40,
            0x80 | 45,
            0x51,
            0x05,
            0x06
        ]
    );
}

#[test]
fn extensions_that_were_not_negotiated_stay_away() {
    let elements = Extensions {
        transport_sequence: Some(1),
        ..Extensions::default()
    };
    let map = [(1, Extension::Mid)].into_iter().collect();
    assert_eq!(write_header(&mut [0; 12], &HEADER, &elements, &map), Ok(12));
}

#[test]
fn longest_header_fits_its_bound_and_nothing_less() {
    let label = "0123456789abcdef";
    let elements = Extensions {
        mid: Some(Mid::new(label).unwrap()),
        rid: Some(Rid::new(label).unwrap()),
        repaired_rid: Some(Rid::new(label).unwrap()),
        audio_level: Some(AudioLevel {
            voice: false,
            below_overload_db: 127,
        }),
        transport_sequence: Some(0xFFFF),
    };
    let map = (100..).zip(Extension::ALL).collect();
    let mut out = [0; HEADER_LEN_MAX];
    assert_eq!(
        write_header(&mut out, &HEADER, &elements, &map),
        Ok(HEADER_LEN_MAX)
    );
    for len in 0..HEADER_LEN_MAX {
        assert_eq!(
            write_header(&mut out[..len], &HEADER, &elements, &map),
            Err(BufferTooSmall)
        );
    }
}
