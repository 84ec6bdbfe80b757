//! Header extensions: bytes by hand after RFC 8285, and there and back.

use proptest::prelude::*;

use super::*;
use crate::testing::{canonical_map, config, extensions, maps};

const ONE_BYTE: u16 = 0xBEDE;
const TWO_BYTE: u16 = 0x1000;

#[test]
fn one_byte_form_is_read() {
    let block = [
        0x10,
        b'c', // id 1, 1 byte: mid
        0x20,
        b'h', // id 2, 1 byte: rid
        0x40,
        0x80 | 30, // id 4, 1 byte: voice at -30 dBov
        0x51,
        0x12,
        0x34, // id 5, 2 bytes: transport sequence
        0x00,
        0x00,
        0x00, // padding
    ];
    let read = Extensions::parse(ONE_BYTE, &block, &canonical_map()).unwrap();
    assert_eq!(read.mid, Some(Mid::new("c").unwrap()));
    assert_eq!(read.rid, Some(Rid::new("h").unwrap()));
    assert_eq!(read.repaired_rid, None);
    assert_eq!(
        read.audio_level,
        Some(AudioLevel {
            voice: true,
            below_overload_db: 30
        })
    );
    assert_eq!(read.transport_sequence, Some(0x1234));
}

#[test]
fn two_byte_form_is_read_whatever_its_application_bits() {
    let block = [
        5, 2, 0xFF, 0xFE, // transport sequence
        0,    // padding
        99, 0, // an unknown element without data
        1, 2, b'v', b'8', // mid
        0, 0, 0, // padding
    ];
    for profile in [0x1000, 0x100F] {
        let read = Extensions::parse(profile, &block, &canonical_map()).unwrap();
        assert_eq!(read.transport_sequence, Some(0xFFFE));
        assert_eq!(read.mid, Some(Mid::new("v8").unwrap()));
    }
}

#[test]
fn other_profiles_hold_nothing_for_us() {
    let read = Extensions::parse(0x1010, &[0x10, b'c', 0, 0], &canonical_map());
    assert_eq!(read, Ok(Extensions::default()));
}

#[test]
fn one_byte_block_ends_at_id_15_and_at_padding_with_a_length() {
    for end in [0xF0, 0xFF, 0x03] {
        let block = [0x10, b'c', end, 0x20, b'h', 0x20, b'h', 0x20];
        let read = Extensions::parse(ONE_BYTE, &block, &canonical_map()).unwrap();
        assert_eq!((read.mid.is_some(), read.rid), (true, None), "after {end:#04x}");
    }
}

#[test]
fn unknown_elements_are_skipped_and_the_last_of_two_counts() {
    let block = [0x71, 1, 2, 0x10, b'a', 0x10, b'b', 0];
    let read = Extensions::parse(ONE_BYTE, &block, &canonical_map()).unwrap();
    assert_eq!(read.mid, Some(Mid::new("b").unwrap()));
}

#[test]
fn elements_that_run_past_the_block_are_refused() {
    let map = canonical_map();
    assert_eq!(
        Extensions::parse(ONE_BYTE, &[0x13, b'c', 0, 0], &map),
        Err(RtpError::ExtensionOverrun)
    );
    assert_eq!(
        Extensions::parse(TWO_BYTE, &[1, 3, b'c', 0], &map),
        Err(RtpError::ExtensionOverrun)
    );
    assert_eq!(
        Extensions::parse(TWO_BYTE, &[0, 0, 0, 1], &map),
        Err(RtpError::ExtensionOverrun)
    );
}

#[test]
fn elements_with_impossible_contents_are_refused() {
    let map = canonical_map();
    let malformed: [&[u8]; 5] = [
        &[0x41, 0, 0, 0],       // audio level of two bytes
        &[0x50, 0, 0, 0],       // transport sequence of one byte
        &[0x10, b' ', 0, 0],    // mid that is no token
        &[0x20, b';', 0, 0],    // rid with a character of SDP
        &[0x21, b'l', 0xFF, 0], // rid that is not ASCII
    ];
    for block in malformed {
        assert_eq!(
            Extensions::parse(ONE_BYTE, block, &map),
            Err(RtpError::ExtensionMalformed),
            "{block:?}"
        );
    }
    assert_eq!(
        Extensions::parse(TWO_BYTE, &[1, 0, 0, 0], &map),
        Err(RtpError::ExtensionMalformed)
    );
}

#[test]
fn map_binds_each_id_and_each_extension_once() {
    let mut map = ExtensionMap::new();
    assert!(map.insert(1, Extension::Mid));
    assert!(map.insert(1, Extension::Rid));
    assert_eq!(map.id(Extension::Mid), None);
    assert_eq!(map.extension(1), Some(Extension::Rid));
    assert!(map.insert(7, Extension::Rid));
    assert_eq!((map.extension(1), map.id(Extension::Rid)), (None, Some(7)));
    assert!(!map.insert(0, Extension::Mid));
    assert!(!map.insert(15, Extension::Mid));
    assert_eq!(map.extension(0), None);
}

#[test]
fn names_of_extensions_are_told_apart() {
    for extension in Extension::ALL {
        assert_eq!(Extension::from_uri(extension.uri()), Some(extension));
        assert_eq!(Extension::ALL[extension as usize], extension);
    }
    assert_eq!(Extension::from_uri("urn:3gpp:video-orientation"), None);
}

#[test]
fn high_ids_are_written_in_the_two_byte_form() {
    let map: ExtensionMap = [(16, Extension::TransportSequence)].into_iter().collect();
    let elements = Extensions {
        transport_sequence: Some(0x0102),
        ..Extensions::default()
    };
    let mut out = [0xAA; 12];
    let mut writer = Writer::new(&mut out);
    assert_eq!(elements.write(&mut writer, &map), Some(true));
    assert_eq!(writer.len(), 8);
    assert_eq!(out[..8], [0x10, 0x00, 0, 1, 16, 2, 1, 2]);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_written_is_read_again(elements in extensions(), map in maps()) {
        let mut out = [0; crate::write::HEADER_LEN_MAX];
        let mut writer = Writer::new(&mut out);
        let mut expected = elements;
        forget_unmapped(&mut expected, &map);
        let has_block = elements.write(&mut writer, &map).unwrap();
        let len = writer.len();
        prop_assert_eq!(has_block, expected != Extensions::default());
        prop_assert_eq!(has_block, len > 0);
        prop_assert!(len.is_multiple_of(4));
        if has_block {
            let words = usize::from(u16::from_be_bytes([out[2], out[3]]));
            prop_assert_eq!(words * 4 + 4, len);
            let profile = u16::from_be_bytes([out[0], out[1]]);
            prop_assert_eq!(Extensions::parse(profile, &out[4..len], &map), Ok(expected));
        }
    }

    #[test]
    fn any_block_is_read_or_refused(profile in prop_oneof![Just(ONE_BYTE), Just(TWO_BYTE), any::<u16>()],
                                    block: Vec<u8>, map in maps()) {
        let _ = Extensions::parse(profile, &block, &map);
    }
}

fn forget_unmapped(elements: &mut Extensions, map: &ExtensionMap) {
    for extension in Extension::ALL {
        if map.id(extension).is_none() {
            match extension {
                Extension::Mid => elements.mid = None,
                Extension::Rid => elements.rid = None,
                Extension::RepairedRid => elements.repaired_rid = None,
                Extension::AudioLevel => elements.audio_level = None,
                Extension::TransportSequence => elements.transport_sequence = None,
            }
        }
    }
}
